/** Building a table from rows, with what an earlier run has embedded already. */
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { GyeotError } from '../core/index.js';
import { locate } from '../gyeot/assets.js';
import { cutFile, listOf, partLimit } from '../gyeot/cut.js';
import { isList, readTable } from '../gyeot/parts.js';
import { Table } from '../gyeot/table.js';
import type { TableMeta, Texts } from '../gyeot/table.js';
import type { Gyeot } from '../gyeot/node.js';
import type { Terminal } from './terminal.js';
import { usualThreshold } from './threshold.js';

export interface BuildOptions {
  meta: Omit<TableMeta, 'fingerprint'>;
  vectors: 'f32' | 'i8';
  signal: AbortSignal;
  /** Engines that share the texts. */
  workers: number;
  /** Where an interrupted run leaves what it did; default: beside `out`. */
  partial?: string;
  /** Earlier tables to take vectors from; default: `out` itself. */
  earlier?: string[];
  /** Writes a table over the limit in parts, its list in place of `out`. */
  cut?: boolean;
}

export interface Built {
  table: Table;
  /** Where it is: `out`, or the list of its parts. */
  file: string;
  /** Questions that were not known from an earlier run. */
  embedded: number;
  seconds: number;
}

/** Texts that an engine embeds in one go; only whole goes are saved, so a resumed run cuts as this one. */
const textsAtOnce = 500;

/**
 * Builds a table and writes it. Vectors of the same question in an earlier `out`, or in what an
 * interrupted run left beside it, are taken over; an interrupted run leaves such a file.
 */
export async function buildTable(
  bot: Gyeot,
  rows: readonly Texts[],
  out: string,
  options: BuildOptions,
  terminal: Terminal,
): Promise<Built> {
  const { fingerprint, dimension } = bot.model;
  const { partial = `${out}.partial`, earlier = [out] } = options;
  // A folder that cannot be written to should not be met after the work.
  for (const file of [out, partial]) await mkdir(path.dirname(file), { recursive: true });
  const known = await earlierVectors([partial, ...earlier], fingerprint, options.vectors);
  const questions = [...new Set(rows.map((row) => row.question))];
  const missing = questions.filter((question) => !known.has(question));
  const chunk = textsAtOnce * options.workers;
  const begin = performance.now();
  let saved = begin;
  let saving = 0;
  let table: Table;
  try {
    for (let at = 0; at < missing.length; at += chunk) {
      const texts = missing.slice(at, at + chunk);
      const { data } = await bot.embed(texts, {
        kind: 'document',
        workers: options.workers,
        signal: options.signal,
        onProgress: ({ loaded }) =>
          terminal.progress({ phase: 'embed', loaded: at + loaded, total: missing.length }),
      });
      texts.forEach((text, index) =>
        known.set(text, data.subarray(index * dimension, (index + 1) * dimension)));
      const now = performance.now();
      // The file grows with every saving; a tenth of the time is enough for it.
      if (at + chunk < missing.length && now - saved > saving * 10) {
        await savePartial(partial, known, dimension, fingerprint);
        saved = performance.now();
        saving = saved - now;
      }
    }
    const vectors = new Float32Array(rows.length * dimension);
    rows.forEach((row, index) => vectors.set(known.get(row.question)!, index * dimension));
    table = Table.of(rows, vectors, dimension, { ...options.meta, fingerprint });
    // As it will be searched.
    if (options.vectors === 'i8') table = Table.parse(table.serialize('i8'), out);
    table.meta.threshold ??= await usualThreshold(bot, table, options.signal);
  } catch (error) {
    if (error instanceof GyeotError && error.code === 'aborted' && existsSync(partial)) {
      throw new GyeotError('aborted', `Stopped; the same command goes on from ${partial}`);
    }
    throw error;
  }
  const bytes = table.serialize(options.vectors);
  const file = options.cut && bytes.length > partLimit ? out.replace(/(\.\w+)?$/, '.json') : out;
  await writeTable(file, bytes);
  // A run that was killed while it saved has left the second.
  for (const rest of [partial, `${partial}.tmp`]) await rm(rest, { force: true });
  return { table, file, embedded: missing.length, seconds: (performance.now() - begin) / 1000 };
}

async function earlierVectors(
  files: string[],
  fingerprint: string,
  kind: 'f32' | 'i8',
): Promise<Map<string, Float32Array>> {
  const known = new Map<string, Float32Array>();
  for (const file of files) {
    if (!existsSync(file)) continue;
    try {
      const table = await openTable(file, fingerprint);
      // Vectors that were rounded to bytes are not passed on as if they were exact; as bytes they are
      // the same again.
      if (table.vectors.quantized && kind !== 'i8') continue;
      for (let row = 0; row < table.rows; row++) {
        const vector = table.vectors.row(row);
        if (!known.has(table.question(row))) known.set(table.question(row), vector);
      }
    } catch {
      // Another model's table, or a broken one: everything is embedded anew.
    }
  }
  return known;
}

async function savePartial(
  file: string,
  known: ReadonlyMap<string, Float32Array>,
  dimension: number,
  fingerprint: string,
): Promise<void> {
  const rows = [...known.keys()].map((question) => ({ question, answer: '', group: '' }));
  const vectors = new Float32Array(rows.length * dimension);
  let at = 0;
  for (const vector of known.values()) {
    vectors.set(vector, at);
    at += dimension;
  }
  await writeWhole(file, Table.of(rows, vectors, dimension, { fingerprint }).serialize());
}

/** What was built, for people on a terminal or as JSON for a program. */
export function report(terminal: Terminal, out: string, built: Built, json: boolean): void {
  const { table: { rows, groups, meta: { threshold } }, embedded } = built;
  const seconds = Number(built.seconds.toFixed(1));
  if (json) {
    terminal.print(JSON.stringify({ out, rows, groups: groups.length, embedded, seconds, threshold }));
    return;
  }
  terminal.note(`${out}: ${rows} rows in ${groups.length} groups; ${embedded} embedded in ${seconds} s; ` +
    `answers from a score of ${threshold}`);
}

/** A table's file, or the list of its parts. */
export async function openTable(file: string, fingerprint?: string): Promise<Table> {
  return Table.parse(await readTable(locate(file)), file, fingerprint);
}

/** Writes a table's file, or, where `out` ends in `.json`, its parts and their list. */
export async function writeTable(out: string, bytes: Uint8Array): Promise<void> {
  if (!isList(pathToFileURL(out).href)) return writeWhole(out, bytes);
  const folder = path.dirname(out);
  const name = `${path.basename(out).replace(/\.json$/i, '')}.safetensors`;
  const { entry, parts } = await cutFile(name, bytes);
  for (const [part, content] of parts) await writeWhole(path.join(folder, part), content);
  await writeWhole(out, listOf(entry));
  for (const file of await readdir(folder)) {
    const old = file.startsWith(`${name}.`) && /^[0-9a-f]{8}\.\d{2,}$/.test(file.slice(name.length + 1));
    if (old && !parts.has(file)) await rm(path.join(folder, file));
  }
}

/** Writes beside the file and renames, so that a half-written one is never found. */
export async function writeWhole(file: string, bytes: Uint8Array | string): Promise<void> {
  await writeFile(`${file}.tmp`, bytes);
  await rename(`${file}.tmp`, file);
}
