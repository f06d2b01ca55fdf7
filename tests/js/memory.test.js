/** What a hundred rounds of loading, using and closing leave behind: nothing that grows. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { model, root } from './support.js';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');

/** Every wasm memory that anything makes from here on, without keeping it alive. */
const memories = [];
const remember = (memory) => {
  if (memory instanceof Memory) memories.push(new WeakRef(memory));
};
const { Memory, instantiate } = WebAssembly;
WebAssembly.Memory = class extends Memory {
  constructor(limits) {
    super(limits);
    remember(this);
  }
};
WebAssembly.instantiate = async (...given) => {
  const made = await instantiate(...given);
  for (const value of Object.values((made.instance ?? made).exports)) remember(value);
  return made;
};

/** Bytes after garbage collection: wasm heaps that still live, other buffers, the whole process. */
async function measure() {
  for (let i = 0; i < 3; i++) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const alive = memories.map((memory) => memory.deref()).filter(Boolean);
  const { rss, arrayBuffers, heapUsed } = process.memoryUsage();
  const heaps = alive.reduce((sum, memory) => sum + memory.buffer.byteLength, 0);
  return { memories: alive.length, heaps, arrayBuffers, heapUsed, rss };
}

test('a hundred rounds of load, ask and close keep the memory flat', { timeout: 600_000 }, async (t) => {
  const { Gyeot } = await import('../../dist/node.js');
  const table = new Uint8Array(await readFile(path.join(root, 'model/table/ko.safetensors')));
  const round = async () => {
    const bot = await Gyeot.load({ model, table });
    assert.equal((await bot.ask('잠이 안 와요')).group, '수면/불면');
    bot.close();
  };
  for (let i = 0; i < 20; i++) await round();
  const before = await measure();
  for (let i = 0; i < 100; i++) await round();
  const after = await measure();
  const grown = Object.fromEntries(Object.keys(after).map((name) => [name, after[name] - before[name]]));
  t.diagnostic(`before ${JSON.stringify(before)}`);
  t.diagnostic(`after ${JSON.stringify(after)}`);
  assert.ok(before.memories > 0, 'the heaps are seen');
  assert.ok(grown.memories <= 0, `${grown.memories} wasm memories more`);
  assert.ok(grown.heaps <= 0, `wasm heaps hold ${grown.heaps} bytes more`);
  assert.ok(grown.arrayBuffers < 1e6, `buffers hold ${grown.arrayBuffers} bytes more`);
  assert.ok(grown.heapUsed < 2e6, `the JavaScript heap holds ${grown.heapUsed} bytes more`);
  // Leaked models would be gigabytes by now; the allocator's own habits are some 30 MB in all.
  assert.ok(grown.rss < 100e6, `the process holds ${grown.rss} bytes more`);
});
