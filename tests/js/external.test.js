/** ONNX files split into a small graph and the weights that it points at. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import esbuild from 'esbuild';

const { outputFiles: [{ text }] } = await esbuild.build({
  entryPoints: [fileURLToPath(new URL('../../wasm/gyeot/external.ts', import.meta.url))],
  bundle: true, format: 'esm', platform: 'neutral', write: false,
});
const { splitModel } = await import(`data:text/javascript,${encodeURIComponent(text)}`);

// A protobuf message by hand: a varint field is [number, value], others [number, bytes].
const varint = (value) => (value < 128 ? [value] : [(value % 128) + 128, ...varint(Math.floor(value / 128))]);
const message = (...fields) => fields.flatMap(([number, value]) => (typeof value === 'number'
  ? [...varint(number * 8), ...varint(value)]
  : [...varint(number * 8 + 2), ...varint(value.length), ...value]));
const ascii = (string) => [...string].map((letter) => letter.charCodeAt(0));

const large = Array.from({ length: 5000 }, (_, at) => (at * 7) % 251);
const small = [1, 2, 3, 4];
const named = (name, raw, ...rest) => [5, message([1, 5000], [2, 3], [8, ascii(name)], [9, raw], ...rest)];
const onnx = (...tensors) => Uint8Array.from(message(
  [1, 8], [7, message([2, ascii('graph')], ...tensors, [11, ascii('input')])], [8, message([2, 17])],
));

test('large tensors are pointed at where they lie, small ones and all else stay', () => {
  const model = onnx(named('a', large, [14, 0]), named('b', small), named('c', large));
  const { graph, path } = splitModel(model);
  const first = Buffer.from(model).indexOf(Buffer.from(large));
  const second = Buffer.from(model).indexOf(Buffer.from(large), first + 1);
  const pointing = (name, offset) => [5, message(
    [1, 5000], [2, 3], [8, ascii(name)],
    ...[['location', path], ['offset', String(offset)], ['length', '5000']].map(([key, value]) =>
      [13, message([1, ascii(key)], [2, ascii(value)])]),
    [14, 1],
  )];
  assert.deepEqual([...graph], [...onnx(pointing('a', first), named('b', small), pointing('c', second))]);
});

test('what has nothing to move, or is no model, is left whole', () => {
  assert.equal(splitModel(onnx(named('b', small))), null);
  assert.equal(splitModel(new Uint8Array(0)), null);
  assert.equal(splitModel(new TextEncoder().encode('<!doctype html><p>not here')), null);
});

test('cut short or with a byte changed, a model is split or left whole, and nothing throws', () => {
  const model = onnx(named('a', large), named('b', small));
  for (let length = 0; length < model.length; length += length < 60 || length > 5000 ? 1 : 97) {
    assert.doesNotThrow(() => splitModel(model.subarray(0, length)), `cut to ${length} bytes`);
  }
  for (const at of [...Array(60).keys(), ...Array.from({ length: 60 }, (_, back) => model.length - 1 - back)]) {
    for (const bit of [1, 8, 128]) {
      const changed = model.slice();
      changed[at] ^= bit;
      const split = splitModel(changed);
      assert.ok(split === null || split.graph.length < model.length + 200);
    }
  }
});
