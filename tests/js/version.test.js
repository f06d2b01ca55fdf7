/** One version: package.json has it, and whatever else names one agrees. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { gyeot, root } from './support.js';

const read = (file) => readFile(path.join(root, file), 'utf8');
const json = async (file) => JSON.parse(await read(file));
const { version, peerDependencies, peerDependenciesMeta } = await json('package.json');

test('the lock file and gyeot-ko have the version of gyeot', async () => {
  assert.match(version, /^\d+\.\d+\.\d+(-[\w.]+)?$/);
  const lock = await json('package-lock.json');
  assert.equal(lock.version, version);
  assert.equal(lock.packages[''].version, version);
  assert.equal((await json('model/package.json')).version, version);
});

test('gyeot takes the gyeot-ko of its own version, and can do without', () => {
  assert.deepEqual(peerDependencies, { 'gyeot-ko': `^${version}` });
  assert.deepEqual(peerDependenciesMeta, { 'gyeot-ko': { optional: true } });
});

test('the command says it, and the changelog begins with it', async () => {
  assert.equal((await gyeot(['--version'])).stdout, `${version}\n`);
  const [latest, ...earlier] = [...(await read('CHANGELOG.md')).matchAll(/^## (\S+)/gm)].map(([, name]) => name);
  assert.equal(latest, version);
  assert.equal(new Set([latest, ...earlier]).size, earlier.length + 1);
});
