/** A table's vectors in the form in which they are kept. */
import { VectorIndex } from '../core/index.js';
import type { CoreModule } from '../core/index.js';

/**
 * `[rows, dimension]`, each row of length 1 (or zero): f32, or bytes with a scale a row. Bytes stay
 * bytes: they are a quarter of the memory, and an index takes them as they are.
 */
export class Vectors {
  readonly dimension: number;
  readonly values: Float32Array | Int8Array;
  /** What gives a row of bytes length 1; null for f32. */
  readonly #scales: Float32Array | null;

  private constructor(values: Float32Array | Int8Array, dimension: number, scales: Float32Array | null) {
    this.values = values;
    this.dimension = dimension;
    this.#scales = scales;
  }

  /** From f32, which are normalised in place. */
  static ofF32(values: Float32Array, dimension: number): Vectors {
    return new Vectors(normalizeRows(values, dimension), dimension, null);
  }

  /** From bytes, -127 to 127; a row's own scale does not matter, as its length is to be 1. */
  static ofBytes(values: Int8Array, dimension: number): Vectors {
    return new Vectors(values, dimension, unitScales(values, dimension));
  }

  get rows(): number {
    return this.values.length / this.dimension;
  }

  get quantized(): boolean {
    return this.#scales !== null;
  }

  row(row: number): Float32Array {
    const begin = row * this.dimension;
    const values = this.values.subarray(begin, begin + this.dimension);
    if (values instanceof Float32Array) return values;
    const scale = this.#scales![row]!;
    return Float32Array.from(values, (value) => value * scale);
  }

  /** All rows as f32, in memory of their own where they are bytes. */
  toF32(): Float32Array {
    if (this.values instanceof Float32Array) return this.values;
    const all = new Float32Array(this.values.length);
    for (let row = 0, at = 0; row < this.rows; row++) {
      const scale = this.#scales![row]!;
      for (let column = 0; column < this.dimension; column++, at++) all[at] = this.values[at]! * scale;
    }
    return all;
  }

  /**
   * Symmetric: the largest magnitude of a row becomes 127, and the scale gives it length 1 again, so that
   * a table of bytes that is read and written once more is the same file.
   */
  toBytes(): { values: Int8Array; scales: Float32Array } {
    const { values, dimension } = this;
    if (values instanceof Int8Array) return { values, scales: this.#scales! };
    const bytes = new Int8Array(values.length);
    for (let begin = 0; begin < values.length; begin += dimension) {
      let largest = 0;
      for (let at = begin; at < begin + dimension; at++) {
        largest = Math.max(largest, Math.abs(values[at]!));
      }
      const step = largest / 127 || 1;
      for (let at = begin; at < begin + dimension; at++) bytes[at] = Math.round(values[at]! / step);
    }
    return { values: bytes, scales: unitScales(bytes, dimension) };
  }

  /** An index of them, the caller's to close. */
  index(core: CoreModule): VectorIndex {
    const index = new VectorIndex(core, { dimension: this.dimension, type: this.quantized ? 'i8' : 'f32' });
    try {
      index.add(this.values);
    } catch (error) {
      index.close();
      throw error;
    }
    return index;
  }

  mean(): Float64Array {
    const { values, dimension, rows } = this;
    const mean = new Float64Array(dimension);
    for (let row = 0, begin = 0; row < rows; row++, begin += dimension) {
      const share = (this.#scales?.[row] ?? 1) / rows;
      for (let at = 0; at < dimension; at++) mean[at]! += values[begin + at]! * share;
    }
    return mean;
  }
}

/** Scales each row to length 1, in place; a zero row stays zero. */
function normalizeRows(vectors: Float32Array, dimension: number): Float32Array {
  for (let begin = 0; begin < vectors.length; begin += dimension) {
    let sum = 0;
    for (let at = begin; at < begin + dimension; at++) sum += vectors[at]! * vectors[at]!;
    if (sum === 0) continue;
    const factor = 1 / Math.sqrt(sum);
    // Rows that are normal already keep their very bits.
    if (Math.abs(factor - 1) < 1e-6) continue;
    for (let at = begin; at < begin + dimension; at++) vectors[at] = vectors[at]! * factor;
  }
  return vectors;
}

function unitScales(values: Int8Array, dimension: number): Float32Array {
  const scales = new Float32Array(values.length / dimension);
  for (let row = 0, at = 0; row < scales.length; row++) {
    let sum = 0;
    for (const end = at + dimension; at < end; at++) sum += values[at]! * values[at]!;
    scales[row] = sum === 0 ? 1 : 1 / Math.sqrt(sum);
  }
  return scales;
}
