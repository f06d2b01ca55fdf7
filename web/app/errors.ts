/** What went wrong, in the reader's words. */

import { type Key, t } from './i18n.js';

const known: Partial<Record<string, Key>> = {
  memory: 'error.memory',
  network: 'error.network',
  'not-found': 'error.missing',
  integrity: 'error.integrity',
  fingerprint: 'error.fingerprint',
  storage: 'error.storage',
  format: 'error.format',
  unsupported: 'error.unsupported',
  limit: 'error.limit',
  encoding: 'error.encoding',
  csv: 'error.csv',
};

function codeOf(error: unknown): string {
  return String((error as { code?: unknown } | null)?.code ?? '');
}

export function isAbort(error: unknown): boolean {
  return codeOf(error) === 'aborted' || (error as Error | null)?.name === 'AbortError';
}

export function isFingerprint(error: unknown): boolean {
  return codeOf(error) === 'fingerprint';
}

export function explain(error: unknown): string {
  const key = known[codeOf(error)];
  const file = (error as { file?: unknown } | null)?.file;
  const detail = error instanceof Error ? error.message : String(error);
  if (!key) return t('error.other', { detail });
  return typeof file === 'string' ? `${t(key)} (${file})` : t(key);
}
