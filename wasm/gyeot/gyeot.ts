/** `Gyeot`: the public class, in front of an engine in a worker or in this thread. */
import { GyeotError } from '../core/index.js';
import { throwIfAborted } from './abort.js';
import { locate, locateFolder } from './assets.js';
import type { Located } from './assets.js';
import { embedTogether, worthAnother } from './crew.js';
import type { Embed } from './crew.js';
import type { EngineInfo } from './engine.js';
import type { EngineOptions } from './load.js';
import { closedError } from './queue.js';
import { RpcClient } from './rpc.js';
import type { Service } from './rpc.js';
import type { Texts } from './table.js';
import type {
  Answer, AskOptions, CallOptions, EmbedOptions, Embeddings, EngineOptions as Place, GyeotBot,
  LoadOptions, ManyOptions, Match, ModelInfo, ModelSource, Prepared, Row, Source, TableInfo, TokenPiece,
} from './types.js';

/** What differs between a browser and Node; each entry file brings its own. */
export interface Platform {
  /** Runs in a worker unless told otherwise. */
  worker: boolean;
  /** core.wasm and the runtime's .wasm, where `baseUrl` does not say. */
  coreUrl(): URL;
  runtimeUrl(): URL;
  /** Starts our worker.js, or the one at an address. */
  createWorker(url?: string): Worker;
  /** A service in this thread. */
  service(): Promise<Service>;
  /** The model and table that stand behind `Gyeot.load()`. */
  defaults(): Promise<{ model: ModelSource; table: Source | null }>;
}

/** A service together with how to be rid of it. */
interface Backend extends Service {
  end(): void;
}

const abandoned = new FinalizationRegistry<Backend>((backend) => backend.end());

/** A loaded engine, as `connect` gives it. */
export interface Connection {
  backend: Backend;
  info: EngineInfo;
  /** Loads the model once more, in a worker; null where that cannot be. */
  another: () => Promise<Backend | null>;
}

/** Loads an engine where the options and the platform say. */
export async function connect(platform: Platform, options: LoadOptions): Promise<Connection> {
  const { signal, onProgress } = options;
  if (signal) throwIfAborted(signal);
  const request = await engineOptions(platform, options);
  const backend = await (takePrepared(options.prepared) ?? startBackend(platform, options));
  try {
    const call = callOptions(signal, onProgress);
    const info = (await backend.call('load', [request], call)) as EngineInfo;
    return { backend, info, another: () => connectAnother(platform, options, request, info) };
  } catch (error) {
    backend.end();
    throw error;
  }
}

/** An engine that only embeds, in a worker; null where there is none, or no longer this model. */
async function connectAnother(
  platform: Platform,
  place: Place,
  request: EngineOptions,
  { model }: EngineInfo,
): Promise<Backend | null> {
  const given = 'files' in request.model && Object.values(request.model.files).some((file) => 'bytes' in file);
  const backend = given ? null : await startWorker(platform, place);
  if (!backend) return null;
  try {
    const alone = { ...request, table: null, safety: null, cache: request.cache !== false };
    const info = (await backend.call('load', [alone], {})) as EngineInfo;
    if (info.model.fingerprint === model.fingerprint) return backend;
  } catch {
    // Too little memory, or no network any more: the work goes on without it.
  }
  backend.end();
  return null;
}

/** Backends that were started ahead of their `load`. */
const ahead = new WeakMap<Prepared, Promise<Backend>>();

function takePrepared(prepared: Prepared | undefined): Promise<Backend> | undefined {
  const backend = prepared && ahead.get(prepared);
  if (prepared) ahead.delete(prepared);
  return backend;
}

/** Starts the worker, and in it the runtime, whose .wasm is the longest to fetch after the model. */
export function prepare(platform: Platform, options: Place): Prepared {
  const backend = startBackend(platform, options);
  const begin = { runtime: runtimeOf(platform, options), threads: options.threads ?? 1 };
  // What fails here fails again, and is told, in `load`.
  backend.then((started) => started.call('prepare', [begin], {})).catch(() => {});
  const prepared: Prepared = {
    close: () => void takePrepared(prepared)?.then((started) => started.end(), () => {}),
  };
  ahead.set(prepared, backend);
  return prepared;
}

function callOptions(signal?: AbortSignal, onProgress?: CallOptions['onProgress']): CallOptions {
  return { ...(signal ? { signal } : {}), ...(onProgress ? { onProgress } : {}) };
}

/** How long helpers wait for more work before they end, in milliseconds. */
const helperRestMs = 2_000;

/** What `Gyeot.load` gives, on every platform. */
export abstract class LoadedGyeot implements GyeotBot {
  readonly model: ModelInfo;
  #table: TableInfo | null;
  #backend: Backend | null;
  readonly #another: Connection['another'];
  #helpers: Promise<Backend | null>[] = [];
  /** Calls that the helpers have a part in. */
  #shared = 0;
  #rest: ReturnType<typeof setTimeout> | undefined;

  protected constructor({ backend, info, another }: Connection) {
    this.#backend = backend;
    this.#another = another;
    this.model = info.model;
    this.#table = info.table;
    abandoned.register(this, backend, this);
  }

  get table(): TableInfo | null {
    return this.#table;
  }

  #call(method: string, args: unknown[], options: CallOptions = {}): Promise<unknown> {
    if (!this.#backend) return Promise.reject(closedError());
    return this.#backend.call(method, args, callOptions(options.signal, options.onProgress));
  }

  async embed(texts: string | string[], options: EmbedOptions = {}): Promise<Embeddings> {
    const list = typeof texts === 'string' ? [texts] : texts;
    if (!Array.isArray(list)) throw new GyeotError('argument', 'embed takes a text or an array of texts');
    const { workers = 1 } = options;
    if (!Number.isInteger(workers) || workers < 1) {
      throw new GyeotError('argument', `workers should be a whole number from 1, not ${String(workers)}`);
    }
    const useful = Math.min(workers, Math.floor(list.length / worthAnother));
    if (useful > 1) return this.#embedTogether(list, useful, options);
    return (await this.#call('embed', [list, options.kind ?? 'query'], options)) as Embeddings;
  }

  /** Shares the texts with helpers, which stay for a while in case that more comes. */
  async #embedTogether(texts: string[], workers: number, options: EmbedOptions): Promise<Embeddings> {
    this.#shared++;
    clearTimeout(this.#rest);
    while (this.#helpers.length < workers - 1) this.#helpers.push(this.#another());
    const by = ({ call }: Pick<Backend, 'call'>): Embed =>
      async (some, kind, settings) => (await call('embed', [some, kind], settings)) as Embeddings;
    const own = by({ call: (method, args, settings) => this.#call(method, args, settings) });
    const hands = this.#helpers.map(async (helper) => {
      const backend = await helper;
      return backend && by(backend);
    });
    try {
      return await embedTogether(
        texts, [Promise.resolve(own), ...hands], this.model.dimension, options);
    } finally {
      if (--this.#shared === 0) this.#rest = setTimeout(() => this.#endHelpers(), helperRestMs);
    }
  }

  #endHelpers(): void {
    for (const helper of this.#helpers) void helper.then((backend) => backend?.end());
    this.#helpers = [];
  }

  async match(text: string, options: { k?: number; signal?: AbortSignal } = {}): Promise<Match[]> {
    const { k = 5, ...call } = options;
    if (!Number.isInteger(k) || k < 1) {
      throw new GyeotError('argument', `k should be a whole number from 1, not ${String(k)}`);
    }
    return (await this.#call('match', [checkText(text), k], call)) as Match[];
  }

  async ask(text: string, options: AskOptions = {}): Promise<Answer> {
    const begin = performance.now();
    const { signal, ...limits } = options;
    const call = callOptions(signal);
    const answer = (await this.#call('ask', [checkText(text), limits], call)) as Answer;
    return { ...answer, ms: performance.now() - begin };
  }

  async tokenize(text: string): Promise<TokenPiece[]> {
    return (await this.#call('tokenize', [checkText(text)])) as TokenPiece[];
  }

  async addTable(
    rows: Row[],
    options: ManyOptions & { replace?: boolean; title?: string; license?: string } = {},
  ): Promise<TableInfo> {
    const { signal, onProgress, workers = 1, ...settings } = options;
    const texts = checkRows(rows);
    const questions = texts.map(({ question }) => question);
    const { data } = await this.embed(questions, { kind: 'document', signal, onProgress, workers });
    const info = (await this.#call('addTable', [texts, data, settings], { signal })) as TableInfo;
    return (this.#table = info);
  }

  async setTable(table: Source, options: CallOptions = {}): Promise<TableInfo> {
    const info = (await this.#call('setTable', [locate(table)], options)) as TableInfo;
    return (this.#table = info);
  }

  async exportTable(options: { vectors?: 'f32' | 'i8' } = {}): Promise<Uint8Array> {
    return (await this.#call('exportTable', [options.vectors ?? 'f32'])) as Uint8Array;
  }

  close(): void {
    if (!this.#backend) return;
    abandoned.unregister(this);
    clearTimeout(this.#rest);
    this.#endHelpers();
    this.#backend.end();
    this.#backend = null;
    this.#table = null;
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

function checkText(text: unknown): string {
  if (typeof text === 'string') return text;
  throw new GyeotError('argument', `The text should be a string, not ${typeof text}`);
}

function checkRows(rows: Row[]): Texts[] {
  if (!Array.isArray(rows)) throw new GyeotError('argument', 'The rows should be an array');
  return rows.map((row, index) => {
    const wrong = (what: string): never => {
      throw new GyeotError('argument', `Row ${index + 1} ${what}`);
    };
    if (typeof row?.question !== 'string' || row.question.trim() === '') wrong('has no question');
    const { question, answer = '', group = '' } = row;
    if (typeof answer !== 'string') wrong('has an answer that is not text');
    if (typeof group !== 'string') wrong('has a group that is not text');
    return { question, answer, group };
  });
}

/** Everything absolute, nothing that cannot cross to a worker. */
async function engineOptions(platform: Platform, options: LoadOptions): Promise<EngineOptions> {
  const defaults = options.model === undefined ? await platform.defaults() : null;
  const model = options.model ?? defaults!.model;
  const table = options.table === undefined ? (defaults?.table ?? null) : options.table;
  return {
    model: locateFolder(model),
    table: table === null ? null : locate(table),
    safety: options.safety === undefined || options.safety === null
      ? options.safety
      : locate(options.safety),
    core: coreOf(platform, options),
    runtime: runtimeOf(platform, options),
    threads: options.threads ?? 1,
    cache: options.cache ?? true,
  };
}

function runtimeOf(platform: Platform, { baseUrl }: Place): Located {
  return baseUrl === undefined
    ? { url: platform.runtimeUrl().href }
    : beside(baseUrl, 'ort/ort-wasm-simd-threaded.wasm');
}

function coreOf(platform: Platform, options: LoadOptions): Located {
  if (options.wasmBinary) return locate(options.wasmBinary);
  if (options.wasmUrl !== undefined) return locate(options.wasmUrl);
  if (options.baseUrl !== undefined) return beside(options.baseUrl, 'core.wasm');
  return { url: platform.coreUrl().href };
}

function beside(base: string | URL, path: string): Located {
  const folder = locateFolder(base);
  return { url: new URL(path, (folder as { folder: string }).folder).href };
}

async function startBackend(platform: Platform, options: Place): Promise<Backend> {
  const backend = (options.worker ?? platform.worker) ? await startWorker(platform, options) : null;
  if (backend) return backend;
  const service = await platform.service();
  return {
    call: (method, args, call) => service.call(method, args, call),
    end: () => void service.call('close', [], {}).catch(() => {}),
  };
}

function startWorker(platform: Platform, { baseUrl, createWorker }: Place): Promise<Backend | null> {
  return workerBackend(createWorker ?? (() => platform.createWorker(
    baseUrl === undefined ? undefined : (beside(baseUrl, 'worker.js') as { url: string }).url,
  )));
}

/** A worker that has said that it is ready; null where none can be had. */
async function workerBackend(create: () => Worker): Promise<Backend | null> {
  let worker: Worker;
  try {
    worker = create();
  } catch {
    return null;
  }
  const client = new RpcClient(worker);
  const ready = await new Promise<boolean>((resolve) => {
    worker.addEventListener('message', () => resolve(true), { once: true });
    worker.addEventListener('error', (event) => {
      event.preventDefault();
      resolve(false);
    }, { once: true });
  });
  if (!ready) {
    worker.terminate();
    return null;
  }
  worker.addEventListener('error', (event) => {
    client.break(new GyeotError('runtime', `The worker stopped: ${event.message || 'no reason given'}`));
  });
  return {
    call: (method, args, call) => client.call(method, args, call),
    end: () => {
      // Ending the worker is what gives the memory back.
      worker.terminate();
      client.break(closedError());
    },
  };
}
