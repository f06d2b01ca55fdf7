/** The engine's methods by name, as the worker and the in-thread fallback both serve them. */
import { GyeotError } from '../core/index.js';
import type { Located } from './assets.js';
import { AssetCache } from './cache.js';
import type { Engine } from './engine.js';
import { loadEngine } from './load.js';
import type { EngineOptions } from './load.js';
import { closedError } from './queue.js';
import type { Service } from './rpc.js';
import { startRuntime } from './runtime.js';
import type { Texts } from './table.js';
import type { AskOptions, CallOptions } from './types.js';

/** A service that has no engine until `load` was called. */
export function engineService(): Service {
  let engine: Engine | null = null;
  let closed = false;

  // The arguments are those of the public class, which checks them before they are sent.
  const methods: Record<string, (args: any, options: CallOptions) => Promise<unknown>> = {
    async prepare([{ runtime, threads }]: [Pick<EngineOptions, 'runtime' | 'threads'>]) {
      AssetCache.wake();
      await startRuntime(runtime, threads);
    },
    async load([options]: [EngineOptions], call) {
      const loaded = await loadEngine(options, call);
      if (closed) {
        await loaded.close();
        throw closedError();
      }
      engine = loaded;
      // In a page's worker, that is: a script in Node asks at once, and a page would stutter.
      if (typeof document === 'undefined' && typeof location !== 'undefined') {
        void loaded.practise().catch(() => {});
      }
      return loaded.info;
    },
    embed: ([texts, kind]: [string[], 'query' | 'document'], call) =>
      open().embed(texts, kind, call),
    match: ([text, k]: [string, number | undefined], call) => open().match(text, k, call),
    ask: ([text, options]: [string, AskOptions], call) => open().ask(text, { ...options, ...call }),
    tokenize: ([text]: [string]) => open().tokenize(text),
    addTable: ([rows, data, settings]: [Texts[], Float32Array, { replace?: boolean }], call) =>
      open().addTable(rows, data, settings, call),
    setTable: ([located]: [Located], call) => open().setTable(located, call),
    exportTable: ([vectors]: ['f32' | 'i8' | undefined]) => open().exportTable(vectors),
    async close() {
      closed = true;
      await engine?.close();
      engine = null;
    },
  };

  function open(): Engine {
    if (!engine) throw closedError();
    return engine;
  }

  return {
    async call(method, args, options) {
      const run = Object.hasOwn(methods, method) ? methods[method] : undefined;
      if (!run) throw new GyeotError('argument', `There is no method ${method}`);
      return run(args, options);
    },
  };
}
