/**
 * A new user's way, from an empty folder: the packages as npm gets them, a spreadsheet as Excel in
 * Korea saves it, a site that answers. Commands are counted, and the time.
 */
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import iconv from 'iconv-lite';
import { launch, open, say, visitor } from '../browser/harness.js';
import { prepare, tarball } from './fixtures.js';

let folder;
let browser;
let commands = 0;

/** What is typed on the command line; `npx` and `npm` are all that a new user has. */
function type(command, args) {
  commands++;
  return new Promise((resolve) => {
    execFile(command, args, { cwd: folder, encoding: 'utf8' }, (error, stdout, stderr) => {
      resolve({ code: error ? error.code : 0, stdout, stderr });
    });
  });
}

const goods = ['운동화', '모자', '가방', '셔츠', '바지', '시계', '우산', '장갑', '양말', '목도리',
  '이불', '베개', '접시', '컵', '냄비', '연필', '공책', '지우개', '책상', '의자'];
const asked = '우산 산 거 돌려줄 수 있나요';
const answered = '우산은(는) "7일" 안에 환불해 드려요.';

/** Two hundred rows in CP949 with CRLF, every cell that needs it in quotation marks. */
function spreadsheet() {
  const rows = goods.flatMap((name) => [
    [`${name} 배송`, `${name} 배송은 얼마나 걸리나요?`, `${name}은(는) 이틀 안에 도착해요.`],
    [`${name} 배송`, `${name} 언제 도착해요?`, ''],
    [`${name} 환불`, `${name} 환불하고 싶어요`, `${name}은(는) "7일" 안에 환불해 드려요.`],
    [`${name} 환불`, `산 ${name}이 마음에 안 들어서 돌려주고 싶은데요`, ''],
    [`${name} 교환`, `${name} 크기를 바꾸고 싶어요`, `${name} 교환은\n한 번 무료예요.`],
    [`${name} 색`, `${name} 다른 색도 있나요?`, `${name}은(는) 똠방각하 색도 있어요.`],
    [`${name} 값`, `${name} 얼마예요?`, `${name}은(는) 9,900원이에요.`],
    [`${name} 값`, `${name} 할인하나요?`, ''],
    [`${name} 재고`, `${name} 재고 있나요?`, `${name}은(는) 많이 있어요.`],
    [`${name} 선물`, `${name} 선물 포장 되나요?`, `${name} 포장은 무료예요.`],
  ]);
  const cell = (text) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const lines = [['분류', '질문', '답변'], ...rows].map((row) => row.map(cell).join(','));
  return iconv.encode(`${lines.join('\r\n')}\r\n`, 'cp949');
}

before(async () => {
  await prepare();
  folder = await mkdtemp(path.join(tmpdir(), 'gyeot-newcomer-'));
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await rm(folder, { recursive: true, force: true });
});

test('from an empty folder to a site that answers', { timeout: 300_000 }, async (t) => {
  await writeFile(path.join(folder, 'faq.csv'), spreadsheet());
  const begin = performance.now();
  const installed = await type('npm', ['install', tarball('gyeot'), tarball('gyeot-ko')]);
  assert.equal(installed.code, 0, installed.stderr);
  assert.deepEqual((await readdir(path.join(folder, 'node_modules'))).filter((name) => !name.startsWith('.')),
    ['gyeot', 'gyeot-ko'], 'nothing else is installed');
  const built = await type('npx', ['gyeot', 'build', 'faq.csv', '--out', 'site']);
  assert.equal(built.code, 0, built.stderr);
  assert.match(built.stderr, /faq\.csv: 200 rows \(cp949; question "질문", answer "답변", group "분류"\)/);
  assert.equal(built.stdout, '');
  assert.doesNotMatch(built.stderr, /\r|\x1b/, 'no progress in a pipe');

  commands++;
  const server = spawn('npx', ['gyeot', 'serve', 'site'], {
    cwd: folder, detached: true, stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const url = await new Promise((resolve, reject) => {
      server.stdout.once('data', (data) => resolve(String(data).split(' ')[0]));
      server.once('exit', () => reject(new Error('gyeot serve stopped')));
    });
    const person = await visitor(browser);
    const page = await open(person.context, url);
    assert.equal(await say(page, asked), answered);
    person.check(url);
    await person.context.close();
  } finally {
    process.kill(-server.pid);
  }
  const seconds = (performance.now() - begin) / 1000;
  t.diagnostic(`${commands} commands, ${seconds.toFixed(1)} s`);
  assert.ok(commands < 5, `${commands} commands`);
  assert.ok(seconds < 180, `${seconds} s`);
});

test('what goes wrong is said in one line, and what would be right', async () => {
  const cases = [
    ['names.csv', '이름,값\n가,나\n', /names\.csv: which column is the question.*"이름", "값".*--question/],
    ['empty.csv', '', /empty\.csv is empty/],
    ['head.csv', '유저,챗봇\n', /head\.csv has no row with a question/],
    ['cell.csv', '유저,챗봇\n안녕,\n', /cell\.csv: row 2, column "챗봇": the answer is empty/],
    ['none.csv', null, /none\.csv could not be read/],
  ];
  for (const [name, text, pattern] of cases) {
    if (text !== null) await writeFile(path.join(folder, name), text);
    const { code, stdout, stderr } = await type('npx', ['gyeot', 'build', name, '--out', 'other']);
    assert.equal(code, 2, name);
    assert.equal(stdout, '');
    assert.match(stderr, pattern);
    assert.equal(stderr.trimEnd().split('\n').length, 1, stderr);
  }
  await assert.rejects(readdir(path.join(folder, 'other')), 'no half-made site');
  assert.match(await readFile(path.join(folder, 'site/site.json'), 'utf8'), /table\.safetensors/);
});

test('without gyeot-ko the command says what to install', async () => {
  await rm(path.join(folder, 'node_modules/gyeot-ko'), { recursive: true });
  const { code, stderr } = await type('npx', ['gyeot', 'build', 'faq.csv', '--out', 'other']);
  assert.equal(code, 2);
  assert.match(stderr, /npm install gyeot-ko/);
});
