/** `Tokenizer` on the built core.wasm. */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { CoreModule, GyeotError, Tokenizer } from '../../dist/core.js';

const data = new URL('../data/', import.meta.url);
const bytesOf = (name) => new Uint8Array(readFileSync(new URL(name, data)));
const utf8 = (text) => new TextEncoder().encode(text);
const json = (value) => utf8(JSON.stringify(value));

const vocab = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', '마음', '##이', '마', '##음', '가', 'a', '##b',
  '😂', '!', '[', ']', 'sep', '##sep'].join('\n');

/** The bytes of a table's text field. */
const unescape = (text) =>
  text.replace(/\\(.)/g, (_, c) => ({ n: '\n', r: '\r', t: '\t', 0: '\0' })[c] ?? c);

function refuses(work, code, pattern) {
  assert.throws(work, (error) => {
    assert.ok(error instanceof GyeotError, String(error));
    assert.equal(error.code, code, error.message);
    if (pattern) assert.match(error.message, pattern);
    return true;
  });
}

let core;
before(async () => {
  core = await CoreModule.load();
});

describe('SentencePiece', () => {
  const folder = new URL('sentencepiece/', data);
  for (const file of readdirSync(fileURLToPath(folder)).filter((name) => name.endsWith('.tsv'))) {
    test(`gives the reference's ids and offsets: ${file}`, () => {
      const tokenizer = Tokenizer.fromSentencePiece(
        core, bytesOf(`sentencepiece/${file.replace('.tsv', '.model')}`));
      const rows = readFileSync(new URL(file, folder), 'utf8').split('\n').slice(0, -1)
        .map((line) => line.split('\t'))
        .map(([ids, spans, text]) => ({
          ids: ids === '' ? [] : ids.split(' ').map(Number), spans, text: unescape(text),
        }));
      const all = tokenizer.encodeRows(rows.map((row) => row.text));
      rows.forEach(({ ids, text }, i) => {
        const got = all.ids.subarray(i ? all.ends[i - 1] : 0, all.ends[i]);
        assert.deepEqual([...got], ids, `line ${i}: ${JSON.stringify(text)}`);
      });
      for (const { spans, text } of rows.filter((_, i) => i % 5 === 0)) {
        // The table's offsets count bytes, JavaScript's strings UTF-16 units.
        const unit = (byte) => new TextDecoder('utf-8', { ignoreBOM: true })
          .decode(utf8(text).subarray(0, byte)).length;
        const expected = spans === '' ? [] : spans.split(/[ -]/).map((byte) => unit(Number(byte)));
        const { offsets } = tokenizer.encode(text, { offsets: true });
        assert.deepEqual([...offsets], expected, JSON.stringify(text));
      }
      tokenizer.close();
    });
  }

  test('numbers and frames as XLM-R does when the folder says so', async () => {
    const files = {
      'sentencepiece.bpe.model': bytesOf('sentencepiece/unigram-nmt_nfkc.model'),
      'tokenizer_config.json': json({ tokenizer_class: 'XLMRobertaTokenizerFast' }),
    };
    const plain = Tokenizer.fromSentencePiece(core, files['sentencepiece.bpe.model']);
    const text = '오늘 마음이 𒀀 무거워요';
    const own = [...plain.encode(text).ids];
    const xlmr = await Tokenizer.load(files, { core });
    assert.deepEqual([...xlmr.encode(text).ids], [0, ...own.map((id) => (id === 0 ? 3 : id + 1)), 2]);
    assert.deepEqual(['<s>', '<pad>', '</s>', '<unk>'].map((piece) => xlmr.id(piece)), [0, 1, 2, 3]);
    assert.equal(xlmr.padId, 1);
    assert.equal(xlmr.decode(xlmr.encode('오늘 마음이').ids, { skipSpecialTokens: true }), '오늘 마음이');

    const told = await Tokenizer.load(files, {
      core,
      tokenizer: { type: 'sentencepiece', files: ['sentencepiece.bpe.model'], id_offset: 0, prefix: [1],
        suffix: [], pad_id: 2 },
    });
    assert.deepEqual([...told.encode(text).ids], [1, ...own]);
    assert.equal(told.padId, 2);
    for (const tokenizer of [plain, xlmr, told]) tokenizer.close();
  });

  test('refuses a class whose numbering it does not know, unless tokenizer.json is there', async () => {
    const files = {
      'spiece.model': bytesOf('sentencepiece/unigram-rules.model'),
      'tokenizer_config.json': json({ tokenizer_class: 'CamembertTokenizer' }),
    };
    await assert.rejects(Tokenizer.load(files, { core }), { code: 'unsupported', message: /Camembert/ });
  });
});

describe('WordPiece', () => {
  test('reads tokenizer_config.json and special_tokens_map.json', async () => {
    const files = {
      'vocab.txt': utf8(vocab.replace('[CLS]', '<cls>')),
      'tokenizer_config.json': json({ do_lower_case: false, tokenizer_class: 'BertTokenizer' }),
      'special_tokens_map.json': json({ cls_token: { content: '<cls>' } }),
    };
    const tokenizer = await Tokenizer.load(files, { core });
    assert.deepEqual([...tokenizer.encode('마음이 A').ids], [2, 5, 6, 1, 3]);
    tokenizer.close();
    const lower = await Tokenizer.load({ ...files, 'tokenizer_config.json': json({}) }, { core });
    assert.equal(lower.encode('A').ids[1], 10);
    lower.close();
  });

  const { texts, folders } = JSON.parse(
    readFileSync(new URL('wordpiece/folders.json', data), 'utf8'));
  folders.forEach(({ vocabulary, config, special, size, ids }, i) => {
    test(`has the special tokens that its folder adds: ${i} ${JSON.stringify(config)}`, async () => {
      const tokenizer = await Tokenizer.load({
        'vocab.txt': utf8(vocabulary.join('\n')),
        'tokenizer_config.json': json(config),
        'special_tokens_map.json': json(special),
      }, { core });
      assert.deepEqual(texts.map((text) => [...tokenizer.encode(text).ids]), ids);
      assert.equal(tokenizer.size, size);
      tokenizer.close();
    });
  });

  test('refuses what vocab.txt does not tell, unless tokenizer.json is there', async () => {
    const token = { content: '[New]', special: true, normalized: true };
    const cases = [
      [{ 'tokenizer_config.json': json({ tokenizer_class: 'BertJapaneseTokenizer' }) }, /Japanese/],
      [{ 'tokenizer_config.json': json({ added_tokens_decoder: { 18: token } }) }, /\[New\]/],
      [{ 'special_tokens_map.json': json({ mask_token: token }) }, /\[New\]/],
      [{ 'added_tokens.json': json({ '[New]': 18 }) }, /\[New\].*tokenizer\.json/],
    ];
    for (const [files, message] of cases) {
      const folder = { 'vocab.txt': utf8(vocab), ...files };
      await assert.rejects(Tokenizer.load(folder, { core }), { code: 'unsupported', message });
      folder['tokenizer.json'] = bytesOf('tokenizer_json/' + readdirSync(
        fileURLToPath(new URL('tokenizer_json/', data))).find((name) => name.endsWith('.json')));
      (await Tokenizer.load(folder, { core })).close();
    }
  });

  test('takes special tokens in the text as text when asked to', () => {
    const tokenizer = Tokenizer.fromVocab(core, utf8(vocab));
    assert.deepEqual([...tokenizer.encode('[SEP]').ids], [2, 3, 3]);
    const asText = tokenizer.encode('[SEP]', { specialTokensAsText: true }).ids;
    assert.ok(!asText.subarray(1, -1).includes(3));
    tokenizer.close();
  });
});

describe('texts', () => {
  let tokenizer;
  before(() => {
    tokenizer = Tokenizer.fromVocab(core, utf8(vocab));
  });

  test('offsets count UTF-16 units', () => {
    const { ids, offsets } = tokenizer.encode('😂 마음이!', { offsets: true });
    assert.deepEqual([...ids], [2, 12, 5, 6, 13, 3]);
    assert.deepEqual([...offsets], [0, 0, 0, 2, 3, 5, 5, 6, 6, 7, 0, 0]);
  });

  test('a lone surrogate is U+FFFD, and never joins with the next text', () => {
    const [high, low] = ['\ud83d', '\ude02'];
    const expected = [...tokenizer.encode(`가${high}`).ids];
    assert.deepEqual([...tokenizer.encode('가\ufffd').ids], expected);
    const rows = tokenizer.encodeRows([`가${high}`, `${low}가`, `${high}${low}`]);
    assert.deepEqual([...rows.ids.subarray(0, rows.ends[0])], expected);
    assert.deepEqual([...rows.ids.subarray(rows.ends[1])], [2, 12, 3]);
    const { offsets } = tokenizer.encode(`${low}가`, { offsets: true });
    assert.deepEqual([...offsets.slice(2, 4)], [1, 2]);
  });

  test('many texts at once are the texts one by one', () => {
    const texts = ['', '가', '마음이 가 a!', '\0', '😂😂', 'x'.repeat(300), '가'.repeat(99), '마음', ''];
    const rows = tokenizer.encodeRows(texts);
    const batch = tokenizer.encodeBatch(texts);
    const [n, length] = batch.dims;
    assert.equal(n, texts.length);
    texts.forEach((text, i) => {
      const ids = [...tokenizer.encode(text).ids];
      assert.deepEqual([...rows.ids.subarray(i ? rows.ends[i - 1] : 0, rows.ends[i])], ids);
      assert.deepEqual([...batch.ids.subarray(i * length, (i + 1) * length)],
        [...ids, ...Array(length - ids.length).fill(tokenizer.padId)]);
      assert.deepEqual([...batch.mask.subarray(i * length, (i + 1) * length)],
        [...ids.map(() => 1), ...Array(length - ids.length).fill(0)]);
    });
    assert.equal(length, Math.max(...texts.map((text) => tokenizer.encode(text).ids.length)));
    assert.deepEqual(tokenizer.encodeBatch([]).dims, [0, 0]);
    assert.equal(tokenizer.encodeRows([]).ids.length, 0);
  });

  test('truncation keeps the closing special token and is told', () => {
    const encoded = tokenizer.encode('가 가 가 가', { maxLength: 4 });
    assert.deepEqual([...encoded.ids], [2, 9, 9, 3]);
    assert.equal(encoded.truncated, true);
    assert.equal(tokenizer.encode('가 가', { maxLength: 4 }).truncated, false);
    assert.deepEqual(tokenizer.encodeBatch(['가', '가 가 가'], { maxLength: 4 }).truncated, [false, true]);
    refuses(() => tokenizer.encode('가', { maxLength: 1.5 }), 'argument');
    refuses(() => tokenizer.encode('가', { maxLength: -1 }), 'argument');
  });

  test('a text of a megabyte without a space', () => {
    const spm = Tokenizer.fromSentencePiece(core, bytesOf('sentencepiece/unigram-ties.model'));
    const text = '가나다라마바사'.repeat(50_000);
    assert.ok(spm.encode(text).ids.length > 1);
    assert.equal(spm.decode(spm.encode('나다나다').ids), '나다나다');
    spm.close();
    assert.deepEqual([...tokenizer.encode(text, { addSpecialTokens: false }).ids], [1]);
  });

  test('pieces and ids', () => {
    assert.equal(tokenizer.size, vocab.split('\n').length);
    assert.equal(tokenizer.piece(5), '마음');
    assert.equal(tokenizer.piece(10_000), undefined);
    assert.equal(tokenizer.piece(-1), undefined);
    assert.equal(tokenizer.id('##이'), 6);
    assert.equal(tokenizer.id('nothing'), -1);
    assert.equal(tokenizer.decode([2, 5, 6, 3], { skipSpecialTokens: true }), '마음이');
  });
});

describe('a tokenizer', () => {
  test('is closed once and then refuses', () => {
    const tokenizer = Tokenizer.fromVocab(core, utf8(vocab));
    tokenizer.close();
    tokenizer.close();
    refuses(() => tokenizer.encode('가'), 'closed');
    refuses(() => tokenizer.encodeBatch(['가']), 'closed');
    refuses(() => tokenizer.size, 'closed');
    refuses(() => tokenizer.decode([1]), 'closed');
  });

  test('shares nothing with another', () => {
    const one = Tokenizer.fromVocab(core, utf8(vocab));
    const other = Tokenizer.fromSentencePiece(core, bytesOf('sentencepiece/bpe-ties.model'));
    const before = [...one.encode('마음이').ids];
    const rows = other.encodeRows(['마음이', '가']);
    one.encode('가 가 가 가 가 가 가');
    assert.equal(rows.ends.length, 2);
    other.close();
    assert.deepEqual([...one.encode('마음이').ids], before);
    one.close();
  });

  test('gives its memory back', () => {
    const model = bytesOf('sentencepiece/unigram-nmt_nfkc.model');
    for (let i = 0; i < 20; i++) Tokenizer.fromSentencePiece(core, model).close();
    const before = core.exports.memory.buffer.byteLength;
    for (let i = 0; i < 400; i++) {
      const tokenizer = Tokenizer.fromSentencePiece(core, model);
      tokenizer.encodeBatch(['가'.repeat(1000)]);
      tokenizer.close();
    }
    assert.equal(core.exports.memory.buffer.byteLength, before);
  });
});

describe('files that are not what they should be', () => {
  const html = utf8('<!DOCTYPE html><html><body>404</body></html>');
  const lfs = utf8('version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n');
  const gzip = new Uint8Array([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]);

  test('are refused with the file and what was found', async () => {
    for (const [name, found] of [[html, /HTML/], [lfs, /Git LFS/], [gzip, /gzip/]]) {
      for (const file of ['vocab.txt', 'sentencepiece.bpe.model', 'tokenizer.json']) {
        await assert.rejects(Tokenizer.load({ [file]: name }, { core, folder: 'models/x/' }), (error) => {
          assert.ok(error instanceof GyeotError);
          assert.equal(error.code, 'format');
          assert.match(error.message, found);
          assert.equal(error.file, `models/x/${file}`);
          return true;
        });
      }
    }
  });

  test('are refused when they are of another kind, empty, cut short or absent', async () => {
    const model = bytesOf('sentencepiece/unigram-rules.model');
    refuses(() => Tokenizer.fromVocab(core, model), 'format', /SentencePiece/);
    refuses(() => Tokenizer.fromSentencePiece(core, utf8(vocab)), 'format', /not a SentencePiece model/);
    refuses(() => Tokenizer.fromSentencePiece(core, new Uint8Array(0)), 'format', /empty/);
    refuses(() => Tokenizer.fromSentencePiece(core, model.subarray(0, -40)), 'format', /cut short/);
    refuses(() => Tokenizer.fromJson(core, model), 'format');
    await assert.rejects(Tokenizer.load({}, { core }), { code: 'not-found' });
    await assert.rejects(Tokenizer.load({ 'vocab.txt': utf8(vocab), 'tokenizer_config.json': utf8('{') },
      { core }), { code: 'format', file: 'tokenizer_config.json' });
    await assert.rejects(Tokenizer.load({ 'x.model': model }, {
      core, tokenizer: { type: 'sentencepiece', files: ['sentencepiece.bpe.model'] },
    }), { code: 'not-found', file: 'sentencepiece.bpe.model' });
  });

  test('leave the core as it was', () => {
    for (let i = 0; i < 50; i++) refuses(() => Tokenizer.fromSentencePiece(core, html), 'format');
    const tokenizer = Tokenizer.fromVocab(core, utf8(vocab));
    assert.deepEqual([...tokenizer.encode('가').ids], [2, 9, 3]);
    tokenizer.close();
  });
});
