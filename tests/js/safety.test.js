/** SafetyRules: the bundled Korean rules over phrasings of danger and over harmless sentences. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { GyeotError, SafetyRules } from '../../dist/node.js';

const read = async (name) => JSON.parse(await readFile(new URL(`../../${name}`, import.meta.url), 'utf8'));
const rules = SafetyRules.parse(await read('model/safety.ko.json'));

test('at least 97 % of the phrasings that the rules were made from are recognised', async (context) => {
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

test('at most 3 % of the harmless sentences that the rules were made from raise an alarm', async (context) => {
  const sentences = await read('tests/data/harmless.json');
  assert.ok(sentences.length >= 300);
  const alarms = sentences.filter((text) => rules.check(text) !== null);
  context.diagnostic(`${alarms.length} of ${sentences.length} alarmed: ${alarms.join(' / ') || 'none'}`);
  assert.ok(alarms.length <= 0.03 * sentences.length);
});

// Written before the rules took their form, but by the same hand: a weaker proof than another's list.
test('at least 97 % of 200 further phrasings are recognised', async (context) => {
  const phrasings = await read('tests/data/crisis-test.json');
  assert.ok(phrasings.length >= 200);
  const right = phrasings.filter(({ text, category }) => rules.check(text)?.category === category);
  context.diagnostic(`${right.length} of ${phrasings.length} recognised as the right danger`);
  assert.ok(right.length >= 0.97 * phrasings.length);
});

test('at most 3 % of 300 further harmless sentences raise an alarm', async (context) => {
  const sentences = await read('tests/data/harmless-test.json');
  assert.ok(sentences.length >= 300);
  const alarms = sentences.filter((text) => rules.check(text) !== null);
  context.diagnostic(`${alarms.length} of ${sentences.length} alarmed: ${alarms.join(' / ') || 'none'}`);
  assert.ok(alarms.length <= 0.03 * sentences.length);
});

// The figures that the rules must hold: model/SAFETY.md says what each list is worth.
for (const [name, floor] of [['crisis-other', 0.97], ['crisis-wide', 0.97], ['crisis-hard', 0.97], ['crisis-wide-test', 0.97]]) {
  test(`at least ${100 * floor} % of ${name}.json are recognised`, async (context) => {
    const phrasings = await read(`tests/data/${name}.json`);
    const missed = phrasings.filter(({ text }) => rules.check(text) === null).length;
    context.diagnostic(`${phrasings.length - missed} of ${phrasings.length} recognised`);
    assert.ok(missed <= (1 - floor) * phrasings.length);
  });
}

for (const name of ['harmless-wide', 'harmless-hard', 'harmless-wide-test']) {
  test(`at most 3 % of ${name}.json raise an alarm`, async (context) => {
    const sentences = await read(`tests/data/${name}.json`);
    const alarms = sentences.filter((text) => rules.check(text) !== null).length;
    context.diagnostic(`${alarms} of ${sentences.length} alarmed`);
    assert.ok(alarms <= 0.03 * sentences.length);
  });
}

test('spacing, punctuation, Unicode form, case and laughter make no difference', () => {
  for (const text of ['죽고싶어', '죽 고 싶 어', '죽.고.싶.어...', '죽고싶어'.normalize('NFD'), '죽고ㅋㅋ싶어ㅠㅠ', 'I WANT TO DIE']) {
    assert.equal(rules.check(text)?.category, 'suicide', text);
  }
});

test('hidden, drawn-out, misspelt and half-typed words are read', () => {
  for (const text of [
    '자1살', '자x살하고 싶다', '자\u200b살', '자\u3164살', '죽고싶ㅇ어', '주ㄱ고 싶다', 'ㅈㅜㄱㄱㅗㅅㅣㅍㅓ',
    '\uffb8\uffd3\uffa1\uffa1\uffcc 싶어', '죽고오오오 싶어어어', '죽고시퍼', '죽고십어', '죽구 싶다', '살기실어',
  ]) {
    assert.equal(rules.check(text)?.category, 'suicide', text);
  }
  assert.equal(rules.check('저는 혼자 5살 아이를 키워요'), null);
});

test('a pattern of several parts asks for all of them nearby, in any order, and for none of its !', () => {
  const file = (patterns) => ({
    format: 'gyeot-safety', version: 1, words: { 집: ['집', '<방>'], },
    categories: [{ id: 'x', patterns }],
  });
  assert.throws(() => SafetyRules.parse(file(['<집>'])), /<방>/);
  const two = SafetyRules.parse({
    ...file([['<불>', '났', '!영화']]), words: { 불: ['불', '연기'] },
  });
  assert.ok(two.check('연기가 났어요'));
  assert.ok(two.check('났어요, 불이'));
  assert.equal(two.check('영화에서 불이 났어요'), null);
  assert.equal(two.check(`불${'가나다라'.repeat(30)}났`), null);
  assert.ok(two.check(`영화${'가나다라'.repeat(30)}불이 났`));
});

test('another in danger and danger at this moment have answers of their own', () => {
  const plain = rules.check('죽고 싶어요');
  for (const text of ['친구가 죽고 싶대요', '지금 옥상 난간에 서 있어요', '약을 다 털어 먹었어요']) {
    const danger = rules.check(text);
    assert.equal(danger.category, 'suicide', text);
    assert.notDeepEqual(danger.answers, plain.answers, text);
    assert.ok(danger.help.some(({ number }) => number === '119'), text);
  }
});

test('a harmless idiom does not hide danger in the same sentence', () => {
  assert.equal(rules.check('배고파 죽겠는데 사실 죽고 싶어')?.category, 'suicide');
  assert.equal(rules.check('자살골 넣고 나니 자살하고 싶다')?.category, 'suicide');
  assert.equal(rules.check('게임하다가 죽고 싶어졌어')?.category, 'suicide');
  assert.equal(rules.check('책 읽는데 자꾸 죽고 싶어')?.category, 'suicide');
  assert.equal(rules.check('주사 맞고 왔는데 남편이 또 때렸어요')?.category, 'domestic-violence');
});

test('every category has an answer and a number that is described', () => {
  const numbers = new Set(rules.help.map(({ number }) => number));
  for (const number of ['109', '119', '112', '1366', '117', '1388', '1577-0199', '1303']) assert.ok(numbers.has(number));
  const danger = rules.check('손목을 그었어');
  assert.equal(danger.category, 'self-harm');
  assert.ok(danger.answers.length > 0 && danger.help.length > 0);
  assert.ok(danger.help.every(({ name, description }) => name && description));
});

test('100,000 characters are read in well under a second', () => {
  for (const text of ['엄마가 ', '남편이 ', '옥상에서', '벽에 머리 ', '가나다 ']) {
    // Of the processor's own time, which other programs do not lengthen.
    const begun = process.cpuUsage();
    rules.check(text.repeat(25000));
    const { user, system } = process.cpuUsage(begun);
    assert.ok(user + system < 1e6, text);
  }
});

test('a file that is no rules file is refused, and a broken pattern is named', () => {
  assert.throws(() => SafetyRules.parse({ format: 'other' }), GyeotError);
  const broken = { format: 'gyeot-safety', version: 1, categories: [{ id: 'x', patterns: ['(죽'] }] };
  assert.throws(() => SafetyRules.parse(broken), /\(죽/);
});
