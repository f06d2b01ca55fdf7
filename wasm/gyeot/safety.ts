/** Safety rules: words of danger are met before any table is searched. Format: model/SAFETY.md. */
import { GyeotError } from '../core/index.js';
import { fold, readings } from './spelling.js';
import type { HelpLine } from './types.js';

export interface Danger {
  /** The category's id. */
  category: string;
  answers: string[];
  help: HelpLine[];
}

/** All of `need` stand near each other, and none of `unless` does. */
interface Pattern {
  need: RegExp[];
  unless: RegExp[];
}

/** Items of which none is met where `any` is not, as in most texts. */
interface Batch<T> {
  any: RegExp;
  of: T[];
}

interface Variant {
  batches: Batch<Pattern>[];
  answers: string[];
  help: HelpLine[];
}

interface Category extends Variant {
  id: string;
  exceptions: Batch<RegExp>[];
  variants: Variant[];
}

interface RulesFile {
  format?: unknown;
  version?: unknown;
  help?: HelpLine[];
  words?: Record<string, string[]>;
  exceptions?: string[];
  categories?: CategoryFile[];
}

interface VariantFile {
  patterns?: (string | string[])[];
  answer?: string[];
  help?: string[];
}

interface CategoryFile extends VariantFile {
  id: string;
  exceptions?: string[];
  variants?: VariantFile[];
}

/** How far apart, in letters, the parts of one pattern may stand. */
const near = 60;

/** How many expressions are tried as one: 20 take a third of the time that they take one by one. */
const together = 20;

/** What an expression without the flag u reads as something else. */
const needsCodePoints = /\\[pu]\{|[\u{10000}-\u{10ffff}]/iu;

export class SafetyRules {
  readonly help: HelpLine[];
  readonly #exceptions: Batch<RegExp>[];
  readonly #categories: Category[];

  private constructor(help: HelpLine[], exceptions: Batch<RegExp>[], categories: Category[]) {
    this.help = help;
    this.#exceptions = exceptions;
    this.#categories = categories;
  }

  /** Reads a rules file (`gyeot-safety`, version 1), already parsed from JSON. */
  static parse(json: unknown): SafetyRules {
    const file = json as RulesFile | null;
    if (file?.format !== 'gyeot-safety' || file.version !== 1 || !Array.isArray(file.categories)) {
      throw new GyeotError('format', 'The safety rules are not a gyeot-safety file of version 1');
    }
    const lines = file.help ?? [];
    const compile = compiler(file.words ?? {});
    const exceptions = (sources: string[] = [], id: string): Batch<RegExp>[] => {
      const own = (source: string): RegExp => compile(source, id);
      return batched(sources.map(own), (one) => one, own);
    };
    const variant = (from: VariantFile, id: string, help: HelpLine[] = []): Variant => ({
      batches: patterns(from.patterns ?? [], (part) => compile(part, id)),
      answers: from.answer ?? [],
      help: from.help ? lines.filter((line) => from.help?.includes(line.number)) : help,
    });
    const categories = file.categories.map((from): Category => {
      const whole = variant(from, from.id);
      const variants = (from.variants ?? []).map((one) => variant(one, from.id, whole.help));
      return { ...whole, id: from.id, exceptions: exceptions(from.exceptions, from.id), variants };
    });
    return new SafetyRules(lines, exceptions(file.exceptions, 'all categories'), categories);
  }

  /**
   * Compiles the rules ahead of the first check, a batch at a time: `pause` lets a page draw and take
   * input in between.
   */
  async warm(pause: () => Promise<void>): Promise<void> {
    // Engines compile in two steps, at the first and at the second use.
    for (const text of ['가', '나']) {
      for (const batch of this.#exceptions) {
        await pause();
        without(text, [batch]);
      }
      for (const { batches, exceptions } of this.#categories) {
        const left = without(text, exceptions);
        for (const batch of batches) {
          await pause();
          met(batch, left);
        }
      }
    }
  }

  /** The first category that a text speaks of; spacing, punctuation, case and ㅋㅋ make no difference. */
  check(text: string): Danger | null {
    const texts = readings(text).map((reading) => without(reading, this.#exceptions));
    for (const { id, batches, exceptions, variants, answers, help } of this.#categories) {
      const left = texts.map((reading) => without(reading, exceptions));
      if (!left.some((reading) => batches.some((one) => met(one, reading)))) continue;
      const variant = variants.find((one) =>
        left.some((reading) => one.batches.some((batch) => met(batch, reading))));
      return {
        category: id,
        answers: variant?.answers ?? answers,
        help: variant?.help ?? help,
      };
    }
    return null;
  }
}

/** Puts the words in place of their `<names>`, folds the spelling, and compiles; global, for exceptions. */
function compiler(words: Record<string, string[]>) {
  const known = new Map<string, string>();
  const fill = (source: string, id: string): string =>
    source.replace(/<(\p{L}+)>/gu, (_, name: string) => {
      const word = known.get(name);
      if (word === undefined) {
        throw new GyeotError('format', `The safety rule "${source}" of ${id} names <${name}>, which is no word before it`);
      }
      return word;
    });
  for (const [name, forms] of Object.entries(words)) {
    known.set(name, `(?:${forms.map((form) => fill(form, 'words')).join('|')})`);
  }
  const compiled = new Map<string, RegExp>();
  return (source: string, id: string): RegExp => {
    const before = compiled.get(source);
    if (before) return before;
    const filled = fold(fill(source, id));
    try {
      // The flag u refuses what is no pattern; without it there is half the code to fetch from memory.
      const strict = new RegExp(filled, 'gu');
      const expression = needsCodePoints.test(filled) ? strict : new RegExp(filled, 'g');
      compiled.set(source, expression);
      return expression;
    } catch (cause) {
      throw new GyeotError('format', `The safety rule "${source}" of ${id} is no pattern`, { cause });
    }
  };
}

function patterns(sources: (string | string[])[], compile: (part: string) => RegExp): Batch<Pattern>[] {
  const each = sources.map((source) => {
    const parts = typeof source === 'string' ? [source] : source;
    return {
      need: parts.filter((part) => part[0] !== '!').map(compile),
      unless: parts.filter((part) => part[0] === '!').map((part) => compile(part.slice(1))),
    };
  });
  return batched(each.filter(({ need }) => need.length > 0), ({ need }) => need[0]!, compile);
}

/** In batches by an expression of each that has to be met. */
function batched<T>(
  items: T[],
  expression: (item: T) => RegExp,
  compile: (part: string) => RegExp,
): Batch<T>[] {
  const batches: Batch<T>[] = [];
  for (let i = 0; i < items.length; i += together) {
    const of = items.slice(i, i + together);
    batches.push({ any: compile(of.map((one) => `(?:${expression(one).source})`).join('|')), of });
  }
  return batches;
}

function without(text: string, exceptions: Batch<RegExp>[]): string {
  return exceptions.reduce((rest, { any, of }) => (has(any, rest)
    ? of.reduce((left, exception) => left.replace(exception, ' '), rest)
    : rest), text);
}

function met({ any, of }: Batch<Pattern>, text: string): boolean {
  return has(any, text) && of.some((one) => nearby(one, text));
}

/** Whether all of a pattern stands together somewhere in a text. */
function nearby({ need, unless }: Pattern, text: string): boolean {
  const [first, ...others] = need as [RegExp, ...RegExp[]];
  first.lastIndex = 0;
  for (let found = first.exec(text); found; found = first.exec(text)) {
    const end = found.index + found[0].length;
    const around = text.slice(Math.max(0, found.index - near), end + near);
    if (others.every((part) => has(part, around)) && !unless.some((part) => has(part, around))) return true;
    if (found[0] === '') first.lastIndex++;
  }
  return false;
}

function has(part: RegExp, text: string): boolean {
  part.lastIndex = 0;
  return part.test(text);
}
