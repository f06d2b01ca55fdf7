/** The reference: everything that the package exports and every error code is in it, with a word on each. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import * as api from '../../dist/node.js';
import { codes, file, reference } from './docs.js';

/** Names and signatures; a comment that was reworded may wait for the next release. */
const shape = (text) => text.split('\n').filter((line) => /^(#|> |\| <a )/.test(line))
  .map((line) => line.split('|').slice(0, 3).join('|'));

test('docs/api.md has the names and signatures of the types', async () => {
  assert.deepEqual(shape(await readFile(file, 'utf8')), shape(await reference()), 'run npm run docs');
});

test('it has every export and every error code', async () => {
  const text = await readFile(file, 'utf8');
  for (const name of Object.keys(api)) assert.match(text, new RegExp(`^### ${name}(\\(\\))?$`, 'm'));
  const documented = await codes();
  assert.ok(documented.length > 10);
  for (const [code, said] of documented) {
    assert.ok(said, `${code} is explained`);
    assert.ok(text.includes(`| \`${code}\` | ${said} |`), code);
  }
});
