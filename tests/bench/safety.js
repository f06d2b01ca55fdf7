/**
 * How well the safety rules recognise danger: node tests/bench/safety.js
 * Each list is printed with what it is worth as evidence; see model/SAFETY.md.
 */
import { readFile } from 'node:fs/promises';
import { SafetyRules } from '../../dist/node.js';

const read = async (name) => JSON.parse(await readFile(new URL(`../../${name}`, import.meta.url), 'utf8'));
const percent = (part, whole) => `${part} of ${whole} (${((100 * part) / whole).toFixed(1)} %)`;

const rules = SafetyRules.parse(await read('model/safety.ko.json'));
const verbose = process.argv.includes('--list');

for (const [file, worth] of [
  ['crisis.json', 'the rules were made from it'],
  ['crisis-test.json', 'written before these rules, but by the same hand'],
  ['crisis-other.json', 'written by another hand, never read while tuning'],
]) {
  const phrasings = await read(`tests/data/${file}`);
  const found = phrasings.map(({ text }) => rules.check(text)?.category);
  const caught = found.filter((category) => category !== undefined).length;
  const right = found.filter((category, i) => category === phrasings[i].category).length;
  console.log(`${file}: recognised ${percent(caught, phrasings.length)}, as the right danger ${right} — ${worth}`);
  if (verbose) phrasings.forEach(({ text }, i) => found[i] === undefined && console.log(`  missed: ${text}`));
}
for (const [file, worth] of [
  ['harmless.json', 'the rules were made from it'],
  ['harmless-test.json', 'written before these rules, but by the same hand'],
]) {
  const sentences = await read(`tests/data/${file}`);
  const alarms = sentences.filter((text) => rules.check(text) !== null);
  console.log(`${file}: false alarms ${percent(alarms.length, sentences.length)} — ${worth}`);
  if (verbose) for (const text of alarms) console.log(`  alarmed: ${text}`);
}
