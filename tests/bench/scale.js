/**
 * How it grows, on paper and by simulation: `node tests/bench/scale.js [--json] [--rounds N]`. Visitors
 * bring their own processors, so what grows with them is bytes; rows cost time and memory in each
 * visitor's tab. Sizes are those of the built page, times are measured here; the rest are the named
 * numbers below.
 */
import { existsSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { main, root } from './harness.js';
import { searchTimes } from './search.js';

const page = path.join(root, 'dist/page');

/** Monthly prices of static hosts, in dollars; `per` lists `[terabytes up to, dollars a gigabyte]`. */
const hosts = [
  {
    name: 'GitHub Pages', soft: 100e9, per: [[Infinity, 0]],
    source: 'docs.github.com, GitHub Pages limits: a soft limit of 100 GB a month, 1 GB a site',
  },
  {
    name: 'Cloudflare Pages', per: [[Infinity, 0]],
    source: 'developers.cloudflare.com/pages: static requests free and unlimited, 25 MiB a file',
  },
  {
    name: 'bunny.net, volume', per: [[Infinity, 0.005]],
    source: 'bunny.net list price of the volume network, 2026-06',
  },
  {
    name: 'CloudFront, South Korea',
    per: [[1, 0], [11, 0.12], [51, 0.1], [151, 0.095], [501, 0.09], [1025, 0.08], [5025, 0.07], [Infinity, 0.06]],
    source: 'aws.amazon.com/cloudfront/pricing, 2026: 1 TB free, then by volume; requests add about 1 %',
  },
];

/** How a month of visitors is imagined. */
const habits = {
  /** Visits a month are geometric with this mean. */
  visits: 3,
  /** Part of the repeat visits that find the copy on the device gone: cleared, evicted, another browser. */
  lost: 0.1,
  /** Part of the repeat visits that come after a new release of the page, which keeps the model. */
  released: 0.1,
  /** Bytes of asking whether something is new, headers and all: the page, sw.js and precache.js. */
  asking: 3_000,
  sample: 200_000,
};

/** What a site should ask of its visitors. */
const bearable = { download: 50e6, memory: 1e9, search: 50, line: 100e6 / 8 };

/** The memory of one WebAssembly module. */
const moduleLimit = 2 ** 32;

const dimension = 384;

const gzipped = (file) => gzipSync(readFileSync(path.join(page, file))).length;

/** Bytes on the wire: most hosts compress text and WebAssembly, but not weights and vectors. */
function wireSize(file) {
  const text = /\.(js|css|html|json|svg|wasm|webmanifest|txt)$/.test(file);
  return text ? gzipped(file) : statSync(path.join(page, file)).size;
}

/** What a first visit fetches: all that is kept for offline use, and the model's files. */
function firstVisit() {
  const script = readFileSync(path.join(page, 'precache.js'), 'utf8');
  const kept = JSON.parse(script.slice(script.indexOf('['), script.lastIndexOf(']') + 1)).map(({ url }) => url);
  const manifest = JSON.parse(readFileSync(path.join(page, 'model/gyeot.json'), 'utf8'));
  const needed = manifest.files.filter(({ path: name }) =>
    [manifest.encoder.file, ...manifest.tokenizer.files].includes(name));
  const weights = needed.flatMap((file) => (file.parts ?? [file]).map(({ path: name }) => `model/${name}`));
  const sum = (files, size = wireSize) => files.reduce((total, file) => total + size(file), 0);
  const runtime = kept.filter((file) => file.endsWith('.wasm'));
  const rest = kept.filter((file) => !file.endsWith('.wasm'));
  return {
    model: sum(weights), runtime: sum(runtime), page: sum(rest), requests: kept.length + weights.length,
    gzipped: sum([...kept, ...weights], gzipped),
  };
}

/** A month of a sample of visitors, by a generator with a fixed seed; bytes and first visits a visitor. */
function simulate(first) {
  let state = 20260101;
  const random = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  const whole = first.model + first.runtime + first.page;
  let bytes = 0;
  let visits = 0;
  let hits = 0;
  for (let visitor = 0; visitor < habits.sample; visitor++) {
    bytes += whole;
    visits++;
    while (random() < 1 - 1 / habits.visits) {
      visits++;
      if (random() < habits.lost) {
        bytes += whole;
        continue;
      }
      hits++;
      bytes += habits.asking + (random() < habits.released ? first.page : 0);
    }
  }
  return { bytes: bytes / habits.sample, visits: visits / habits.sample, hits: hits / visits };
}

function cost({ per }, bytes) {
  let dollars = 0;
  let from = 0;
  for (const [until, price] of per) {
    const part = Math.min(bytes, until * 1e12) - from;
    if (part <= 0) break;
    dollars += (part / 1e9) * price;
    from += part;
  }
  return dollars;
}

function visitors() {
  const first = firstVisit();
  const month = simulate(first);
  const rows = [];
  for (let power = 3; power <= 8; power++) {
    const bytes = month.bytes * 10 ** power;
    rows.push({
      visitors: 10 ** power,
      bytes,
      hosts: hosts.map((host) => ({ name: host.name, dollars: cost(host, bytes), over: bytes > (host.soft ?? Infinity) })),
    });
  }
  const told = rows.map(({ visitors: count, bytes, hosts: prices }) => [
    count.toLocaleString('en').padStart(11), amount(bytes).padStart(9),
    ...prices.map(({ dollars, over }) => (over ? 'over limit' : money(dollars)).padStart(24)),
  ].join(''));
  const { model, runtime, page: shell, requests } = first;
  return {
    title: 'Visitors a month: what they fetch and what it costs',
    unit: '', results: [], data: { first, month, rows },
    notes: [
      `a first visit: ${amount(model + runtime + shell)} in ${requests} requests (model ${amount(model)}, ` +
        `runtime ${amount(runtime)}, page and table ${amount(shell)}; text and WebAssembly with gzip), ` +
        `${amount(first.gzipped)} where the host compresses every file`,
      `a visitor a month: ${month.visits.toFixed(1)} visits, ${(month.hits * 100).toFixed(0)} % of them from ` +
        `the copy on the device, ${amount(month.bytes)}; no server computes anything`,
      ['   visitors', 'bytes'.padStart(9), ...hosts.map(({ name }) => name.padStart(24))].join(''),
      ...told,
      ...hosts.map(({ name, source }) => `${name}: ${source}`),
    ],
  };
}

/** Milliseconds of a search at some numbers of rows, and the line through them. */
async function measured(type, counts, rounds) {
  const wasm = new WebAssembly.Module(readFileSync(path.join(root, 'dist/core.wasm')));
  const points = await searchTimes(wasm, dimension, type, counts, rounds);
  return { type, points, ...line(points) };
}

/** Least squares of the relative errors: small tables count as much as large ones. */
function line(points) {
  const weigh = points.map(({ count, median }) => ({ x: count, y: median, w: 1 / median ** 2 }));
  const sum = (of) => weigh.reduce((total, point) => total + point.w * of(point), 0);
  const [w, x, y, xx, xy] = [sum(() => 1), sum((p) => p.x), sum((p) => p.y), sum((p) => p.x ** 2), sum((p) => p.x * p.y)];
  const slope = (w * xy - x * y) / (w * xx - x ** 2);
  return { slope, base: (y - slope * x) / w, row: points.at(-1).bytes / points.at(-1).count };
}

/** Bytes of a row's texts in the default table. */
function textBytes() {
  const file = path.join(root, 'model/table/ko.safetensors');
  if (!existsSync(file)) return 60;
  const bytes = readFileSync(file);
  const head = JSON.parse(bytes.subarray(8, 8 + Number(bytes.readBigUInt64LE(0))).toString());
  const rows = head.vectors.shape[0];
  const vectors = head.vectors.data_offsets[1] - head.vectors.data_offsets[0];
  return (bytes.length - vectors) / rows;
}

/** What a table of so many rows is best kept as. */
function verdict({ file, f32, i8, rows }) {
  if (i8.memory > Math.min(moduleLimit, bearable.memory)) return 'a vector database: gyeot export';
  if (file > bearable.download) {
    const shards = Math.ceil(file / bearable.download);
    return `int8 in ${shards} files by group, each loaded when wanted; or a vector database`;
  }
  return f32.ms < bearable.search / 10 && rows <= 20_000 ? 'f32 in memory, int8 on the wire' : 'int8';
}

async function rowsTable(rounds) {
  const counts = [1_000, 10_000, 100_000, 1_000_000];
  const f32 = await measured('f32', counts, rounds);
  const i8 = await measured('i8', counts, rounds);
  const text = textBytes();
  const estimate = (fit, rows) => ({ ms: Math.max(0, fit.base + fit.slope * rows), memory: fit.row * rows });
  const rows = [3, 4, 5, 6, 7].map((power) => {
    const count = 10 ** power;
    const file = count * (dimension + 4 + text);
    const one = { rows: count, file, f32: estimate(f32, count), i8: estimate(i8, count) };
    return { ...one, verdict: verdict(one) };
  });
  const shown = (fit, count) => {
    const point = fit.points.find((found) => found.count === count);
    return point ? `${point.median.toPrecision(2)} ms` : `(${estimate(fit, count).ms.toPrecision(2)} ms)`;
  };
  return {
    title: `Rows of a table, ${dimension} dimensions, one thread; in brackets: by the line through the others`,
    unit: '', results: [], data: { f32, i8, rows },
    notes: [
      ['      rows', 'int8 file', 'at 100 Mbit', 'f32', 'memory', 'int8', 'memory'].map((head, at) =>
        (at ? head.padStart(12) : head)).join(''),
      ...rows.map((one) => [
        one.rows.toLocaleString('en').padStart(10), amount(one.file).padStart(12),
        `${(one.file / bearable.line).toFixed(1)} s`.padStart(12),
        shown(f32, one.rows).padStart(12), room(one.f32.memory),
        shown(i8, one.rows).padStart(12), room(one.i8.memory), `  ${one.verdict}`,
      ].join('')),
      ...[f32, i8].map(({ type, slope, base }) =>
        `${type}: ${(base * 1000).toFixed(1)} µs and ${(slope * 1e6).toFixed(1)} µs more for each thousand rows`),
    ],
  };
}

/** Memory of an index, or that one module cannot hold it. */
function room(bytes) {
  return (bytes > moduleLimit ? 'too large' : amount(bytes)).padStart(12);
}

function amount(bytes) {
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
  const power = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  const value = bytes / 1000 ** power;
  return `${value >= 100 || power === 0 ? value.toFixed(0) : value.toFixed(1)} ${units[power]}`;
}

function money(dollars) {
  return dollars === 0 ? 'free' : `$${Math.round(dollars).toLocaleString('en')}`;
}

export async function measure({ rounds = 5 } = {}) {
  return [visitors(), await rowsTable(rounds)];
}

await main(import.meta.url, measure);
