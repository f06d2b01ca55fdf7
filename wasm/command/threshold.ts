/**
 * The threshold of a table for which nobody has named one. Without any, the nearest row answers
 * whatever is asked: a shop's table would tell who greets it how to return a parcel.
 */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Gyeot } from '../gyeot/node.js';
import type { Table } from '../gyeot/table.js';
import { judge, leaveOneOut, neighbours } from './judge.js';
import { koreanFolder } from './places.js';
import { quantile } from './statistics.js';

/** The share of sentences from elsewhere that may get an answer, and of the table's own that may get none. */
const share = 0.05;
const vote = { k: 10, scale: 20 };
/** Own questions that are asked, and how many it takes to believe what they say. */
const [most, fewest] = [500, 20];

/**
 * The score that only one in twenty sentences from elsewhere reaches; lower where more than one in twenty
 * of the table's own questions, each asked without its own row, would then get no answer.
 */
export async function usualThreshold(bot: Gyeot, table: Table, signal: AbortSignal): Promise<number> {
  const elsewhere = await readElsewhere();
  const limits: number[] = [];
  if (elsewhere.length > 0) {
    const { data } = await bot.embed(elsewhere, { signal });
    const scores = judge(await neighbours(table, data), vote).map(({ score }) => score);
    limits.push(quantile(scores, 1 - share));
  }
  const own = judge(await leaveOneOut(table, most), vote);
  if (own.length >= fewest) limits.push(quantile(own.map(({ score }) => score), share));
  return limits.length === 0 ? 0 : Math.round(Math.min(...limits) * 1e4) / 1e4;
}

/** Sentences that come with gyeot-ko; none where it is not installed. */
async function readElsewhere(): Promise<string[]> {
  try {
    const text = await readFile(path.join(koreanFolder(), 'table/outside.txt'), 'utf8');
    return text.split('\n').filter((line) => line.trim() !== '');
  } catch {
    return [];
  }
}
