/** `gyeot`: what goes in by stdin and files, what comes out, and with which exit code. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import iconv from 'iconv-lite';
import { Gyeot } from '../../dist/node.js';
import { gyeot, model } from './support.js';

let folder;
before(async () => (folder = await mkdtemp(path.join(tmpdir(), 'gyeot-command-'))));
after(() => rm(folder, { recursive: true, force: true }));
const at = (name) => path.join(folder, name);

async function ok(args, options) {
  const result = await gyeot(args, options);
  assert.equal(result.code, 0, result.stderr);
  return result;
}

test('every command has help with an example', async () => {
  const { stdout } = await ok(['--help']);
  const names = [...stdout.matchAll(/^  (\w+) +[A-Z]/gm)].map(([, name]) => name);
  assert.deepEqual(names, ['tokenize', 'embed', 'match', 'eval', 'table', 'build', 'serve', 'verify', 'calibrate', 'export']);
  for (const name of names) {
    assert.match((await ok([name, '--help'])).stdout, new RegExp(`^  .*gyeot ${name}( |$)`, 'm'));
  }
});

test('errors take one line and exit code 2', async () => {
  const cases = [
    [['fly'], /no command "fly"/],
    [['match'], /TEXT is missing/],
    [['match', 'a', 'b'], /one argument too many/],
    [['match', 'a', '--depth', '3'], /--depth/],
    [['match', 'a', '-k', 'x'], /--k takes a whole number/],
    [['match', 'a', '--model', model], /--table is missing/],
    [['tokenize', '--vocab', at('none.txt')], /none\.txt could not be read/],
    [['tokenize', '--vocab', 'a', '--spm', 'b'], /one of --vocab and --spm/],
    [['embed', '--model', folder], /no model folder/],
    [['table', at('none.csv'), '--out', at('x')], /none\.csv could not be read/],
    [['serve', folder], /no index\.html/],
    [['calibrate', '--table', at('none.safetensors')], /none\.safetensors does not exist/],
    [['match', 'a', '--table', import.meta.filename], /does not begin as one does.*gyeot table/],
    [['export', '--to', 'jsonl', '--out', at('no/such/folder')], /^gyeot: .*no\/such\/folder: ENOENT: no such file/],
    [['export', '--to', 'parquet', '--out', at('no/such/folder')], /^gyeot: .*no\/such\/folder.tmp: ENOENT/],
  ];
  for (const [args, pattern] of cases) {
    const { code, stdout, stderr } = await gyeot(args);
    assert.equal(code, 2, args.join(' '));
    assert.match(stderr, pattern);
    assert.equal(stderr.trimEnd().split('\n').length, 1, stderr);
    assert.equal(stdout, '');
  }
});

test('tokenize reads JSON strings and writes ids', async () => {
  await writeFile(at('vocab.txt'), '[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n안녕\n##하세요\n!\n');
  const input = '"안녕하세요!"\n"\\u0000 모름"\n""\n';
  const { stdout } = await ok(['tokenize', '--vocab', at('vocab.txt')], { input });
  assert.equal(stdout, '[2,5,6,7,3]\n[2,1,3]\n[2,3]\n');
  const bare = await ok(['tokenize', '--vocab', at('vocab.txt'), '--no-special'], { input });
  assert.equal(bare.stdout, '[5,6,7]\n[1]\n[]\n');
  const bad = await gyeot(['tokenize', '--vocab', at('vocab.txt')], { input: '"좋아"\n{}\n' });
  assert.equal(bad.code, 2);
  assert.match(bad.stderr, /line 2/);
});

test('embed gives the vectors that the API gives, to stdout or a file', async () => {
  const texts = ['안녕하세요', 'hello'];
  const input = texts.map((text) => JSON.stringify(text)).join('\n');
  const { stdout } = await ok(['embed', '--model', model], { input });
  const bot = await Gyeot.load({ model, safety: null });
  const { data } = await bot.embed(texts);
  bot.close();
  const printed = stdout.trim().split('\n').flatMap((line) => JSON.parse(line));
  assert.deepEqual(Float32Array.from(printed), data);
  await ok(['embed', '--model', model, '--out', at('v.safetensors')], { input });
  const file = await readFile(at('v.safetensors'));
  const header = JSON.parse(file.subarray(8, 8 + Number(file.readBigUInt64LE())));
  assert.deepEqual(header.vectors.shape, [2, data.length / 2]);
});

const text = '구분,유저,챗봇\n감정,"화가 나요, 정말",그랬군요.\n감정,"줄이\n바뀌는 칸",\n수면,잠이 안 와요,"뒤척이는 ""밤""이죠."\n,,\n감정,"화가 나요, 정말",그랬군요.\n수면,,빈 질문\n';
const encodings = {
  'utf-8': Buffer.from(text),
  'utf-8 with a mark': Buffer.from(`\ufeff${text}`),
  cp949: iconv.encode(text.replaceAll('그랬군요', '똠방각하'), 'cp949'),
  'utf-16le with a mark': iconv.encode(`\ufeff${text}`, 'utf-16le'),
  'utf-16le': iconv.encode(text, 'utf-16le'),
  'utf-16be with a mark': iconv.encode(`\ufeff${text}`, 'utf-16be'),
  tabs: Buffer.from(text.replaceAll(',', '\t').replaceAll('화가 나요\t', '화가 나요,')),
  semicolons: Buffer.from(text.replaceAll(',', ';')),
  'CRLF and other headers': Buffer.from(text.replace('구분,유저,챗봇', '카테고리,질문,답변').replaceAll('\n', '\r\n')),
};

test('table reads spreadsheets however they were saved', async () => {
  const bot = await Gyeot.load({ model, safety: null });
  const saved = {};
  for (const [name, bytes] of Object.entries(encodings)) {
    await writeFile(at('in.csv'), bytes);
    // The vectors of the last round are taken over: what is tested here is the reading.
    const { stderr } = await ok(['table', at('in.csv'), '--out', at('out.safetensors'), '--model', model]);
    assert.match(stderr, /3 rows/, name);
    assert.match(stderr, /1 without a question, 1 repeated/, name);
    await bot.setTable(new Uint8Array(await readFile(at('out.safetensors'))));
    const [best] = await bot.match('잠을 못 자요', { k: 1 });
    saved[name] = [best.question, best.answer, best.group];
  }
  bot.close();
  const wanted = ['잠이 안 와요', '뒤척이는 "밤"이죠.', '수면'];
  assert.deepEqual(saved, Object.fromEntries(Object.keys(encodings).map((name) => [name, wanted])));
});

test('table embeds only what is new', async () => {
  await writeFile(at('in.csv'), text);
  await rm(at('again.safetensors'), { force: true });
  assert.match((await ok(['table', at('in.csv'), '--out', at('again.safetensors'), '--model', model])).stderr, /3 embedded/);
  await writeFile(at('in.csv'), `${text}감정,새 줄이에요,\n`);
  const { stdout } = await ok(['table', at('in.csv'), '--out', at('again.safetensors'), '--model', model, '--json']);
  const { out, rows, groups, embedded } = JSON.parse(stdout);
  assert.deepEqual([out, rows, groups, embedded], [at('again.safetensors'), 4, 2, 1]);
});

test('table names the row and column of what it cannot use', async () => {
  const cases = [
    ['이름,값\n가,나\n', /which column is the question.*"이름", "값".*--question/],
    ['유저,챗봇\n안녕,\n', /row 2, column "챗봇": the answer is empty/],
    ['유저,챗봇\n"안녕,반가워\n', /row 2: a quotation mark/],
    ['유저,챗봇\n', /no row with a question/],
    ['', /is empty/],
    ['<!DOCTYPE html><html><body>로그인</body></html>', /is an HTML page, not a spreadsheet/],
  ];
  for (const [bytes, pattern] of cases) {
    await writeFile(at('bad.csv'), bytes);
    const { code, stderr } = await gyeot(['table', at('bad.csv'), '--out', at('bad.safetensors'), '--model', model]);
    assert.equal(code, 2);
    assert.match(stderr, pattern);
  }
  await writeFile(at('named.csv'), '이름,값\n가,나\n');
  await ok(['table', at('named.csv'), '--out', at('named.safetensors'), '--model', model, '--question', '이름', '--answer', '2']);
});

test('a table without names for its columns is read by their order', async () => {
  const read = async (bytes, ...more) => {
    await writeFile(at('bare.csv'), bytes);
    await ok(['table', at('bare.csv'), '--out', at('new/folder/bare.safetensors'), '--model', model, '--threshold', '0', ...more]);
    const found = JSON.parse(await ok(['match', '안녕', '--table', at('new/folder/bare.safetensors'), '--json']).then(({ stdout }) => stdout));
    return found.map(({ group, question, answer }) => [group, question, answer]).sort();
  };
  assert.deepEqual(await read('안녕하세요,반가워요\n뭐 해요?,놀아요\n', '--no-header'),
    [['', '뭐 해요?', '놀아요'], ['', '안녕하세요', '반가워요']]);
  assert.deepEqual(await read('인사,안녕하세요,반가워요\n놀이,뭐 해요?,놀아요\n', '--no-header'),
    [['놀이', '뭐 해요?', '놀아요'], ['인사', '안녕하세요', '반가워요']]);
  assert.deepEqual(await read('반가워요,안녕하세요\n', '--no-header', '--question', '2', '--answer', '1'), [['', '안녕하세요', '반가워요']]);
  await writeFile(at('bare.csv'), '안녕,네\n누구,\n');
  const { stderr } = await gyeot(['table', at('bare.csv'), '--out', at('bare.safetensors'), '--no-header']);
  assert.match(stderr, /row 2, column "2": the answer is empty/);
});

test('eval prints the eight figures, quotes in a .tsv being text', async () => {
  const rows = [
    ['5.0', '남자가 "기타"를 친다.', '남자가 기타를 치고 있다.'],
    ['0.2', '고양이가 잔다.', '주식이 "크게 올랐다.'],
    ['3.1', '아이가 공원에서 논다.', '아이가 놀이터에 있다.'],
    ['1.0', '비가 온다.', '여자가 요리를 한다.'],
  ];
  const lines = rows.map(([score, a, b], index) => ['main', 'x', '2012', index, score, a, b].join('\t'));
  await writeFile(at('sts.tsv'), `genre\tfilename\tyear\tid\tscore\tsentence1\tsentence2\n${lines.join('\n')}\n`);
  const { stdout } = await ok(['eval', at('sts.tsv'), '--model', model, '--json']);
  const figures = JSON.parse(stdout);
  assert.equal(figures.pairs, 4);
  assert.equal(Object.keys(figures).length, 9);
  for (const [name, value] of Object.entries(figures)) {
    if (name !== 'pairs') assert.ok(value > 50 && value <= 100, `${name} ${value}`);
  }
});

test('eval --retrieval finds paraphrases', async () => {
  const groups = { 잠: ['잠이 안 와요', '잠을 못 자겠어요'], 돈: ['돈이 없어요', '통장에 돈이 하나도 없어요'], 혼자: ['외톨이'] };
  const lines = Object.entries(groups).flatMap(([group, texts]) => texts.map((text) => `${group}\t${text}`));
  await writeFile(at('groups.tsv'), lines.join('\n'));
  const { stdout } = await ok(['eval', '--retrieval', at('groups.tsv'), '--model', model, '--json']);
  assert.deepEqual(JSON.parse(stdout), { texts: 4, 'hit@1': 100, 'hit@5': 100, MRR: 100 });
});

test('export writes JSON lines, SQL and Parquet', async () => {
  await writeFile(at('in.csv'), text.replaceAll('그랬군요', "그랬'군요"));
  await ok(['table', at('in.csv'), '--out', at('t.safetensors'), '--model', model]);
  for (const to of ['jsonl', 'pgvector', 'parquet']) {
    await ok(['export', '--table', at('t.safetensors'), '--to', to, '--out', at(`t.${to}`)]);
  }
  const rows = (await readFile(at('t.jsonl'), 'utf8')).trim().split('\n').map((line) => JSON.parse(line));
  assert.deepEqual(rows.map(({ id, group }) => [id, group]), [[0, '감정'], [1, '감정'], [2, '수면']]);
  assert.ok(Math.abs(Math.hypot(...rows[0].vector) - 1) < 1e-5);
  const sql = await readFile(at('t.pgvector'), 'utf8');
  assert.match(sql, /'그랬''군요\.'/);
  assert.match(sql, /vector\(\d+\) NOT NULL/);
  const parquet = await readFile(at('t.parquet'));
  assert.equal(parquet.subarray(0, 4).toString(), 'PAR1');
  assert.equal(parquet.subarray(-4).toString(), 'PAR1');
});
