/** The contestants of the search benchmark that run in Node and in the browser alike. */
import { CoreModule, VectorIndex } from '../../dist/core.js';
import { race } from './race.js';

let seed = 20260101;
function random() {
  seed = (Math.imul(seed, 1664525) + 1013904223) | 0;
  return seed / 2 ** 31;
}

/** Unit vectors scattered around `clusters` centres, as sentences are around topics. */
export function makeVectors(count, dimension, clusters = 200) {
  seed = 20260101;
  const centres = Float32Array.from({ length: clusters * dimension }, random);
  const vectors = new Float32Array(count * dimension);
  for (let row = 0; row < count; row++) {
    const centre = (row % clusters) * dimension;
    const at = row * dimension;
    let squares = 0;
    for (let i = 0; i < dimension; i++) {
      const value = centres[centre + i] + random();
      vectors[at + i] = value;
      squares += value * value;
    }
    const scale = 1 / Math.sqrt(squares);
    for (let i = 0; i < dimension; i++) vectors[at + i] *= scale;
  }
  return vectors;
}

/** The k best rows by a plain loop over unit vectors, the best kept in a sorted list. */
export function plainSearch(vectors, dimension, query, k) {
  const best = [];
  const count = vectors.length / dimension;
  for (let row = 0, at = 0; row < count; row++) {
    let score = 0;
    for (let i = 0; i < dimension; i++) score += vectors[at++] * query[i];
    if (best.length === k && score <= best[k - 1].score) continue;
    let place = best.length;
    while (place > 0 && best[place - 1].score < score) place--;
    best.splice(place, 0, { row, score });
    if (best.length > k) best.pop();
  }
  return best;
}

/** An index in a memory of its own, with the search and a SIMD sum over just as many bytes. */
export async function makeIndex(wasm, stream, vectors, dimension, type) {
  const core = await CoreModule.load({ module: wasm });
  const index = new VectorIndex(core, { dimension, type });
  index.add(vectors);
  const { exports } = await WebAssembly.instantiate(stream, { env: { memory: core.exports.memory } });
  const bytes = (vectors.length * (type === 'f32' ? 4 : 1)) & ~63;
  // The rows are the last thing that was allocated; the memory's end is where they lie.
  const from = (core.exports.memory.buffer.byteLength - bytes) & ~63;
  return { core, index, bytes, sum: () => void exports.sum_f32(from, bytes / 4) };
}

/** Ours in both types, their memory limits and plain JavaScript; `peers` join in. */
export async function raceSearch(wasm, stream, { count, dimension, k, rounds, peers = () => [] }) {
  const vectors = makeVectors(count, dimension);
  const query = vectors.slice(7 * dimension, 8 * dimension);
  const f32 = await makeIndex(wasm, stream, vectors, dimension, 'f32');
  const i8 = await makeIndex(wasm, stream, vectors, dimension, 'i8');
  const both = await makeIndex(wasm, stream, vectors, dimension, 'i8+f32');
  const batch = vectors.slice(0, 8 * dimension);
  const results = await race([
    { name: 'gyeot f32', run: () => void f32.index.search(query, { k }) },
    { name: 'a SIMD sum over the bytes of f32', run: f32.sum },
    { name: 'gyeot int8', run: () => void i8.index.search(query, { k }) },
    { name: 'gyeot int8, rescored in f32', run: () => void both.index.search(query, { k }) },
    { name: 'a SIMD sum over the bytes of int8', run: i8.sum },
    { name: 'gyeot f32, 8 queries at once, for each', run: () => timed(() => f32.index.searchBatch(batch, { k })) / 8 },
    { name: 'gyeot int8, 8 queries at once, for each', run: () => timed(() => i8.index.searchBatch(batch, { k })) / 8 },
    { name: 'plain JavaScript', run: () => void plainSearch(vectors, dimension, query, k) },
    ...(await peers(vectors, query)),
  ], rounds);
  const perByte = (own, type) => `${type}: ${(own.index.bytes / (count * dimension * (type === 'f32' ? 4 : 1))).toFixed(3)} bytes held for each byte of vectors`;
  return { results, notes: [perByte(f32, 'f32'), perByte(i8, 'int8')] };
}

function timed(work) {
  const begun = performance.now();
  work();
  return performance.now() - begun;
}

/** The page's side of the benchmark. */
export async function inPage(options) {
  const [wasm, stream] = await Promise.all(['dist/core.wasm', '.cache/bench-peers/stream.wasm'].map(
    async (name) => WebAssembly.compile(await (await fetch(`/${name}`)).arrayBuffer())));
  return raceSearch(wasm, stream, options);
}
