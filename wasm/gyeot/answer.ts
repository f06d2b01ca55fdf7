/** From the nearest rows to an answer: the vote of groups, the limits, and whose turn it is. */
import type { Candidate, Match } from './types.js';

export interface VoteOptions {
  /** How many of the nearest rows vote. */
  k: number;
  /** Votes are softmax(scale × cosine). */
  scale: number;
}

/** A row that votes; `id` tells groups apart even when they have no name. */
export interface Voter extends Match {
  id: number;
}

export interface Verdict {
  /** Winner first. */
  candidates: (Candidate & { id: number })[];
  /** Share of the first group minus that of the second. */
  margin: number;
}

/**
 * Each of the `k` nearest rows votes for its group with softmax(scale × score); equal shares go to
 * the group with the nearer row, then to the one that comes first in the table.
 */
export function vote(rows: readonly Voter[], options: VoteOptions): Verdict {
  const voters = rows.slice(0, options.k);
  const top = voters[0]?.score ?? 0;
  const groups = new Map<number, { id: number; weight: number; best: Voter }>();
  let total = 0;
  for (const voter of voters) {
    const weight = Math.exp(options.scale * (voter.score - top));
    total += weight;
    const group = groups.get(voter.id);
    if (!group) groups.set(voter.id, { id: voter.id, weight, best: voter });
    else {
      group.weight += weight;
      if (voter.score > group.best.score) group.best = voter;
    }
  }
  const candidates = [...groups.values()]
    .sort((a, b) => b.weight - a.weight || b.best.score - a.best.score || a.id - b.id)
    .map(({ id, weight, best }) => ({ id, group: best.group, share: weight / total, best: plain(best) }));
  return { candidates, margin: (candidates[0]?.share ?? 0) - (candidates[1]?.share ?? 0) };
}

function plain({ row, question, answer, group, score }: Voter): Match {
  return { row, question, answer, group, score };
}

/**
 * How sure an answer is: the nearest row's score, and how near the text is to the table as a whole, which
 * tells a question of the table's own field from one that shares words with a row. With `weight` 0 the
 * score alone. A mean of cosines, so between -1 and 1 as they are.
 */
export function confidence(score: number, familiarity: number, weight: number): number {
  return (score + weight * familiarity) / (1 + weight);
}

/** Remembers when each response of a group was last given, so that they take turns. */
export class Turns {
  readonly #given = new Map<string, number>();
  #clock = 0;

  /** The responses in the order in which they should be given: least recently used first. */
  order(group: number, answers: readonly string[]): string[] {
    const last = (answer: string) => this.#given.get(`${group}\0${answer}`) ?? 0;
    return answers
      .map((answer, index) => ({ answer, index }))
      .sort((a, b) => last(a.answer) - last(b.answer) || a.index - b.index)
      .map(({ answer }) => answer);
  }

  /** Notes that a response was given. */
  take(group: number, answer: string): void {
    this.#given.set(`${group}\0${answer}`, ++this.#clock);
  }
}
