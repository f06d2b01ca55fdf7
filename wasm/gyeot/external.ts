/**
 * Weights left where they are. ONNX Runtime copies a model file into its heap, reads it, and copies
 * the weights out of what it has read. Weights in "external data" it copies once, from memory of ours;
 * so an ONNX file is split here into a small one that points into the old one, which holds its data.
 */

export interface SplitModel {
  /** The model without large weights. */
  graph: Uint8Array;
  /** The name by which `graph` calls the file that it was made of. */
  path: string;
}

const path = 'weights';

/** Smaller tensors stay in the graph: optimisations look at them. */
const largeBytes = 4096;

// Field numbers of onnx.proto.
const modelGraph = 7;
const graphInitializer = 5;
const tensor = { raw: 9, external: 13, location: 14 };
const external = 1;

/** Splits an ONNX file; null where it is not laid out as expected, and is better left whole. */
export function splitModel(model: Uint8Array): SplitModel | null {
  try {
    let moved = 0;
    const graph = rewrite(model, 0, model.length, modelGraph, (begin, end) =>
      join(rewrite(model, begin, end, graphInitializer, (from, to) => {
        const pointing = pointAt(model, from, to);
        if (pointing) moved++;
        return pointing;
      })));
    return moved > 0 ? { graph: join(graph), path } : null;
  } catch {
    return null;
  }
}

interface Field {
  number: number;
  wire: number;
  /** Where its key begins, its content begins, and it ends. */
  at: number;
  begin: number;
  end: number;
}

/** The fields of one protobuf message. */
function* fields(bytes: Uint8Array, begin: number, end: number): Generator<Field> {
  let place = begin;
  const varint = (): number => {
    let value = 0;
    for (let shift = 0; shift < 63; shift += 7) {
      const byte = bytes[place++];
      if (byte === undefined || place > end) break;
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
    throw new RangeError('not a protobuf message');
  };
  while (place < end) {
    const at = place;
    const key = varint();
    const wire = key & 7;
    let from = place;
    if (wire === 0) varint();
    else if (wire === 1) place += 8;
    else if (wire === 5) place += 4;
    else if (wire === 2) {
      const size = varint();
      from = place;
      place += size;
    } else throw new RangeError('not a protobuf message');
    if (place > end) throw new RangeError('not a protobuf message');
    yield { number: key >>> 3, wire, at, begin: from, end: place };
  }
}

/** A message as pieces, with `change` applied to each field `number`; null keeps a field. */
function rewrite(
  bytes: Uint8Array,
  begin: number,
  end: number,
  number: number,
  change: (begin: number, end: number) => Uint8Array | null,
): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (const field of fields(bytes, begin, end)) {
    const content = field.number === number && field.wire === 2 ? change(field.begin, field.end) : null;
    if (content) pieces.push(bytesField(number, content));
    else pieces.push(bytes.subarray(field.at, field.end));
  }
  return pieces;
}

/** A tensor whose raw data is pointed at; null when it has none, or little. */
function pointAt(bytes: Uint8Array, begin: number, end: number): Uint8Array | null {
  const pieces: Uint8Array[] = [];
  let raw: Field | null = null;
  for (const field of fields(bytes, begin, end)) {
    if (field.number === tensor.raw) raw = field;
    else if (field.number !== tensor.location) pieces.push(bytes.subarray(field.at, field.end));
  }
  // A tensor with raw data is not external yet, whatever its location field says.
  if (!raw || raw.end - raw.begin < largeBytes) return null;
  const entries = { location: path, offset: raw.begin, length: raw.end - raw.begin };
  for (const [key, value] of Object.entries(entries)) {
    const entry = [bytesField(1, utf8.encode(key)), bytesField(2, utf8.encode(String(value)))];
    pieces.push(bytesField(tensor.external, join(entry)));
  }
  pieces.push(new Uint8Array([tensor.location << 3, external]));
  return join(pieces);
}

const utf8 = new TextEncoder();

function bytesField(number: number, content: Uint8Array): Uint8Array {
  return join([varintBytes(number * 8 + 2), varintBytes(content.length), content]);
}

function varintBytes(value: number): Uint8Array {
  const bytes: number[] = [];
  for (; value > 127; value = Math.floor(value / 128)) bytes.push((value % 128) + 128);
  return Uint8Array.from([...bytes, value]);
}

function join(pieces: Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
