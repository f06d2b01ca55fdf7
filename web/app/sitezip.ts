/** A ready site folder, as one zip: this page with the table that is in use. */

import { Zip, ZipPassThrough } from 'fflate';
import { GyeotError } from '../../wasm/gyeot/index.js';
import type { GyeotBot, Source } from '../../wasm/gyeot/types.js';
import { cutFile, listOf, partLimit } from '../../wasm/gyeot/cut.js';
import { readPrecache, stampPrecache } from '../precache.js';
import { breathe } from './dom.js';
import type { Site } from './site.js';

/** Checksums are computed piece by piece, so that the page stays quick. */
const piece = 1 << 20;

const tableName = 'table.safetensors';

/** The table's files by their paths on the site, the one that the site names first. */
async function tableFiles(bot: GyeotBot): Promise<[string, Uint8Array][]> {
  const exact = await bot.exportTable();
  // As `gyeot build` does: bytes for a large table, and parts where hosts would refuse the whole.
  const bytes = exact.length > partLimit ? await bot.exportTable({ vectors: 'i8' }) : exact;
  if (bytes.length <= partLimit) return [[`table/${tableName}`, bytes]];
  const { entry, parts } = await cutFile(tableName, bytes);
  return [
    ['table/table.json', encode(listOf(entry))],
    ...[...parts].map(([name, part]): [string, Uint8Array] => [`table/${name}`, part]),
  ];
}

export interface ZipOptions {
  site: Site;
  title: string;
  bot: GyeotBot;
  ownModel: Record<string, Source> | null;
  onProgress: (files: number, total: number) => void;
}

export async function makeSiteZip(options: ZipOptions): Promise<Blob> {
  const { site, bot } = options;
  const script = await textOf('precache.js');
  const old = readPrecache(script).map((file) => file.url);
  const table = await tableFiles(bot);
  const tablePath = table[0]![0];
  const changedSite: Site = { ...site, title: options.title, table: tablePath };
  const fresh = new Map<string, Uint8Array>([
    ...table,
    ['site.json', encode(JSON.stringify(changedSite, null, 2) + '\n')],
    ['manifest.webmanifest', encode(await renamed(options.title))],
  ]);
  const model = options.ownModel
    ? Object.keys(options.ownModel)
    : await modelFiles(site.model);
  if (options.ownModel) {
    for (const [path, source] of Object.entries(options.ownModel)) {
      fresh.set(site.model + path, await bytesOf(source));
    }
  }
  const revisions: Record<string, string> = {};
  for (const [path, bytes] of fresh) {
    // The page itself keeps the model's files and a table's parts.
    const kept = path.startsWith(site.model) || (path.startsWith('table/') && path !== tablePath);
    if (!kept) revisions[path] = await digest(bytes);
  }
  const gone = old.filter(
    (url) => url === site.table || (options.ownModel !== null && url.startsWith(site.model)),
  );
  fresh.set('precache.js', encode(stampPrecache(script, revisions, gone)));

  const paths = new Set([...old, ...fresh.keys(), ...model.map((path) => site.model + path), 'sw.js']);
  for (const url of gone) if (!fresh.has(url)) paths.delete(url);

  const out: BlobPart[] = [];
  const zip = new Zip((error, data) => {
    if (error) throw error;
    out.push(data as BlobPart);
  });
  let done = 0;
  for (const path of paths) {
    options.onProgress(done++, paths.size);
    const file = new ZipPassThrough(path);
    zip.add(file);
    const bytes = fresh.get(path) ?? (await fetchBytes(path));
    for (let at = 0; at < bytes.length; at += piece) {
      file.push(bytes.subarray(at, at + piece), false);
      await breathe();
    }
    file.push(new Uint8Array(0), true);
  }
  zip.end();
  options.onProgress(paths.size, paths.size);
  return new Blob(out, { type: 'application/zip' });
}

interface ModelFile {
  path: string;
  parts?: { path: string }[];
}

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

async function fetchBytes(path: string): Promise<Uint8Array> {
  const response = await fetch(new URL(path, document.baseURI)).catch(() => null);
  if (!response?.ok) {
    throw new GyeotError('network', `${path}: ${response?.status ?? 'no connection'}`, {
      file: path,
    });
  }
  return new Uint8Array(await response.arrayBuffer());
}

async function textOf(path: string): Promise<string> {
  return new TextDecoder().decode(await fetchBytes(path));
}

async function bytesOf(source: Source): Promise<Uint8Array> {
  if (source instanceof Uint8Array) return source;
  if (source instanceof ArrayBuffer) return new Uint8Array(source);
  return fetchBytes(String(source));
}

async function modelFiles(folder: string): Promise<string[]> {
  const manifest = JSON.parse(await textOf(`${folder}gyeot.json`)) as { files: ModelFile[] };
  // Large files lie on the host in parts, not as a whole.
  const paths = manifest.files.flatMap((file) => file.parts ?? [file]).map((file) => file.path);
  return ['gyeot.json', ...paths];
}

async function renamed(title: string): Promise<string> {
  const manifest = JSON.parse(await textOf('manifest.webmanifest')) as Record<string, unknown>;
  return JSON.stringify({ ...manifest, name: title, short_name: title }, null, 2) + '\n';
}

async function digest(bytes: Uint8Array): Promise<string> {
  if (!crypto.subtle) return `${bytes.length}-${Date.now().toString(36)}`;
  const hash = await crypto.subtle.digest('SHA-256', bytes as BufferSource);
  return [...new Uint8Array(hash).subarray(0, 8)]
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('');
}
