/** Many texts, shared out to several engines of one model. */
import type { CallOptions, EmbedOptions, Embeddings } from './types.js';

/** Turns texts into vectors. */
export type Embed = (
  texts: string[],
  kind: 'query' | 'document',
  options: CallOptions,
) => Promise<Embeddings>;

/** Texts that an engine takes at a time: few enough that all of them end together. */
const share = 64;

/** Texts for which another engine is worth its start, which takes as long as some fifty texts. */
export const worthAnother = 200;

/**
 * Vectors of `texts`, in their order. Each of `hands` takes the next share when it has done one; one
 * that never comes (null) leaves its work to the others. Fails as the first that fails.
 */
export async function embedTogether(
  texts: readonly string[],
  hands: readonly Promise<Embed | null>[],
  dimension: number,
  { kind = 'query', signal, onProgress }: EmbedOptions,
): Promise<Embeddings> {
  const data = new Float32Array(texts.length * dimension);
  const truncated = new Array<boolean>(texts.length).fill(false);
  // Neighbours in length go together, as within an engine.
  const order = texts.map((_, index) => index).sort((a, b) => texts[a]!.length - texts[b]!.length);
  let next = 0;
  let done = 0;
  const stop = new AbortController();
  const cancel = (): void => stop.abort(signal?.reason);
  if (signal?.aborted) cancel();
  signal?.addEventListener('abort', cancel);

  async function work(hand: Promise<Embed | null>): Promise<void> {
    const embed = await hand;
    while (embed && next < order.length) {
      const mine = order.slice(next, (next += share));
      const found = await embed(mine.map((index) => texts[index]!), kind, { signal: stop.signal });
      mine.forEach((index, row) => {
        data.set(found.data.subarray(row * dimension, (row + 1) * dimension), index * dimension);
        truncated[index] = found.truncated[row]!;
      });
      done += mine.length;
      onProgress?.({ phase: 'embed', loaded: done, total: texts.length });
    }
  }

  onProgress?.({ phase: 'embed', loaded: 0, total: texts.length });
  try {
    await Promise.all(hands.map(work));
  } catch (error) {
    stop.abort();
    throw error;
  } finally {
    signal?.removeEventListener('abort', cancel);
  }
  return { data, dims: [texts.length, dimension], truncated };
}
