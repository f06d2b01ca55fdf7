/** Cuts a file into parts that every host takes, with the list of them that `parts.ts` reads. */
import type { FileEntry } from './manifest.js';
import { sha256 } from './sha256.js';

export const listFormat = 'gyeot-parts';

/** Cloudflare refuses files over 25 MiB. */
export const partLimit = 20 * 2 ** 20;

/** A file as an entry with parts, and the parts' bytes by path. Names change with the content. */
export async function cutFile(
  path: string,
  bytes: Uint8Array,
): Promise<{ entry: FileEntry; parts: Map<string, Uint8Array> }> {
  const digest = await sha256(bytes);
  const entry = { path, size: bytes.length, sha256: digest, parts: [] as Required<FileEntry>['parts'] };
  const parts = new Map<string, Uint8Array>();
  for (let at = 0; at < bytes.length; at += partLimit) {
    const part = bytes.subarray(at, at + partLimit);
    const name = `${path}.${digest.slice(0, 8)}.${String(parts.size + 1).padStart(2, '0')}`;
    parts.set(name, part);
    entry.parts.push({ path: name, size: part.length, sha256: await sha256(part) });
  }
  return { entry, parts };
}

/** The list's text. */
export function listOf(entry: FileEntry): string {
  return `${JSON.stringify({ format: listFormat, version: 1, ...entry }, null, 2)}\n`;
}
