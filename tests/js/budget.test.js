/** Sizes that hosts and visitors' lines set: no file is too large to serve, the model not to load. */
import assert from 'node:assert/strict';
import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { model, root } from './support.js';

const budget = JSON.parse(await readFile(path.join(root, 'tests/budget.json'), 'utf8'));

test(`each file of the package and its page is under ${budget.file} bytes`, async () => {
  const dist = path.join(root, 'dist');
  for (const entry of await readdir(dist, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = path.join(entry.parentPath ?? entry.path, entry.name);
    const { size } = await stat(file);
    assert.ok(size < budget.file, `${path.relative(root, file)} has ${size} bytes`);
  }
});

test(`the model's files come to ${budget.model} bytes at most`, async (t) => {
  const { files } = JSON.parse(await readFile(path.join(model, 'gyeot.json'), 'utf8'));
  // Only checks of a model read the recorded vectors.
  const size = files.filter(({ path: name }) => name !== 'parity.json')
    .reduce((sum, file) => sum + file.size, 0);
  t.diagnostic(`${size} of ${budget.model}`);
  assert.ok(size <= budget.model, `${size} bytes`);
});
