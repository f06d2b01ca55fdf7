/** What a site says of itself: `site.json`, read when the page opens. */

import type { HelpLine } from '../../wasm/gyeot/types.js';

export interface Site {
  format: 'gyeot-site';
  version: 1;
  title: string;
  /** BCP 47 tag of the table's language. */
  language: string;
  description: string;
  /** The first words of the conversation, one bubble each. */
  greeting: string[];
  /** What is said, in turns, when there is no good answer. */
  fallback: string[];
  /** Sentences offered as a way in, and as ways on from a fallback. */
  starters: string[];
  /** CSS colours that replace the page's own; `accentDark` is for the dark scheme. */
  colors: { accent?: string; accentDark?: string };
  /** The model's folder, the table and the safety rules, relative to the page. */
  model: string;
  table: string;
  safety: string | null;
  /** Other groups are offered when the vote's margin is below `margin`; at most `count`. */
  chips: { margin: number; count: number };
  /** Numbers behind the help button; without them, those of the safety rules. */
  help?: HelpLine[];
  /** Bytes that a first visit fetches for the answers, written when the page is built. */
  download?: number;
}

const defaults: Site = {
  format: 'gyeot-site',
  version: 1,
  title: '곁',
  language: 'ko',
  description: '',
  greeting: [],
  fallback: [],
  starters: [],
  colors: {},
  model: 'model/',
  table: 'table/ko.safetensors',
  safety: 'safety.ko.json',
  chips: { margin: 0.15, count: 3 },
};

/** Fills what a `site.json` leaves out; throws where a value has the wrong shape. */
export function readSite(json: unknown): Site {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new TypeError('site.json must hold one object');
  }
  const given = json as Record<string, unknown>;
  if (given.format !== 'gyeot-site') throw new TypeError('site.json: format is not gyeot-site');
  for (const [key, value] of Object.entries(defaults)) {
    const got = given[key];
    if (got === undefined || (key === 'safety' && got === null)) continue;
    const same = Array.isArray(value) ? Array.isArray(got) : typeof got === typeof value;
    if (!same || got === null) throw new TypeError(`site.json: ${key} has the wrong type`);
  }
  const site = { ...defaults, ...given } as Site;
  site.chips = { ...defaults.chips, ...site.chips };
  return site;
}

export async function loadSite(): Promise<Site> {
  const response = await fetch(new URL('site.json', document.baseURI));
  if (!response.ok) throw new Error(`site.json: HTTP ${response.status}`);
  return readSite(await response.json());
}

/** Puts the site's name and colours on the page. */
export function dressPage(site: Site): void {
  document.title = site.title;
  for (const place of document.querySelectorAll('[data-site-title]')) {
    place.textContent = site.title;
  }
  const style = document.documentElement.style;
  if (site.colors.accent) style.setProperty('--site-accent', site.colors.accent);
  if (site.colors.accentDark) style.setProperty('--site-accent-dark', site.colors.accentDark);
}
