/**
 * Keeps a model's files in Cache Storage, one cache a fingerprint, one entry a SHA-256. Everything
 * here may be forbidden (private windows) or full (quotas): then the files are simply not kept.
 */
import type { FileEntry } from './manifest.js';
import { sha256 } from './sha256.js';

const prefix = 'gyeot-model';

export class AssetCache {
  readonly #name: string;
  readonly #family: string;
  /** Whether there is anything to look for. */
  readonly #old: boolean;
  #pending: Promise<void>[] = [];
  #failed = false;

  private constructor(name: string, family: string, old: boolean) {
    this.#name = name;
    this.#family = family;
    this.#old = old;
  }

  /** Has the browser start its storage, which takes a while on a first visit. */
  static wake(): void {
    try {
      if (typeof caches !== 'undefined') caches.has(prefix).catch(() => {});
    } catch {
      // In a frame without storage its very name throws.
    }
  }

  /** The cache of a model; null where the browser offers none. Without `look`, it is only written. */
  static async open(model: string, fingerprint: string, look = true): Promise<AssetCache | null> {
    try {
      if (typeof caches === 'undefined' || !fingerprint) return null;
      const family = `${prefix}:${encodeURIComponent(model)}:`;
      const name = family + fingerprint;
      return new AssetCache(name, family, look && (await caches.has(name)));
    } catch {
      return null;
    }
  }

  /**
   * The bytes of a file, checked again as when they were stored (20 ms for the default model); an entry
   * that is not the file any more is removed and counts as missing.
   */
  async match(entry: FileEntry): Promise<Uint8Array | null> {
    if (!entry.sha256 || !this.#old) return null;
    try {
      const key = keyOf(entry.sha256);
      const cache = await caches.open(this.#name);
      const response = await cache.match(key);
      if (!response) return null;
      // By way of a blob, which Chromium reads in 39 ms where the body's stream takes 65.
      const bytes = new Uint8Array(await (await response.blob()).arrayBuffer());
      if (bytes.length === entry.size && (await sha256(bytes)) === entry.sha256) return bytes;
      await cache.delete(key);
    } catch {
      // An evicted or unreadable cache is an empty one.
    }
    return null;
  }

  /** Stores a file that was checked, in the background: another tab may be waiting for it. */
  put(entry: FileEntry, bytes: Uint8Array): void {
    if (!entry.sha256) return;
    const key = keyOf(entry.sha256);
    const headers = { 'content-type': 'application/octet-stream' };
    this.#pending.push(
      caches.open(this.#name)
        .then((cache) => cache.put(key, new Response(bytes as BodyInit, { headers })))
        .catch(() => {
          this.#failed = true;
        }),
    );
  }

  /** When all files are stored, forgets older versions; when they did not fit, forgets this one. */
  async finish(): Promise<void> {
    try {
      await Promise.all(this.#pending);
      if (this.#failed) {
        await caches.delete(this.#name);
        return;
      }
      for (const name of await caches.keys()) {
        if (name.startsWith(this.#family) && name !== this.#name) await caches.delete(name);
      }
    } catch {
      // Nothing depends on the cache.
    }
  }
}

function keyOf(digest: string): string {
  return new URL(`/gyeot-model/${digest}`, location.origin).href;
}
