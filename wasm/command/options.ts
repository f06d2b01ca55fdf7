/** Command-line options, checked, with messages that say what would be right. */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { GyeotError } from '../core/index.js';
import { Gyeot } from '../gyeot/node.js';
import type { Source } from '../gyeot/types.js';
import type { Terminal } from './terminal.js';

export interface Command {
  summary: string;
  help: string;
  options: Record<string, { type: 'string' | 'boolean'; short?: string }>;
  /** Names of the positional arguments; the last may end in `?`. */
  positionals: string[];
  run(options: Options, terminal: Terminal, signal: AbortSignal): Promise<number | void>;
}

export class Options {
  readonly #values: Record<string, unknown>;
  readonly positionals: string[];

  constructor(values: Record<string, unknown>, positionals: string[]) {
    this.#values = values;
    this.positionals = positionals;
  }

  text(name: string): string | undefined {
    return this.#values[name] as string | undefined;
  }

  flag(name: string): boolean {
    return this.#values[name] === true;
  }

  count(name: string, fallback: number): number {
    const text = this.text(name);
    if (text === undefined) return fallback;
    const value = Number(text);
    if (Number.isInteger(value) && value >= 1) return value;
    throw new GyeotError('argument', `--${name} takes a whole number from 1, not "${text}"`);
  }

  choice<T extends string>(name: string, values: readonly T[], fallback: T): T {
    const text = this.text(name);
    if (text === undefined) return fallback;
    if (values.includes(text as T)) return text as T;
    throw new GyeotError('argument', `--${name} takes ${values.join(', ')}, not "${text}"`);
  }
}

export function parse(command: Command, argv: string[]): Options {
  let values: Record<string, unknown>;
  let positionals: string[];
  try {
    ({ values, positionals } = parseArgs({
      args: argv,
      options: { quiet: { type: 'boolean' }, ...command.options },
      allowPositionals: true,
    }));
  } catch (cause) {
    throw new GyeotError('argument', (cause as Error).message, { cause });
  }
  const required = command.positionals.filter((name) => !name.endsWith('?'));
  if (positionals.length < required.length) {
    throw new GyeotError('argument', `${required[positionals.length]} is missing; see --help`);
  }
  if (positionals.length > command.positionals.length) {
    throw new GyeotError(
      'argument',
      `"${positionals[command.positionals.length]}" is one argument too many; quote texts with spaces`,
    );
  }
  return new Options(values, positionals);
}

export const jobsHelp =
  '  --jobs N                             engines that embed side by side; default: one a core, 4 at most';

/** How many engines share the texts. */
export function jobsOf(options: Options): number {
  return options.count('jobs', Math.min(4, availableParallelism()));
}

/** Loads the model that the options name, with the table that they name or `table`. */
export async function loadBot(
  options: Options,
  terminal: Terminal,
  signal: AbortSignal,
  table: Source | null | undefined,
): Promise<Gyeot> {
  const model = options.text('model');
  const bot = await Gyeot.load({
    ...(model === undefined ? {} : { model }),
    ...(table === undefined ? {} : { table }),
    signal,
    onProgress: (progress) => terminal.progress(progress),
  });
  terminal.clear();
  return bot;
}
