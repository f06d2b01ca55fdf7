/** `gyeot calibrate`: vote, threshold and margin of a table, estimated instead of guessed. */
import { readFile } from 'node:fs/promises';
import { GyeotError } from '../core/index.js';
import { accuracy, answered, differing, judge, leaveOneOut, neighbours } from './judge.js';
import type { Judgement, Neighbourhood } from './judge.js';
import type { VoteOptions } from '../gyeot/answer.js';
import { loadBot } from './options.js';
import type { Command } from './options.js';
import { quantile } from './statistics.js';
import { openTable, writeTable } from './tables.js';

/** Votes that are tried. */
const ks = [1, 3, 5, 10, 15, 20];
const scales = [10, 20, 40, 60];
/** Weights of familiarity that are tried, where there is an outside to tell from. */
const weights = [0, 0.5, 1, 2];

export const calibrate: Command = {
  summary: 'Estimate a table’s vote, threshold and margin',
  help: `
gyeot calibrate --table T.safetensors [--outside FILE [--allow SHARE]] [--model DIR] [--json]
                [--write | --out FILE [--vectors f32|i8]]

Asks the table each of its own questions without that row, and, with --outside, sentences that it should
not answer (one a line, or a JSON array). Chooses the vote with the best leave-one-out accuracy (of even
ones the one of the fewest rows), then the limits that let at most SHARE (0.05) of the outside sentences
through and keep the most right answers, and how much a text's nearness to the table as a whole
(familiarity) counts beside its nearest row.
Without --outside, the threshold keeps 95 % of the table's own questions. --write puts the figures into
the table, --out into a copy of it.

  gyeot calibrate --table faq.safetensors --outside outside.txt --write`,
  options: {
    table: { type: 'string' },
    outside: { type: 'string' },
    allow: { type: 'string' },
    model: { type: 'string' },
    write: { type: 'boolean' },
    out: { type: 'string' },
    vectors: { type: 'string' },
    json: { type: 'boolean' },
  },
  positionals: [],
  async run(options, terminal, signal) {
    const file = options.text('table');
    if (file === undefined) throw new GyeotError('argument', '--table T.safetensors is missing');
    const table = await openTable(file);
    const inside = await leaveOneOut(table);
    if (inside.length < 20) {
      throw new GyeotError('argument', `${file} has too few groups of two rows or more to learn from`);
    }
    const votes = ks.flatMap((k) => (k === 1 ? [10] : scales).map((scale) => ({ k, scale })));
    const ranked = votes
      .map((vote) => {
        const judged = judge(inside, vote);
        return { vote, judged, accuracy: accuracy(judged) };
      })
      .sort((a, b) => b.accuracy - a.accuracy || a.vote.k - b.vote.k || a.vote.scale - b.vote.scale);
    const top = ranked[0]!;
    // Even is what lies within half of the standard error of the difference: the fewest rows win.
    const even = ranked.filter(({ judged, accuracy: own }) =>
      (top.accuracy - own) * judged.length <= Math.sqrt(differing(judged, top.judged)) / 2);
    const first = even.reduce((one, other) => (other.vote.k < one.vote.k ? other : one));
    const best = { ...first.vote, accuracy: first.accuracy };
    const allowed = Number(options.text('allow') ?? 0.05);
    if (!(allowed >= 0 && allowed < 1)) throw new GyeotError('argument', '--allow takes a share from 0 to 1');
    let far: Neighbourhood[] = [];
    const list = options.text('outside');
    if (list !== undefined) {
      const texts = await readTexts(list);
      const bot = await loadBot(options, terminal, signal, null);
      if (bot.model.fingerprint !== table.meta.fingerprint) {
        throw new GyeotError('fingerprint', `${file} was built with another model`, { file });
      }
      const { data } = await bot.embed(texts, {
        signal, onProgress: (progress) => terminal.progress(progress),
      });
      bot.close();
      far = await neighbours(table, data);
    }
    const limits = far.length > 0 ? search(inside, far, best, allowed) : withoutOutside(inside, best);
    const judged = judge(inside, best, limits.familiarity);
    const outside = judge(far, best, limits.familiarity);
    const curve = [...new Set([
      ...[0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3].map((share) =>
        quantile(judged.map((one) => one.confidence), share)),
      limits.threshold,
    ])].sort((a, b) => a - b).map((threshold) => ({
      threshold,
      ...shares(judged, outside, { threshold, margin: limits.margin }),
    }));
    const result = { vote: best, ...limits, ...shares(judged, outside, limits), curve };
    if (options.flag('json')) terminal.print(JSON.stringify(result));
    else {
      terminal.print(`vote       k ${best.k}, scale ${best.scale}: ${percent(best.accuracy)} of ${judged.length} right`);
      terminal.print(`nearest    ${percent(accuracy(judge(inside, { k: 1, scale: 1 })))} right`);
      terminal.print(
        `threshold  ${limits.threshold.toFixed(4)}, margin ${limits.margin.toFixed(3)}, ` +
          `familiarity ${limits.familiarity}`,
      );
      terminal.print('\nthreshold  answered  right when answered  outside answered');
      for (const row of curve) {
        terminal.print(
          `${row.threshold.toFixed(4)}     ${percent(row.answered).padStart(7)}   ${percent(row.right).padStart(17)}` +
            `   ${outside.length ? percent(row.outside).padStart(15) : '              –'}` +
            (row.threshold === limits.threshold ? '  ←' : ''),
        );
      }
    }
    const out = options.text('out') ?? (options.flag('write') ? file : undefined);
    if (out !== undefined) {
      Object.assign(table.meta, {
        threshold: round(limits.threshold), margin: round(limits.margin),
        voteK: best.k, voteScale: best.scale, familiarity: limits.familiarity,
      });
      const kind = options.choice('vectors', ['f32', 'i8'], table.vectors.quantized ? 'i8' : 'f32');
      await writeTable(out, table.serialize(kind));
      terminal.note(`${out}: written`);
    }
  },
};

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
const round = (value: number): number => Math.round(value * 1e4) / 1e4;

function shares(
  inside: readonly Judgement[],
  outside: readonly Judgement[],
  limits: { threshold: number; margin: number },
): { answered: number; right: number; outside: number } {
  const kept = answered(inside, limits);
  return {
    answered: kept.length / inside.length,
    right: kept.length === 0 ? 0 : accuracy(kept),
    outside: outside.length === 0 ? 0 : answered(outside, limits).length / outside.length,
  };
}

interface Limits {
  threshold: number;
  margin: number;
  familiarity: number;
}

function withoutOutside(inside: readonly Neighbourhood[], vote: VoteOptions): Limits {
  const scores = judge(inside, vote).map(({ score }) => score);
  return { threshold: quantile(scores, 0.05), margin: 0, familiarity: 0 };
}

/**
 * For each weight of familiarity and each margin, the lowest threshold that lets at most the allowed
 * share through; of these, the limits under which the most inside questions get an answer, with right
 * answers counted double.
 */
function search(
  inside: readonly Neighbourhood[],
  outside: readonly Neighbourhood[],
  vote: VoteOptions,
  share: number,
): Limits {
  const allowed = Math.floor(share * outside.length);
  let best = { threshold: 1, margin: 0, familiarity: 0, worth: -1 };
  for (const familiarity of weights) {
    const near = judge(inside, vote, familiarity);
    const far = judge(outside, vote, familiarity);
    for (let margin = 0; margin <= 0.5; margin += 0.02) {
      const scores = far.filter((one) => one.margin >= margin).map((one) => one.confidence)
        .sort((a, b) => b - a);
      // Just above the confidence of the first that must not pass.
      const threshold = scores.length > allowed ? scores[allowed]! + 1e-4 : 0;
      const kept = answered(near, { threshold, margin });
      const worth = kept.length + kept.filter(({ group, wanted }) => group === wanted).length;
      if (worth > best.worth) best = { threshold, margin, familiarity, worth };
    }
  }
  const { threshold, margin, familiarity } = best;
  return { threshold: round(threshold), margin: round(margin), familiarity };
}

async function readTexts(file: string): Promise<string[]> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    throw new GyeotError('not-found', `${file} could not be read: ${(cause as Error).message}`, { file, cause });
  }
  if (!file.endsWith('.json')) return text.split(/\r?\n/).filter((line) => line.trim() !== '');
  const list: unknown = JSON.parse(text);
  const texts = Array.isArray(list)
    ? list.map((item) => (typeof item === 'string' ? item : (item as { text?: unknown })?.text))
    : [];
  if (texts.length > 0 && texts.every((item) => typeof item === 'string')) return texts as string[];
  throw new GyeotError('format', `${file} should be a JSON array of strings`, { file });
}
