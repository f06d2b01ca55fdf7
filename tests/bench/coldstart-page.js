/**
 * The same walk with transformers.js: load the model (`?model=`) and the table, embed the question (`?q=`),
 * find the nearest row by a plain loop, show its question. As its documentation writes it, one thread.
 */
import { env, pipeline } from '/tjs/transformers.min.js';

env.localModelPath = '/models/';
env.allowLocalModels = true;
env.allowRemoteModels = false;
env.backends.onnx.wasm.wasmPaths = '/ort/';
env.backends.onnx.wasm.numThreads = 1;

/** The tensors of a safetensors file that are asked for: `{ dtype, bytes }`, or undefined. */
function tensors(buffer, names) {
  const head = Number(new DataView(buffer).getBigUint64(0, true));
  const entries = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 8, head)));
  return names.map((name) => {
    if (!entries[name]) return undefined;
    const { dtype, data_offsets: offsets } = entries[name];
    const [begin, end] = offsets.map((at) => at + 8 + head);
    return { dtype, bytes: buffer.slice(begin, end) };
  });
}

/** Rows as f32; those kept in eight bits have a scale each. */
function expand(vectors, scales) {
  if (vectors.dtype === 'F32') return new Float32Array(vectors.bytes);
  const codes = new Int8Array(vectors.bytes);
  const scale = new Float32Array(scales.bytes);
  const dimension = codes.length / scale.length;
  return Float32Array.from(codes, (code, at) => code * scale[Math.floor(at / dimension)]);
}

async function loadTable() {
  const buffer = await (await fetch('/table/ko.safetensors')).arrayBuffer();
  const [vectors, scales, offsets, text] =
    tensors(buffer, ['vectors', 'scales', 'question_offsets', 'question_bytes']);
  const at = new Uint32Array(offsets.bytes);
  const rows = expand(vectors, scales);
  return {
    rows,
    dimension: rows.length / (at.length - 1),
    question: (row) => new TextDecoder().decode(text.bytes.slice(at[row], at[row + 1])),
  };
}

const { q: asked, model } = Object.fromEntries(new URL(location.href).searchParams);

const [embed, table] = await Promise.all([
  pipeline('feature-extraction', model ?? 'default', { dtype: 'q8', device: 'wasm' }),
  loadTable(),
]);

/** One string, or several, to vectors. */
window.embed = async (text) => (await embed(text, { pooling: 'mean', normalize: true })).data;

/** The row with the largest dot product. */
function nearest({ rows, dimension }, query) {
  let best = { row: -1, score: -Infinity };
  for (let row = 0, at = 0; at < rows.length; row++) {
    let score = 0;
    for (let i = 0; i < dimension; i++) score += rows[at++] * query[i];
    if (score > best.score) best = { row, score };
  }
  return best.row;
}

const row = nearest(table, await window.embed(asked));
document.querySelector('#answer').textContent = table.question(row);
