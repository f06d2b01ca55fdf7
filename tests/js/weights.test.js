/** Packed encoders: a folder without gyeot.json takes one, and a broken one is named. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { Gyeot } from '../../dist/node.js';

const folder = new URL('../../model/default/', import.meta.url);
const manifest = JSON.parse(await readFile(new URL('gyeot.json', folder), 'utf8'));
const { file } = manifest.encoder;

/** The default model as a plain folder, its encoder changed. */
async function plain(change = (bytes) => bytes) {
  const names = [
    'config.json', 'modules.json', '1_Pooling/config.json', 'sentence_bert_config.json',
    'tokenizer_config.json', ...manifest.tokenizer.files,
  ];
  const read = async (name) => new Uint8Array(await readFile(new URL(name, folder)));
  const entries = await Promise.all(names.map(async (name) => [name, await read(name)]));
  return Object.fromEntries([...entries, [file, change(await read(file))]]);
}

const load = (model) => Gyeot.load({ model, table: null });

test('a folder without gyeot.json gives the vectors of the same folder with it', async () => {
  const texts = ['잠이 안 와요', '오늘은 기분이 좋아'];
  const vectors = [];
  for (const model of [folder, await plain()]) {
    const bot = await load(model);
    vectors.push((await bot.embed(texts)).data);
    bot.close();
  }
  assert.deepEqual(vectors[0], vectors[1]);
});

for (const [name, change, said] of [
  ['cut short', (bytes) => bytes.subarray(0, bytes.length - 100), /cut short/],
  ['longer than it says', (bytes) => new Uint8Array([...bytes.subarray(0, 16), ...new Uint8Array(99)]), /segment/],
  ['of a newer version', (bytes) => bytes.with(4, 2), /version 2/],
]) {
  test(`an encoder ${name} is refused by name`, async () => {
    await assert.rejects(load(await plain(change)), (error) => {
      assert.ok(['format', 'unsupported'].includes(error.code), error.code);
      assert.match(error.message, said);
      assert.ok(error.message.startsWith(file), error.message);
      return true;
    });
  });
}
