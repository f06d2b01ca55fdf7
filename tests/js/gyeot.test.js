/** `Gyeot` in Node: load, embed, match, ask, tables, cancelling, closing. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Gyeot, GyeotError } from '../../dist/node.js';
import { model } from './support.js';

const rows = [
  { question: '감정 조절이 안 돼요', answer: '많이 힘드셨겠어요.', group: '감정' },
  { question: '자꾸 화가 나요', answer: '화가 날 만했네요.', group: '감정' },
  { question: '욱하는 성격이 고민이에요', group: '감정' },
  { question: '잠이 안 와요', answer: '뒤척이는 밤은 길죠.', group: '수면' },
  { question: '밤에 자꾸 깨요', group: '수면' },
  { question: '죽고 싶다는 생각이 들어요', answer: '지금 곁에 있을게요.', group: '위험/자살' },
];

let bot;
before(async () => {
  bot = await Gyeot.load({ model, table: null, safety: null });
  await bot.addTable(rows, { title: '시험' });
});
after(() => bot.close());

const code = (wanted) => (error) => {
  assert.ok(error instanceof GyeotError, String(error?.stack));
  assert.equal(error.code, wanted, error.message);
  return true;
};

test('embed gives unit vectors, and the same ones alone and in company', async () => {
  const texts = ['안녕하세요', '오늘은 날씨가 참 좋아서 산책을 나갔다가 친구를 만났어요', '🙂', ''];
  const { data, dims, truncated } = await bot.embed(texts);
  assert.deepEqual(dims, [4, bot.model.dimension]);
  assert.deepEqual(truncated, [false, false, false, false]);
  for (const [index, text] of texts.entries()) {
    const row = data.subarray(index * dims[1], (index + 1) * dims[1]);
    assert.ok(Math.abs(Math.hypot(...row) - 1) < 1e-4);
    const alone = (await bot.embed(text)).data;
    const cosine = alone.reduce((sum, value, at) => sum + value * row[at], 0);
    assert.ok(cosine > 1 - 1e-5, `${text}: ${cosine}`);
  }
  assert.deepEqual((await bot.embed([])).dims, [0, bot.model.dimension]);
});

test('composed and decomposed Hangul are one text', async () => {
  const text = '감정이 북받쳐요';
  const { data, dims } = await bot.embed([text, text.normalize('NFD')]);
  assert.deepEqual(data.slice(0, dims[1]), data.slice(dims[1]));
});

test('a long text is cut at the limit, and that is said', async () => {
  const { truncated } = await bot.embed(['가나다라 '.repeat(2000)]);
  assert.deepEqual(truncated, [true]);
  assert.equal((await bot.ask('너무 힘들어요 '.repeat(500))).truncated, true);
});

test('match gives the nearest rows in order', async () => {
  const found = await bot.match('화를 참을 수가 없어요', { k: 3 });
  assert.equal(found.length, 3);
  assert.equal(found[0].group, '감정');
  assert.ok(found[0].score >= found[1].score && found[1].score >= found[2].score);
  assert.equal((await bot.match('화', { k: 100 })).length, rows.length);
  await assert.rejects(bot.match('화', { k: 0 }), code('argument'));
});

test('ask answers with the nearest row, or with its group in turn', async () => {
  const own = await bot.ask('요즘 자꾸 화가 나요', { threshold: 0, margin: 0 });
  assert.equal(own.kind, 'match');
  assert.equal(own.answer, '화가 날 만했네요.');
  assert.equal(own.question, '자꾸 화가 나요');
  assert.deepEqual(new Set(own.answers), new Set(['화가 날 만했네요.', '많이 힘드셨겠어요.']));
  const given = [];
  for (let turn = 0; turn < 4; turn++) {
    const { answer, question } = await bot.ask('욱하는 성격이 고민이에요', { threshold: 0, margin: 0 });
    assert.equal(question, '욱하는 성격이 고민이에요');
    given.push(answer);
  }
  assert.equal(new Set(given.slice(0, 2)).size, 2, 'responses take turns');
  assert.deepEqual(given.slice(0, 2), given.slice(2));
});

test('ask says that it has no good answer', async () => {
  const far = await bot.ask('요즘 자꾸 화가 나요', { threshold: 0.9999 });
  assert.equal(far.kind, 'fallback');
  assert.equal(far.answer, null);
  assert.equal(far.candidates[0].group, '감정');
  const narrow = await bot.ask('요즘 자꾸 화가 나요', { threshold: 0, margin: 1 });
  assert.equal(narrow.kind, 'fallback');
  assert.equal((await bot.ask('   ')).kind, 'fallback');
});

test('a group of danger answers as a crisis', async () => {
  const answer = await bot.ask('죽고 싶다는 생각이 자꾸 들어요', { threshold: 0, margin: 0 });
  assert.equal(answer.kind, 'crisis');
  assert.equal(answer.group, '위험/자살');
});

test('danger by the table: heard from two fifths of the vote, answered from three quarters', async () => {
  const other = await Gyeot.load({ model, table: null });
  const text = '창가에 오래 서 있었어요';
  const crisis = { question: text, answer: '지금 곁에 있을게요.', group: '위험/자살' };
  const calm = { question: text, answer: '바람이 차죠.', group: '산책' };
  const ask = async (rows, threshold = 0) => {
    await other.addTable(rows, { replace: true });
    return other.ask(text, { threshold });
  };
  const certain = await ask([calm, crisis, crisis, crisis]);
  assert.equal(certain.kind, 'crisis');
  assert.equal(certain.answer, crisis.answer);
  assert.ok(certain.help.some(({ number }) => number === '109'));
  const likely = await ask([crisis, crisis, calm]);
  assert.equal(likely.kind, 'fallback');
  assert.equal(likely.answer, null);
  assert.ok(likely.help.length > 0);
  const possible = await ask([calm, crisis]);
  assert.equal(possible.kind, 'match');
  assert.ok(possible.help.length > 0, 'the numbers stand beside the response');
  const hardly = await ask([crisis, calm, { ...calm, group: '야경' }]);
  assert.equal(hardly.answer, calm.answer);
  assert.deepEqual(hardly.help, []);
  const far = await ask([calm, crisis], 1.01);
  assert.equal(far.kind, 'fallback');
  assert.deepEqual(far.help, [], 'what the table does not know of is no danger');
  await other.close();
});

test('shares of the vote add up', async () => {
  const { candidates, margin } = await bot.ask('피곤해요', { threshold: 0 });
  const shares = candidates.map(({ share }) => share);
  assert.ok(Math.abs(shares.reduce((sum, share) => sum + share, 0) - 1) < 1e-6);
  assert.ok(Math.abs(margin - (shares[0] - (shares[1] ?? 0))) < 1e-9);
});

test('fifty questions at once are all answered, in order', async () => {
  const done = [];
  const answers = await Promise.all(
    Array.from({ length: 50 }, async (_, index) => {
      const answer = await bot.ask(index % 2 ? '잠이 안 와요' : '자꾸 화가 나요', { threshold: 0 });
      done.push(index);
      return answer.group;
    }),
  );
  assert.deepEqual(answers, Array.from({ length: 50 }, (_, index) => (index % 2 ? '수면' : '감정')));
  assert.deepEqual(done, [...done].sort((a, b) => a - b));
});

test('a call that fails harms no other', async () => {
  const [bad, good] = await Promise.allSettled([bot.embed([3]), bot.embed(['좋아요'])]);
  assert.equal(bad.status, 'rejected');
  assert.equal(bad.reason.code, 'argument');
  assert.equal(good.status, 'fulfilled');
  await assert.rejects(bot.ask(null), code('argument'));
});

test('embedding can be cancelled on the way', async () => {
  const controller = new AbortController();
  const texts = Array.from({ length: 400 }, (_, index) => `문장 ${index}`);
  let last = 0;
  const cancelled = bot.embed(texts, {
    signal: controller.signal,
    onProgress: ({ phase, loaded, total }) => {
      assert.deepEqual([phase, total], ['embed', 400]);
      assert.ok(loaded >= last);
      last = loaded;
      if (loaded > 0) controller.abort();
    },
  });
  await assert.rejects(cancelled, code('aborted'));
  assert.ok(last < 400);
  assert.equal((await bot.embed(['그다음'])).dims[0], 1);
});

test('a table goes out and comes back, exact or in bytes', async () => {
  const before = await bot.match('불면증', { k: 6 });
  for (const [vectors, tolerance] of [['f32', 1e-6], ['i8', 0.02]]) {
    const info = await bot.setTable(await bot.exportTable({ vectors }));
    assert.equal(info.rows, rows.length);
    assert.equal(info.title, '시험');
    const after = await bot.match('불면증', { k: 6 });
    for (const match of after) {
      const same = before.find(({ row }) => row === match.row);
      assert.ok(Math.abs(match.score - same.score) < tolerance);
      assert.deepEqual({ ...match, score: 0 }, { ...same, score: 0 });
    }
  }
});

test('addTable adds all rows or none', async () => {
  const { rows: count } = bot.table;
  await assert.rejects(bot.addTable([{ question: '좋은 줄' }, { question: ' ' }]), code('argument'));
  assert.equal(bot.table.rows, count);
  assert.equal((await bot.match('좋은 줄', { k: 50 })).length, count);
});

test('a table of no rows finds nothing, and that is no error', async () => {
  const own = await Gyeot.load({ model, table: null, safety: null });
  assert.equal((await own.addTable([], { replace: true })).rows, 0);
  assert.deepEqual(await own.match('안녕'), []);
  assert.equal((await own.ask('안녕')).kind, 'fallback');
  own.close();
});

test('a table of another model, or a broken one, is refused and changes nothing', async () => {
  const file = await bot.exportTable();
  const { length } = new TextEncoder().encode(bot.model.fingerprint);
  const text = Buffer.from(file).toString('latin1');
  const other = Buffer.from(text.replace(bot.model.fingerprint, '0'.repeat(length)), 'latin1');
  await assert.rejects(bot.setTable(new Uint8Array(other)), code('fingerprint'));
  for (const cut of [0, 7, 8, 100, file.length - 1]) {
    await assert.rejects(bot.setTable(file.slice(0, cut)), (error) => error instanceof GyeotError);
  }
  assert.equal((await bot.match('화', { k: 1 })).length, 1);
});

test('a table with flipped bytes gives an error or a table, never anything else', async () => {
  const file = await bot.exportTable();
  const spare = await Gyeot.load({ model, safety: null });
  let seed = 20250101;
  for (let round = 0; round < 300; round++) {
    const broken = file.slice();
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
    broken[seed % Math.min(file.length, 1600)] ^= 1 << (seed >>> 29);
    try {
      await spare.setTable(broken);
    } catch (error) {
      assert.ok(error instanceof GyeotError, `seed ${seed}: ${error?.stack}`);
    }
  }
  spare.close();
});

test('tokenize shows how a text was read', async () => {
  for (const text of ['안녕하세요, 오늘은 어때요?', 'NFD: 한글입니다 🙂'.normalize('NFD')]) {
    const pieces = (await bot.tokenize(text)).filter(({ begin, end }) => end > begin);
    assert.ok(pieces.length > 0);
    assert.equal(pieces.at(-1).end, text.length);
    for (let at = 1; at < pieces.length; at++) assert.ok(pieces[at].begin >= pieces[at - 1].begin);
  }
});

test('two instances do not know of each other', async () => {
  const other = await Gyeot.load({ model, safety: null });
  assert.equal(other.table, null);
  await assert.rejects(other.ask('안녕'), code('argument'));
  await other.addTable([{ question: '안녕', answer: '반가워요' }]);
  other.close();
  assert.equal(bot.table.rows, rows.length);
  assert.equal((await bot.ask('잠이 안 와요', { threshold: 0 })).group, '수면');
});

test('two models at once, each with its own tables', async () => {
  const manifest = JSON.parse(await readFile(path.join(model, 'gyeot.json'), 'utf8'));
  const files = {};
  for (const name of [manifest.encoder.file, ...manifest.tokenizer.files]) {
    files[name] = new Uint8Array(await readFile(path.join(model, name)));
  }
  // A shorter maximum makes another model, with the same vectors for short texts.
  const digest = (name) => manifest.files.find((file) => file.path === name).sha256;
  Object.assign(manifest, { name: 'short', max_length: 8 });
  const { encoder, tokenizer, pooling, normalize, prompts, dimension } = manifest;
  manifest.fingerprint = createHash('sha256').update(JSON.stringify([digest(encoder.file),
    tokenizer.files.map(digest), pooling, normalize, prompts.query, prompts.document, 8, dimension])).digest('hex');
  files['gyeot.json'] = new TextEncoder().encode(JSON.stringify(manifest));
  const other = await Gyeot.load({ model: files, safety: null });
  const text = '오늘은 날씨가 참 좋아서 산책을 나갔다가 친구를 만났어요';
  const [long, short] = await Promise.all([bot.embed(text), other.embed(text)]);
  assert.deepEqual([long.truncated, short.truncated], [[false], [true]]);
  assert.deepEqual((await other.embed('안녕')).data, (await bot.embed('안녕')).data);
  await assert.rejects(other.setTable(await bot.exportTable()), code('fingerprint'));
  other.close();
  assert.equal((await bot.ask('잠이 안 와요', { threshold: 0 })).group, '수면');
});

test('after close every call throws, and closing again is fine', async () => {
  const other = await Gyeot.load({ model, safety: null });
  const waiting = other.embed(['끝나기 전에', '닫기']);
  other.close();
  other.close();
  await assert.rejects(other.ask('안녕'), code('closed'));
  await waiting.then(() => {}, code('closed'));
  assert.equal(other.table, null);
});

test('loading reports one exact total and can be cancelled', async () => {
  const seen = [];
  const loaded = await Gyeot.load({ model, safety: null, onProgress: (state) => seen.push(state) });
  loaded.close();
  const downloads = seen.filter(({ phase }) => phase === 'download');
  assert.equal(new Set(downloads.map(({ total }) => total)).size, 1, 'the total never changes');
  assert.equal(downloads.at(-1).loaded, downloads.at(-1).total);
  const manifest = JSON.parse(await readFile(path.join(model, 'gyeot.json'), 'utf8'));
  const needed = [manifest.encoder.file, ...manifest.tokenizer.files];
  const bytes = manifest.files.filter((file) => needed.includes(file.path))
    .reduce((sum, { size }) => sum + size, 0);
  assert.ok(downloads[0].total > bytes);
  const controller = new AbortController();
  const cancelled = Gyeot.load({ model, signal: controller.signal });
  controller.abort();
  await assert.rejects(cancelled, code('aborted'));
  await assert.rejects(Gyeot.load({ model, signal: AbortSignal.abort() }), code('aborted'));
});
