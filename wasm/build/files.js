import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';

/** All files at or under a path, sorted; none when it does not exist. */
export async function filesUnder(at) {
  const info = await stat(at).catch(() => null);
  if (!info) return [];
  if (info.isFile()) return [at];
  const entries = await readdir(at, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && !entry.parentPath.includes('__pycache__'))
    .map((entry) => path.join(entry.parentPath, entry.name))
    .sort();
}
