/** `gyeot` in Node: the engine runs in this thread unless told otherwise; files may be paths. @module */
import { GyeotError } from '../core/index.js';
import { LoadedGyeot, connect, prepare } from './gyeot.js';
import type { Platform } from './gyeot.js';
import { engineService } from './service.js';
import type { EngineOptions, LoadOptions, Prepared } from './types.js';

export * from '../core/index.js';
export * from './public.js';

/** Named, because a bundler takes `new URL(text, import.meta.url)` for a file that it should find. */
const here = import.meta.url;

const platform: Platform = {
  worker: false,
  coreUrl: () => new URL('./core.wasm', import.meta.url),
  runtimeUrl: () => new URL('./ort/ort-wasm-simd-threaded.wasm', import.meta.url),
  createWorker: (url) => startThread(url ?? new URL('worker.js', here)),
  service: async () => engineService(),
  async defaults() {
    const folder = koreanPackage();
    return { model: new URL('default/', folder), table: new URL('table/ko.safetensors', folder) };
  },
};

/** A thread of Node's in the shape of a browser's worker, as far as one is asked for. */
function startThread(script: string | URL): Worker {
  const { Worker: Thread } = process.getBuiltinModule('node:worker_threads');
  const thread = new Thread(new URL(script));
  return {
    postMessage: (message: unknown, transfer: Transferable[]) =>
      thread.postMessage(message, transfer as never),
    addEventListener: (type: string, listener: (event: object) => void, options?: { once?: boolean }) => {
      const hear = (value: unknown) => listener(type === 'message' ? { data: value } : {
        message: (value as Error).message, preventDefault() {},
      });
      if (options?.once) thread.once(type, hear);
      else thread.on(type, hear);
    },
    terminate: () => void thread.terminate(),
  } as unknown as Worker;
}

/** The folder of gyeot-ko: in a checkout of gyeot beside dist, else where npm put it. */
function koreanPackage(): URL {
  const { existsSync } = process.getBuiltinModule('node:fs');
  const { createRequire } = process.getBuiltinModule('node:module');
  const { pathToFileURL } = process.getBuiltinModule('node:url');
  const checkout = new URL('../model/', here);
  if (existsSync(new URL('default/gyeot.json', checkout))) return checkout;
  for (const from of [here, pathToFileURL(`${process.cwd()}/`).href]) {
    try {
      const found = createRequire(from).resolve('gyeot-ko/package.json');
      return new URL('./', pathToFileURL(found));
    } catch {
      // Not there; the next place may have it.
    }
  }
  throw new GyeotError(
    'not-found',
    'No model was given, and gyeot-ko, the Korean one, is not installed: npm install gyeot-ko',
  );
}

/** A model and its table, ready to answer. Calls may overlap; they are served in order. */
export class Gyeot extends LoadedGyeot {
  /** Loads a model and a table; without options, those of gyeot-ko. */
  static async load(options: LoadOptions = {}): Promise<Gyeot> {
    return new Gyeot(await connect(platform, options));
  }

  /** Starts what does not depend on a model, for `load({ prepared })` to go on with. */
  static prepare(options: EngineOptions = {}): Prepared {
    return prepare(platform, options);
  }
}
