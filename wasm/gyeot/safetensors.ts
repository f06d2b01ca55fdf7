/**
 * The safetensors format: a little-endian u64 header length, a JSON header, then the tensors' bytes.
 * Everything that a file says about itself is checked before it is believed.
 */
import { GyeotError } from '../core/index.js';
import { isObject } from './manifest.js';

export type Dtype = 'F32' | 'I8' | 'U8' | 'U32' | 'I32';

export interface Tensor {
  dtype: Dtype;
  shape: number[];
  /** The raw bytes, in place. */
  bytes: Uint8Array;
}

export interface SafetensorsFile {
  tensors: Map<string, Tensor>;
  metadata: Record<string, string>;
}

const sizes: Record<Dtype, number> = { F32: 4, I8: 1, U8: 1, U32: 4, I32: 4 };
const headerLimit = 100_000_000;

export function parseSafetensors(bytes: Uint8Array, file: string): SafetensorsFile {
  const fail = (message: string): never => {
    throw new GyeotError('format', `${file} is not a usable safetensors file: ${message}`, { file });
  };
  if (bytes.length < 8) fail(`${bytes.length} bytes are too few`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const stated = view.getBigUint64(0, true);
  // Text in place of the length gives one that no file has.
  if (stated > 2n ** 40n) fail('it does not begin as one does. `gyeot table` makes one of a spreadsheet');
  if (stated > BigInt(Math.min(headerLimit, bytes.length - 8))) {
    fail(`its header should have ${stated} bytes, more than there are`);
  }
  const start = 8 + Number(stated);
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(8, start)));
  } catch (cause) {
    fail(`its header is not JSON (${(cause as Error).message})`);
  }
  if (!isObject(header)) return fail('its header is not a JSON object');

  const metadata: Record<string, string> = {};
  const tensors = new Map<string, Tensor>();
  const ranges: [number, number][] = [];
  for (const [name, value] of Object.entries(header)) {
    if (!isObject(value)) return fail(`"${name}" is not an object`);
    if (name === '__metadata__') {
      for (const [key, text] of Object.entries(value)) {
        if (typeof text !== 'string') return fail(`the metadata "${key}" is not a string`);
        metadata[key] = text;
      }
      continue;
    }
    const { dtype, shape, data_offsets: offsets } = value;
    const size = sizes[dtype as Dtype];
    if (size === undefined) return fail(`"${name}" has the type ${String(dtype)}, which is not read`);
    if (!isCounts(shape)) return fail(`"${name}" has no usable shape`);
    if (!isCounts(offsets) || offsets.length !== 2) return fail(`"${name}" has no usable offsets`);
    const [begin, end] = offsets as [number, number];
    const length = shape.reduce((product, dimension) => product * dimension, 1) * size;
    if (begin > end || end > bytes.length - start || end - begin !== length) {
      return fail(
        `"${name}" should have ${length} bytes at ${begin} to ${end} of ${bytes.length - start}`,
      );
    }
    ranges.push([begin, end]);
    tensors.set(name, {
      dtype: dtype as Dtype,
      shape,
      bytes: bytes.subarray(start + begin, start + end),
    });
  }
  ranges.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  let reached = 0;
  for (const [begin, end] of ranges) {
    if (begin !== reached) fail('its tensors overlap or leave gaps');
    reached = end;
  }
  if (reached !== bytes.length - start) fail('bytes are left over after the last tensor');
  return { tensors, metadata };
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((item) => Number.isSafeInteger(item) && item >= 0);
}

/** The file of these tensors; the header is padded so that the first tensor is 8-byte aligned. */
export function writeSafetensors(
  tensors: readonly (readonly [name: string, tensor: Tensor])[],
  metadata: Record<string, string>,
): Uint8Array {
  const header: Record<string, unknown> = { __metadata__: metadata };
  // Wide elements first: then every tensor is aligned to its element.
  const ordered = [...tensors].sort((a, b) => sizes[b[1].dtype] - sizes[a[1].dtype]);
  let at = 0;
  for (const [name, { dtype, shape, bytes }] of ordered) {
    header[name] = { dtype, shape, data_offsets: [at, at + bytes.length] };
    at += bytes.length;
  }
  let text = JSON.stringify(header);
  let encoded = new TextEncoder().encode(text);
  text += ' '.repeat((8 - (encoded.length % 8)) % 8);
  encoded = new TextEncoder().encode(text);
  const file = new Uint8Array(8 + encoded.length + at);
  new DataView(file.buffer).setBigUint64(0, BigInt(encoded.length), true);
  file.set(encoded, 8);
  let place = 8 + encoded.length;
  for (const [, { bytes }] of ordered) {
    file.set(bytes, place);
    place += bytes.length;
  }
  return file;
}

/** A typed view of a tensor; copied where the file's alignment does not allow one. */
export function asF32(tensor: Tensor): Float32Array {
  const { buffer, byteOffset, byteLength } = aligned(tensor.bytes);
  return new Float32Array(buffer, byteOffset, byteLength / 4);
}

export function asU32(tensor: Tensor): Uint32Array {
  const { buffer, byteOffset, byteLength } = aligned(tensor.bytes);
  return new Uint32Array(buffer, byteOffset, byteLength / 4);
}

export function asI8(tensor: Tensor): Int8Array {
  const { buffer, byteOffset, byteLength } = tensor.bytes;
  return new Int8Array(buffer, byteOffset, byteLength);
}

function aligned(bytes: Uint8Array): Uint8Array {
  return bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
}

/** The bytes of a typed array, as a tensor. */
export function tensorOf(dtype: Dtype, shape: number[], array: ArrayBufferView): Tensor {
  return { dtype, shape, bytes: new Uint8Array(array.buffer, array.byteOffset, array.byteLength) };
}
