/** `gyeot eval`: how good the vectors are, through the very path that the page uses. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import Papa from 'papaparse';
import { GyeotError } from '../core/index.js';
import type { Gyeot } from '../gyeot/node.js';
import { Table } from '../gyeot/table.js';
import { decodeText } from './csv.js';
import { accuracy, answered, judge, leaveOneOut } from './judge.js';
import { loadBot } from './options.js';
import type { Command } from './options.js';
import { defaultTable } from './places.js';
import { pearson, quantile, spearman } from './statistics.js';
import type { Terminal } from './terminal.js';

export const evaluate: Command = {
  summary: 'Figures for similarity, retrieval and a table',
  help: `
gyeot eval PAIRS.tsv [--model DIR] [--json]      sentence pairs with scores, as KorSTS
gyeot eval --retrieval GROUPS.tsv [--model DIR]  paraphrases: hit@1, hit@5, MRR
gyeot eval --table [FILE] [--model DIR]          leave-one-out group accuracy of a built table

PAIRS.tsv has the columns score, sentence1 and sentence2; in a .tsv quotation marks are text, in a .csv
they quote. The eight figures are those of sentence-transformers' EmbeddingSimilarityEvaluator, × 100.
GROUPS.tsv has a group and a text a line.

  gyeot eval sts-test.tsv --model my-model`,
  options: {
    model: { type: 'string' },
    retrieval: { type: 'boolean' },
    table: { type: 'boolean' },
    json: { type: 'boolean' },
  },
  positionals: ['FILE?'],
  async run(options, terminal, signal) {
    const file = options.positionals[0];
    let figures: Record<string, number>;
    if (options.flag('table')) {
      figures = await tableFigures(file ?? defaultTable());
    } else {
      if (file === undefined) throw new GyeotError('argument', 'PAIRS.tsv is missing; see --help');
      const bot = await loadBot(options, terminal, signal, null);
      figures = options.flag('retrieval')
        ? await retrieval(bot, await readGroups(file), terminal, signal)
        : await similarity(bot, await readPairs(file), terminal, signal);
      bot.close();
    }
    if (options.flag('json')) terminal.print(JSON.stringify(figures));
    else for (const [name, value] of Object.entries(figures)) {
      terminal.print(`${name.padEnd(20)} ${Number.isInteger(value) ? value : value.toFixed(2)}`);
    }
  },
};

interface Pairs {
  first: string[];
  second: string[];
  scores: number[];
}

async function readText(file: string): Promise<string> {
  try {
    return decodeText(await readFile(file), path.basename(file)).text.replace(/^\ufeff/, '');
  } catch (cause) {
    if (cause instanceof GyeotError) throw cause;
    throw new GyeotError('not-found', `${file} could not be read: ${(cause as Error).message}`, { file, cause });
  }
}

async function readRecords(file: string): Promise<string[][]> {
  const text = await readText(file);
  if (/\.csv$/i.test(file)) {
    return Papa.parse<string[]>(text, { skipEmptyLines: 'greedy' }).data;
  }
  return text.split(/\r?\n/).filter((line) => line !== '').map((line) => line.split('\t'));
}

async function readPairs(file: string): Promise<Pairs> {
  const [header = [], ...records] = await readRecords(file);
  const column = (name: string): number => {
    const found = header.findIndex((cell) => cell.trim().toLowerCase() === name);
    if (found >= 0) return found;
    throw new GyeotError('csv', `${file} has no column "${name}"; it has ${header.join(', ')}`, { file });
  };
  const [score, first, second] = [column('score'), column('sentence1'), column('sentence2')];
  const pairs: Pairs = { first: [], second: [], scores: [] };
  records.forEach((cells, index) => {
    const value = Number(cells[score]);
    if (cells[first] === undefined || cells[second] === undefined || !Number.isFinite(value) ||
        cells[score]!.trim() === '') {
      throw new GyeotError('csv', `${file}: row ${index + 2} has no two sentences and a score`, { file });
    }
    pairs.first.push(cells[first]);
    pairs.second.push(cells[second]);
    pairs.scores.push(value);
  });
  if (pairs.scores.length < 2) throw new GyeotError('csv', `${file} has fewer than two pairs`, { file });
  return pairs;
}

async function similarity(
  bot: Gyeot,
  pairs: Pairs,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<Record<string, number>> {
  const texts = [...new Set([...pairs.first, ...pairs.second])];
  const { data, dims } = await bot.embed(texts, {
    signal, onProgress: (progress) => terminal.progress(progress),
  });
  const place = new Map(texts.map((text, index) => [text, index * dims[1]]));
  const measures = { cosine: [], euclidean: [], manhattan: [], dot: [] } as Record<string, number[]>;
  pairs.first.forEach((text, index) => {
    const a = place.get(text)!;
    const b = place.get(pairs.second[index]!)!;
    let dot = 0;
    let normA = 0;
    let normB = 0;
    let square = 0;
    let absolute = 0;
    for (let i = 0; i < dims[1]; i++) {
      const x = data[a + i]!;
      const y = data[b + i]!;
      dot += x * y;
      normA += x * x;
      normB += y * y;
      square += (x - y) ** 2;
      absolute += Math.abs(x - y);
    }
    measures['cosine']!.push(dot / Math.max(Math.sqrt(normA * normB), 1e-12));
    measures['euclidean']!.push(-Math.sqrt(square));
    measures['manhattan']!.push(-absolute);
    measures['dot']!.push(dot);
  });
  const figures: Record<string, number> = { pairs: pairs.scores.length };
  for (const [name, values] of Object.entries(measures)) {
    figures[`${name} pearson`] = 100 * pearson(values, pairs.scores);
    figures[`${name} spearman`] = 100 * spearman(values, pairs.scores);
  }
  return figures;
}

async function readGroups(file: string): Promise<Map<string, string[]>> {
  const groups = new Map<string, string[]>();
  (await readRecords(file)).forEach((cells, index) => {
    const [group, text] = cells;
    if (group === undefined || !text) {
      throw new GyeotError('csv', `${file}: row ${index + 1} should be a group and a text`, { file });
    }
    groups.set(group, [...(groups.get(group) ?? []), text]);
  });
  return groups;
}

async function retrieval(
  bot: Gyeot,
  groups: ReadonlyMap<string, string[]>,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<Record<string, number>> {
  const rows = [...groups].flatMap(([group, texts]) =>
    texts.map((question) => ({ question, answer: '', group })));
  const { data, dims } = await bot.embed(rows.map((row) => row.question), {
    signal, onProgress: (progress) => terminal.progress(progress),
  });
  const table = Table.of(rows, data, dims[1], { fingerprint: bot.model.fingerprint });
  const places = (await leaveOneOut(table, Infinity)).map(({ wanted, voters }) =>
    voters.findIndex((voter) => voter.id === wanted));
  const share = (test: (place: number) => boolean) =>
    (100 * places.filter(test).length) / places.length;
  return {
    texts: places.length,
    'hit@1': share((place) => place === 0),
    'hit@5': share((place) => place >= 0 && place < 5),
    MRR: (100 * places.reduce((sum, place) => sum + (place < 0 ? 0 : 1 / (place + 1)), 0)) / places.length,
  };
}

async function tableFigures(file: string): Promise<Record<string, number>> {
  const table = Table.parse(await readFile(file), file);
  const places = await leaveOneOut(table);
  const options = { k: table.meta.voteK ?? 10, scale: table.meta.voteScale ?? 20 };
  const judged = judge(places, options, table.meta.familiarity);
  const nearest = judge(places, { k: 1, scale: 1 });
  const figures: Record<string, number> = {
    rows: judged.length,
    'nearest row': 100 * accuracy(nearest),
    'vote': 100 * accuracy(judged),
  };
  for (const share of [0.05, 0.1, 0.2, 0.3]) {
    const threshold = quantile(judged.map((one) => one.confidence), share);
    const kept = answered(judged, { threshold, margin: 0 });
    figures[`vote, nearest ${Math.round(100 * (1 - share))} %`] = 100 * accuracy(kept);
  }
  return figures;
}
