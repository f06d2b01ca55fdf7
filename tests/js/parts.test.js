/** Tables that are too large for one file: cut, read from everywhere, checked, built again. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Gyeot } from '../../dist/node.js';
import { bigTable, headerOf, spreadsheet } from './bigtable.js';
import { gyeot, host, model } from './support.js';

const limit = 20 * 2 ** 20;
const rows = 60_000;
const real = ['영업시간이 어떻게 되나요?', '평일 9시부터 6시까지예요.', '영업시간'];

let folder;
let site;
before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'gyeot-parts-'));
  site = path.join(folder, 'site');
});
after(() => rm(folder, { recursive: true, force: true }));
const at = (name) => path.join(folder, name);
const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');
const read = async (name) => JSON.parse(await readFile(path.join(site, name), 'utf8'));

async function ok(args) {
  const { code, stdout, stderr } = await gyeot(args);
  assert.equal(code, 0, stderr);
  return stdout;
}

/** Builds a site over an earlier one whose table holds the vectors of all made-up rows. */
async function build(count, kind = 'i8', more = [real]) {
  await rm(site, { recursive: true, force: true });
  await mkdir(path.join(site, 'table'), { recursive: true });
  await writeFile(path.join(site, 'precache.js'), 'self.GYEOT_FILES=[];');
  await writeFile(path.join(site, 'table/table.safetensors'), bigTable(count, kind));
  await writeFile(at('faq.csv'), spreadsheet(count, more));
  return JSON.parse(await ok(['build', at('faq.csv'), '--out', site, '--json']));
}

/** The table of the site, put together. */
async function joined() {
  const { parts } = await read('table/table.json');
  return Buffer.concat(await Promise.all(parts.map(({ path: name }) => readFile(path.join(site, 'table', name)))));
}

test('vectors of a small table are exact, those of a large one bytes', async () => {
  for (const [count, kind, type] of [[12_500, 'f32', 'F32'], [13_500, 'f32', 'I8']]) {
    const { embedded } = await build(count, kind);
    assert.equal(embedded, 1);
    assert.deepEqual(await readdir(path.join(site, 'table')), ['table.safetensors']);
    const header = headerOf(await readFile(path.join(site, 'table/table.safetensors')));
    assert.equal(header.vectors.dtype, type);
    assert.deepEqual(header.vectors.shape, [count + 1, 384]);
  }
});

test('a site of 60,000 rows has no file over 20 MiB, and its parts are the table', async () => {
  const report = await build(rows);
  assert.equal(report.rows, rows + 1);
  assert.equal(report.embedded, 1);
  for (const file of await readdir(site, { recursive: true, withFileTypes: true })) {
    if (!file.isFile()) continue;
    const { length } = await readFile(path.join(file.parentPath, file.name));
    assert.ok(length <= limit, `${file.name} has ${length} bytes`);
  }
  assert.equal((await read('site.json')).table, 'table/table.json');
  const list = await read('table/table.json');
  assert.ok(list.parts.length >= 2);
  for (const part of list.parts) {
    const bytes = await readFile(path.join(site, 'table', part.path));
    assert.deepEqual([bytes.length, sha256(bytes)], [part.size, part.sha256]);
  }
  const whole = await joined();
  assert.deepEqual([whole.length, sha256(whole)], [list.size, list.sha256]);
  assert.equal(headerOf(whole).vectors.dtype, 'I8');

  // The list is kept for offline use by the service worker, the parts by the page itself.
  const kept = JSON.parse(/\[.*\]/s.exec(await readFile(path.join(site, 'precache.js'), 'utf8'))[0]);
  assert.deepEqual(kept.map(({ url }) => url).filter((url) => url.startsWith('table/')), ['table/table.json']);
  const { download } = await read('site.json');
  assert.ok(download > list.size + 16e6 && download < list.size + 40e6, `${download}`);
});

test('building it again embeds nothing and gives the same files', async () => {
  const before = await read('table/table.json');
  const { embedded } = JSON.parse(await ok(['build', at('faq.csv'), '--out', site, '--json']));
  assert.equal(embedded, 0);
  assert.deepEqual(await read('table/table.json'), before);
});

test('it is read from a path and over HTTP, with one exact total', async () => {
  const list = await read('table/table.json');
  const server = await host(async (name) => ({ body: await readFile(path.join(site, name)) }));
  try {
    for (const table of [path.join(site, 'table/table.json'), `${server.url}table/table.json?v=2`]) {
      const alone = [];
      (await Gyeot.load({ model, table: null, safety: null, onProgress: (now) => alone.push(now) })).close();
      const seen = [];
      const bot = await Gyeot.load({ model, table, safety: null, onProgress: (now) => seen.push(now) });
      const totals = (list) => [...new Set(list.filter(({ phase }) => phase === 'download').map(({ total }) => total))];
      assert.equal(totals(seen).length, 1, 'known before the first byte');
      assert.equal(totals(seen)[0] - totals(alone)[0], list.size);
      assert.equal(bot.table.rows, rows + 1);
      assert.equal((await bot.ask('몇 시에 문 열어요?', { threshold: 0.3 })).answer, real[1]);
      bot.close();
    }
    const bot = await Gyeot.load({ model, table: null, safety: null });
    const stop = new AbortController();
    const stopped = bot.setTable(`${server.url}table/table.json`, { signal: stop.signal, onProgress: () => stop.abort() });
    await assert.rejects(stopped, { code: 'aborted' });
    assert.equal(bot.table, null);
    const seen = [];
    const onProgress = ({ phase, loaded, total }) => seen.push([phase, loaded, total]);
    assert.equal((await bot.setTable(`${server.url}table/table.json`, { onProgress })).rows, rows + 1);
    assert.ok(seen.every(([phase, , total]) => phase === 'download' && total === list.size));
    assert.equal(seen.at(-1)[1], list.size);
    bot.close();
  } finally {
    await server.stop();
  }
});

test('the command reads it where it reads tables', async () => {
  const table = path.join(site, 'table/table.json');
  const [best] = JSON.parse(await ok(['match', '영업시간이 어떻게 되나요?', '--table', table, '-k', '1', '--json']));
  assert.equal(best.answer, real[1]);
});

test('gyeot table writes parts where the name ends in .json, and removes those of before', async () => {
  await mkdir(at('own'));
  const out = at('own/faq.json');
  for (const answer of ['네.', '아니요.']) {
    await writeFile(at('small.csv'), `유저,챗봇\n주차되나요?,${answer}\n`);
    await ok(['table', at('small.csv'), '--out', out]);
  }
  const { parts, sha256: digest } = JSON.parse(await readFile(out, 'utf8'));
  assert.deepEqual((await readdir(at('own'))).sort(), ['faq.json', `faq.safetensors.${digest.slice(0, 8)}.01`]);
  assert.equal(parts.length, 1);
  const [best] = JSON.parse(await ok(['match', '주차', '--table', out, '--json']));
  assert.equal(best.answer, '아니요.');
  const report = JSON.parse(await ok(['export', '--table', out, '--to', 'jsonl', '--out', at('t.jsonl'), '--json']));
  assert.deepEqual(report, { out: at('t.jsonl'), to: 'jsonl', rows: 1, dimension: 384 });
  assert.equal(JSON.parse(await readFile(at('t.jsonl'), 'utf8')).answer, '아니요.');
});

test('whatever is wrong with a list or a part is said by name', async () => {
  const list = await read('table/table.json');
  const [first] = list.parts;
  const bytes = await readFile(path.join(site, 'table', first.path));
  const flipped = Buffer.from(bytes);
  flipped[99] ^= 1;
  const json = (change) => ({ body: JSON.stringify({ ...list, ...change }), type: 'application/json' });
  const cases = [
    ['table.json', { type: 'text/html', body: '<!doctype html>' }, 'integrity', /table\.json is not there.*HTML page/],
    ['table.json', { body: '{"format":"gyeot-site"}' }, 'format', /no list of a table's parts/],
    ['table.json', { body: '[1]' }, 'format', /should be a JSON object/],
    ['table.json', json({ sha256: 'x' }), 'format', /64 hexadecimal digits/],
    ['table.json', json({ parts: [{ ...first, path: '../../secret' }] }), 'format', /not a path inside/],
    ['table.json', json({ parts: [first] }), 'format', /its parts have \d+ bytes/],
    ['table.json', json({ size: 2 ** 50, parts: [{ ...first, size: 2 ** 50 }] }), 'memory', /no memory/],
    [first.path, { status: 404, type: 'text/plain' }, 'not-found', /\.01 could not be fetched/],
    [first.path, { body: flipped }, 'integrity', /\.01 has the SHA-256/],
  ];
  for (const [broken, reply, code, pattern] of cases) {
    const server = await host(async (name) =>
      (name === broken ? reply : { body: await readFile(path.join(site, 'table', name)) }));
    const loading = Gyeot.load({ model, table: `${server.url}table.json`, safety: null });
    await assert.rejects(loading, (error) => {
      assert.equal(error.name, 'GyeotError', error.stack);
      assert.equal(error.code, code, error.message);
      assert.match(error.message, pattern);
      return true;
    });
    await server.stop();
  }
});
