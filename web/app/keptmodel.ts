/** A model folder that the reader picked, kept on this device where they asked for it. */

import { persist } from './offline.js';
import { scopeUrl } from './place.js';
import { change, settings } from './settings.js';

export interface KeptModel {
  /** Files by their path inside the folder. */
  files: Record<string, Uint8Array>;
  /** The table that was in use, built with this model. */
  table: Uint8Array;
}

/** With the page's own path, so that "delete everything" finds it. */
const cacheName = (): string => `gyeot-own:${scopeUrl()}`;
const folder = (): string => new URL('gyeot-own/', scopeUrl()).href;

/** No file of a folder can be called so. */
const tableKey = '/table';

/** Keeps the model; where it does not fit, nothing of it stays. */
export async function keepModel(model: KeptModel, fingerprint: string): Promise<boolean> {
  try {
    await caches.delete(cacheName());
    const cache = await caches.open(cacheName());
    for (const [path, bytes] of [...Object.entries(model.files), [tableKey, model.table] as const]) {
      await cache.put(folder() + encodeURIComponent(path), new Response(bytes as BodyInit));
    }
    change({ ownModel: fingerprint });
    void persist();
    return true;
  } catch {
    await dropModel();
    return false;
  }
}

/** The kept model; `null` where there is none, or the browser has cleared a part of it. */
export async function keptModel(): Promise<KeptModel | null> {
  if (!settings().ownModel) return null;
  try {
    const cache = await caches.open(cacheName());
    const files: Record<string, Uint8Array> = {};
    for (const { url } of await cache.keys()) {
      const response = await cache.match(url);
      if (!response) return null;
      const bytes = new Uint8Array(await (await response.blob()).arrayBuffer());
      files[decodeURIComponent(url.slice(folder().length))] = bytes;
    }
    const { [tableKey]: table, ...rest } = files;
    return table ? { files: rest, table } : null;
  } catch {
    return null;
  }
}

export async function dropModel(): Promise<void> {
  change({ ownModel: null });
  await caches.delete(cacheName()).catch(() => false);
}
