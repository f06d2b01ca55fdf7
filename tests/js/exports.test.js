/** core.wasm gives exactly what wasm/exports.txt lists, and asks for nothing but growth notices. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { CoreModule, GyeotError } from '../../dist/core.js';
import { root } from './support.js';

/** What a standalone module of emscripten adds by itself; it differs from version to version. */
const added = /^(memory|_initialize|__indirect_function_table|__errno_location|stack\w+|_?emscripten_\w+|__wasm_call_ctors|malloc|free)$/;

test('the export list is sorted and is what the module gives', async () => {
  const list = (await readFile(path.join(root, 'wasm/exports.txt'), 'utf8'))
    .split('\n').filter((line) => line && !line.startsWith('#'));
  assert.deepEqual(list, [...new Set(list)].sort());
  const module = new WebAssembly.Module(await readFile(path.join(root, 'dist/core.wasm')));
  const given = WebAssembly.Module.exports(module).map(({ name }) => name);
  assert.deepEqual(list.filter((name) => !given.includes(name)), []);
  assert.deepEqual(given.filter((name) => !list.includes(name) && !added.test(name)), []);
});

test('temporary memory is given back, come what may', async () => {
  const core = await CoreModule.load();
  const size = () => core.exports.memory.buffer.byteLength;
  core.scope((scope) => scope.alloc(1 << 20));
  const before = size();
  for (let round = 0; round < 200; round++) {
    assert.throws(() => core.scope((scope) => {
      scope.bytes(new Uint8Array(1 << 20));
      throw new Error('on purpose');
    }), /on purpose/);
  }
  assert.equal(size(), before);
});

test('a status becomes an error with its code, an unknown one too', async () => {
  const core = await CoreModule.load();
  const codes = ['memory', 'argument', 'format', 'unsupported', 'limit'];
  codes.forEach((code, index) => {
    assert.throws(() => core.check(index + 1), (error) => error instanceof GyeotError && error.code === code);
  });
  assert.throws(() => core.check(99), (error) => error instanceof GyeotError && error.code === 'runtime');
  core.check(0);
});

test('a module that is none is refused by name', async () => {
  await assert.rejects(CoreModule.load({ wasmBinary: new Uint8Array(8) }), { code: 'format' });
  await assert.rejects(CoreModule.load({ wasmUrl: 'file:///nowhere/core.wasm' }), { code: 'not-found' });
});
