/**
 * Calls across a worker's boundary: numbered requests, progress on the way, cancellation, and
 * errors that arrive as what they were.
 */
import { GyeotError } from '../core/index.js';
import type { GyeotErrorCode } from '../core/index.js';
import { abortError, throwIfAborted } from './abort.js';
import type { CallOptions, Progress } from './types.js';

export type Request =
  | { id: number; method: string; args: unknown[]; progress: boolean }
  | { id: number; abort: true };

export type Reply =
  | { ready: true }
  | { id: number; result: unknown }
  | { id: number; progress: Progress }
  | { id: number; error: WireError };

interface WireError {
  code: GyeotErrorCode;
  message: string;
  file?: string;
  stack?: string;
}

/** Where messages go and come from: a Worker, or a worker's own scope. */
export interface Port {
  postMessage(message: unknown, transfer: Transferable[]): void;
  addEventListener(type: 'message', listener: (event: MessageEvent) => void): void;
}

/** What serves the calls: its methods take their arguments and then the call's options. */
export type Service = {
  call(method: string, args: unknown[], options: CallOptions): Promise<unknown>;
};

export class RpcClient implements Service {
  readonly #port: Port;
  readonly #calls = new Map<
    number,
    { resolve(value: unknown): void; reject(error: Error): void; onProgress?: CallOptions['onProgress'] }
  >();
  #next = 1;
  #broken: GyeotError | null = null;

  constructor(port: Port) {
    this.#port = port;
    port.addEventListener('message', ({ data }: MessageEvent<Reply>) => this.#receive(data));
  }

  call(method: string, args: unknown[], { signal, onProgress }: CallOptions = {}): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#broken) throw this.#broken;
      throwIfAborted(signal);
      const id = this.#next++;
      const abort = () => {
        this.#calls.delete(id);
        this.#port.postMessage({ id, abort: true }, []);
        reject(abortError(signal!));
      };
      const end = () => signal?.removeEventListener('abort', abort);
      signal?.addEventListener('abort', abort, { once: true });
      this.#calls.set(id, {
        resolve: (value) => (end(), resolve(value)),
        reject: (error) => (end(), reject(error)),
        onProgress,
      });
      try {
        this.#port.postMessage({ id, method, args, progress: Boolean(onProgress) }, []);
      } catch (cause) {
        this.#calls.delete(id);
        end();
        throw new GyeotError('argument', `The call cannot be sent: ${String(cause)}`, { cause });
      }
    });
  }

  /** Fails all calls that wait, and all that come. */
  break(error: GyeotError): void {
    this.#broken ??= error;
    for (const { reject } of this.#calls.values()) reject(this.#broken);
    this.#calls.clear();
  }

  #receive(reply: Reply): void {
    if (!('id' in reply)) return;
    const call = this.#calls.get(reply.id);
    if (!call) return;
    if ('progress' in reply) {
      call.onProgress?.(reply.progress);
      return;
    }
    this.#calls.delete(reply.id);
    if ('error' in reply) call.reject(fromWire(reply.error));
    else call.resolve(reply.result);
  }
}

/** Answers the calls that come through a port. */
export function serve(port: Port, service: Service): void {
  const aborts = new Map<number, AbortController>();
  port.addEventListener('message', ({ data: request }: MessageEvent<Request>) => {
    if ('abort' in request) {
      aborts.get(request.id)?.abort();
      return;
    }
    const { id, method, args, progress } = request;
    const controller = new AbortController();
    aborts.set(id, controller);
    const send = (reply: Reply, transfer: Transferable[] = []) => port.postMessage(reply, transfer);
    const options: CallOptions = { signal: controller.signal };
    if (progress) options.onProgress = (state) => send({ id, progress: state });
    service
      .call(method, args, options)
      .then(
        (result) => send({ id, result }, buffersOf(result)),
        (error: unknown) => send({ id, error: toWire(error) }),
      )
      .finally(() => aborts.delete(id));
  });
  port.postMessage({ ready: true }, []);
}

/** Large arrays are handed over, not copied; services give fresh ones. */
function buffersOf(result: unknown): Transferable[] {
  if (ArrayBuffer.isView(result)) return [result.buffer as ArrayBuffer];
  if (typeof result !== 'object' || result === null) return [];
  return Object.values(result)
    .filter(ArrayBuffer.isView)
    .map((view) => view.buffer as ArrayBuffer);
}

function toWire(error: unknown): WireError {
  if (error instanceof GyeotError) {
    const wire: WireError = { code: error.code, message: error.message };
    if (error.file !== undefined) wire.file = error.file;
    if (error.stack !== undefined) wire.stack = error.stack;
    return wire;
  }
  return { code: 'runtime', message: error instanceof Error ? error.message : String(error) };
}

function fromWire({ code, message, file, stack }: WireError): GyeotError {
  const error = new GyeotError(code, message, { file });
  if (stack !== undefined) error.stack = stack;
  return error;
}
