/** Many texts in several engines: the same vectors, in order, whatever happens to a helper. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { Gyeot } from '../../dist/node.js';
import { model } from './support.js';

const texts = Array.from({ length: 430 }, (_, at) => `${at}번째 ${'말 '.repeat(at % 7)}`);

let alone;
before(async () => {
  const bot = await Gyeot.load({ model, table: null });
  alone = (await bot.embed(texts, { kind: 'document' })).data;
  bot.close();
});

test('two engines give what one gives, and tell how far they are', async () => {
  const bot = await Gyeot.load({ model, table: null });
  const told = [];
  const { data, dims, truncated } = await bot.embed(texts, {
    kind: 'document', workers: 2, onProgress: ({ phase, loaded, total }) => told.push([phase, loaded, total]),
  });
  assert.deepEqual(dims, [texts.length, bot.model.dimension]);
  assert.deepEqual(data, alone);
  assert.deepEqual(truncated, texts.map(() => false));
  assert.deepEqual(told[0], ['embed', 0, texts.length]);
  assert.deepEqual(told.at(-1), ['embed', texts.length, texts.length]);
  assert.ok(told.every(([, loaded], at) => at === 0 || loaded > told[at - 1][1]));
  const info = await bot.addTable(texts.map((question) => ({ question, answer: '응' })), { workers: 2 });
  assert.equal(info.rows, texts.length);
  bot.close();
});

test('cancelled, it stops at once, and the engine goes on', async () => {
  const bot = await Gyeot.load({ model, table: null });
  const stop = new AbortController();
  const work = bot.embed(texts, { workers: 2, signal: stop.signal, onProgress: () => stop.abort() });
  await assert.rejects(work, { code: 'aborted' });
  await assert.rejects(bot.embed(texts, { workers: 2, signal: stop.signal }), { code: 'aborted' });
  assert.equal((await bot.embed('안녕')).dims[0], 1);
  bot.close();
});

test('a helper that cannot be had leaves its work to the first', async () => {
  const bot = await Gyeot.load({
    model, table: null, createWorker: () => { throw new Error('no more threads'); },
  });
  const { data } = await bot.embed(texts, { kind: 'document', workers: 3 });
  assert.deepEqual(data, alone);
  await assert.rejects(bot.embed(texts, { workers: 0 }), { code: 'argument' });
  bot.close();
});

test('closing amid the work fails it, and ends every thread', async () => {
  const bot = await Gyeot.load({ model, table: null });
  const work = bot.embed(texts, { workers: 2 });
  setTimeout(() => bot.close(), 100);
  await assert.rejects(work, { code: 'closed' });
});

test('in a thread of its own it answers, and leaves this one free', async () => {
  const bot = await Gyeot.load({ worker: true });
  let turns = 0;
  const ticking = setInterval(() => turns++, 1);
  const work = bot.embed(texts.slice(0, 60));
  await work;
  clearInterval(ticking);
  assert.ok(turns > 20, `${turns} turns of this thread's loop meanwhile`);
  assert.equal((await bot.ask('더 이상 내 감정을 내가 컨트롤 못 하겠어.')).kind, 'match');
  bot.close();
});
