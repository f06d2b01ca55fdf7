/** Spreadsheets of the size that people really have, and building that is stopped on the way. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import iconv from 'iconv-lite';
import { gyeot, model, root } from './support.js';

let folder;
before(async () => (folder = await mkdtemp(path.join(tmpdir(), 'gyeot-sheets-'))));
after(() => rm(folder, { recursive: true, force: true }));
const at = (name) => path.join(folder, name);

const count = 100_000;

/** Many rows of few different questions, some cells with commas, quotes and line ends. */
function* lines() {
  yield '구분,유저,챗봇';
  for (let row = 0; row < count; row++) {
    yield `상품/${row % 700},${row % 50}번 상품은 언제 오나요?,"${row}번 답이에요, ""이틀""\n안에 가요."`;
  }
}

/** Runs the command under a heap limit that a careless reading would pass. */
function limited(args) {
  const flags = ['--max-old-space-size=400', path.join(root, 'dist/command.js')];
  const begin = performance.now();
  const child = spawn(process.execPath, [...flags, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text));
  return new Promise((resolve) => {
    child.once('close', (code) => resolve({ code, stderr, seconds: (performance.now() - begin) / 1000 }));
  });
}

test('a hundred thousand rows become a table', { timeout: 120_000 }, async (t) => {
  await writeFile(at('many.csv'), [...lines()].join('\r\n'));
  const { code, stderr, seconds } = await limited(
    ['table', at('many.csv'), '--out', at('many.safetensors'), '--model', model, '--vectors', 'i8']);
  assert.equal(code, 0, stderr);
  assert.match(stderr, /many\.csv: 100000 rows \(utf-8/);
  assert.match(stderr, /100000 rows in 700 groups; 50 embedded/);
  t.diagnostic(`${seconds.toFixed(1)} s`);
  assert.ok(seconds < 60, `${seconds} s`);
});

test('an error far down names its row and column, in UTF-8 and CP949', { timeout: 120_000 }, async (t) => {
  const text = [...lines(), '없는 무리,똠방각하는 언제 오나요?,'].join('\r\n');
  const wanted = /row 100002, column "챗봇": the answer is empty and no row of "없는 무리" has one/;
  for (const encoding of ['utf-8', 'cp949']) {
    const bytes = iconv.encode(text, encoding);
    await writeFile(at('bad.csv'), bytes);
    const { code, stderr, seconds } = await limited(['table', at('bad.csv'), '--out', at('bad.safetensors')]);
    assert.equal(code, 2);
    assert.match(stderr, wanted, encoding);
    t.diagnostic(`${encoding}: ${seconds.toFixed(1)} s`);
    assert.ok(seconds < 30, `${seconds} s`);
    bytes[bytes.length - 2] = 0xff;
    await writeFile(at('bad.csv'), bytes);
    const broken = await limited(['table', at('bad.csv'), '--out', at('bad.safetensors'), '--encoding', encoding]);
    assert.match(broken.stderr, new RegExp(`row 100002, column "유저" is not ${encoding} text`));
  }
  await writeFile(at('bad.csv'), `${[...lines()].join('\n')}\n가,"열린 따옴표,나\n`);
  const open = await limited(['table', at('bad.csv'), '--out', at('bad.safetensors')]);
  assert.match(open.stderr, /row 100002: a quotation mark is opened and not closed/);
});

/** Starts the command and ends it by a signal once `ready(stderr)`. */
async function stopWhen(ready, args, signal) {
  const child = spawn(process.execPath, [path.join(root, 'dist/command.js'), ...args]);
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text));
  const ended = new Promise((resolve) => {
    child.once('close', (code, by) => resolve({ code, by, stderr }));
  });
  while (!ready(stderr) && child.exitCode === null) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  child.kill(signal);
  return ended;
}

test('a table that is stopped halfway goes on from there, to the same bytes', { timeout: 300_000 }, async () => {
  const rows = Array.from({ length: 600 }, (_, row) => `${row}번,답 ${row}`);
  await writeFile(at('faq.csv'), `질문,답변\n${rows.join('\n')}\n`);
  const build = (name) => ['table', at('faq.csv'), '--out', at(name), '--model', model, '--jobs', '1'];
  assert.match((await gyeot(build('whole.safetensors'))).stderr, /600 embedded/);

  const partial = at('faq.safetensors.partial');
  const killed = await stopWhen(() => existsSync(partial), build('faq.safetensors'), 'SIGKILL');
  assert.equal(killed.by, 'SIGKILL', killed.stderr);
  const stopped = await stopWhen((said) => said.includes('600 rows'), build('faq.safetensors'), 'SIGINT');
  assert.equal(stopped.code, 130, stopped.stderr);
  assert.equal(stopped.stderr.trimEnd().split('\n').length, 2, stopped.stderr);
  assert.ok(!existsSync(at('faq.safetensors')), 'no half-made table');
  assert.ok(existsSync(partial), 'what was done is kept');

  const resumed = await gyeot(build('faq.safetensors'));
  assert.match(resumed.stderr, /600 rows in 600 groups; 100 embedded/);
  assert.ok(!existsSync(partial), 'what was saved on the way is gone');
  assert.deepEqual(await readFile(at('faq.safetensors')), await readFile(at('whole.safetensors')));
});
