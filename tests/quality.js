/**
 * `npm run quality`: what the built model, table and safety rules do with sentences written by a hand
 * that had seen none of them (tests/data/README.md). Figures only: nothing passes or fails here, and
 * what was missed is not shown, so that nobody tunes on it.
 */
import { readFile } from 'node:fs/promises';
import { Gyeot, SafetyRules } from '../dist/node.js';

const json = async (path) => JSON.parse(await readFile(new URL(path, import.meta.url), 'utf8'));
const list = (name) => json(`data/${name}-fresh.json`);

const rules = SafetyRules.parse(await json('../model/safety.ko.json'));
const bot = await Gyeot.load();
const ask = async (texts) => {
  const answers = [];
  for (const text of texts) answers.push(await bot.ask(text));
  return answers;
};
const say = (name, found, of) => console.log(`${`${found} of ${of.length}`.padStart(10)}  ${name}`);
const count = (items, holds) => items.filter(holds).length;

const everyday = await list('everyday');
const answers = await ask(everyday.map(({ text }) => text));
say('everyday sentences get a group that fits', count(answers, ({ kind, group }, index) =>
  kind === 'match' && everyday[index].groups.includes(group)), everyday);
say('  get the group of a neighbour instead', count(answers, ({ kind, group }, index) =>
  kind === 'match' && !everyday[index].groups.includes(group)), everyday);
say('  get the fallback', count(answers, ({ kind }) => kind === 'fallback'), everyday);
say('  are taken for danger', count(answers, ({ kind }) => kind === 'crisis'), everyday);

const outside = await list('outside');
say('sentences from outside get the fallback',
  count(await ask(outside), ({ kind }) => kind === 'fallback'), outside);

const crisis = await list('crisis');
const found = crisis.map(({ text }) => rules.check(text));
say('sentences of danger are caught by the rules', count(found, Boolean), crisis);
say('  in the category that was meant',
  count(found, (one, index) => one?.category === crisis[index].category), crisis);
say('  are caught by the rules and the table together',
  count(await ask(crisis.map(({ text }) => text)), ({ kind }) => kind === 'crisis'), crisis);

const harmless = await list('harmless');
say('harmless sentences set the rules off', count(harmless, (text) => rules.check(text)), harmless);
say('  set the rules or the table off',
  count(await ask(harmless), ({ kind }) => kind === 'crisis'), harmless);
await bot.close();
