/** `gyeot export`: a table for the engines that people already run. */
import { createWriteStream } from 'node:fs';
import { once } from 'node:events';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { GyeotError } from '../core/index.js';
import type { Table } from '../gyeot/table.js';
import type { Command } from './options.js';
import { defaultTable } from './places.js';
import { openTable, writeWhole } from './tables.js';

export const exportTable: Command = {
  summary: 'A table as Parquet, JSON lines or SQL for pgvector',
  help: `
gyeot export [--table FILE] --to parquet|jsonl|pgvector --out FILE [--name TABLE] [--json]

Columns: id, group, question, answer, vector (of floats). The SQL makes the table TABLE (gyeot_rows) and
an index for cosine distance; "group" is called grp there. --json says what was written, as one JSON
object.

  gyeot export --table faq.safetensors --to parquet --out faq.parquet`,
  options: {
    table: { type: 'string' },
    to: { type: 'string' },
    out: { type: 'string' },
    name: { type: 'string' },
    json: { type: 'boolean' },
  },
  positionals: [],
  async run(options, terminal) {
    const file = options.text('table') ?? defaultTable();
    const out = options.text('out');
    if (out === undefined) throw new GyeotError('argument', '--out FILE is missing');
    if (options.text('to') === undefined) {
      throw new GyeotError('argument', '--to parquet, jsonl or pgvector is missing');
    }
    const to = options.choice('to', ['parquet', 'jsonl', 'pgvector'], 'jsonl');
    const table = await openTable(file);
    if (to === 'parquet') await writeWhole(out, parquet(table));
    else await writeLines(out, to === 'jsonl' ? jsonLines(table) : sql(table, options.text('name')));
    const { rows, dimension } = table;
    if (options.flag('json')) terminal.print(JSON.stringify({ out, to, rows, dimension }));
    else terminal.note(`${out}: ${rows} rows`);
  },
};

function parquet(table: Table): Uint8Array {
  const rows = Array.from({ length: table.rows }, (_, row) => table.texts(row));
  return new Uint8Array(parquetWriteBuffer({
    columnData: [
      { name: 'id', data: Int32Array.from({ length: table.rows }, (_, row) => row) },
      { name: 'group', data: rows.map(({ group }) => group) },
      { name: 'question', data: rows.map(({ question }) => question) },
      { name: 'answer', data: rows.map(({ answer }) => answer) },
      { name: 'vector', data: rows.map((_, row) => Array.from(table.vectors.row(row))) },
    ],
    schema: [
      { name: 'root', num_children: 5 },
      { name: 'id', type: 'INT32', repetition_type: 'REQUIRED' },
      { name: 'group', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'REQUIRED' },
      { name: 'question', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'REQUIRED' },
      { name: 'answer', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'REQUIRED' },
      { name: 'vector', converted_type: 'LIST', repetition_type: 'REQUIRED', num_children: 1 },
      { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
      { name: 'element', type: 'FLOAT', repetition_type: 'REQUIRED' },
    ],
    kvMetadata: [
      { key: 'fingerprint', value: table.meta.fingerprint },
      { key: 'dimension', value: String(table.dimension) },
    ],
  }));
}

function* jsonLines(table: Table): Generator<string> {
  for (let row = 0; row < table.rows; row++) {
    const { group, question, answer } = table.texts(row);
    yield JSON.stringify({ id: row, group, question, answer, vector: Array.from(table.vectors.row(row)) });
  }
}

function* sql(table: Table, name = 'gyeot_rows'): Generator<string> {
  if (!/^[a-z_][a-z0-9_]{0,62}$/i.test(name)) {
    throw new GyeotError('argument', `--name takes a plain SQL name, not "${name}"`);
  }
  // Text with a backslash is an E'' string, which reads the same whatever standard_conforming_strings is.
  // A client may send the file in one piece, so setting that here would come too late. PostgreSQL has no
  // NUL in a text.
  const quote = (text: string) => {
    const plain = text.replaceAll('\0', '').replaceAll("'", "''");
    return plain.includes('\\') ? `E'${plain.replaceAll('\\', '\\\\')}'` : `'${plain}'`;
  };
  yield 'BEGIN;';
  yield 'CREATE EXTENSION IF NOT EXISTS vector;';
  yield `CREATE TABLE ${name} (id integer PRIMARY KEY, grp text NOT NULL, question text NOT NULL, ` +
    `answer text NOT NULL, vector vector(${table.dimension}) NOT NULL);`;
  yield `COMMENT ON TABLE ${name} IS ${quote(`model ${table.meta.fingerprint}`)};`;
  for (let row = 0; row < table.rows; row++) {
    const { group, question, answer } = table.texts(row);
    yield `INSERT INTO ${name} VALUES (${row}, ${quote(group)}, ${quote(question)}, ${quote(answer)}, ` +
      `'[${table.vectors.row(row).join(',')}]');`;
  }
  yield `CREATE INDEX ON ${name} USING hnsw (vector vector_cosine_ops);`;
  yield 'COMMIT;';
}

async function writeLines(out: string, lines: Iterable<string>): Promise<void> {
  const stream = createWriteStream(out);
  for (const line of lines) {
    if (!stream.write(`${line}\n`)) await once(stream, 'drain');
  }
  stream.end();
  await once(stream, 'finish');
}
