/** Texts in, vectors out: tokenizer, encoder and pooling of one model. */
import { GyeotError, pool } from '../core/index.js';
import type { CoreModule, Tokenizer } from '../core/index.js';
import { throwIfAborted } from './abort.js';
import type { Encoder, Hidden } from './encoder.js';
import type { Manifest } from './manifest.js';
import type { CallOptions, Embeddings, TokenPiece } from './types.js';

/** Texts of one run, and their padded tokens at most. Larger batches gain nothing in one thread. */
const batchTexts = 16;
/**
 * A quantised graph scales the activations of a whole run together, so a text's vector would depend
 * on its company (cosine down to 0.984); a batch of 16 is only 1.2 times as fast as texts alone.
 */
const quantizedBatchTexts = 1;
const batchTokens = 1024;

export class Embedder {
  readonly #core: CoreModule;
  readonly #manifest: Manifest;
  readonly #tokenizer: Tokenizer;
  readonly #encoder: Encoder;
  readonly #batchTexts: number;

  constructor(core: CoreModule, manifest: Manifest, tokenizer: Tokenizer, encoder: Encoder) {
    this.#core = core;
    this.#manifest = manifest;
    this.#tokenizer = tokenizer;
    this.#encoder = encoder;
    const quantized = /quant|int8|q4|q8|bnb/i.test(manifest.encoder.file);
    this.#batchTexts = quantized ? quantizedBatchTexts : batchTexts;
  }

  async embed(
    texts: readonly string[],
    kind: 'query' | 'document',
    options: CallOptions = {},
  ): Promise<Embeddings> {
    const { signal, onProgress } = options;
    const dimension = this.#manifest.dimension;
    const data = new Float32Array(texts.length * dimension);
    const truncated = new Array<boolean>(texts.length).fill(false);
    const ids: Int32Array[] = [];
    for (let index = 0; index < texts.length; index++) {
      const encoding = this.#encode(texts[index]!, kind);
      ids.push(encoding.ids);
      truncated[index] = encoding.truncated;
      if (index % 256 === 255) await breathe(signal);
    }
    // Neighbours in length share a batch, so that little is spent on padding.
    const order = ids.map((_, index) => index).sort((a, b) => ids[a]!.length - ids[b]!.length);
    let done = 0;
    let breathed = performance.now();
    onProgress?.({ phase: 'embed', loaded: 0, total: texts.length });
    while (done < order.length) {
      // An event gets its turn between runs, at most once in 16 ms: waiting costs little but often.
      if (performance.now() - breathed > 16) {
        await breathe(signal);
        breathed = performance.now();
      }
      throwIfAborted(signal);
      const batch = nextBatch(order, done, ids, this.#batchTexts);
      const rows = await this.#run(batch.map((index) => ids[index]!));
      batch.forEach((index, row) => {
        data.set(rows.subarray(row * dimension, (row + 1) * dimension), index * dimension);
      });
      done += batch.length;
      onProgress?.({ phase: 'embed', loaded: done, total: texts.length });
    }
    return { data, dims: [texts.length, dimension], truncated };
  }

  #encode(text: string, kind: 'query' | 'document'): { ids: Int32Array; truncated: boolean } {
    if (typeof text !== 'string') {
      throw new GyeotError('argument', `A text should be a string, not ${typeof text}`);
    }
    const { prompts, maxLength } = this.#manifest;
    return this.#tokenizer.encode(prompts[kind] + text.normalize('NFC'), {
      maxLength,
      specialTokensAsText: true,
    });
  }

  async #run(ids: readonly Int32Array[]): Promise<Float32Array> {
    const count = ids.length;
    const length = Math.max(1, ...ids.map((row) => row.length));
    const padded = new Int32Array(count * length).fill(this.#tokenizer.padId);
    const mask = new Int32Array(count * length);
    ids.forEach((row, index) => {
      padded.set(row, index * length);
      mask.fill(1, index * length, index * length + row.length);
    });
    const hidden = await this.#encoder.run(padded, mask, [count, length]);
    return this.#pool(hidden, mask, count, length);
  }

  #pool(hidden: Hidden, mask: Int32Array, count: number, length: number): Float32Array {
    const { dimension, pooling, normalize } = this.#manifest;
    const { data, dims } = hidden;
    if (dims[0] !== count || dims.at(-1)! < dimension) {
      throw new GyeotError(
        'format',
        `The encoder gives vectors of the shape ${dims.join(' × ')}; the manifest says ${dimension}`,
      );
    }
    const width = dims.at(-1)!;
    // A graph that pools by itself is a sequence of one token.
    const steps = dims.length === 2 ? 1 : length;
    const weights = dims.length === 2 ? new Int32Array(count).fill(1) : mask;
    return pool(this.#core, data, weights, [count, steps, width], {
      mode: dims.length === 2 ? 'mean' : pooling,
      normalize,
      dimension,
    });
  }

  /** How a text is read, for showing to people; positions are those of the text given. */
  tokenize(text: string): TokenPiece[] {
    const prompt = this.#manifest.prompts.query;
    const normal = text.normalize('NFC');
    const { ids, offsets } = this.#tokenizer.encode(prompt + normal, {
      maxLength: this.#manifest.maxLength,
      specialTokensAsText: true,
      offsets: true,
    });
    const back = normal === text ? (at: number) => at : positionsBefore(text, normal);
    return Array.from(ids, (id, index) => {
      const begin = Math.max(0, (offsets?.[2 * index] ?? 0) - prompt.length);
      const end = Math.max(0, (offsets?.[2 * index + 1] ?? 0) - prompt.length);
      const piece = this.#tokenizer.piece(id) ?? '';
      return { id, piece, begin: back(begin), end: back(end) };
    });
  }

  async close(): Promise<void> {
    this.#tokenizer.close();
    await this.#encoder.close();
  }
}

function nextBatch(
  order: readonly number[],
  from: number,
  ids: readonly Int32Array[],
  most: number,
): number[] {
  const batch: number[] = [];
  for (let at = from; at < order.length && batch.length < most; at++) {
    const length = ids[order[at]!]!.length;
    if (batch.length > 0 && (batch.length + 1) * length > batchTokens) break;
    batch.push(order[at]!);
  }
  return batch;
}

/** Lets waiting events in (a cancellation among them) between two pieces of work. */
export async function breathe(signal?: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    // A timer is clamped to 4 ms; a message is not.
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
  throwIfAborted(signal);
}

/** Maps positions in the NFC form of a text to positions in the text, cluster by cluster. */
function positionsBefore(text: string, normal: string): (at: number) => number {
  const places: number[] = [];
  let at = 0;
  // Normalising joins a base with the marks or jamo after it, and nothing beyond them.
  for (const [cluster] of text.matchAll(/.[\p{M}\u1160-\u11ff]*/gsu)) {
    const length = cluster.normalize('NFC').length;
    for (let i = 0; i < length; i++) places.push(at);
    at += cluster.length;
  }
  if (places.length !== normal.length) return (position) => Math.min(position, text.length);
  return (position) => places[position] ?? text.length;
}
