/** What is said next: order, follow-ups, chips and fallbacks. Knows nothing of the screen. */

import type { Answer, GyeotBot } from '../../wasm/gyeot/types.js';
import type { Site } from './site.js';
import { newTurn, type Turn } from './turn.js';

export interface Listener {
  /** A message to show. */
  said(turn: Turn): void;
  /** A question waits for its answer, or no longer does. */
  waiting(turn: Turn, still: boolean): void;
  failed(error: unknown): void;
}

/** The first look at a message, by rule, that needs no model. */
export interface Watch {
  check(text: string): { answers: string[]; help: Turn['help'] } | null;
}

/** A sentence this near to a row stands on its own, however short it is. */
const ownRight = 0.95;

const followUpWords = 2;
const followUpLength = 12;

/** A response is not given again within this many messages while the group has others. */
const repeatWithin = 8;

/** A vote share below this is noise, not another story to offer. */
const leastShare = 0.08;

export function isFollowUp(text: string): boolean {
  const words = text.trim().split(/\s+/);
  return words.length <= followUpWords && [...text.trim()].length <= followUpLength;
}

/** Other stories worth offering: the nearest question of each group that lost the vote. */
export function otherStories(answer: Answer, site: Site): string[] {
  if (answer.kind === 'crisis') return [];
  if (answer.kind === 'match' && answer.margin >= site.chips.margin) return [];
  return answer.candidates
    .filter((candidate) => candidate.group !== answer.group || answer.kind === 'fallback')
    .filter((candidate) => candidate.share >= leastShare)
    .filter((candidate) => !candidate.group.startsWith('위험/'))
    .map((candidate) => candidate.best.question)
    .filter((question, at, all) => all.indexOf(question) === at)
    .slice(0, site.chips.count);
}

export class Conversation {
  readonly turns: Turn[] = [];
  /** Early rule check, used until the bot itself is ready. */
  watch: Watch | null = null;

  #site: Site;
  #starters: () => string[];
  #listener: Listener;
  #ready: () => Promise<GyeotBot>;
  #bot: () => GyeotBot | null;
  #queue: Promise<void> = Promise.resolve();
  #fallbacks = 0;
  #generation = 0;

  /** `starters` are sentences that the table in use can answer. */
  constructor(
    site: Site,
    starters: () => string[],
    bot: () => GyeotBot | null,
    ready: () => Promise<GyeotBot>,
    listener: Listener,
  ) {
    this.#site = site;
    this.#starters = starters;
    this.#bot = bot;
    this.#ready = ready;
    this.#listener = listener;
  }

  /** Takes a message; its answer follows in order. */
  say(text: string): void {
    const before = this.#previous();
    const turn = newTurn('you', 'text', text);
    this.#add(turn);
    const danger = this.#bot() ? null : this.watch?.check(text.normalize('NFC'));
    if (danger) {
      const reply = newTurn('bot', 'crisis', danger.answers[0] ?? '');
      reply.help = danger.help;
      this.#add(reply);
      return;
    }
    const generation = this.#generation;
    this.#listener.waiting(turn, true);
    this.#queue = this.#queue.then(async () => {
      try {
        const bot = await this.#ready();
        if (generation !== this.#generation) return;
        const reply = await this.#reply(bot, text, before);
        if (generation === this.#generation) this.#add(reply);
      } catch (error) {
        this.#listener.failed(error);
      } finally {
        this.#listener.waiting(turn, false);
      }
    });
  }

  /** Empties the conversation; answers on their way are dropped. */
  clear(): void {
    this.#generation++;
    this.turns.length = 0;
  }

  #add(turn: Turn): void {
    this.turns.push(turn);
    this.#listener.said(turn);
  }

  /** The visitor's last words, unless they were met by a warning. */
  #previous(): string | null {
    const last = this.turns.at(-1);
    if (last?.kind === 'crisis') return null;
    return this.turns.findLast((turn) => turn.who === 'you')?.text ?? null;
  }

  async #reply(bot: GyeotBot, text: string, before: string | null): Promise<Turn> {
    let answer = await bot.ask(text);
    let read = text;
    let joined: string | null = null;
    const alone = answer.kind === 'crisis' || answer.help.length > 0;
    if (before && isFollowUp(text) && !alone && answer.score < ownRight) {
      const together = await bot.ask(`${before} ${text}`);
      if (together.kind !== 'fallback') {
        answer = together;
        read = `${before} ${text}`;
        joined = before;
      }
    }
    const reply = newTurn('bot', answer.kind, this.#wording(answer));
    if (answer.help.length > 0) reply.help = answer.help;
    reply.chips = otherStories(answer, this.#site);
    if (answer.kind === 'fallback' && reply.chips.length === 0) {
      reply.chips = this.#starters().slice(0, this.#site.chips.count);
    }
    reply.reason = { read, joined, threshold: bot.table?.threshold ?? 0, answer };
    return reply;
  }

  /** The answer given, or another that serves as well where that one was said a moment ago. */
  #wording(answer: Answer): string {
    if (answer.answer === null) return this.#fallback();
    const recent = new Set(this.turns.slice(-repeatWithin).map((turn) => turn.text));
    return answer.answers.find((text) => !recent.has(text)) ?? answer.answer;
  }

  #fallback(): string {
    const lines = this.#site.fallback;
    return lines[this.#fallbacks++ % Math.max(1, lines.length)] ?? '';
  }
}
