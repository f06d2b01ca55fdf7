/** Small choices that outlive a visit. Nothing is written until something is chosen. */

import type { Language } from './i18n.js';
import { stored } from './place.js';

export type Theme = 'auto' | 'light' | 'dark';

export interface Settings {
  theme: Theme;
  language: Language | 'auto';
  /** Whether the conversation is kept on this device. */
  keepHistory: boolean;
  /** The kept table in use; `null` for the site's own. */
  table: string | null;
  /** Fingerprint of the reader's own model that is kept here; `null` for the page's. */
  ownModel: string | null;
  /** Fingerprint of the model that was loaded before, so that a metered visit is asked once. */
  loaded: string | null;
}

const initial: Settings = {
  theme: 'auto',
  language: 'auto',
  keepHistory: false,
  table: null,
  ownModel: null,
  loaded: null,
};

let current: Settings = { ...initial };

export function readSettings(): Settings {
  try {
    const text = localStorage.getItem(stored.settings) ?? '{}';
    current = { ...initial, ...(JSON.parse(text) as Partial<Settings>) };
  } catch {
    // No storage, or not ours to read: the visit goes on with the initial choices.
    current = { ...initial };
  }
  return current;
}

export function settings(): Readonly<Settings> {
  return current;
}

export function change(part: Partial<Settings>): void {
  current = { ...current, ...part };
  try {
    localStorage.setItem(stored.settings, JSON.stringify(current));
  } catch {
    // Private windows may refuse; the choice then lasts for this visit.
  }
}

/** Back to the initial choices, in memory only: the caller empties the storage. */
export function forgetSettings(): void {
  current = { ...initial };
}

/** Shows the chosen colours; `auto` follows the device. */
export function applyTheme(theme: Theme): void {
  if (theme === 'auto') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  const dark =
    theme === 'dark' || (theme === 'auto' && matchMedia('(prefers-color-scheme: dark)').matches);
  document
    .querySelector('meta[name="theme-color"]')
    ?.setAttribute('content', dark ? '#191714' : '#f6f1e8');
}

/** The interface's language: the choice, else the browser's, else Korean. */
export function chosenLanguage(): Language {
  if (current.language !== 'auto') return current.language;
  const first = navigator.languages?.[0] ?? navigator.language ?? 'ko';
  return first.toLowerCase().startsWith('en') ? 'en' : 'ko';
}
