/** `gyeot` in a browser: the engine runs in a worker. @module */
import { GyeotError } from '../core/index.js';
import { LoadedGyeot, connect, prepare } from './gyeot.js';
import type { Platform } from './gyeot.js';
import type { EngineOptions, LoadOptions, Prepared } from './types.js';

export * from '../core/index.js';
export * from './public.js';

const platform: Platform = {
  worker: true,
  // Bundlers look for these very expressions, and emit the files that they name.
  coreUrl: () => new URL('./core.wasm', import.meta.url),
  runtimeUrl: () => new URL('./ort/ort-wasm-simd-threaded.wasm', import.meta.url),
  createWorker: (url) => url === undefined
    ? new Worker(new URL('./worker.js', import.meta.url), { type: 'module' })
    : new Worker(url, { type: 'module' }),
  service: async () => (await import('./service.js')).engineService(),
  async defaults() {
    throw new GyeotError(
      'argument',
      "No model was given. The Korean one is the package gyeot-ko: import ko from 'gyeot-ko', " +
        'then Gyeot.load(ko)',
    );
  },
};

/** A model and its table, ready to answer. Calls may overlap; they are served in order. */
export class Gyeot extends LoadedGyeot {
  /** Loads a model and a table: `const bot = await Gyeot.load(ko)`. */
  static async load(options: LoadOptions = {}): Promise<Gyeot> {
    return new Gyeot(await connect(platform, options));
  }

  /** Starts what does not depend on a model, for `load({ prepared })` to go on with. */
  static prepare(options: EngineOptions = {}): Prepared {
    return prepare(platform, options);
  }
}
