/** The texts inside a built table, for building it again with another model. */

import type { Row } from '../../wasm/gyeot/types.js';

interface Entry {
  dtype: string;
  shape: number[];
  data_offsets: [number, number];
}

const longestHeader = 1 << 20;

/** Questions, answers and groups of a safetensors table; `null` when it is something else. */
export function readTexts(bytes: Uint8Array): Row[] | null {
  if (bytes.length < 8) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = Number(view.getBigUint64(0, true));
  if (length > longestHeader || 8 + length > bytes.length) return null;
  let header: Record<string, Entry>;
  try {
    header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
  } catch {
    return null;
  }
  const part = (name: string): Uint8Array | null => {
    const range = header[name]?.data_offsets;
    if (!range) return null;
    return bytes.subarray(8 + length + range[0], 8 + length + range[1]);
  };
  const texts = (name: string): string[] | null => {
    const text = part(`${name}_bytes`);
    const offsets = part(`${name}_offsets`);
    if (!text || !offsets || offsets.length % 4 !== 0) return null;
    const at = new DataView(offsets.buffer, offsets.byteOffset, offsets.byteLength);
    const decoder = new TextDecoder();
    return Array.from({ length: Math.max(0, offsets.length / 4 - 1) }, (_, row) =>
      decoder.decode(text.subarray(at.getUint32(4 * row, true), at.getUint32(4 * row + 4, true))),
    );
  };
  const questions = texts('question');
  const answers = texts('answer');
  const groups = texts('group');
  if (!questions || !answers || !groups) return null;
  return questions.map((question, row) => ({
    question,
    answer: answers[row] ?? '',
    group: groups[row] ?? '',
  }));
}
