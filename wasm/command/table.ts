/** `gyeot table`: a spreadsheet becomes a built table. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { GyeotError } from '../core/index.js';
import type { TableMeta } from '../gyeot/table.js';
import { parseRows, parseTable } from './csv.js';
import type { CsvResult } from './csv.js';
import { jobsHelp, jobsOf, loadBot } from './options.js';
import type { Command, Options } from './options.js';
import { buildTable, report } from './tables.js';
import type { Terminal } from './terminal.js';

/** Options of every command that reads a spreadsheet. */
export const csvOptions = {
  question: { type: 'string' },
  answer: { type: 'string' },
  group: { type: 'string' },
  'no-header': { type: 'boolean' },
  encoding: { type: 'string' },
  sheet: { type: 'string' },
} as const;

export const csvHelp = `  --question, --answer, --group NAME   columns, by name or number; guessed from usual headers
  --no-header                          the first row is one of the table's
  --encoding NAME                      of a CSV; default: found out (UTF-8, CP949, UTF-16)
  --sheet NAME                         of an .xlsx, by name or number; default: the first`;

export const table: Command = {
  summary: 'A spreadsheet to a built table (safetensors)',
  help: `
gyeot table FAQ.csv|FAQ.xlsx --out FILE.safetensors [--model DIR]

Reads commas, tabs or semicolons, or an Excel workbook; empty answers are served by the others of their
group. Vectors of questions that FILE holds already are taken over, so a second run embeds only what is
new; a run that was stopped goes on where it was.

${csvHelp}
  --vectors f32|i8                     default f32; i8 is a quarter of the size
  --out FILE.json                      the table in parts of 20 MiB, for hosts that limit a file's size
  --title, --license, --language TEXT  written into the table
  --threshold, --margin NUMBER         written into the table; without one, the threshold that 5 % of
                                       sentences from elsewhere reach; see gyeot calibrate
${jobsHelp}
  --json                               what was built, as one JSON object

  gyeot table faq.csv --out faq.safetensors --title "우리 가게"`,
  options: {
    ...csvOptions,
    model: { type: 'string' },
    out: { type: 'string' },
    vectors: { type: 'string' },
    title: { type: 'string' },
    license: { type: 'string' },
    language: { type: 'string' },
    threshold: { type: 'string' },
    margin: { type: 'string' },
    jobs: { type: 'string' },
    json: { type: 'boolean' },
  },
  positionals: ['FAQ.csv'],
  async run(options, terminal, signal) {
    const out = options.text('out');
    if (out === undefined) throw new GyeotError('argument', '--out FILE.safetensors is missing');
    const { rows } = await readCsv(options.positionals[0]!, options, terminal);
    const bot = await loadBot(options, terminal, signal, null);
    const vectors = options.choice('vectors', ['f32', 'i8'], 'f32');
    const built = await buildTable(
      bot, rows, out, { meta: metaOf(options), vectors, signal, workers: jobsOf(options) }, terminal);
    bot.close();
    report(terminal, out, built, options.flag('json'));
  },
};

function metaOf(options: Options): Omit<TableMeta, 'fingerprint'> {
  const meta: Omit<TableMeta, 'fingerprint'> = {};
  for (const name of ['title', 'license', 'language'] as const) {
    const text = options.text(name);
    if (text !== undefined) meta[name] = text;
  }
  for (const name of ['threshold', 'margin'] as const) {
    const text = options.text(name);
    if (text === undefined) continue;
    const value = Number(text);
    if (!Number.isFinite(value)) throw new GyeotError('argument', `--${name} takes a number, not "${text}"`);
    meta[name] = value;
  }
  return meta;
}

const startsWith = (bytes: Uint8Array, ...head: number[]): boolean =>
  head.every((byte, index) => bytes[index] === byte);

/** By what is in the file; its name may say anything. */
async function parseSpreadsheet(bytes: Uint8Array, file: string, options: Options): Promise<CsvResult> {
  const columns = {
    question: options.text('question'),
    answer: options.text('answer'),
    group: options.text('group'),
    header: !options.flag('no-header'),
  };
  const [encoding, wanted] = [options.text('encoding'), options.text('sheet')];
  if (startsWith(bytes, 0xd0, 0xcf, 0x11, 0xe0)) {
    throw new GyeotError(
      'unsupported',
      `${file} is a workbook of an old kind (.xls) or one with a password; save it as .xlsx or CSV`,
      { file },
    );
  }
  if (startsWith(bytes, 0x50, 0x4b)) {
    if (encoding !== undefined) throw new GyeotError('argument', '--encoding is for CSV; a workbook has its own');
    const { readWorkbook } = await import('./xlsx.js');
    const { name, cells } = await readWorkbook(bytes, file, wanted);
    return { ...parseRows(cells, file, columns), encoding: `sheet "${name}"` };
  }
  if (wanted !== undefined) throw new GyeotError('argument', `--sheet is for workbooks; ${file} is none`);
  return parseTable(bytes, file, { ...columns, encoding });
}

/** Reads a spreadsheet and says what was made of it. */
export async function readCsv(file: string, options: Options, terminal: Terminal): Promise<CsvResult> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(file);
  } catch (cause) {
    throw new GyeotError('not-found', `${file} could not be read: ${(cause as Error).message}`, { file, cause });
  }
  const result = await parseSpreadsheet(bytes, path.basename(file), options);
  const { rows, columns, encoding, empty, duplicates } = result;
  const left = [
    empty ? `${empty} without a question` : '',
    duplicates ? `${duplicates} repeated` : '',
  ].filter(Boolean);
  terminal.note(
    `${path.basename(file)}: ${rows.length} rows (${encoding}; question "${columns.question}", ` +
      `answer "${columns.answer}", group ${columns.group === null ? 'none' : `"${columns.group}"`})` +
      (left.length ? `; left out: ${left.join(', ')}` : ''),
  );
  return result;
}
