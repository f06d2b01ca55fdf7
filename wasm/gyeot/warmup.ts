/** Gets the runtime's code compiled while the model is still on its way. */
import type * as Ort from 'onnxruntime-web/wasm';
import { warmupModel } from './warmup-model.js';

/**
 * Browsers compile a function of the .wasm when it is first called: in Chromium 250 of the 310 ms that
 * opening a model takes, and 150 of the 190 ms of its first run. A tiny encoder of the same operators
 * calls them all before the model's bytes are there; `wanted` says whether there is still time.
 */
export async function warmUp(ort: typeof Ort, wanted: () => boolean): Promise<void> {
  if (!wanted()) return;
  const bytes = Uint8Array.from(atob(warmupModel), (character) => character.charCodeAt(0));
  const session = await ort.InferenceSession.create(bytes, { executionProviders: ['wasm'] });
  try {
    // Once each with and without a remainder for SIMD, no more: code that is compiled well for what a
    // tiny encoder does is 4 % slower at what a real one does.
    for (const length of [8, 5]) {
      if (!wanted()) return;
      const tensor = (value: bigint) =>
        new ort.Tensor('int64', new BigInt64Array(length).fill(value), [1, length]);
      await session.run({ input_ids: tensor(4n), attention_mask: tensor(1n) });
    }
  } finally {
    await session.release();
  }
}
