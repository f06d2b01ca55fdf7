/** Safety rules: words of danger are met before any table is searched. */
import { GyeotError } from '../core/index.js';
import type { HelpLine } from './types.js';

export interface Danger {
  /** The category's id. */
  category: string;
  answers: string[];
  help: HelpLine[];
}

interface Category {
  id: string;
  answers: string[];
  help: HelpLine[];
  patterns: RegExp[];
  exceptions: RegExp[];
}

export class SafetyRules {
  readonly help: HelpLine[];
  readonly #categories: Category[];

  private constructor(help: HelpLine[], categories: Category[]) {
    this.help = help;
    this.#categories = categories;
  }

  /** Reads a rules file (`gyeot-safety`, version 1), already parsed from JSON. */
  static parse(json: unknown): SafetyRules {
    const file = json as {
      format?: unknown; version?: unknown;
      help?: HelpLine[];
      categories?: { id: string; answer?: string[]; help?: string[]; patterns?: string[]; exceptions?: string[] }[];
    } | null;
    if (file?.format !== 'gyeot-safety' || file.version !== 1 || !Array.isArray(file.categories)) {
      throw new GyeotError('format', 'The safety rules are not a gyeot-safety file of version 1');
    }
    const help = file.help ?? [];
    const compile = (source: string, id: string, flags = 'u'): RegExp => {
      try {
        return new RegExp(source, flags);
      } catch (cause) {
        throw new GyeotError('format', `The safety rule "${source}" of ${id} is no pattern`, { cause });
      }
    };
    const categories = file.categories.map((category) => ({
      id: category.id,
      answers: category.answer ?? [],
      help: help.filter((line) => category.help?.includes(line.number)),
      patterns: (category.patterns ?? []).map((source) => compile(source, category.id)),
      // Global, so that every occurrence is taken out.
      exceptions: (category.exceptions ?? []).map((source) => compile(source, category.id, 'gu')),
    }));
    return new SafetyRules(help, categories);
  }

  /** The first category that a text speaks of; spacing, punctuation, case and ㅋㅋ make no difference. */
  check(text: string): Danger | null {
    const squeezed = squeeze(text);
    for (const { id, answers, help, patterns, exceptions } of this.#categories) {
      const left = exceptions.reduce((rest, pattern) => rest.replace(pattern, ' '), squeezed);
      if (patterns.some((pattern) => pattern.test(left))) return { category: id, answers, help };
    }
    return null;
  }
}

function squeeze(text: string): string {
  return text
    .normalize('NFC')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, '')
    .replace(/[ㅋㅠㅜ]+|ㅎ{2,}/gu, '')
    .replace(/(.)\1{2,}/gu, '$1');
}
