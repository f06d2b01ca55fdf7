/**
 * Tables in parts, for hosts that limit the size of a file: a list in JSON, whose name ends in `.json`,
 * and beside it the parts that it names. Joined, they are the table's safetensors file.
 */
import { GyeotError } from '../core/index.js';
import { nameOf, readEntry, readLocated } from './assets.js';
import type { Located, ReadOptions } from './assets.js';
import { AssetCache } from './cache.js';
import { listFormat } from './cut.js';
import { parseEntry, parseJson } from './manifest.js';
import type { FileEntry } from './manifest.js';

/** Whether a table's address is that of a list of parts. */
export function isList(url: string): boolean {
  return /^[^?#]*\.json([?#]|$)/i.test(url) && !url.startsWith('data:');
}

/** Reads a table, from its parts where it lies in such; those are kept as a model's files are. */
export async function readTable(
  located: Located,
  options: Omit<ReadOptions, 'cache'> & { keep?: boolean | 'write' } = {},
): Promise<Uint8Array> {
  const { keep = false, onLength, ...read } = options;
  if (!('url' in located) || !isList(located.url)) return readLocated(located, { ...read, onLength });
  const { url } = located;
  const entry = parseList(await readLocated(located, { signal: read.signal }), nameOf(located));
  onLength?.(entry.size!);
  const cache = keep ? await AssetCache.open(url, entry.sha256!, keep !== 'write') : null;
  const bytes = await readEntry({ folder: new URL('.', url).href }, entry, { ...read, cache });
  void cache?.finish();
  return bytes;
}

function parseList(bytes: Uint8Array, file: string): FileEntry {
  const json = parseJson(bytes, file);
  if (json['format'] !== listFormat || json['version'] !== 1) {
    throw new GyeotError(
      'format',
      `${file} is no list of a table's parts ("format": "${listFormat}", "version": 1)`,
      { file },
    );
  }
  return parseEntry(json, file);
}
