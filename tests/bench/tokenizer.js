/**
 * Tokenizers side by side: ours in wasm against the JavaScript packages and the native Python ones,
 * strings in, ids out, one thread, taking turns.
 *
 *   npm run bench:tokenizer [-- --texts FILE.tsv --spm FILE.model --rounds 11 --cpu]
 *
 * Peers are installed into .cache/bench when they are missing; the Python packages take part when
 * .venv has them. Prints the median and the range of each. --cpu measures the process's own time
 * instead of the clock's, for a machine that is busy with other things.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { CoreModule, Tokenizer } from '../../dist/core.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = path.join(root, '.cache/bench');
const peers = {
  kitoken: '0.10.1',
  'sentencepiece-js': '1.1.0',
  '@huggingface/tokenizers': '0.2.0',
  '@huggingface/transformers': '4.3.1',
};
const { values: options } = parseArgs({
  options: {
    texts: { type: 'string', default: path.join(root, '../shared/data/korsts') },
    spm: { type: 'string', default: path.join(root, '.cache/spm/e5-250k.model') },
    rounds: { type: 'string', default: '11' },
    cpu: { type: 'boolean', default: false },
  },
});
const rounds = Number(options.rounds);

/** Milliseconds, of the clock or of this process. */
function now() {
  if (!options.cpu) return performance.now();
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** The last two columns of the training files: about 11,500 sentences. */
function readTexts(place) {
  const files = place.endsWith('.tsv')
    ? [place]
    : readdirSync(place).filter((name) => /train/.test(name)).map((name) => path.join(place, name));
  return files.flatMap((file) => readFileSync(file, 'utf8').split('\n').slice(1))
    .flatMap((line) => line.replace(/\r$/, '').split('\t').slice(-2))
    .filter((text) => text !== '');
}

/** 32,000 pieces: every character, then the most frequent beginnings and continuations of words. */
function makeVocabulary(texts) {
  const counts = new Map();
  const add = (piece, n) => counts.set(piece, (counts.get(piece) ?? 0) + n);
  for (const text of texts) {
    for (const word of text.split(/[\s\p{P}]+/u)) {
      const chars = [...word];
      for (let begin = 0; begin < chars.length; begin++) {
        for (let end = begin + 1; end <= Math.min(chars.length, begin + 6); end++) {
          const piece = chars.slice(begin, end).join('');
          add(begin === 0 ? piece : `##${piece}`, end - begin === 1 ? 1e6 : 1);
        }
      }
    }
  }
  const punctuation = [...'!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~·…‘’“”'];
  const frequent = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).map(([piece]) => piece);
  const pieces = new Set(['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', ...punctuation, ...frequent]);
  const lines = [...pieces].slice(0, 32_000);
  while (lines.length < 32_000) lines.push(`[unused${lines.length}]`);
  return lines;
}

/** tokenizer.json of a cased BERT vocabulary, for the Hugging Face packages. */
function bertJson(lines) {
  const special = (content) => ({ content, id: lines.indexOf(content), single_word: false, lstrip: false,
    rstrip: false, normalized: false, special: true });
  const frame = (id) => ({ SpecialToken: { id, type_id: 0 } });
  const entry = (id) => [id, { id, ids: [lines.indexOf(id)], tokens: [id] }];
  return {
    version: '1.0', truncation: null, padding: null,
    added_tokens: ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'].map(special),
    normalizer: { type: 'BertNormalizer', clean_text: true, handle_chinese_chars: true,
      strip_accents: null, lowercase: false },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    post_processor: { type: 'TemplateProcessing',
      single: [frame('[CLS]'), { Sequence: { id: 'A', type_id: 0 } }, frame('[SEP]')],
      pair: [frame('[CLS]'), { Sequence: { id: 'A', type_id: 0 } }, frame('[SEP]'),
        { Sequence: { id: 'B', type_id: 1 } }],
      special_tokens: Object.fromEntries(['[CLS]', '[SEP]'].map(entry)) },
    decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
    model: { type: 'WordPiece', unk_token: '[UNK]', continuing_subword_prefix: '##',
      max_input_chars_per_word: 100, vocab: Object.fromEntries(lines.map((line, i) => [line, i])) },
  };
}

function installPeers() {
  mkdirSync(folder, { recursive: true });
  // A package of its own, or npm would install into the project's.
  writeFileSync(path.join(folder, 'package.json'), '{"private":true,"type":"module"}\n');
  const missing = Object.entries(peers)
    .filter(([name]) => !existsSync(path.join(folder, 'node_modules', name)));
  if (missing.length === 0) return;
  console.log(`Installing ${missing.map(([name]) => name).join(', ')} into .cache/bench`);
  const result = spawnSync('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts',
    ...missing.map(([name, version]) => `${name}@${version}`)], { cwd: folder, stdio: 'inherit' });
  if (result.status !== 0) console.log('Not all peers could be installed; the rest take part.');
}

const peerRequire = createRequire(pathToFileURL(path.join(folder, 'package.json')));

/** A Python package in a process of its own, one pass for each line that is sent to it. */
async function native(name, model, texts) {
  const python = path.join(root, '.venv/bin/python');
  if (!existsSync(python)) return undefined;
  const file = path.join(folder, 'texts.json');
  writeFileSync(file, JSON.stringify(texts));
  const child = spawn(python, [path.join(root, 'tests/bench/tokenizer_native.py'), name, model, file,
    options.cpu ? 'cpu' : 'clock'], {
    stdio: ['pipe', 'pipe', 'ignore'],
    env: { ...process.env, TOKENIZERS_PARALLELISM: 'false', RAYON_NUM_THREADS: '1' },
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async () => {
    const { value, done } = await lines.next();
    return done ? undefined : JSON.parse(value);
  };
  const first = await answer();
  if (first === undefined) return undefined;
  return {
    ids: () => first,
    time: async () => {
      child.stdin.write('go\n');
      return answer();
    },
    end: () => child.stdin.end(),
  };
}

/** A contender whose pass is a function; `sample` gives the ids of the first texts. */
function inProcess(pass, sample) {
  return {
    ids: () => sample,
    time: async () => {
      const start = now();
      pass();
      return now() - start;
    },
    end: () => {},
  };
}

async function optional(name, make) {
  try {
    return await make();
  } catch (error) {
    console.log(`${name} does not take part: ${error.message}`);
    return undefined;
  }
}

const sampleSize = 200;

async function unigramContenders(core, texts) {
  const model = readFileSync(options.spm);
  const ours = Tokenizer.fromSentencePiece(core, model);
  const sample = texts.slice(0, sampleSize);
  const each = (encode) => sample.map((text) => [...encode(text)]);
  return {
    'gyeot, all at once': inProcess(() => ours.encodeRows(texts), each((text) => ours.encode(text).ids)),
    'gyeot, line by line': inProcess(() => {
      for (const text of texts) ours.encode(text);
    }, each((text) => ours.encode(text).ids)),
    'sentencepiece (native, all at once)': await native('sentencepiece-batch', options.spm, texts),
    'sentencepiece (native, line by line)': await native('sentencepiece', options.spm, texts),
    'sentencepiece-js': await optional('sentencepiece-js', async () => {
      const { SentencePieceProcessor } = peerRequire('sentencepiece-js');
      const processor = new SentencePieceProcessor();
      await processor.load(options.spm);
      return inProcess(() => {
        for (const text of texts) processor.encodeIds(text);
      }, each((text) => processor.encodeIds(text)));
    }),
    'kitoken (wasm)': await optional('kitoken', async () => {
      const { Kitoken } = peerRequire('kitoken/node');
      const encoder = Kitoken.from_sentencepiece(model);
      return inProcess(() => {
        for (const text of texts) encoder.encode(text);
      }, each((text) => encoder.encode(text)));
    }),
  };
}

async function wordPieceContenders(core, texts) {
  const lines = makeVocabulary(texts);
  const vocab = path.join(folder, 'vocab.txt');
  writeFileSync(vocab, lines.join('\n'));
  const json = bertJson(lines);
  writeFileSync(path.join(folder, 'tokenizer.json'), JSON.stringify(json));
  const config = { tokenizer_class: 'BertTokenizer', do_lower_case: false };
  const ours = Tokenizer.fromVocab(core, readFileSync(vocab));
  const sample = texts.slice(0, sampleSize);
  const each = (encode) => sample.map((text) => [...encode(text)].map(Number));
  return {
    'gyeot, all at once': inProcess(() => ours.encodeRows(texts), each((text) => ours.encode(text).ids)),
    'gyeot, line by line': inProcess(() => {
      for (const text of texts) ours.encode(text);
    }, each((text) => ours.encode(text).ids)),
    'tokenizers (native, all at once)':
      await native('tokenizers-batch', path.join(folder, 'tokenizer.json'), texts),
    'tokenizers (native, line by line)':
      await native('tokenizers', path.join(folder, 'tokenizer.json'), texts),
    '@huggingface/tokenizers': await optional('@huggingface/tokenizers', async () => {
      const { Tokenizer: Peer } = peerRequire('@huggingface/tokenizers');
      const peer = new Peer(json, config);
      return inProcess(() => {
        for (const text of texts) peer.encode(text);
      }, each((text) => peer.encode(text).ids));
    }),
    '@huggingface/transformers': await optional('@huggingface/transformers', async () => {
      const { BertTokenizer } = await import(
        pathToFileURL(peerRequire.resolve('@huggingface/transformers')).href);
      const peer = new BertTokenizer(json, config);
      return inProcess(() => {
        for (const text of texts) peer.encode(text);
      }, each((text) => peer.encode(text)));
    }),
  };
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1];
}

async function compare(title, contenders, megabytes) {
  const entries = Object.entries(contenders).filter(([, contender]) => contender !== undefined);
  const expected = entries[0][1].ids();
  const times = new Map(entries.map(([name]) => [name, []]));
  for (let round = 0; round <= rounds; round++) {
    for (const [name, contender] of entries) {
      const ms = await contender.time();
      if (round !== 0) times.get(name).push(ms); // the first round warms up
    }
  }
  console.log(`\n${title}`);
  const ours = megabytes / median(times.get(entries[0][0])) * 1000;
  for (const [name, contender] of entries) {
    const speeds = times.get(name).map((ms) => megabytes / ms * 1000);
    const theirs = contender.ids();
    const differing = expected.filter((ids, i) => JSON.stringify(ids) !== JSON.stringify(theirs[i])).length;
    console.log(
      `  ${name.padEnd(38)} ${median(speeds).toFixed(1).padStart(6)} MB/s` +
        `  (${Math.min(...speeds).toFixed(1)} to ${Math.max(...speeds).toFixed(1)})` +
        `  ${(ours / median(speeds)).toFixed(2)}x` +
        (differing ? `  other ids on ${differing} of ${expected.length} lines` : ''));
    contender.end();
  }
}

/** Load time and memory in a core of its own, compiled before, as a page has it. */
async function measureLoading(name, bytes, load) {
  const module = await WebAssembly.compile(readFileSync(path.join(root, 'dist/core.wasm')));
  const times = [];
  let grown = 0;
  for (let round = 0; round < rounds; round++) {
    const core = await CoreModule.load({ module });
    const start = now();
    const tokenizer = load(core, bytes);
    times.push(now() - start);
    grown = core.exports.memory.buffer.byteLength;
    tokenizer.close();
  }
  console.log(
    `  ${name.padEnd(38)} ${median(times).toFixed(1)} ms (${Math.min(...times).toFixed(1)} to ` +
      `${Math.max(...times).toFixed(1)}), file ${(bytes.length / 1e6).toFixed(2)} MB, the whole module's ` +
      `memory ${(grown / 1e6).toFixed(1)} MB`);
}

function measureLinearity(core) {
  const tokenizer = Tokenizer.fromSentencePiece(core, readFileSync(options.spm));
  console.log('\nOne word without spaces');
  for (const size of [10_000, 100_000, 1_000_000]) {
    const word = '가나다라마바사아자차카타파하'.repeat(size / 42 + 1).slice(0, size / 3);
    const times = Array.from({ length: 5 }, () => {
      const start = now();
      tokenizer.encode(word);
      return now() - start;
    });
    console.log(`  ${String(size).padStart(9)} bytes  ${median(times).toFixed(2)} ms`);
  }
  tokenizer.close();
}

installPeers();
const texts = readTexts(options.texts);
const megabytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0) / 1e6;
console.log(`${texts.length} sentences, ${megabytes.toFixed(2)} MB of UTF-8, median of ${rounds} rounds`);
const core = await CoreModule.load();
if (existsSync(options.spm)) {
  await compare('Unigram', await unigramContenders(core, texts), megabytes);
} else {
  console.log(`Unigram is left out: ${options.spm} is missing`);
}
await compare('WordPiece, 32,000 pieces', await wordPieceContenders(core, texts), megabytes);
console.log('\nLoading');
if (existsSync(options.spm)) {
  await measureLoading('SentencePiece model', readFileSync(options.spm),
    (fresh, bytes) => Tokenizer.fromSentencePiece(fresh, bytes));
}
await measureLoading('vocab.txt', readFileSync(path.join(folder, 'vocab.txt')),
  (fresh, bytes) => Tokenizer.fromVocab(fresh, bytes));
if (existsSync(options.spm)) measureLinearity(core);
