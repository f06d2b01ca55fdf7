/** SafetyRules: the bundled Korean rules over phrasings of danger and over harmless sentences. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { GyeotError, SafetyRules } from '../../dist/node.js';

const read = async (name) => JSON.parse(await readFile(new URL(`../../${name}`, import.meta.url), 'utf8'));
const rules = SafetyRules.parse(await read('model/safety.ko.json'));

test('at least 97 % of 200 phrasings of danger are recognised', async (context) => {
  const phrasings = await read('tests/data/crisis.json');
  assert.ok(phrasings.length >= 200);
  const missed = phrasings.filter(({ text }) => rules.check(text) === null);
  const other = phrasings.filter(({ text, category }) => (rules.check(text)?.category ?? category) !== category);
  context.diagnostic(
    `${phrasings.length - missed.length} of ${phrasings.length} recognised, ${other.length} as another danger; ` +
      `missed: ${missed.map(({ text }) => text).join(' / ') || 'none'}`,
  );
  assert.ok(missed.length <= 0.03 * phrasings.length);
  assert.ok(other.length <= 0.05 * phrasings.length);
});

test('at most 3 % of 300 harmless sentences with the same words raise an alarm', async (context) => {
  const sentences = await read('tests/data/harmless.json');
  assert.ok(sentences.length >= 300);
  const alarms = sentences.filter((text) => rules.check(text) !== null);
  context.diagnostic(`${alarms.length} of ${sentences.length} alarmed: ${alarms.join(' / ') || 'none'}`);
  assert.ok(alarms.length <= 0.03 * sentences.length);
});

test('spacing, punctuation, Unicode form, case and laughter make no difference', () => {
  for (const text of ['죽고싶어', '죽 고 싶 어', '죽.고.싶.어...', '죽고싶어'.normalize('NFD'), '죽고ㅋㅋ싶어ㅠㅠ', 'I WANT TO DIE']) {
    assert.equal(rules.check(text)?.category, 'suicide', text);
  }
});

test('a harmless idiom does not hide danger in the same sentence', () => {
  assert.equal(rules.check('배고파 죽겠는데 사실 죽고 싶어')?.category, 'suicide');
  assert.equal(rules.check('자살골 넣고 나니 자살하고 싶다')?.category, 'suicide');
});

test('every category has an answer and a number that is described', () => {
  const numbers = new Set(rules.help.map(({ number }) => number));
  for (const number of ['109', '119', '112', '1366', '117', '1388', '1577-0199']) assert.ok(numbers.has(number));
  const danger = rules.check('손목을 그었어');
  assert.equal(danger.category, 'self-harm');
  assert.ok(danger.answers.length > 0 && danger.help.length > 0);
  assert.ok(danger.help.every(({ name, description }) => name && description));
});

test('100,000 characters are read in well under a second', () => {
  const begun = performance.now();
  rules.check('엄마가 '.repeat(25000));
  assert.ok(performance.now() - begun < 1000);
});

test('a file that is no rules file is refused, and a broken pattern is named', () => {
  assert.throws(() => SafetyRules.parse({ format: 'other' }), GyeotError);
  const broken = { format: 'gyeot-safety', version: 1, categories: [{ id: 'x', patterns: ['(죽'] }] };
  assert.throws(() => SafetyRules.parse(broken), /\(죽/);
});
