/** Where the package's own files are: beside dist/command.js, or in gyeot-ko. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { GyeotError } from '../core/index.js';

export const distFolder = fileURLToPath(new URL('.', import.meta.url));

/** The folder of the Korean model, table and rules: a checkout's model/, or the package gyeot-ko. */
export function koreanFolder(): string {
  const checkout = path.join(distFolder, '../model');
  if (existsSync(path.join(checkout, 'default/gyeot.json'))) return checkout;
  for (const from of [import.meta.url, pathToFileURL(`${process.cwd()}/`).href]) {
    try {
      return path.dirname(createRequire(from).resolve('gyeot-ko/package.json'));
    } catch {
      // Not there; the next place may have it.
    }
  }
  throw new GyeotError(
    'not-found',
    'No --model was given, and gyeot-ko, the Korean one, is not installed: npm install gyeot-ko',
  );
}

export const defaultModel = (): string => path.join(koreanFolder(), 'default');
export const defaultTable = (): string => path.join(koreanFolder(), 'table/ko.safetensors');
