/** Writes the length and SHA-256 of the default table into gyeot-ko's model/index.js. */
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';

const file = new URL('../../model/index.js', import.meta.url);
const table = await readFile(new URL('../../model/table/ko.safetensors', import.meta.url));
const digest = createHash('sha256').update(table).digest('hex');
const text = await readFile(file, 'utf8');
await writeFile(file, text
  .replace(/size: \d+/, `size: ${table.length}`)
  .replace(/sha256: '\w+'/, `sha256: '${digest}'`));
