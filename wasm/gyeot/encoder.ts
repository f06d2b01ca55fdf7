/** The neural encoder: token ids in, one vector a token out. */
import type * as Ort from 'onnxruntime-web/wasm';
import { GyeotError } from '../core/index.js';
import { splitModel } from './external.js';

export interface Hidden {
  /** `[n, length, d]`, or `[n, d]` when the graph pools by itself. */
  data: Float32Array;
  dims: readonly number[];
}

type IntegerType = 'int64' | 'int32';

/** Outputs by preference, where a manifest names none. */
const outputNames = ['last_hidden_state', 'token_embeddings', 'sentence_embedding'];

export class Encoder {
  readonly #ort: typeof Ort;
  readonly #session: Ort.InferenceSession;
  readonly #output: string;
  readonly #inputs: readonly { name: string; type: IntegerType }[];
  // One buffer an input, reused from call to call. An int64 tensor is a view of 32-bit halves: ids
  // are never negative, so the upper ones stay zero and no BigInt is made.
  readonly #buffers = new Map<string, Int32Array<ArrayBuffer>>();

  private constructor(
    runtime: typeof Ort,
    session: Ort.InferenceSession,
    inputs: readonly { name: string; type: IntegerType }[],
    output: string,
  ) {
    this.#ort = runtime;
    this.#session = session;
    this.#inputs = inputs;
    this.#output = output;
  }

  /** @internal The published types name no runtime. */
  static async create(
    runtime: typeof Ort,
    model: Uint8Array,
    file: string,
    output?: string,
  ): Promise<Encoder> {
    let session: Ort.InferenceSession;
    // The runtime's heap grows to 50 MB for a model of 29, not to 81, and opens it in 68 ms, not 80.
    const split = splitModel(model);
    try {
      session = await runtime.InferenceSession.create(split?.graph ?? model, {
        executionProviders: ['wasm'],
        logSeverityLevel: 3,
        ...(split ? { externalData: [{ path: split.path, data: model }] } : {}),
      });
    } catch (cause) {
      throw new GyeotError('format', `${file} could not be opened as a model: ${String(cause)}`, {
        file,
        cause,
      });
    }
    try {
      const inputs = session.inputMetadata.map((input) => {
        if (input.isTensor && (input.type === 'int64' || input.type === 'int32')) {
          return { name: input.name, type: input.type };
        }
        return refuse(file, `has the input "${input.name}", which is not integers`);
      });
      const known = ['input_ids', 'attention_mask', 'token_type_ids', 'position_ids'];
      const strange = inputs.find((input) => !known.includes(input.name));
      if (strange) refuse(file, `has the input "${strange.name}"; only ${known.join(', ')} are given`);
      if (!inputs.some((input) => input.name === 'input_ids')) refuse(file, 'has no "input_ids"');
      const chosen = output ?? outputNames.find((name) => session.outputNames.includes(name))
        ?? session.outputNames[0];
      if (chosen === undefined || !session.outputNames.includes(chosen)) {
        return refuse(file, `has no output "${chosen}" but ${session.outputNames.join(', ')}`);
      }
      return new Encoder(runtime, session, inputs, chosen);
    } catch (error) {
      await session.release();
      throw error;
    }
  }

  /**
   * Runs a padded batch. `mask` is 1 for tokens and 0 for padding.
   */
  async run(ids: Int32Array, mask: Int32Array, dims: [n: number, length: number]): Promise<Hidden> {
    const feeds: Record<string, Ort.Tensor> = {};
    for (const { name, type } of this.#inputs) {
      const source = name === 'input_ids' ? ids : name === 'attention_mask' ? mask : null;
      feeds[name] = this.#tensor(name, type, source, dims);
    }
    let results: Ort.InferenceSession.OnnxValueMapType;
    try {
      results = await this.#session.run(feeds, [this.#output]);
    } catch (cause) {
      throw new GyeotError('runtime', `The encoder failed: ${String(cause)}`, { cause });
    }
    const tensor = results[this.#output]!;
    if (tensor.type !== 'float32') {
      throw new GyeotError('unsupported', `The encoder gives ${tensor.type}, not float32`);
    }
    return { data: tensor.data as Float32Array, dims: tensor.dims };
  }

  #tensor(
    name: string,
    type: IntegerType,
    source: Int32Array | null,
    dims: [number, number],
  ): Ort.Tensor {
    const count = dims[0] * dims[1];
    const width = type === 'int64' ? 2 : 1;
    let buffer = this.#buffers.get(name);
    if (!buffer || buffer.length < count * width) {
      buffer = new Int32Array(Math.max(1024, count * width));
      this.#buffers.set(name, buffer);
    }
    if (source) for (let i = 0; i < count; i++) buffer[i * width] = source[i]!;
    if (name === 'position_ids') for (let i = 0; i < count; i++) buffer[i * width] = i % dims[1];
    const data = type === 'int64'
      ? new BigInt64Array(buffer.buffer, 0, count)
      : buffer.subarray(0, count);
    return new this.#ort.Tensor(type, data as never, dims);
  }

  async close(): Promise<void> {
    await this.#session.release();
  }
}

function refuse(file: string, what: string): never {
  throw new GyeotError('unsupported', `${file} ${what}`, { file });
}
