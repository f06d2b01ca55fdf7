/**
 * The list of the page's files, `precache.js`: `self.GYEOT_FILES=[{url, revision}, …]`. The service
 * worker keeps these files; a site made from this page changes some and stamps the list again.
 */

export interface Precached {
  url: string;
  /** `null` where the name itself changes with the content. */
  revision: string | null;
}

export function readPrecache(script: string): Precached[] {
  const begin = script.indexOf('[');
  const end = script.lastIndexOf(']');
  if (begin < 0 || end < begin) throw new SyntaxError('precache.js holds no list');
  return JSON.parse(script.slice(begin, end + 1)) as Precached[];
}

export function writePrecache(files: Precached[]): string {
  const sorted = [...files].sort((a, b) => (a.url < b.url ? -1 : 1));
  return `self.GYEOT_FILES=${JSON.stringify(sorted)};\n`;
}

/** The list with some files changed or added, and others left out. */
export function stampPrecache(
  script: string,
  changed: Record<string, string>,
  removed: string[] = [],
): string {
  const files = new Map(readPrecache(script).map((file) => [file.url, file]));
  for (const url of removed) files.delete(url);
  for (const [url, revision] of Object.entries(changed)) files.set(url, { url, revision });
  return writePrecache([...files.values()]);
}
