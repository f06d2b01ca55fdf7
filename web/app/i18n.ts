/** The words of the interface, in Korean and English. */

import { en } from './en.js';
import { ko } from './ko.js';

export type Key = keyof typeof ko;
export type Language = 'ko' | 'en';

const words: Record<Language, Record<Key, string>> = { ko, en };
let language: Language = 'ko';

export function currentLanguage(): Language {
  return language;
}

/** The words for `key`, with each `{name}` filled in. */
export function t(key: Key, values: Record<string, string | number> = {}): string {
  return words[language][key].replace(/\{(\w+)\}/g, (hole, name: string) =>
    name in values ? String(values[name]) : hole,
  );
}

/** A span that follows a later change of language. */
export function label(key: Key): HTMLSpanElement {
  const span = document.createElement('span');
  span.dataset.t = key;
  span.textContent = t(key);
  return span;
}

/** Fills every `data-t` (text), `data-t-label` (aria-label) and `data-t-hint` (placeholder). */
export function translate(root: ParentNode): void {
  for (const place of root.querySelectorAll<HTMLElement>('[data-t]')) {
    place.textContent = t(place.dataset.t as Key);
  }
  for (const place of root.querySelectorAll<HTMLElement>('[data-t-label]')) {
    place.setAttribute('aria-label', t(place.dataset.tLabel as Key));
  }
  for (const place of root.querySelectorAll<HTMLElement>('[data-t-hint]')) {
    place.setAttribute('placeholder', t(place.dataset.tHint as Key));
  }
}

export function setLanguage(next: Language): void {
  language = next;
  document.documentElement.lang = next;
  translate(document);
}

export function number(value: number, digits = 0): string {
  return value.toLocaleString(language, {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
}

export function megabytes(bytes: number): string {
  return number(bytes / 1e6, 1);
}

export function clock(at: number): string {
  const format = new Intl.DateTimeFormat(language, { hour: 'numeric', minute: '2-digit' });
  return format.format(at);
}
