/** What a table would answer: leave-one-out over its own rows, and over given texts. */
import { CoreModule } from '../core/index.js';
import type { VectorIndex } from '../core/index.js';
import { confidence, vote } from '../gyeot/answer.js';
import type { VoteOptions, Voter } from '../gyeot/answer.js';
import type { Table } from '../gyeot/table.js';

/** One text judged: who wins, how near, how surely, by how much. */
export interface Judgement {
  /** Group number of the winner, -1 where there was nothing to find. */
  group: number;
  score: number;
  confidence: number;
  margin: number;
  /** The group that it should be; -1 where there is none. */
  wanted: number;
}

/** The nearest rows of texts, kept so that several votes can be tried on them. */
export interface Neighbourhood {
  wanted: number;
  /** Mean cosine with all rows. */
  familiarity: number;
  voters: Voter[];
}

/** Rows that a vote is ever given. */
export const widest = 30;

/** Leave-one-out: each row's neighbours without itself and without rows of the very same text. */
export async function leaveOneOut(table: Table, limit = 3000): Promise<Neighbourhood[]> {
  const index = table.vectors.index(await CoreModule.load());
  const step = Math.max(1, table.rows / limit);
  const result: Neighbourhood[] = [];
  const sizes = new Map<number, number>();
  for (const group of table.groupOf) sizes.set(group, (sizes.get(group) ?? 0) + 1);
  for (let at = 0; at < table.rows; at += step) {
    const row = Math.floor(at);
    const wanted = table.groupOf[row]!;
    // A group of one row cannot be found without that row.
    if (sizes.get(wanted)! < 2) continue;
    const question = table.question(row);
    const vector = table.vectors.row(row);
    const voters = search(table, index, vector, widest + 8).filter(
      (voter) => voter.row !== row && voter.question !== question,
    );
    // Of the rows' mean, without the row itself.
    const familiarity = (table.familiarity(vector) * table.rows - 1) / (table.rows - 1);
    result.push({ wanted, familiarity, voters: voters.slice(0, widest) });
  }
  index.close();
  return result;
}

/** Neighbours of vectors that no group of the table should answer, or whose group is known. */
export async function neighbours(table: Table, vectors: Float32Array): Promise<Neighbourhood[]> {
  const index = table.vectors.index(await CoreModule.load());
  const result: Neighbourhood[] = [];
  for (let at = 0; at < vectors.length; at += table.dimension) {
    const vector = vectors.subarray(at, at + table.dimension);
    result.push({
      wanted: -1, familiarity: table.familiarity(vector), voters: search(table, index, vector, widest),
    });
  }
  index.close();
  return result;
}

function search(table: Table, index: VectorIndex, vector: Float32Array, k: number): Voter[] {
  const { rows, scores } = index.search(vector, { k: Math.min(k, table.rows) });
  return Array.from(rows, (row, place) => ({
    row, ...table.texts(row), score: scores[place]!, id: table.groupOf[row]!,
  }));
}

export function judge(
  places: readonly Neighbourhood[],
  options: VoteOptions,
  weight = 0,
): Judgement[] {
  return places.map(({ wanted, familiarity, voters }) => {
    const { candidates, margin } = vote(voters, options);
    const [winner] = candidates;
    const score = winner?.best.score ?? 0;
    const sure = confidence(score, familiarity, weight);
    return { group: winner?.id ?? -1, score, confidence: sure, margin, wanted };
  });
}

export function accuracy(judgements: readonly Judgement[]): number {
  return judgements.filter(isRight).length / judgements.length;
}

/** How many of the same questions one of two votes gets right and the other does not. */
export function differing(some: readonly Judgement[], others: readonly Judgement[]): number {
  return some.filter((one, place) => isRight(one) !== isRight(others[place]!)).length;
}

function isRight({ group, wanted }: Judgement): boolean {
  return group === wanted;
}

/** Of `judgements`, the share that the limits let through. */
export function answered(
  judgements: readonly Judgement[],
  limits: { threshold: number; margin: number },
): Judgement[] {
  return judgements.filter(
    ({ confidence: sure, margin }) => sure >= limits.threshold && margin >= limits.margin,
  );
}
