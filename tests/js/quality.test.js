/** The default model and table, judged by sentences that they were not made from. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { Gyeot } from '../../dist/node.js';

const read = async (name) => JSON.parse(await readFile(new URL(`../data/${name}`, import.meta.url), 'utf8'));

let bot;
before(async () => (bot = await Gyeot.load()));
after(() => bot.close());

test('the walk-through is answered with its response', async () => {
  const { kind, answer } = await bot.ask('더 이상 내 감정을 내가 컨트롤 못 하겠어.');
  assert.equal(kind, 'match');
  assert.equal(answer, '감정이 조절이 안 될 때만큼 힘들 때는 없는 거 같아요.');
});

test('at least 48 of 60 everyday sentences get a group that fits', async (context) => {
  const sentences = await read('everyday.json');
  assert.equal(sentences.length, 60);
  const missed = [];
  for (const { text, groups } of sentences) {
    const { kind, group } = await bot.ask(text);
    const fits = kind === 'match' ? groups.includes(group) : kind === 'crisis' && groups.some((name) => name.startsWith('위험/'));
    if (!fits) missed.push(`${text} → ${kind} ${group ?? ''}`);
  }
  context.diagnostic(`${sentences.length - missed.length} of ${sentences.length} fit; not: ${missed.join(' / ')}`);
  assert.ok(missed.length <= 12);
});

test('at least 34 of 40 sentences from outside get the fallback', async (context) => {
  const sentences = await read('outside.json');
  assert.equal(sentences.length, 40);
  const answered = [];
  for (const text of sentences) {
    const { kind, group, score } = await bot.ask(text);
    if (kind !== 'fallback') answered.push(`${text} → ${group} ${score.toFixed(2)}`);
  }
  context.diagnostic(`${sentences.length - answered.length} of ${sentences.length} fall back; not: ${answered.join(' / ')}`);
  assert.ok(answered.length <= 6);
});
