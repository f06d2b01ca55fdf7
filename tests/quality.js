/**
 * `npm run quality`: what the built model, table and safety rules do with sentences written by two hands
 * that had seen none of them (tests/data/README.md). Figures only: nothing passes or fails here, and
 * what was missed is not shown, so that nobody tunes on it.
 */
import { readFile } from 'node:fs/promises';
import { Gyeot, SafetyRules } from '../dist/node.js';

const json = async (path) => JSON.parse(await readFile(new URL(path, import.meta.url), 'utf8'));
const rules = SafetyRules.parse(await json('../model/safety.ko.json'));
const bot = await Gyeot.load();
const ask = async (texts) => {
  const answers = [];
  for (const text of texts) answers.push(await bot.ask(text));
  return answers;
};
const say = (name, found, of) => console.log(`${`${found} of ${of.length}`.padStart(10)}  ${name}`);
const count = (items, holds) => items.filter(holds).length;
const isCrisis = ({ kind }) => kind === 'crisis';
const hasHelp = ({ help }) => help.length > 0;

async function report(hand) {
  console.log(`\nLists of the hand “${hand}”`);
  const list = (name) => json(`data/${name}-${hand}.json`);

  const everyday = await list('everyday');
  const answers = await ask(everyday.map(({ text }) => text));
  say('everyday sentences get a group that fits', count(answers, ({ kind, group }, index) =>
    kind === 'match' && everyday[index].groups.includes(group)), everyday);
  say('  get the group of a neighbour instead', count(answers, ({ kind, group }, index) =>
    kind === 'match' && !everyday[index].groups.includes(group)), everyday);
  say('  get the fallback', count(answers, ({ kind }) => kind === 'fallback'), everyday);
  say('  are taken for danger', count(answers, isCrisis), everyday);
  say('  get the numbers', count(answers, hasHelp), everyday);

  const outside = await list('outside');
  say('sentences from outside get the fallback',
    count(await ask(outside), ({ kind }) => kind === 'fallback'), outside);

  const crisis = await list('crisis');
  const found = crisis.map(({ text }) => rules.check(text));
  const met = await ask(crisis.map(({ text }) => text));
  say('sentences of danger are caught by the rules', count(found, Boolean), crisis);
  if (crisis[0].category) {
    say('  in the category that was meant',
      count(found, (one, index) => one?.category === crisis[index].category), crisis);
  }
  say('  are caught by the rules and the table together', count(met, isCrisis), crisis);
  say('  get the numbers', count(met, hasHelp), crisis);

  const harmless = await list('harmless');
  const calm = await ask(harmless);
  say('harmless sentences set the rules off', count(harmless, (text) => rules.check(text)), harmless);
  say('  set the rules or the table off', count(calm, isCrisis), harmless);
  say('  get the numbers', count(calm, hasHelp), harmless);
}

await report('fresh');
await report('later');
await bot.close();
