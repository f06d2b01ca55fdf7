/** `gyeot`: the command. One file a sub-command; this one chooses, and turns errors into one line. */
import { GyeotError } from '../core/index.js';
import { build } from './build.js';
import { calibrate } from './calibrate.js';
import { evaluate } from './eval.js';
import { exportTable } from './export.js';
import { serve } from './serve.js';
import { table } from './table.js';
import { embed, match, tokenize } from './texts.js';
import { verify } from './verify.js';
import { terminal } from './terminal.js';
import { parse } from './options.js';
import type { Command } from './options.js';

declare const GYEOT_VERSION: string;

const commands: Record<string, Command> = {
  tokenize, embed, match, eval: evaluate, table, build, serve, verify, calibrate, export: exportTable,
};

function overview(): string {
  const names = Object.entries(commands).map(
    ([name, { summary }]) => `  ${name.padEnd(10)} ${summary}`,
  );
  return [
    'gyeot: answers from your own table',
    '',
    ...names,
    '',
    'gyeot COMMAND --help tells more, with an example. For every command:',
    '  --quiet    no progress and no remarks',
    '  --version  the version',
    '',
    'Exit codes: 0 done, 1 done and something was found wanting (verify), 2 an error, 130 stopped.',
  ].join('\n');
}

async function main(argv: string[]): Promise<number> {
  const [name, ...rest] = argv;
  if (name === '--version' || name === '-v') {
    process.stdout.write(`${GYEOT_VERSION}\n`);
    return 0;
  }
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    const wanted = name === 'help' ? rest[0] : undefined;
    process.stdout.write(`${wanted ? helpOf(wanted) : overview()}\n`);
    return 0;
  }
  const command = find(name);
  if (rest.includes('--help') || rest.includes('-h')) {
    process.stdout.write(`${helpOf(name)}\n`);
    return 0;
  }
  const options = parse(command, rest);
  const screen = terminal(options.flag('quiet'));
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  try {
    return (await command.run(options, screen, stop.signal)) ?? 0;
  } finally {
    screen.clear();
  }
}

function find(name: string): Command {
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command) return command;
  throw new GyeotError(
    'argument',
    `There is no command "${name}"; there are ${Object.keys(commands).join(', ')}`,
  );
}

function helpOf(name: string): string {
  const { summary, help } = find(name);
  return `${summary}\n\n${help.trim()}`;
}

// A reader that closes early (`| head`) is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    const { syscall, path: file, message } = error as NodeJS.ErrnoException;
    if (syscall !== undefined) {
      process.stderr.write(`gyeot: ${file === undefined ? '' : `${file}: `}${message.replace(/, \w+ '.*$/, '')}\n`);
      process.exitCode = 2;
      return;
    }
    if (!(error instanceof GyeotError)) {
      process.stderr.write(`gyeot: a mistake of its own: ${(error as Error)?.stack ?? String(error)}\n`);
      process.exitCode = 2;
      return;
    }
    process.stderr.write(`gyeot: ${error.message.replace(/\s*\n\s*/g, ' ')}\n`);
    process.exitCode = error.code === 'aborted' ? 130 : 2;
  },
);
