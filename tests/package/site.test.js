/**
 * The way of a new user: a CP949 spreadsheet becomes a site and one HTML file, and both answer in a
 * real browser. `gyeot serve` is the server.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { strFromU8, unzipSync } from 'fflate';
import iconv from 'iconv-lite';
import {
  closeDialogs, download, launch, offlineReady, open, openTables, ready, resident, root, say, serve, visitor,
} from '../browser/harness.js';
import { bigTable, spreadsheet as spreadsheetOf } from '../js/bigtable.js';
import { gyeot } from '../js/support.js';

let folder;
let browser;

/** A spreadsheet as Excel writes it in Korea: CP949, CRLF, some answers left to the group. */
function spreadsheet() {
  const subjects = ['운동화', '모자', '가방', '셔츠', '바지', '시계', '우산', '장갑', '양말', '목도리'];
  const rows = subjects.flatMap((name) => [
    [`${name} 배송`, `${name} 배송은 얼마나 걸리나요?`, `${name}은(는) 이틀 안에 도착해요.`],
    [`${name} 배송`, `${name} 언제 도착해요?`, ''],
    [`${name} 환불`, `${name} 환불하고 싶어요`, `${name}은(는) "7일" 안에 환불해 드려요.`],
    [`${name} 환불`, `산 ${name}이 마음에 안 들어서 돌려주고 싶은데요`, ''],
    [`${name} 색`, `${name} 다른 색도 있나요?`, `${name}은(는) 똠방각하 색도 있어요.`],
  ]);
  const quote = (cell) => `"${cell.replaceAll('"', '""')}"`;
  const text = [['분류', '질문', '답변'], ...rows].map((row) => row.map(quote).join(',')).join('\r\n');
  return iconv.encode(`${text}\r\n`, 'cp949');
}

before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'gyeot-site-'));
  await writeFile(path.join(folder, 'faq.csv'), spreadsheet());
  await writeFile(path.join(folder, 'config.json'), JSON.stringify({
    title: '우리 가게 도우미', greeting: '무엇이 궁금하세요?', fallback: ['그건 잘 모르겠어요.'],
    colors: { accent: '#226688' }, threshold: 0.5, margin: 0,
  }));
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await rm(folder, { recursive: true, force: true });
});

const asked = '우산 산 거 돌려줄 수 있나요';
const answered = '우산은(는) "7일" 안에 환불해 드려요.';

test('gyeot build makes a site that gyeot serve serves and that answers', async () => {
  const site = path.join(folder, 'site');
  const built = await gyeot(['build', path.join(folder, 'faq.csv'), '--out', site,
    '--config', path.join(folder, 'config.json')]);
  assert.equal(built.code, 0, built.stderr);
  assert.match(built.stderr, /50 rows \(cp949/);
  const again = await gyeot(['build', path.join(folder, 'faq.csv'), '--out', site, '--json',
    '--config', path.join(folder, 'config.json'), '--quiet']);
  assert.equal(again.stderr, '');
  const { seconds: _, ...report } = JSON.parse(again.stdout);
  assert.deepEqual(report, { out: site, rows: 50, groups: 30, embedded: 0, threshold: 0.5 },
    'nothing is embedded twice, and the threshold is the one of the config file');
  const files = await readdir(site, { recursive: true });
  for (const wanted of ['.nojekyll', '_headers', 'index.html', 'precache.js']) assert.ok(files.includes(wanted));
  for (const file of files) {
    assert.ok((await stat(path.join(site, file))).size < 25 * 1024 * 1024, `${file} is under 25 MiB`);
  }

  const server = spawn(process.execPath, [path.join(root, 'dist/command.js'), 'serve', site], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const [line] = await new Promise((resolve, reject) => {
      server.stdout.once('data', (data) => resolve(String(data).split(' ')));
      server.once('exit', () => reject(new Error('gyeot serve stopped')));
    });
    const reply = await fetch(line);
    assert.match(reply.headers.get('content-security-policy'), /connect-src 'self'/);
    const person = await visitor(browser);
    const page = await open(person.context, line);
    assert.equal(await page.title(), '우리 가게 도우미');
    assert.equal(await say(page, asked), answered);
    person.check(line);
    await person.context.close();
  } finally {
    server.kill();
  }
});

test('gyeot build --single-file makes a file that answers without a server', async () => {
  const file = path.join(folder, 'faq.html');
  const built = await gyeot(['build', path.join(folder, 'faq.csv'), '--out', file, '--single-file',
    '--config', path.join(folder, 'config.json')]);
  assert.equal(built.code, 0, built.stderr);
  const context = await browser.newContext({ locale: 'ko-KR', offline: true });
  const faults = [];
  context.on('request', (request) => {
    if (/^https?:/.test(request.url())) faults.push(request.url());
  });
  const page = await context.newPage();
  page.on('pageerror', (error) => faults.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(message.text());
  });
  await page.goto(pathToFileURL(file).href);
  await page.waitForSelector('#progress[data-state="ready"]', { state: 'attached', timeout: 60_000 });
  assert.equal(await say(page, asked), answered);
  assert.deepEqual(faults, []);
  await context.close();
});

test('a table too large for one file is fetched once in its parts, and answers offline', async () => {
  const site = path.join(folder, 'large');
  await mkdir(path.join(site, 'table'), { recursive: true });
  // What an earlier build has embedded need not be embedded by this one.
  await writeFile(path.join(site, 'precache.js'), 'self.GYEOT_FILES=[];');
  await writeFile(path.join(site, 'table/table.safetensors'), bigTable(50_000));
  const file = path.join(folder, 'large.csv');
  await writeFile(file, spreadsheetOf(50_000, [[asked, answered, '우산 환불']].map((cells) =>
    cells.map((cell) => `"${cell.replaceAll('"', '""')}"`))));
  const built = await gyeot(['build', file, '--out', site, '--config', path.join(folder, 'config.json')]);
  assert.equal(built.code, 0, built.stderr);
  const { parts } = JSON.parse(await readFile(path.join(site, 'table/table.json'), 'utf8'));
  assert.equal(parts.length, 2);

  const host = await serve({ folder: site });
  const profile = await mkdtemp(path.join(folder, 'profile-'));
  const person = await resident(profile);
  try {
    const page = await open(person.context, host.url);
    assert.equal(await say(page, '산 우산 돌려줄 수 있나요?'), answered);
    const fetched = () => host.requests.filter((name) => name.startsWith('table/'));
    assert.deepEqual(fetched().sort().filter((name, at, all) => name !== all[at - 1]),
      ['table/table.json', ...parts.map((part) => `table/${part.path}`)]);
    await openTables(page);
    const zip = await download(page, () => page.click('#export-site'), { timeout: 120_000 });
    await closeDialogs(page);
    const files = unzipSync(new Uint8Array(zip.bytes));
    const list = JSON.parse(strFromU8(files['table/table.json']));
    assert.ok(Object.values(files).every((bytes) => bytes.length <= 20 * 2 ** 20));
    assert.ok(list.parts.every(({ path: name, size }) => files[`table/${name}`].length === size));
    assert.equal(JSON.parse(strFromU8(files['site.json'])).table, 'table/table.json');
    await page.waitForFunction(async (count) => {
      const name = (await caches.keys()).find((key) => key.includes('table.json'));
      return name && (await (await caches.open(name)).keys()).length === count;
    }, 1);
    await offlineReady(page);
    const before = fetched().length;
    await page.reload();
    await ready(page);
    assert.deepEqual(fetched().slice(before).filter((name) => name !== 'table/table.json'), [], 'no part again');
    await host.stop();
    await page.reload();
    await ready(page);
    assert.equal(await say(page, '산 우산 돌려줄 수 있나요?'), answered);
    person.check(host.url);
  } finally {
    await person.context.close();
    await host.stop();
  }
});

test('gyeot build says which cell is wrong and leaves nothing behind', async () => {
  const file = path.join(folder, 'bad.csv');
  await writeFile(file, '\ufeff구분,유저,챗봇\n가,안녕,반가워요\n나,누구세요,\n');
  const site = path.join(folder, 'bad-site');
  const { code, stderr } = await gyeot(['build', file, '--out', site]);
  assert.equal(code, 2);
  assert.match(stderr, /bad\.csv: row 3, column "챗봇": the answer is empty and no row of "나" has one/);
  assert.equal(stderr.trim().split('\n').length, 1);
  await assert.rejects(readFile(site));
});
