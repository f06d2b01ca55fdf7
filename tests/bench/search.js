/**
 * Exact search: `node tests/bench/search.js [--json] [--rounds N]`. Ours against the memory's limit,
 * plain JavaScript and peers, in Node and in Chromium; then how time grows with rows.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { CoreModule, VectorIndex } from '../../dist/core.js';
import { installPeers, main, optional, peersFolder, race, requirePeer, root } from './harness.js';
import { makeVectors, plainSearch, raceSearch } from './search-contestants.js';

const k = 10;
const size = { count: 100_000, dimension: 384 };
const versions = [['usearch', '2.26.2'], ['voy-search', '0.6.3'], ['@orama/orama', '3.1.18']];

/** The module of the memory's limit, built once. */
function buildStream() {
  const out = path.join(peersFolder, 'stream.wasm');
  if (!existsSync(out)) {
    mkdirSync(peersFolder, { recursive: true });
    execFileSync('emcc', ['-O3', '-msimd128', '--no-entry', '-sSTANDALONE_WASM', '-sIMPORTED_MEMORY=1',
      '-sALLOW_MEMORY_GROWTH=1', '-sMAXIMUM_MEMORY=4GB', '-sINITIAL_MEMORY=131072', '-sTOTAL_STACK=1024',
      '-sEXPORTED_FUNCTIONS=_sum_f32', path.join(root, 'tests/bench/stream.c'), '-o', out]);
  }
  return new WebAssembly.Module(readFileSync(out));
}

async function nativePeers(vectors, query) {
  return optional('usearch', async () => {
    const usearch = requirePeer('usearch');
    return [{
      name: 'usearch, native, exact, one thread',
      run: () => void usearch.exactSearch(vectors, query, size.dimension, k, usearch.MetricKind.IP, 1),
    }];
  });
}

/** Databases that keep objects: 10,000 rows, which is what they are made for. */
async function databases(wasm, rounds) {
  const count = 10_000;
  const { dimension } = size;
  const vectors = makeVectors(count, dimension);
  const query = vectors.slice(7 * dimension, 8 * dimension);
  const row = (at) => Array.from(vectors.subarray(at * dimension, (at + 1) * dimension));
  const core = await CoreModule.load({ module: wasm });
  const index = new VectorIndex(core, { dimension });
  index.add(vectors);
  const wanted = new Set(index.search(query, { k }).rows);
  const recalls = [];
  const recall = (name, rows) => {
    const met = rows.filter((found) => wanted.has(Number(found))).length;
    recalls.push(`${name} finds ${met} of the ${k} nearest`);
  };
  const orama = await optional('Orama', async () => {
    const { create, insertMultiple, search } = await import(pathToFileURL(requirePeer.resolve('@orama/orama')).href);
    const database = create({ schema: { at: 'string', vector: `vector[${dimension}]` } });
    const rows = Array.from({ length: count }, (_, at) => ({ at: String(at), vector: row(at) }));
    await insertMultiple(database, rows, 5000);
    const value = Array.from(query);
    const ask = () => search(database, { mode: 'vector', vector: { value, property: 'vector' }, similarity: 0, limit: k });
    recall('Orama', (await ask()).hits.map(({ document }) => document.at));
    return [{ name: 'Orama', run: async () => void (await ask()) }];
  });
  const voy = await optional('voy', async () => {
    const folder = path.join(peersFolder, 'node_modules/voy-search');
    const glue = await import(pathToFileURL(path.join(folder, 'voy_search_bg.js')).href);
    const bytes = readFileSync(path.join(folder, 'voy_search_bg.wasm'));
    const { instance } = await WebAssembly.instantiate(bytes, { './voy_search_bg.js': glue });
    glue.__wbg_set_wasm(instance.exports);
    const embeddings = Array.from({ length: count }, (_, at) => (
      { id: String(at), title: '', url: '', embeddings: row(at) }));
    const store = new glue.Voy({ embeddings });
    recall('voy', store.search(query, k).neighbors.map(({ id }) => id));
    return [{ name: 'voy', run: () => void store.search(query, k) }];
  });
  const results = await race([
    { name: 'gyeot f32', run: () => void index.search(query, { k }) },
    { name: 'plain JavaScript', run: () => void plainSearch(vectors, dimension, query, k) },
    ...orama,
    ...voy,
  ], rounds);
  return { title: `Search, ${count} × ${dimension}, k = ${k}, Node`, unit: 'ms', results, notes: recalls };
}

async function inChromium(rounds) {
  const { chromium } = await import('playwright-core');
  const { chromiumPath, serve } = await import('../browser/harness.js');
  const server = await serve({ folder: root });
  const browser = await chromium.launch({ executablePath: chromiumPath(), args: ['--no-sandbox', '--disable-gpu'] });
  try {
    const page = await browser.newPage();
    await page.goto(`${server.url}tests/bench/blank.html`);
    return await page.evaluate(async (options) => {
      const { inPage } = await import('/tests/bench/search-contestants.js');
      return inPage(options);
    }, { ...size, k, rounds });
  } finally {
    await browser.close();
    await server.stop();
  }
}

/**
 * Milliseconds of a search among ever more rows: for each count its median and spread, the bytes that the
 * index holds and those of the whole module.
 */
export async function searchTimes(wasm, dimension, type, counts, rounds) {
  const points = [];
  for (const count of counts) {
    const core = await CoreModule.load({ module: wasm });
    const index = new VectorIndex(core, { dimension, type });
    // Ten thousand at a time: all the rows at once would need as much memory again in JavaScript.
    const part = makeVectors(Math.min(count, 10_000), dimension);
    for (let at = 0; at < count; at += part.length / dimension) index.add(part);
    const query = part.slice(0, dimension);
    const repeats = Math.max(1, Math.round(20_000 / count));
    const [{ median, spread }] = await race([{
      name: String(count),
      run: () => {
        const begun = performance.now();
        for (let i = 0; i < repeats; i++) index.search(query, { k });
        return (performance.now() - begun) / repeats;
      },
    }], rounds);
    points.push({ count, median, spread, bytes: index.bytes, module: core.exports.memory.buffer.byteLength });
    index.close();
  }
  return points;
}

/** Time for a thousand rows, at ever more rows: the same figure everywhere means linear. */
async function growth(wasm, dimension, type, counts, rounds) {
  const points = await searchTimes(wasm, dimension, type, counts, rounds);
  const named = ({ count }) => `${count.toLocaleString('en')} rows`;
  const results = points.map((point) => ({
    name: named(point), median: (point.median / point.count) * 1000, spread: (point.spread / point.count) * 1000,
  }));
  const notes = points.map((point) =>
    `${named(point)}: ${point.median.toFixed(2)} ms a search; the index holds ` +
      `${(point.bytes / 1e6).toFixed(1)} MB, the module ${(point.module / 1e6).toFixed(1)} MB`);
  return { title: `Search, ${type}, ${dimension} dimensions, time for a thousand rows, Node`, unit: 'ms', results, notes };
}

/** How many of the ten nearest in f32 int8 finds, over the default table's own vectors. */
async function recallOnTable(wasm) {
  const file = path.join(root, 'model/table/ko.safetensors');
  if (!existsSync(file)) return [];
  const bytes = readFileSync(file);
  const head = Number(bytes.readBigUInt64LE(0));
  const { vectors: entry } = JSON.parse(bytes.subarray(8, 8 + head).toString());
  if (entry?.dtype !== 'F32') return [];
  const [begin, end] = entry.data_offsets.map((at) => at + 8 + head);
  const vectors = new Float32Array(bytes.buffer.slice(bytes.byteOffset + begin, bytes.byteOffset + end));
  const [count, dimension] = entry.shape;
  const core = await CoreModule.load({ module: wasm });
  const nearest = (type) => {
    const index = new VectorIndex(core, { dimension, type });
    index.add(vectors);
    const found = index.searchBatch(vectors, { k }).map(({ rows }) => [...rows]);
    index.close();
    return found;
  };
  const exact = nearest('f32');
  const share = (type) => {
    const found = nearest(type);
    const met = found.map((rows, at) => rows.filter((row) => exact[at].includes(row)).length);
    return met.reduce((sum, value) => sum + value, 0) / (k * count);
  };
  return [`recall@${k} over the ${count} questions of the default table: int8 ${share('i8').toFixed(4)}, ` +
    `int8 rescored ${share('i8+f32').toFixed(4)}`];
}

export async function measure({ rounds = 15 } = {}) {
  installPeers(versions);
  const stream = buildStream();
  const wasm = new WebAssembly.Module(readFileSync(path.join(root, 'dist/core.wasm')));
  const node = await raceSearch(wasm, stream, { ...size, k, rounds, peers: nativePeers });
  const title = `Search, ${size.count} × ${size.dimension}, k = ${k}, one thread`;
  const tables = [{
    title: `${title}, Node`, unit: 'ms', results: node.results,
    notes: [...node.notes, ...(await recallOnTable(wasm))],
  }];
  const chromium = await optional('Chromium', async () => [await inChromium(rounds)]);
  for (const found of chromium) tables.push({ title: `${title}, Chromium`, unit: 'ms', ...found });
  tables.push(await databases(wasm, rounds));
  const few = Math.min(rounds, 5);
  tables.push(await growth(wasm, 384, 'f32', [1_000, 10_000, 100_000, 1_000_000], few));
  tables.push(await growth(wasm, 768, 'i8', [1_000, 10_000, 100_000, 1_000_000], few));
  return tables;
}

await main(import.meta.url, measure);
