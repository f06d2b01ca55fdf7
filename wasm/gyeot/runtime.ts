/**
 * ONNX Runtime Web, started once a thread from a .wasm of our own choosing. It is compiled while it
 * downloads; nothing is fetched from anywhere else.
 */
import * as ort from 'onnxruntime-web/wasm';
import { GyeotError } from '../core/index.js';
import { checkResponse, nameOf, readLocated } from './assets.js';
import { abortError } from './abort.js';
import type { Located, ReadOptions } from './assets.js';

/** Length of the runtime's .wasm; set by the build. */
declare const GYEOT_RUNTIME_BYTES: number;
export const runtimeBytes: number = GYEOT_RUNTIME_BYTES;

type Instantiate = (
  imports: WebAssembly.Imports,
  done: (instance: WebAssembly.Instance, module: WebAssembly.Module) => void,
) => void;

let started: Promise<typeof ort> | null = null;

/** The runtime; a start that fails is forgotten, so the next call tries again. */
export function startRuntime(
  wasm: Located,
  threads: number,
  options: ReadOptions = {},
): Promise<typeof ort> {
  if (!started) {
    started = start(wasm, threads, options);
    started.catch(() => (started = null));
    return started;
  }
  started.then(() => options.onBytes?.(runtimeBytes), () => {});
  return started;
}

async function start(wasm: Located, threads: number, options: ReadOptions): Promise<typeof ort> {
  const module = await compile(wasm, options);
  const isolated = (globalThis as { crossOriginIsolated?: boolean }).crossOriginIsolated === true;
  ort.env.logLevel = 'error';
  ort.env.wasm.numThreads = isolated ? Math.max(1, threads) : 1;
  ort.env.wasm.proxy = false;
  // Says that the .wasm is not to be looked for; the hook below is what is used.
  ort.env.wasm.wasmPaths = { wasm: 'url' in wasm ? wasm.url : 'memory:' };
  const instantiate: Instantiate = (imports, done) => {
    void WebAssembly.instantiate(module, imports).then((instance) => done(instance, module));
  };
  (ort.env.wasm as { instantiateWasm?: Instantiate }).instantiateWasm = instantiate;
  return ort;
}

async function compile(wasm: Located, options: ReadOptions): Promise<WebAssembly.Module> {
  const name = nameOf(wasm, 'the runtime');
  try {
    if ('bytes' in wasm || !/^https?:/.test(wasm.url)) {
      return await WebAssembly.compile((await readLocated(wasm, options)) as BufferSource);
    }
    const response = await request(wasm.url, options.signal);
    checkResponse(response, name);
    // Only the response itself will do: the browser keeps the code that it makes of a response, and
    // finds it again on the next visit, but not the code of one that was put together here.
    const module = await WebAssembly.compileStreaming(typed(response));
    options.onBytes?.(runtimeBytes);
    return module;
  } catch (error) {
    if (error instanceof GyeotError) throw error;
    if (options.signal?.aborted) throw abortError(options.signal);
    const code = error instanceof WebAssembly.CompileError ? 'integrity' : 'network';
    throw new GyeotError(code, `${name} could not be loaded: ${String(error)}`, {
      file: name,
      cause: error,
    });
  }
}

/** A folder or file that is named by its content; what is in it never changes. */
const immutable = /[-.][0-9a-f]{8,64}[/.]/;

/**
 * What is named by its content is taken from the browser's own cache without asking the server. A
 * service worker should look there for this request, too: Chromium keeps compiled code for what comes
 * from that cache, but not for what lies in Cache Storage.
 */
async function request(url: string, signal: AbortSignal | undefined): Promise<Response> {
  const init = signal ? { signal } : {};
  if (!immutable.test(new URL(url).pathname)) return fetch(url, init);
  try {
    return await fetch(url, { ...init, cache: 'force-cache' });
  } catch (error) {
    if (signal?.aborted) throw error;
    return fetch(url, init);
  }
}

/** The type is stated for hosts that do not. */
function typed(response: Response): Response {
  const type = response.headers.get('content-type') ?? '';
  if (/^application\/wasm\s*(;|$)/i.test(type)) return response;
  return new Response(response.body, { headers: { 'content-type': 'application/wasm' } });
}
