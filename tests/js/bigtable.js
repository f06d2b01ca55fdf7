/** Tables of any size, written from their format alone: no text of theirs is ever embedded. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { model } from './support.js';

export const fingerprint =
  JSON.parse(await readFile(path.join(model, 'gyeot.json'), 'utf8')).fingerprint;
const dimension = 384;

/** The question, answer and group of a made-up row. */
export const rowOf = (row) => [`물건 ${row}번은 어디에 있나요?`, `${row}번 선반이에요.`, `물건 ${row}`];

/** The bytes of a table in i8 or f32 whose rows are `rowOf`, with vectors by chance of length 1. */
export function bigTable(rows, kind = 'i8') {
  const values = kind === 'i8' ? new Int8Array(rows * dimension) : new Float32Array(rows * dimension);
  const scales = new Float32Array(rows);
  let seed = 1;
  for (let row = 0; row < rows; row++) {
    let [sum, largest] = [0, 0];
    const vector = values.subarray(row * dimension, (row + 1) * dimension);
    const numbers = Array.from(vector, () => {
      seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
      const number = (seed >>> 8) / 2 ** 23 - 1;
      largest = Math.max(largest, Math.abs(number));
      return number;
    });
    numbers.forEach((number, at) => {
      vector[at] = kind === 'i8' ? Math.round((number / largest) * 127) : number;
      sum += vector[at] ** 2;
    });
    scales[row] = 1 / Math.sqrt(sum);
    if (kind === 'f32') vector.forEach((number, at) => (vector[at] = number * scales[row]));
  }
  const texts = Array.from({ length: rows }, (_, row) => rowOf(row));
  const columns = ['question', 'answer', 'group'].map((name, column) => {
    const offsets = new Uint32Array(rows + 1);
    const blocks = texts.map((row) => Buffer.from(row[column]));
    blocks.forEach((block, row) => (offsets[row + 1] = offsets[row] + block.length));
    return [name, offsets, Buffer.concat(blocks)];
  });
  return safetensors([
    ...(kind === 'i8' ? [['scales', 'F32', [rows], scales]] : [['vectors', 'F32', [rows, dimension], values]]),
    ...columns.map(([name, offsets]) => [`${name}_offsets`, 'U32', [rows + 1], offsets]),
    ...(kind === 'i8' ? [['vectors', 'I8', [rows, dimension], values]] : []),
    ...columns.map(([name, , bytes]) => [`${name}_bytes`, 'U8', [bytes.length], bytes]),
  ], { format: 'gyeot-table', version: '1', fingerprint });
}

function safetensors(tensors, metadata) {
  const header = { __metadata__: metadata };
  let at = 0;
  const blocks = tensors.map(([name, dtype, shape, array]) => {
    header[name] = { dtype, shape, data_offsets: [at, (at += array.byteLength)] };
    return Buffer.from(array.buffer, array.byteOffset, array.byteLength);
  });
  const text = JSON.stringify(header);
  const padded = Buffer.from(text.padEnd(Math.ceil(Buffer.byteLength(text) / 8) * 8));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  return Buffer.concat([length, padded, ...blocks]);
}

/** The rows as a spreadsheet. */
export function spreadsheet(rows, more = []) {
  const lines = [['질문', '답변', '구분'], ...Array.from({ length: rows }, (_, row) => rowOf(row)), ...more];
  return lines.map((cells) => cells.join(',')).join('\n');
}

/** The tensors' names, types and shapes of a table file, and its metadata. */
export function headerOf(file) {
  return JSON.parse(file.subarray(8, 8 + Number(file.readBigUInt64LE())));
}

