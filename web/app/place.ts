/**
 * Names for what this page stores. Many sites share one origin (user.github.io/a, /b), so every
 * name ends with the page's own path.
 */

const path = new URL('./', document.baseURI).pathname;

export const stored = {
  settings: `gyeot:${path}`,
  handover: `gyeot-handover:${path}`,
  history: `gyeot-history:${path}`,
  tables: `gyeot-tables:${path}`,
  channel: `gyeot:${path}`,
} as const;

/** Caches by name: the service worker's carry the scope, the model's are shared by fingerprint. */
export function ownsCache(name: string): boolean {
  return name.startsWith('gyeot') && (!name.includes('://') || name.includes(scopeUrl()));
}

export function scopeUrl(): string {
  return new URL('./', document.baseURI).href;
}
