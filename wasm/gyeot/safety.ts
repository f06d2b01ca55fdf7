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

interface Variant {
  patterns: Pattern[];
  answers: string[];
  help: HelpLine[];
}

interface Category extends Variant {
  id: string;
  exceptions: RegExp[];
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

/** How many patterns are tried as one: 20 take a third of the time that they take one by one. */
const together = 20;

/** What an expression without the flag u reads as something else. */
const needsCodePoints = /\\[pu]\{|[\u{10000}-\u{10ffff}]/iu;

/** How many expressions are compiled between two pauses. */
const fewAtATime = 8;

export class SafetyRules {
  readonly help: HelpLine[];
  readonly #exceptions: RegExp[];
  readonly #categories: Category[];

  private constructor(help: HelpLine[], exceptions: RegExp[], categories: Category[]) {
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
    const exceptions = (sources: string[] | undefined, id: string): RegExp[] =>
      (sources ?? []).map((source) => compile(source, id));
    const variant = (from: VariantFile, id: string, help: HelpLine[] = []): Variant => ({
      patterns: patterns(from.patterns ?? [], (part) => compile(part, id)),
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
   * Compiles the rules ahead of the first check, a few at a time: `pause` lets a page draw and take
   * input in between.
   */
  async warm(pause: () => Promise<void>): Promise<void> {
    // Engines compile in two steps, at the first and at the second use.
    for (const text of ['가', '나']) {
      without(text, this.#exceptions);
      for (const { patterns, exceptions } of this.#categories) {
        const left = without(text, exceptions);
        for (const [at, one] of patterns.entries()) {
          if (at % fewAtATime === 0) await pause();
          met(one, left);
        }
      }
    }
  }

  /** The first category that a text speaks of; spacing, punctuation, case and ㅋㅋ make no difference. */
  check(text: string): Danger | null {
    const texts = readings(text).map((reading) => without(reading, this.#exceptions));
    for (const { id, patterns, exceptions, variants, answers, help } of this.#categories) {
      const left = texts.map((reading) => without(reading, exceptions));
      if (!left.some((reading) => patterns.some((one) => met(one, reading)))) continue;
      const variant = variants.find((one) =>
        left.some((reading) => one.patterns.some((part) => met(part, reading))));
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

function patterns(sources: (string | string[])[], compile: (part: string) => RegExp): Pattern[] {
  const single = sources.filter((source) => typeof source === 'string');
  const several = sources.filter((source) => typeof source !== 'string');
  const joined: Pattern[] = [];
  for (let i = 0; i < single.length; i += together) {
    const some = single.slice(i, i + together);
    // Each alone first, so that a broken one is named.
    for (const source of some) compile(source);
    joined.push({ need: [compile(some.map((source) => `(?:${source})`).join('|'))], unless: [] });
  }
  return [...joined, ...several.map((parts) => ({
    need: parts.filter((part) => !part.startsWith('!')).map(compile),
    unless: parts.filter((part) => part.startsWith('!')).map((part) => compile(part.slice(1))),
  }))];
}

function without(text: string, exceptions: RegExp[]): string {
  return exceptions.reduce((rest, exception) => rest.replace(exception, ' '), text);
}

function met({ need, unless }: Pattern, text: string): boolean {
  const [first, ...others] = need;
  if (!first || !need.every((part) => has(part, text))) return false;
  if (others.length === 0 && unless.length === 0) return true;
  // All are there; now look whether they stand together.
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
