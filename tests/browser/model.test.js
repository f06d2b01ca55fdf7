/** The reader's own model folder: checked, replayed, and never mixed with another's table. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { asked, begin, openTables, ready, root, say, toast } from './harness.js';

let host;
let page;
let end;
let folder;

before(async () => {
  ({ host, page, end } = await begin());
  folder = await mkdtemp(path.join(tmpdir(), 'gyeot-model-'));
  await cp(path.join(root, 'model/default'), folder, { recursive: true });
  // Another maximum length makes another model with the same vectors for all but the longest texts.
  const file = path.join(folder, 'gyeot.json');
  const manifest = JSON.parse(await readFile(file, 'utf8'));
  manifest.name = '내 모델';
  manifest.max_length = 127;
  manifest.fingerprint = fingerprint(manifest);
  await writeFile(file, JSON.stringify(manifest));
  // A small table, so that building it again is quick.
  await openTables(page);
  const rows = '유저,챗봇\n언제 와요,내일 와요\n얼마예요,만 원이에요\n';
  await page.setInputFiles('#table-file', { name: '작은 표.csv', mimeType: '', buffer: Buffer.from(rows) });
  await page.click('.new-table button[type=submit]');
  await toast(page, '만들었어요');
  await page.keyboard.press('Escape');
});
after(async () => {
  await end();
  await rm(folder, { recursive: true });
});

/** As the model folder's format lays down. */
function fingerprint(manifest) {
  const digest = (name) => manifest.files.find((entry) => entry.path === name).sha256;
  const { encoder, tokenizer, pooling, normalize, prompts } = manifest;
  const parts = [digest(encoder.file), tokenizer.files.map(digest), pooling, normalize, prompts.query,
    prompts.document, manifest.max_length, manifest.dimension];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

const place = () => page.locator('#model-folder ~ div');

test('a folder is loaded and its recorded vectors replayed', async () => {
  await page.setInputFiles('#model-folder', folder);
  await page.waitForFunction(() => /그대로|않았어요/.test(document.querySelector('#model-folder ~ div').textContent), null, { timeout: 120_000 });
  const text = await place().innerText();
  assert.match(text, /(\d+)개 가운데 \1개가 그대로/);
  assert.match(text, /다시 만들어야 답할 수 있어요/);
});

test('the table is built again before the model answers', async () => {
  await place().getByText('이 모델로 다시 만들기').click();
  await page.waitForFunction(() => document.querySelector('#model-folder ~ div').textContent.includes('“내 모델”'), null, { timeout: 60_000 });
  await page.keyboard.press('Escape');
  assert.equal(await say(page, '얼마예요?'), '만 원이에요');
});

test('kept where the reader asks for it: it answers on the next visit, until they go back', async () => {
  await page.click('#open-settings');
  await page.click('#keep-model');
  await page.waitForFunction(() => document.querySelector('#model-folder ~ div').textContent.includes('이 기기에 두었어요'));
  const before = host.requests.length;
  await page.reload();
  await ready(page);
  assert.equal(await say(page, '얼마예요?'), '만 원이에요');
  assert.deepEqual(host.requests.slice(before).filter((name) => name.startsWith('model/')), [], 'the page\'s own model is not loaded');
  await page.click('#open-settings');
  assert.match(await place().innerText(), /“내 모델”/);
  assert.equal(await page.isChecked('#keep-model'), true);
  await page.click('#leave-model');
  await page.waitForFunction(() => document.querySelector('#progress').dataset.state === 'ready');
  await page.keyboard.press('Escape');
  assert.equal(await say(page, '얼마예요?'), '만 원이에요', 'with the table that was made for it');
  assert.deepEqual(await page.evaluate(async () => (await caches.keys()).filter((name) => name.startsWith('gyeot-own'))), []);
  await page.reload();
  await ready(page);
  await page.click('#open-settings');
  assert.doesNotMatch(await page.locator('#settings-body').innerText(), /내 모델/);
  await page.keyboard.press('Escape');
});

test('a folder whose vectors are not what it records is not used', async () => {
  const file = path.join(folder, 'gyeot.json');
  const manifest = JSON.parse(await readFile(file, 'utf8'));
  manifest.prompts.query = manifest.prompts.document = 'something else: ';
  manifest.fingerprint = fingerprint(manifest);
  await writeFile(file, JSON.stringify(manifest));
  await page.click('#open-settings');
  await page.setInputFiles('#model-folder', folder);
  await page.waitForFunction(() => document.querySelector('#model-folder ~ div').textContent.includes('쓰지 않았어요'), null, { timeout: 120_000 });
  await page.keyboard.press('Escape');
});

test('a damaged folder is refused with a reason, and the page goes on', async () => {
  await writeFile(path.join(folder, 'sentencepiece.bpe.model'), 'not a model');
  await page.click('#open-settings');
  await page.setInputFiles('#model-folder', folder);
  await page.waitForFunction(() => document.querySelector('#model-folder ~ div').textContent.includes('온전하지 않아요'), null, { timeout: 120_000 });
  await page.keyboard.press('Escape');
  assert.notEqual(await say(page, asked), '');
});
