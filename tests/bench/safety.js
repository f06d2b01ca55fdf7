/**
 * How well the safety rules recognise danger, and how fast: node tests/bench/safety.js
 * Each list is printed with what it is worth as evidence; see model/SAFETY.md.
 */
import { readFile } from 'node:fs/promises';
import { SafetyRules } from '../../dist/node.js';

const read = async (name) => JSON.parse(await readFile(new URL(`../../${name}`, import.meta.url), 'utf8'));
const percent = (part, whole) => `${part} of ${whole} (${((100 * part) / whole).toFixed(1)} %)`;

const rules = SafetyRules.parse(await read('model/safety.ko.json'));
const verbose = process.argv.includes('--list');
const made = 'the rules were made from it';
const all = [];

for (const [file, worth] of [
  ['crisis.json', made],
  ['crisis-wide.json', made],
  ['crisis-hard.json', made],
  ['crisis-test.json', 'by the same hand, read once the rules stood'],
  ['crisis-other.json', 'by another hand, read before these rules'],
  ['crisis-wide-test.json', 'by the same hand, never read'],
]) {
  const phrasings = await read(`tests/data/${file}`);
  all.push(...phrasings.map(({ text }) => text));
  const found = phrasings.map(({ text }) => rules.check(text)?.category);
  const caught = found.filter((category) => category !== undefined).length;
  const right = found.filter((category, i) => category === phrasings[i].category).length;
  console.log(`${file}: recognised ${percent(caught, phrasings.length)}, as the right danger ${right} — ${worth}`);
  if (verbose) phrasings.forEach(({ text }, i) => found[i] === undefined && console.log(`  missed: ${text}`));
}
for (const [file, worth] of [
  ['harmless.json', made],
  ['harmless-wide.json', made],
  ['harmless-hard.json', made],
  ['harmless-test.json', 'by the same hand, read once the rules stood'],
  ['harmless-wide-test.json', 'by the same hand, never read'],
]) {
  const sentences = await read(`tests/data/${file}`);
  all.push(...sentences);
  const alarms = sentences.filter((text) => rules.check(text) !== null);
  console.log(`${file}: false alarms ${percent(alarms.length, sentences.length)} — ${worth}`);
  if (verbose) for (const text of alarms) console.log(`  alarmed: ${text}`);
}

const begun = performance.now();
for (const text of all) rules.check(text);
console.log(`${((performance.now() - begun) / all.length).toFixed(3)} ms a sentence`);
