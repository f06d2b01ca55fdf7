/** Gets the bot ready, once, and says how far it is. */

import { Gyeot } from '../../wasm/gyeot/index.js';
import type {
  GyeotBot,
  LoadOptions,
  ModelSource,
  Prepared,
  Progress,
  Source,
} from '../../wasm/gyeot/types.js';
import { change, readSettings } from './settings.js';
import type { Site } from './site.js';

/** Where the build puts `core.wasm`, `worker.js` and `ort/`. */
declare const RUNTIME_FOLDER: string;

export type EngineState =
  | { name: 'asking'; bytes: number }
  | { name: 'waiting' }
  | { name: 'loading'; progress: Progress | null }
  | { name: 'ready'; bot: GyeotBot }
  | { name: 'failed'; error: unknown };

interface Connection {
  saveData?: boolean;
}

/** How long one tab waits for another that is fetching the same model. */
const otherTabMs = 120_000;

/** A lock that nobody holds is there within this time. */
const freeLockMs = 50;

const pageUrl = (path: string): URL => new URL(path, document.baseURI);

/** Begun before the page knows what to load: a worker and its runtime take a while to start. */
let prepared: Prepared | undefined = metered() ? undefined : Gyeot.prepare({ baseUrl: runtimeUrl() });

/** Whether the connection is metered and nothing is here yet. */
function metered(): boolean {
  const { connection } = navigator as { connection?: Connection };
  return Boolean(connection?.saveData) && !readSettings().loaded;
}

function runtimeUrl(): URL {
  return new URL(RUNTIME_FOLDER, document.baseURI);
}

export class Engine {
  state: EngineState = { name: 'loading', progress: null };
  /** The page's own model, or files that the visitor picked. */
  ownModel: Record<string, Source> | null = null;

  #site: Site;
  #watchers: ((state: EngineState) => void)[] = [];
  #waiters: ((bot: GyeotBot) => void)[] = [];

  constructor(site: Site) {
    this.#site = site;
  }

  get bot(): GyeotBot | null {
    return this.state.name === 'ready' ? this.state.bot : null;
  }

  watch(watcher: (state: EngineState) => void): void {
    this.#watchers.push(watcher);
    watcher(this.state);
  }

  /** Resolves when there is a bot, however many tries that takes. */
  whenReady(): Promise<GyeotBot> {
    if (this.bot) return Promise.resolve(this.bot);
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  /** Starts loading, or asks first where the connection is metered and nothing is here yet. */
  async start(table: Source | null): Promise<void> {
    if (metered()) {
      this.#set({ name: 'asking', bytes: this.#site.download ?? 0 });
      return;
    }
    await this.load(table);
  }

  /** Loads the page's model with `table`; `null` is the site's own. */
  async load(table: Source | null): Promise<void> {
    this.#set({ name: 'loading', progress: null });
    try {
      const bot = await this.#alone((after) => this.#loadBot(table, after));
      change({ loaded: bot.model.fingerprint });
      this.#set({ name: 'ready', bot });
    } catch (error) {
      this.#set({ name: 'failed', error });
    }
  }

  /** Loads the reader's own model in place of the page's; tells whether that went well. */
  async loadOwn(files: Record<string, Source>, table: Source): Promise<boolean> {
    this.#set({ name: 'loading', progress: null });
    try {
      this.replace(await this.#open(files, table, { cache: false }), files);
      return true;
    } catch {
      return false;
    }
  }

  /** Lets go of the reader's own model; `load` then brings the page's back. */
  leaveOwn(): void {
    this.bot?.close();
    this.ownModel = null;
    this.#set({ name: 'loading', progress: null });
  }

  /** `after` another tab has loaded, the model is in the cache, whatever the settings say by now. */
  #loadBot(table: Source | null, after: boolean): Promise<GyeotBot> {
    const { model, table: ownTable } = this.#site;
    return this.#open(pageUrl(model), table ?? pageUrl(ownTable), {
      onProgress: (progress) => this.#set({ name: 'loading', progress }),
      cache: after || readSettings().loaded ? true : 'write',
    });
  }

  /** A bot for files that the reader picked, beside the one in use. */
  openFolder(files: Record<string, Source>): Promise<GyeotBot> {
    return this.#open(files, null, { cache: false });
  }

  #open(model: ModelSource, table: Source | null, options: LoadOptions): Promise<GyeotBot> {
    const begun = prepared;
    prepared = undefined;
    return Gyeot.load({
      ...options,
      ...(begun ? { prepared: begun } : {}),
      model,
      table,
      safety: this.#site.safety === null ? null : pageUrl(this.#site.safety),
      baseUrl: runtimeUrl(),
    });
  }

  /** Puts another bot in the place of the one in use. */
  replace(bot: GyeotBot, ownModel: Record<string, Source> | null): void {
    this.bot?.close();
    this.ownModel = ownModel;
    this.#set({ name: 'ready', bot });
  }

  /** One tab fetches at a time; the next, whose work is told that it comes after, finds the files there. */
  async #alone<T>(work: (after: boolean) => Promise<T>): Promise<T> {
    if (!navigator.locks) return work(false);
    const begun = performance.now();
    const patience = new AbortController();
    const timer = setTimeout(() => patience.abort(), otherTabMs);
    const notice = setTimeout(() => this.#set({ name: 'waiting' }), 1_000);
    let started = false;
    try {
      return await navigator.locks.request('gyeot-load', { signal: patience.signal }, () => {
        started = true;
        clearTimeout(timer);
        clearTimeout(notice);
        return work(performance.now() - begun > freeLockMs);
      });
    } catch (error) {
      if (started) throw error;
      return work(true);
    } finally {
      clearTimeout(timer);
      clearTimeout(notice);
    }
  }

  #set(state: EngineState): void {
    this.state = state;
    for (const watcher of this.#watchers) watcher(state);
    if (state.name === 'ready') {
      for (const resolve of this.#waiters.splice(0)) resolve(state.bot);
    }
  }
}
