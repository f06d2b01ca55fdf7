/** Byte budgets: a file that grows past its budget fails here, and the budget is then a decision. */
import assert from 'node:assert/strict';
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { prepare, project } from './fixtures.js';
import { root } from '../js/support.js';

const budgets = JSON.parse(await readFile(path.join(root, 'tests/package/budgets.json'), 'utf8'));

before(prepare);

const packed = async (file) =>
  gzipSync(await readFile(path.join(root, 'dist', file)), { level: 9 }).length;

for (const [name, { files, gzip }] of Object.entries(budgets.gzip)) {
  test(`${name} stays within ${gzip} bytes (gzip)`, async (t) => {
    const sizes = await Promise.all(files.map(packed));
    const size = sizes.reduce((sum, value) => sum + value, 0);
    t.diagnostic(`${name}: ${size} of ${gzip}`);
    assert.ok(size <= gzip, `${name} has ${size} bytes; the budget is ${gzip}`);
  });
}

test(`the tarball stays within ${budgets.tarball} bytes`, async () => {
  const cache = path.join(project, '..');
  const { version } = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8'));
  const { size } = await stat(path.join(cache, `gyeot-${version}.tgz`));
  assert.ok(size <= budgets.tarball, `${size} bytes; the budget is ${budgets.tarball}`);
});
