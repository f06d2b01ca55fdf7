/** `gyeot verify`: a model folder's files, and its recorded vectors replayed. */
import { GyeotError } from '../core/index.js';
import { fileIn, locateFolder, nameOf, readEntry, readLocated } from '../gyeot/assets.js';
import { openModel } from '../gyeot/model.js';
import { parseJson } from '../gyeot/manifest.js';
import { defaultModel } from './places.js';
import { loadBot } from './options.js';
import type { Command } from './options.js';

/** What the promises allow: int8 against the f32 reference. */
const leastCosine = 0.99;

interface Line {
  what: string;
  ok: boolean;
  detail: string;
}

export const verify: Command = {
  summary: 'Check a model folder',
  help: `
gyeot verify [--model DIR] [--json]

Checks every file's length and SHA-256, replays the vectors that were recorded from
sentence-transformers (parity.json) and compares the token ids. Exit code 1 when something is wrong.

  gyeot verify --model my-model`,
  options: { model: { type: 'string' }, json: { type: 'boolean' } },
  positionals: [],
  async run(options, terminal, signal) {
    const folder = locateFolder(options.text('model') ?? defaultModel());
    const model = await openModel(folder);
    const { manifest } = model;
    const lines: Line[] = [{
      what: 'model',
      ok: true,
      detail: `${manifest.name}, ${manifest.dimension} dimensions, ${manifest.pooling} pooling, ` +
        `${manifest.maxLength} tokens, ${manifest.tokenizer.type}`,
    }];
    lines.push({ what: 'fingerprint', ok: true, detail: manifest.fingerprint });
    for (const entry of manifest.files) {
      if (entry.sha256 === undefined) {
        lines.push({ what: entry.path, ok: true, detail: 'no recorded SHA-256 to compare with' });
        continue;
      }
      try {
        const bytes = await readEntry(folder, entry, { signal });
        lines.push({ what: entry.path, ok: true, detail: `${bytes.length} bytes` });
      } catch (error) {
        if (!(error instanceof GyeotError)) throw error;
        lines.push({ what: entry.path, ok: false, detail: error.message });
      }
    }
    const recorded = manifest.parity ? fileIn(folder, manifest.parity) : null;
    if (!recorded) lines.push({ what: 'vectors', ok: true, detail: 'none recorded' });
    else if (lines.every(({ ok }) => ok)) {
      const file = nameOf(folder, manifest.parity);
      const json = parseJson(await readLocated(recorded, { signal }), file);
      const bot = await loadBot(options, terminal, signal, null);
      lines.push(...(await replay(bot, readParity(json, file))));
      bot.close();
    }
    if (options.flag('json')) terminal.print(JSON.stringify(lines));
    else for (const { what, ok, detail } of lines) {
      terminal.print(`${ok ? 'ok   ' : 'WRONG'}  ${what.padEnd(28)} ${detail}`);
    }
    return lines.every(({ ok }) => ok) ? 0 : 1;
  },
};

interface Parity {
  texts: string[];
  vectors: number[][];
  ids: number[][] | undefined;
}

function readParity(json: Record<string, unknown>, file: string): Parity {
  const { texts, vectors, ids } = json as unknown as Parity;
  if (!Array.isArray(texts) || !Array.isArray(vectors) || texts.length !== vectors.length) {
    throw new GyeotError('format', `${file} should hold as many "texts" as "vectors"`, { file });
  }
  return { texts, vectors, ids };
}

async function replay(
  bot: Awaited<ReturnType<typeof loadBot>>,
  { texts, vectors, ids }: Parity,
): Promise<Line[]> {
  const { data, dims } = await bot.embed(texts);
  const cosines = vectors.map((vector, row) => {
    let dot = 0;
    let a = 0;
    let b = 0;
    vector.forEach((value, column) => {
      const other = data[row * dims[1] + column]!;
      dot += value * other;
      a += value * value;
      b += other * other;
    });
    return dot / Math.sqrt(a * b);
  });
  const least = Math.min(...cosines);
  const mean = cosines.reduce((sum, value) => sum + value, 0) / cosines.length;
  const lines: Line[] = [{
    what: 'vectors',
    ok: least >= leastCosine,
    detail: `${texts.length} texts: cosine to the reference at least ${least.toFixed(5)}, ` +
      `mean ${mean.toFixed(5)} (${leastCosine} is asked for, at ${JSON.stringify(texts[cosines.indexOf(least)])})`,
  }];
  if (!ids) return lines;
  let different = 0;
  for (const [row, text] of texts.entries()) {
    const found = (await bot.tokenize(text)).map(({ id }) => id);
    if (found.length !== ids[row]!.length || found.some((id, at) => id !== ids[row]![at])) different++;
  }
  lines.push({ what: 'ids', ok: different === 0, detail: `${different} of ${texts.length} texts differ` });
  return lines;
}
