/** Exact cosine search over vectors in the core's memory. */
import { GyeotError } from './error.js';
import type { CoreModule } from './module.js';

declare module './module.js' {
  interface CoreExports {
    gyeot_index_new(dimension: number, type: number, allocator: number, out: number): number;
    gyeot_index_free(index: number): void;
    gyeot_index_reserve(index: number, rows: number): number;
    gyeot_index_add(index: number, vectors: number, groups: number, count: number): number;
    gyeot_index_add_i8(index: number, vectors: number, groups: number, count: number): number;
    gyeot_index_remove(index: number, row: number): number;
    gyeot_index_rows(index: number): number;
    gyeot_index_size(index: number): number;
    gyeot_index_bytes(index: number): number;
    gyeot_index_row(index: number, row: number, out: number): number;
    gyeot_index_search(
      index: number,
      queries: number,
      count: number,
      k: number,
      filter: number,
      filterLength: number,
      rows: number,
      scores: number,
      found: number,
    ): number;
  }
}

// The order of enum gyeot_index_type.
const types = ['f32', 'i8', 'i8+f32'] as const;

/**
 * How rows are kept: `f32` (exact), `i8` (a quarter of the memory), or `i8+f32` (int8 finds the
 * candidates, f32 scores and orders them).
 */
export type VectorIndexType = (typeof types)[number];

export interface VectorIndexOptions {
  dimension: number;
  /** Default `f32`. */
  type?: VectorIndexType;
}

export interface SearchOptions {
  /** How many rows. Default 10. */
  k?: number;
  /** Only rows of these groups. Default: all. */
  groups?: Iterable<number>;
}

/** Nearest rows, best first; equal scores in order of row number. */
export interface Neighbours {
  rows: Int32Array;
  /** Cosine similarities, -1 to 1. */
  scores: Float32Array;
}

/** Rows copied into the core at a time, so that a large table needs no second copy of itself. */
const copyBytes = 1 << 20;

const leaks =
  typeof FinalizationRegistry === 'undefined'
    ? undefined
    : new FinalizationRegistry<() => void>((free) => free());

/**
 * Rows are numbered from 0 in the order in which they are added; a removed row's number is not used
 * again. Vectors are normalised when they are added. Call `close()` when done.
 */
export class VectorIndex {
  readonly dimension: number;
  readonly type: VectorIndexType;
  readonly #core: CoreModule;
  #pointer: number;

  /** @throws GyeotError `argument`, `limit` (more than 16,384 dimensions) or `memory`. */
  constructor(core: CoreModule, { dimension, type = 'f32' }: VectorIndexOptions) {
    this.dimension = dimension;
    this.type = type;
    this.#core = core;
    this.#pointer = core.scope((scope) => {
      const out = scope.alloc(4);
      core.check(core.exports.gyeot_index_new(dimension, types.indexOf(type), 0, out));
      return core.u32()[out / 4]!;
    });
    const pointer = this.#pointer;
    leaks?.register(this, () => core.exports.gyeot_index_free(pointer), this);
  }

  get #index(): number {
    if (this.#pointer === 0) throw new GyeotError('closed', 'The vector index is closed');
    return this.#pointer;
  }

  /** Rows that a search can find. */
  get size(): number {
    return this.#core.exports.gyeot_index_size(this.#index);
  }

  /** Rows ever added: one more than the largest row number. */
  get rows(): number {
    return this.#core.exports.gyeot_index_rows(this.#index);
  }

  /** Bytes that the rows take. */
  get bytes(): number {
    return this.#core.exports.gyeot_index_bytes(this.#index) >>> 0;
  }

  /**
   * Adds rows `[n, dimension]`, f32 or int8 (-127 to 127; the scale of a row does not matter to a
   * cosine); `groups` `[n]` are numbers from 0 for `search` to filter by.
   * @throws GyeotError `argument` for NaN, infinity, a negative group or a size that does not fit
   *   (nothing is added from there on), `memory`.
   */
  add(vectors: Float32Array | Int8Array, groups?: Int32Array): void {
    const core = this.#core;
    const count = vectors.length / this.dimension;
    if (!Number.isInteger(count) || (groups && groups.length !== count)) {
      throw new GyeotError(
        'argument',
        `${vectors.length} numbers${groups ? ` and ${groups.length} groups` : ''} are no rows of ` +
          `${this.dimension} dimensions`,
      );
    }
    core.check(core.exports.gyeot_index_reserve(this.#index, this.rows + count));
    const put =
      vectors instanceof Int8Array
        ? core.exports.gyeot_index_add_i8
        : core.exports.gyeot_index_add;
    const step = Math.max(1, Math.floor(copyBytes / (this.dimension * vectors.BYTES_PER_ELEMENT)));
    for (let from = 0; from < count; from += step) {
      const to = Math.min(count, from + step);
      core.scope((scope) => {
        const rows = scope.bytes(vectors.subarray(from * this.dimension, to * this.dimension));
        const numbers = groups ? scope.bytes(groups.subarray(from, to)) : 0;
        core.check(put(this.#index, rows, numbers, to - from));
      });
    }
  }

  /** Takes a row out of every later search. @throws GyeotError `argument` for a row never added. */
  remove(row: number): void {
    this.#core.check(this.#core.exports.gyeot_index_remove(this.#index, row));
  }

  /** A row's normalised vector. @throws GyeotError `argument` for a row never added. */
  row(row: number): Float32Array {
    const core = this.#core;
    return core.scope((scope) => {
      const out = scope.alloc(4 * this.dimension);
      core.check(core.exports.gyeot_index_row(this.#index, row, out));
      return core.f32().slice(out / 4, out / 4 + this.dimension);
    });
  }

  /**
   * The `k` nearest rows of one vector.
   * @throws GyeotError `argument` when the vector's dimension differs, holds NaN or infinity, or k
   *   is not a positive whole number.
   */
  search(query: Float32Array, options: SearchOptions = {}): Neighbours {
    if (query.length !== this.dimension) {
      throw new GyeotError(
        'argument',
        `The query has ${query.length} dimensions and the index ${this.dimension}`,
      );
    }
    return this.searchBatch(query, options)[0]!;
  }

  /** The same for several vectors `[n, dimension]`, in one pass over the rows. */
  searchBatch(queries: Float32Array, options: SearchOptions = {}): Neighbours[] {
    const core = this.#core;
    const { k = 10, groups } = options;
    const count = queries.length / this.dimension;
    if (!Number.isInteger(count) || !Number.isInteger(k) || k < 1) {
      throw new GyeotError(
        'argument',
        `A search needs queries of ${this.dimension} dimensions and a whole k above 0, ` +
          `not ${queries.length} numbers and k = ${k}`,
      );
    }
    if (count === 0) return [];
    const wanted = Math.max(1, Math.min(k, this.size));
    const filter = groups ? bitmap(groups) : undefined;
    return core.scope((scope) => {
      const rows = scope.alloc(4 * count * wanted);
      const scores = scope.alloc(4 * count * wanted);
      const found = scope.alloc(4 * count);
      const status = core.exports.gyeot_index_search(
        this.#index,
        scope.bytes(queries),
        count,
        wanted,
        filter ? scope.bytes(filter) : 0,
        filter?.length ?? 0,
        rows,
        scores,
        found,
      );
      core.check(status);
      return Array.from({ length: count }, (_, query) => {
        const held = core.u32()[found / 4 + query]!;
        const at = query * wanted;
        return {
          rows: core.i32().slice(rows / 4 + at, rows / 4 + at + held),
          scores: core.f32().slice(scores / 4 + at, scores / 4 + at + held),
        };
      });
    });
  }

  /** Frees the memory; later calls throw `closed`. Calling it twice is fine. */
  close(): void {
    if (this.#pointer === 0) return;
    leaks?.unregister(this);
    this.#core.exports.gyeot_index_free(this.#pointer);
    this.#pointer = 0;
  }
}

function bitmap(groups: Iterable<number>): Uint8Array {
  const numbers = [...groups];
  const filter = new Uint8Array(numbers.reduce((most, group) => Math.max(most, group + 1), 0));
  for (const group of numbers) filter[group] = 1;
  return filter;
}
