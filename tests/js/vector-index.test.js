/** VectorIndex and pooling: the built core.wasm (SIMD) against float64 in plain JavaScript. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { before, test } from 'node:test';
import { CoreModule, GyeotError, VectorIndex, meanPool, pool } from '../../dist/core.js';

let core;
before(async () => (core = await CoreModule.load()));

let seed = 20260101;
/** A repeatable number between -1 and 1. */
function random() {
  seed = (Math.imul(seed, 1664525) + 1013904223) | 0;
  return seed / 2 ** 31;
}
const vectors = (count, dimension) => Float32Array.from({ length: count * dimension }, random);

function cosine(a, b) {
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    ab += a[i] * b[i];
    aa += a[i] * a[i];
    bb += b[i] * b[i];
  }
  return ab / Math.sqrt(aa * bb);
}

function naive(rows, dimension, query, k, allowed = () => true) {
  const count = rows.length / dimension;
  return Array.from({ length: count }, (_, row) => row)
    .filter(allowed)
    .map((row) => ({ row, score: cosine(rows.subarray(row * dimension, (row + 1) * dimension), query) }))
    .sort((a, b) => b.score - a.score || a.row - b.row)
    .slice(0, k);
}

function assertClose(actual, wanted, slack) {
  assert.equal(actual.length, wanted.length);
  wanted.forEach((value, i) => assert.ok(Math.abs(actual[i] - value) <= slack, `${actual[i]} for ${value}`));
}

for (const dimension of [1, 5, 16, 31, 384]) {
  test(`VectorIndex finds what a plain search finds in ${dimension} dimensions`, () => {
    const rows = vectors(300, dimension);
    const query = vectors(1, dimension);
    for (const type of ['f32', 'i8+f32']) {
      const index = new VectorIndex(core, { dimension, type });
      index.add(rows);
      const { rows: found, scores } = index.search(query, { k: 10 });
      const wanted = naive(rows, dimension, query, 10);
      if (dimension > 1) assert.deepEqual([...found], wanted.map(({ row }) => row));
      assertClose([...scores], wanted.map(({ score }) => score), 1e-5);
      index.close();
    }
  });
}

test('VectorIndex in int8 keeps nine in ten of the nearest and scores within 0.01', () => {
  const rows = vectors(2000, 384);
  const index = new VectorIndex(core, { dimension: 384, type: 'i8' });
  index.add(rows);
  assert.ok(index.bytes < 1.1 * rows.length + 2000 * 8);
  let kept = 0;
  for (let i = 0; i < 20; i++) {
    const query = vectors(1, 384);
    const { rows: found, scores } = index.search(query, { k: 10 });
    const wanted = naive(rows, 384, query, 10);
    kept += wanted.filter(({ row }) => found.includes(row)).length;
    assertClose([...scores], wanted.map(({ score }) => score), 0.01);
  }
  assert.ok(kept >= 180, `${kept} of 200`);
  index.close();
});

test('VectorIndex filters by group, forgets removed rows and goes on adding', () => {
  const rows = vectors(90, 8);
  const index = new VectorIndex(core, { dimension: 8 });
  index.add(rows, Int32Array.from({ length: 90 }, (_, row) => row % 3));
  const query = vectors(1, 8);
  for (let row = 0; row < 90; row += 7) index.remove(row);
  const allowed = (row) => row % 7 !== 0 && row % 3 !== 1;
  const wanted = naive(rows, 8, query, 12, allowed);
  assert.deepEqual([...index.search(query, { k: 12, groups: [0, 2] }).rows], wanted.map(({ row }) => row));
  index.add(query, Int32Array.of(2));
  assert.equal(index.search(query, { k: 1, groups: new Set([2]) }).rows[0], 90);
  assert.equal(index.size, 91 - 13);
  assert.equal(index.search(query, { k: 500 }).rows.length, 78);
  index.close();
});

test('VectorIndex serves several queries as it serves each', () => {
  const index = new VectorIndex(core, { dimension: 24 });
  index.add(vectors(500, 24));
  const queries = vectors(5, 24);
  const together = index.searchBatch(queries, { k: 4 });
  together.forEach((found, i) => {
    assert.deepEqual(found, index.search(queries.subarray(i * 24, (i + 1) * 24), { k: 4 }));
  });
  index.close();
});

test('VectorIndex refuses what it cannot hold, and closes', () => {
  const index = new VectorIndex(core, { dimension: 4 });
  const refused = (code) => (error) => error instanceof GyeotError && error.code === code;
  assert.throws(() => index.add(new Float32Array(5)), refused('argument'));
  assert.throws(() => index.add(Float32Array.of(1, NaN, 0, 0)), refused('argument'));
  assert.throws(() => index.search(new Float32Array(3)), refused('argument'));
  assert.throws(() => index.search(new Float32Array(4), { k: 0 }), refused('argument'));
  assert.throws(() => index.remove(0), refused('argument'));
  assert.throws(() => new VectorIndex(core, { dimension: 20000 }), refused('limit'));
  assert.equal(index.search(new Float32Array(4)).rows.length, 0);
  index.close();
  index.close();
  assert.throws(() => index.size, refused('closed'));
});

test('meanPool and pool follow sentence-transformers', () => {
  const dims = [3, 4, 5];
  const hidden = vectors(12, 5);
  const mask = Int32Array.of(1, 1, 1, 1, /**/ 1, 1, 0, 0, /**/ 0, 0, 0, 0);
  const token = (text, at, i) => hidden[(text * 4 + at) * 5 + i];
  const expected = (rule) => Array.from({ length: 15 }, (_, at) => rule(Math.floor(at / 5), at % 5));
  const counts = [4, 2, 0];
  const sum = (text, i) => {
    let total = 0;
    for (let at = 0; at < counts[text]; at++) total += token(text, at, i);
    return total;
  };
  const modes = {
    mean: (text, i) => sum(text, i) / Math.max(counts[text], 1e-9),
    mean_sqrt_len: (text, i) => sum(text, i) / Math.sqrt(Math.max(counts[text], 1e-9)),
    cls: (text, i) => token(text, 0, i),
    max: (text, i) =>
      counts[text] ? Math.max(...Array.from({ length: counts[text] }, (_, at) => token(text, at, i))) : 0,
  };
  for (const [mode, rule] of Object.entries(modes)) {
    assertClose([...pool(core, hidden, mask, dims, { mode, normalize: false })], expected(rule), 1e-5);
  }
  const unit = meanPool(core, hidden, mask, dims);
  assertClose([0, 1, 2].map((text) => Math.hypot(...unit.subarray(text * 5, text * 5 + 5))), [1, 1, 0], 1e-6);
  const cut = pool(core, hidden, mask, dims, { dimension: 2 });
  assert.equal(cut.length, 6);
  assertClose([Math.hypot(cut[0], cut[1])], [1], 1e-6);
  assert.throws(() => meanPool(core, hidden, mask, [2, 4, 5]), { code: 'argument' });
});

test('pooling and search give what NumPy gives, to 1e-5', async () => {
  const made = JSON.parse(await readFile(new URL('../data/numpy.json', import.meta.url), 'utf8'));
  const hidden = Float32Array.from(made.hidden);
  const mask = Int32Array.from(made.mask);
  assertClose([...meanPool(core, hidden, mask, made.dims, { normalize: false })], made.mean, 1e-5);
  assertClose([...meanPool(core, hidden, mask, made.dims)], made.unit, 1e-5);
  const dimension = made.dims[2];
  const index = new VectorIndex(core, { dimension });
  index.add(Float32Array.from(made.rows));
  made.nearest.forEach((wanted, query) => {
    const vector = Float32Array.from(made.mean.slice(query * dimension, (query + 1) * dimension));
    const { rows, scores } = index.search(vector, { k: wanted.length });
    assert.deepEqual([...rows], wanted);
    assertClose([...scores], made.scores[query], 1e-5);
  });
  index.close();
});
