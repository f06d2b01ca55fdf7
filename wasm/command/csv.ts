/** Spreadsheets as people save them: encodings, delimiters, headers, and errors that name the cell. */
import Papa from 'papaparse';
import iconv from 'iconv-lite';
import { GyeotError } from '../core/index.js';
import type { Texts } from '../gyeot/table.js';

export interface CsvOptions {
  /** A name that iconv knows; default: found out. */
  encoding?: string | undefined;
  /** Column names or numbers from 1; default: guessed from usual headers. */
  question?: string | undefined;
  answer?: string | undefined;
  group?: string | undefined;
  /** Whether the first row names the columns. Default true. */
  header?: boolean;
}

export interface CsvResult {
  rows: Texts[];
  /** For people: the encoding that was read, or the sheet of a workbook. */
  encoding: string;
  /** Names of the columns that were taken. */
  columns: { question: string; answer: string; group: string | null };
  /** Rows left out: without a question, or the very same row again. */
  empty: number;
  duplicates: number;
}

/** The text of a file: by its byte order mark, else UTF-8 when it is valid, else CP949. */
export function decodeText(
  bytes: Uint8Array,
  file: string,
  encoding?: string,
): { text: string; encoding: string } {
  const { text, encoding: chosen, broken } = decode(bytes, encoding);
  if (broken >= 0) {
    const line = text.slice(0, broken).split('\n').length;
    throw new GyeotError('encoding', `${file}: line ${line} ${notIn(chosen)}`, { file });
  }
  return { text, encoding: chosen };
}

const notIn = (encoding: string): string =>
  `is not ${encoding} text; say which with --encoding (utf-8, cp949, utf-16le)`;

/** `broken` is where the text has a character that the encoding does not explain, or -1. */
function decode(
  bytes: Uint8Array,
  encoding?: string,
): { text: string; encoding: string; broken: number } {
  const chosen = encoding ?? guessEncoding(bytes);
  if (!iconv.encodingExists(chosen)) {
    throw new GyeotError('argument', `There is no encoding "${chosen}"; utf-8, cp949 and utf-16 are usual`);
  }
  const text = iconv.decode(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), chosen);
  // In UTF-8 that was found valid, the replacement character is one that somebody wrote.
  const written = encoding === undefined && chosen === 'utf-8';
  return { text, encoding: chosen, broken: written ? -1 : text.indexOf('\ufffd') };
}

function guessEncoding(bytes: Uint8Array): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le';
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be';
  // UTF-16 without a mark: delimiters and line ends leave a zero in every second byte.
  const head = bytes.subarray(0, 4096);
  let even = 0;
  let odd = 0;
  head.forEach((byte, index) => {
    if (byte === 0) index % 2 ? odd++ : even++;
  });
  if (odd + even > head.length / 50) return odd > even ? 'utf-16le' : 'utf-16be';
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return 'utf-8';
  } catch {
    return 'cp949';
  }
}

const headers = {
  question: ['유저', '질문', '문의', '발화', '사용자', '질의', '문장', '물음', '사용자발화', '질문내용', '문의내용',
    'user', 'question', 'q', 'utterance', 'query', 'input', 'title', '제목'],
  answer: ['챗봇', '답변', '응답', '답', '대답', '시스템응답', '답변내용', '회신',
    'bot', 'chatbot', 'answer', 'a', 'response', 'reply', 'output', '내용'],
  group: ['구분', '분류', '그룹', '카테고리', '주제', '유형', '의도', '대분류', '항목',
    'group', 'category', 'intent', 'label', 'topic', 'class', 'type'],
} as const;

type Column = keyof typeof headers;

const squeeze = (name: string): string => name.normalize('NFC').toLowerCase().replace(/[\s_()[\]-]/gu, '');

export function parseTable(bytes: Uint8Array, file: string, options: CsvOptions = {}): CsvResult {
  const { text, encoding, broken } = decode(bytes, options.encoding);
  if (/^\ufeff?\s*<(!doctype|html)\b/i.test(text)) {
    throw new GyeotError('csv', `${file} is an HTML page, not a spreadsheet; save it as CSV or .xlsx`, { file });
  }
  const parsed = Papa.parse<string[]>(text.replace(/^\ufeff/, ''), {
    delimitersToGuess: [',', '\t', ';', '|'],
    skipEmptyLines: false,
  });
  const quotes = parsed.errors.find((error) => error.type === 'Quotes');
  if (quotes) {
    fail(file, (quotes.row ?? 0) + 1, null, 'a quotation mark is opened and not closed, or stands inside a cell');
  }
  if (broken >= 0) refuseBroken(parsed.data, file, encoding);
  return { ...parseRows(parsed.data, file, options), encoding };
}

function refuseBroken(rows: string[][], file: string, encoding: string): never {
  const row = rows.findIndex((cells) => cells.some((cell) => cell.includes('\ufffd')));
  const column = rows[row]!.findIndex((cell) => cell.includes('\ufffd'));
  const name = row === 0 ? `${column + 1}` : `"${rows[0]![column]?.trim() ?? column + 1}"`;
  throw new GyeotError('encoding', `${file}: row ${row + 1}, column ${name} ${notIn(encoding)}`, { file });
}

/** Rows of cells, the header first, as they stand in any kind of spreadsheet. */
export function parseRows(
  cells: string[][],
  file: string,
  options: CsvOptions,
): Omit<CsvResult, 'encoding'> {
  const named = options.header !== false;
  if (!named) {
    // Columns by number, in the order of a table of three or two.
    const width = cells.slice(0, 20).reduce((most, row) => Math.max(most, row.length), 0);
    const [question, answer, group] = width >= 3 ? ['2', '3', '1'] : ['1', '2'];
    const { question: q = question, answer: a = answer, group: g = group } = options;
    options = { question: q, answer: a, group: g };
    cells = [Array.from({ length: width }, (_, column) => `${column + 1}`), ...cells];
  }
  const [header, ...body] = cells;
  if (!header || header.length === 0 || header.every((cell) => cell.trim() === '')) {
    throw new GyeotError('csv', `${file} is empty`, { file });
  }
  const columns = {
    question: findColumn(header, 'question', options.question, file, true)!,
    answer: findColumn(header, 'answer', options.answer, file, true)!,
    group: findColumn(header, 'group', options.group, file, false),
  };
  return collect(body, columns, header, file, named ? 2 : 1);
}

function findColumn(
  header: string[],
  column: Column,
  wanted: string | undefined,
  file: string,
  required: boolean,
): number | null {
  const names = header.map(squeeze);
  if (wanted !== undefined) {
    const byName = names.indexOf(squeeze(wanted));
    if (byName >= 0) return byName;
    const number = Number(wanted);
    if (Number.isInteger(number) && number >= 1 && number <= header.length) return number - 1;
    throw new GyeotError('csv', `${file} has no column "${wanted}"; it has ${list(header)}`, { file });
  }
  for (const name of headers[column]) {
    const found = names.indexOf(name);
    if (found >= 0) return found;
  }
  if (!required) return null;
  throw new GyeotError(
    'csv',
    `${file}: which column is the ${column} is not clear; it has ${list(header)}. ` +
      `Say with --${column} NAME (or its number), or --no-header where the first row is one of the table's`,
    { file },
  );
}

const list = (header: string[]): string => header.map((name) => `"${name.trim()}"`).join(', ');

function collect(
  body: string[][],
  columns: { question: number; answer: number; group: number | null },
  header: string[],
  file: string,
  firstRow: number,
): Omit<CsvResult, 'encoding'> {
  const rows: Texts[] = [];
  const places: number[] = [];
  const seen = new Set<string>();
  const answered = new Set<string>();
  let empty = 0;
  let duplicates = 0;
  const cell = (row: string[], column: number | null): string =>
    column === null ? '' : (row[column] ?? '').normalize('NFC').trim();
  body.forEach((cells, index) => {
    const question = cell(cells, columns.question);
    if (question === '') {
      // A last line end makes a record of one empty cell; that is no row.
      if (cells.some((value) => value.trim() !== '')) empty++;
      return;
    }
    const row = { question, answer: cell(cells, columns.answer), group: cell(cells, columns.group) };
    const key = JSON.stringify([row.question, row.answer, row.group]);
    if (seen.has(key)) {
      duplicates++;
      return;
    }
    seen.add(key);
    if (row.answer !== '') answered.add(row.group);
    rows.push(row);
    places.push(index + firstRow);
  });
  const answerName = header[columns.answer]!.trim();
  rows.forEach((row, index) => {
    if (row.answer !== '' || (row.group !== '' && answered.has(row.group))) return;
    const group = row.group === '' ? 'it has no group' : `no row of "${row.group}" has one`;
    fail(file, places[index]!, answerName, `the answer is empty and ${group}`);
  });
  if (rows.length === 0) throw new GyeotError('csv', `${file} has no row with a question`, { file });
  return {
    rows,
    columns: {
      question: header[columns.question]!.trim(),
      answer: answerName,
      group: columns.group === null ? null : header[columns.group]!.trim(),
    },
    empty,
    duplicates,
  };
}

function fail(file: string, row: number, column: string | null, what: string): never {
  const where = column === null ? `row ${row}` : `row ${row}, column "${column}"`;
  throw new GyeotError('csv', `${file}: ${where}: ${what}`, { file });
}
