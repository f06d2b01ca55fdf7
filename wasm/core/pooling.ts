/** Pooling: the hidden states of a text's tokens become its one vector. */
import { GyeotError } from './error.js';
import type { CoreModule } from './module.js';

declare module './module.js' {
  interface CoreExports {
    gyeot_pool(
      mode: number,
      hidden: number,
      mask: number,
      texts: number,
      length: number,
      width: number,
      keep: number,
      normalize: number,
      out: number,
    ): number;
  }
}

// The order of enum gyeot_pooling.
const modes = ['mean', 'cls', 'max', 'mean_sqrt_len'] as const;

/** How tokens become one vector, by sentence-transformers' names. */
export type PoolingMode = (typeof modes)[number];

export interface PoolOptions {
  /** Default `mean`. */
  mode?: PoolingMode;
  /** Divide each vector by its L2 norm. Default true. */
  normalize?: boolean;
  /** Dimensions kept, from the first, before normalising. Default: all. */
  dimension?: number;
}

/**
 * Pools a batch of texts: `hidden` is `[n, length, width]`, `mask` is `[n, length]` (not 0 where a
 * token counts), the result is `[n, dimension]`. A text whose mask is all 0 gives zeros.
 * @throws GyeotError `argument` when the sizes disagree.
 */
export function pool(
  core: CoreModule,
  hidden: Float32Array,
  mask: Int32Array,
  dims: readonly [n: number, length: number, width: number],
  options: PoolOptions = {},
): Float32Array {
  const [count, length, width] = dims;
  const { mode = 'mean', normalize = true, dimension = width } = options;
  if (hidden.length !== count * length * width || mask.length !== count * length) {
    throw new GyeotError(
      'argument',
      `Pooling [${dims.join(', ')}] needs ${count * length * width} hidden values and ` +
        `${count * length} mask values, not ${hidden.length} and ${mask.length}`,
    );
  }
  if (count === 0) return new Float32Array(0);
  return core.scope((scope) => {
    const out = scope.alloc(4 * count * dimension);
    const status = core.exports.gyeot_pool(
      modes.indexOf(mode),
      scope.bytes(hidden),
      scope.bytes(mask),
      count,
      length,
      width,
      dimension,
      Number(normalize),
      out,
    );
    core.check(status);
    return core.f32().slice(out / 4, out / 4 + count * dimension);
  });
}

/** `pool` with the mean over the attention mask (divisor at least 1e-9). */
export function meanPool(
  core: CoreModule,
  hidden: Float32Array,
  mask: Int32Array,
  dims: readonly [n: number, length: number, width: number],
  options: { normalize?: boolean } = {},
): Float32Array {
  return pool(core, hidden, mask, dims, { mode: 'mean', ...options });
}
