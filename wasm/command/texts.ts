/** `tokenize`, `embed` and `match`: texts in, ids, vectors or rows out. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { CoreModule, GyeotError, Tokenizer } from '../core/index.js';
import { locateFolder } from '../gyeot/assets.js';
import { neededFiles } from '../gyeot/manifest.js';
import { openModel } from '../gyeot/model.js';
import { readEntry } from '../gyeot/assets.js';
import { tensorOf, writeSafetensors } from '../gyeot/safetensors.js';
import { defaultModel, defaultTable } from './places.js';
import { jobsOf, loadBot } from './options.js';
import type { Command, Options } from './options.js';
import { writeWhole } from './tables.js';
import { lines } from './terminal.js';

export const tokenize: Command = {
  summary: 'Texts to token ids',
  help: `
gyeot tokenize [--model DIR | --vocab vocab.txt [--lowercase] [--keep-accents] | --spm FILE] [--no-special]

Reads a JSON string a line from stdin and writes a JSON array of ids a line. --spm prints
SentencePiece's own ids without special tokens; the others print the model's ids with them, unless
--no-special says otherwise. A special token that is written in a text is read as one.

  echo '"오늘 너무 힘들어"' | gyeot tokenize`,
  options: {
    model: { type: 'string' },
    vocab: { type: 'string' },
    lowercase: { type: 'boolean' },
    'keep-accents': { type: 'boolean' },
    spm: { type: 'string' },
    'no-special': { type: 'boolean' },
  },
  positionals: [],
  async run(options, terminal) {
    const tokenizer = await openTokenizer(options);
    const addSpecialTokens = !options.flag('no-special') && options.text('spm') === undefined;
    let number = 0;
    for await (const line of lines(process.stdin)) {
      const text = jsonString(line, ++number);
      terminal.print(`[${tokenizer.encode(text, { addSpecialTokens }).ids.join(',')}]`);
    }
    tokenizer.close();
  },
};

async function openTokenizer(options: Options): Promise<Tokenizer> {
  const given = ['model', 'vocab', 'spm'].filter((name) => options.text(name) !== undefined);
  if (given.length > 1) {
    throw new GyeotError('argument', `Give one of --${given.join(' and --')}, not both`);
  }
  const core = await CoreModule.load();
  const vocab = options.text('vocab');
  if (vocab !== undefined) {
    return Tokenizer.fromVocab(core, await read(vocab), {
      lowercase: options.flag('lowercase'),
      ...(options.flag('keep-accents') ? { stripAccents: false } : {}),
      file: vocab,
    });
  }
  const spm = options.text('spm');
  if (spm !== undefined) return Tokenizer.fromSentencePiece(core, await read(spm), { file: spm });
  const folder = locateFolder(options.text('model') ?? defaultModel());
  const model = await openModel(folder);
  const files = Object.fromEntries(model.read);
  for (const file of neededFiles(model.manifest).slice(1)) {
    const entry = model.entries.find(({ path: at }) => at === file);
    if (entry) files[file] = await readEntry(folder, entry);
  }
  return Tokenizer.load(files, { core, tokenizer: model.manifest.tokenizer });
}

async function read(file: string): Promise<Uint8Array> {
  try {
    return await readFile(file);
  } catch (cause) {
    throw new GyeotError('not-found', `${file} could not be read: ${(cause as Error).message}`, { file, cause });
  }
}

function jsonString(line: string, number: number): string {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === 'string') return value;
  } catch {
    // Said below, as for any other value.
  }
  throw new GyeotError('format', `stdin, line ${number}: each line should be a JSON string, as "안녕"`);
}

export const embed: Command = {
  summary: 'Texts to vectors',
  help: `
gyeot embed [--model DIR] [--out FILE.safetensors] [--document] [--jobs N]

Reads a JSON string a line from stdin and writes a JSON array of numbers a line, or one safetensors
file with the tensor "vectors". --document puts the model's document prompt before the texts instead
of the query prompt. --jobs is how many engines share the work: one a core, 4 at most, by default.

  printf '"안녕하세요"\\n"반갑습니다"\\n' | gyeot embed --out greetings.safetensors`,
  options: {
    model: { type: 'string' },
    out: { type: 'string' },
    document: { type: 'boolean' },
    jobs: { type: 'string' },
  },
  positionals: [],
  async run(options, terminal, signal) {
    const workers = jobsOf(options);
    const bot = await loadBot(options, terminal, signal, null);
    const kind = options.flag('document') ? 'document' : 'query';
    const out = options.text('out');
    const blocks: Float32Array[] = [];
    const { dimension } = bot.model;
    const flush = async (texts: string[]) => {
      const { data } = await bot.embed(texts, {
        kind, signal, workers, onProgress: (progress) => terminal.progress(progress),
      });
      if (out !== undefined) blocks.push(data);
      else for (let row = 0; row < texts.length; row++) {
        terminal.print(`[${data.subarray(row * dimension, (row + 1) * dimension).join(',')}]`);
      }
    };
    let texts: string[] = [];
    let number = 0;
    for await (const line of lines(process.stdin)) {
      texts.push(jsonString(line, ++number));
      if (texts.length === 1024) {
        await flush(texts);
        texts = [];
      }
    }
    if (texts.length > 0) await flush(texts);
    if (out !== undefined) {
      const all = new Float32Array(number * dimension);
      let at = 0;
      for (const block of blocks) {
        all.set(block, at);
        at += block.length;
      }
      const tensor = tensorOf('F32', [number, dimension], all);
      await writeWhole(out, writeSafetensors([['vectors', tensor]], { fingerprint: bot.model.fingerprint }));
      terminal.note(`${path.basename(out)}: ${number} vectors of ${dimension}`);
    }
    bot.close();
  },
};

/** The default table goes with the default model; another model needs one of its own. */
function tableFor(options: Options): string {
  if (options.text('model') === undefined) return defaultTable();
  throw new GyeotError('argument', '--table is missing: the bundled table is for the bundled model');
}

export const match: Command = {
  summary: 'The nearest rows of a table',
  help: `
gyeot match [--model DIR] [--table FILE] TEXT [-k N] [--json]

  gyeot match "더 이상 내 감정을 내가 컨트롤 못 하겠어." -k 3`,
  options: {
    model: { type: 'string' },
    table: { type: 'string' },
    k: { type: 'string', short: 'k' },
    json: { type: 'boolean' },
  },
  positionals: ['TEXT'],
  async run(options, terminal, signal) {
    const k = options.count('k', 5);
    const bot = await loadBot(options, terminal, signal, options.text('table') ?? tableFor(options));
    const rows = await bot.match(options.positionals[0]!, { k });
    bot.close();
    if (options.flag('json')) {
      terminal.print(JSON.stringify(rows));
      return;
    }
    for (const { score, group, question, answer } of rows) {
      terminal.print(`${score.toFixed(4)}  ${group}  ${question}${answer ? `  →  ${answer}` : ''}`);
    }
  },
};
