/** The response table: texts, groups and vectors of one model; one safetensors file. */
import { GyeotError } from '../core/index.js';
import { asF32, asI8, asU32, parseSafetensors, tensorOf, writeSafetensors } from './safetensors.js';
import type { Dtype, SafetensorsFile, Tensor } from './safetensors.js';
import { Vectors } from './vectors.js';

export interface TableMeta {
  fingerprint: string;
  threshold?: number;
  margin?: number;
  voteK?: number;
  voteScale?: number;
  /** Weight of the mean cosine with all rows in an answer's confidence. Default 0. */
  familiarity?: number;
  title?: string;
  language?: string;
  license?: string;
}

export interface Texts {
  question: string;
  answer: string;
  group: string;
}

/** Many strings as one UTF-8 block with n + 1 offsets; decoded one at a time, when asked for. */
class TextColumn {
  readonly #bytes: Uint8Array;
  readonly #offsets: Uint32Array;

  constructor(bytes: Uint8Array, offsets: Uint32Array) {
    this.#bytes = bytes;
    this.#offsets = offsets;
  }

  static of(texts: readonly string[]): TextColumn {
    const encoder = new TextEncoder();
    const blocks = texts.map((text) => encoder.encode(text));
    const offsets = new Uint32Array(texts.length + 1);
    blocks.forEach((block, index) => (offsets[index + 1] = offsets[index]! + block.length));
    const bytes = new Uint8Array(offsets[texts.length]!);
    blocks.forEach((block, index) => bytes.set(block, offsets[index]));
    return new TextColumn(bytes, offsets);
  }

  at(row: number): string {
    return decoder.decode(this.#bytes.subarray(this.#offsets[row], this.#offsets[row + 1]));
  }

  tensors(name: string): [string, Tensor][] {
    return [
      [`${name}_bytes`, tensorOf('U8', [this.#bytes.length], this.#bytes)],
      [`${name}_offsets`, tensorOf('U32', [this.#offsets.length], this.#offsets)],
    ];
  }
}

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

export class Table {
  readonly rows: number;
  readonly meta: TableMeta;
  readonly vectors: Vectors;
  /** Group number of each row. */
  readonly groupOf: Int32Array;
  /** Names by group number, in order of first appearance. */
  readonly groups: string[];
  /** Distinct responses by group number, in the rows' order. */
  readonly answers: string[][];
  readonly #questions: TextColumn;
  readonly #answers: TextColumn;
  #mean: Float64Array | null = null;

  private constructor(
    texts: { questions: TextColumn; answers: TextColumn; groups: TextColumn },
    vectors: Vectors,
    meta: TableMeta,
  ) {
    this.rows = vectors.rows;
    this.meta = meta;
    this.vectors = vectors;
    this.#questions = texts.questions;
    this.#answers = texts.answers;
    this.groupOf = new Int32Array(this.rows);
    this.groups = [];
    this.answers = [];
    this.#indexGroups(texts.groups);
  }

  #indexGroups(names: TextColumn): void {
    const numbers = new Map<string, number>();
    const seen: Set<string>[] = [];
    for (let row = 0; row < this.rows; row++) {
      // Rows without a group belong together when they have the same response.
      const name = names.at(row);
      const answer = this.#answers.at(row);
      const key = name === '' ? `\0${answer || row}` : name;
      let group = numbers.get(key);
      if (group === undefined) {
        group = this.groups.length;
        numbers.set(key, group);
        this.groups.push(name);
        this.answers.push([]);
        seen.push(new Set());
      }
      this.groupOf[row] = group;
      if (answer !== '' && !seen[group]!.has(answer)) {
        seen[group]!.add(answer);
        this.answers[group]!.push(answer);
      }
    }
  }

  get dimension(): number {
    return this.vectors.dimension;
  }

  question(row: number): string {
    return this.#questions.at(row);
  }

  answer(row: number): string {
    return this.#answers.at(row);
  }

  texts(row: number): Texts {
    const group = this.groups[this.groupOf[row]!]!;
    return { question: this.question(row), answer: this.answer(row), group };
  }

  /** Mean cosine of a unit vector with all rows: how near a text is to the table as a whole. */
  familiarity(vector: Float32Array): number {
    this.#mean ??= this.vectors.mean();
    return this.#mean.reduce((sum, value, at) => sum + value * vector[at]!, 0);
  }

  /** A table of rows and their vectors, a copy of which is normalised. */
  static of(rows: readonly Texts[], vectors: Float32Array, dimension: number, meta: TableMeta): Table {
    if (vectors.length !== rows.length * dimension) {
      throw new GyeotError('argument', `${rows.length} rows need ${rows.length * dimension} numbers`);
    }
    return new Table(
      {
        questions: TextColumn.of(rows.map((row) => row.question)),
        answers: TextColumn.of(rows.map((row) => row.answer)),
        groups: TextColumn.of(rows.map((row) => row.group)),
      },
      Vectors.ofF32(vectors.slice(), dimension),
      meta,
    );
  }

  /** Reads a built table; refuses one of another model before anything else is looked at. */
  static parse(bytes: Uint8Array, file: string, fingerprint?: string): Table {
    const { tensors, metadata } = parseSafetensors(bytes, file);
    if (metadata['format'] !== 'gyeot-table') {
      throw new GyeotError('format', `${file} is a safetensors file but not a gyeot table`, { file });
    }
    if (metadata['version'] !== '1') {
      throw new GyeotError(
        'unsupported',
        `${file} is a table of version ${metadata['version']}; this gyeot reads version 1`,
        { file },
      );
    }
    if (fingerprint !== undefined && metadata['fingerprint'] !== fingerprint) {
      throw new GyeotError(
        'fingerprint',
        `${file} was built with another model (${short(metadata['fingerprint'])}, not ` +
          `${short(fingerprint)}); build it again with this one`,
        { file },
      );
    }
    const reader = new TableReader({ tensors, metadata }, file);
    const vectors = reader.vectors();
    return new Table(
      {
        questions: reader.texts('question', vectors.rows),
        answers: reader.texts('answer', vectors.rows),
        groups: reader.texts('group', vectors.rows),
      },
      vectors,
      reader.meta(),
    );
  }

  /** The table as a file. `i8` keeps a byte a number, with one scale a row. */
  serialize(vectors: 'f32' | 'i8' = 'f32'): Uint8Array {
    const { rows, dimension, meta } = this;
    const metadata: Record<string, string> = {
      format: 'gyeot-table',
      version: '1',
      fingerprint: meta.fingerprint,
    };
    const optional: [string, string | number | undefined][] = [
      ['title', meta.title],
      ['language', meta.language],
      ['license', meta.license],
      ['threshold', meta.threshold],
      ['margin', meta.margin],
      ['vote_k', meta.voteK],
      ['vote_scale', meta.voteScale],
      ['familiarity', meta.familiarity],
    ];
    for (const [key, value] of optional) if (value !== undefined) metadata[key] = String(value);
    const tensors: [string, Tensor][] = [];
    if (vectors === 'f32') {
      tensors.push(['vectors', tensorOf('F32', [rows, dimension], this.vectors.toF32())]);
    } else {
      const { values, scales } = this.vectors.toBytes();
      tensors.push(['vectors', tensorOf('I8', [rows, dimension], values)]);
      tensors.push(['scales', tensorOf('F32', [rows], scales)]);
    }
    const names = Array.from(this.groupOf, (group) => this.groups[group]!);
    tensors.push(
      ...this.#questions.tensors('question'),
      ...this.#answers.tensors('answer'),
      ...TextColumn.of(names).tensors('group'),
    );
    return writeSafetensors(tensors, metadata);
  }
}

/** Takes a table's tensors out of a file, saying which one is wrong. */
class TableReader {
  readonly #file: SafetensorsFile;
  readonly #name: string;

  constructor(file: SafetensorsFile, name: string) {
    this.#file = file;
    this.#name = name;
  }

  #fail(message: string): never {
    throw new GyeotError('format', `${this.#name}: ${message}`, { file: this.#name });
  }

  #tensor(name: string, rank: number, ...dtypes: Dtype[]): Tensor {
    const tensor = this.#file.tensors.get(name);
    if (!tensor) return this.#fail(`the tensor "${name}" is missing`);
    if (!dtypes.includes(tensor.dtype) || tensor.shape.length !== rank) {
      this.#fail(`the tensor "${name}" should be ${dtypes.join(' or ')} with ${rank} dimensions`);
    }
    return tensor;
  }

  vectors(): Vectors {
    const tensor = this.#tensor('vectors', 2, 'F32', 'I8');
    const [rows, dimension] = tensor.shape as [number, number];
    if (dimension === 0) this.#fail('the vectors have no dimension');
    if (tensor.dtype === 'F32') {
      const values = asF32(tensor).slice();
      if (!values.every(Number.isFinite)) this.#fail('a vector has a number that is not finite');
      return Vectors.ofF32(values, dimension);
    }
    const scales = asF32(this.#tensor('scales', 1, 'F32'));
    if (scales.length !== rows) this.#fail(`"scales" should have ${rows} numbers`);
    if (!scales.every((scale) => scale >= 0 && Number.isFinite(scale))) {
      this.#fail('a scale is not a number from 0');
    }
    const values = asI8(tensor);
    if (values.includes(-128)) this.#fail('a vector has the byte -128; bytes go from -127 to 127');
    return Vectors.ofBytes(values, dimension);
  }

  texts(name: string, rows: number): TextColumn {
    const bytes = this.#tensor(`${name}_bytes`, 1, 'U8').bytes;
    const offsets = asU32(this.#tensor(`${name}_offsets`, 1, 'U32'));
    if (offsets.length !== rows + 1) this.#fail(`"${name}_offsets" should have ${rows + 1} numbers`);
    let last = 0;
    for (const offset of offsets) {
      if (offset < last) this.#fail(`"${name}_offsets" goes backwards`);
      last = offset;
    }
    if (offsets[0] !== 0 || last !== bytes.length) {
      this.#fail(`"${name}_offsets" should go from 0 to ${bytes.length}`);
    }
    return new TextColumn(bytes, offsets);
  }

  meta(): TableMeta {
    const { metadata } = this.#file;
    const number = (key: string): number | undefined => {
      const text = metadata[key];
      if (text === undefined || text === '') return undefined;
      const value = Number(text);
      return Number.isFinite(value) ? value : this.#fail(`the metadata "${key}" is not a number`);
    };
    const meta: TableMeta = { fingerprint: metadata['fingerprint'] ?? '' };
    const numbers = {
      threshold: number('threshold'),
      margin: number('margin'),
      voteK: number('vote_k'),
      voteScale: number('vote_scale'),
      familiarity: number('familiarity'),
    };
    for (const [key, value] of Object.entries(numbers)) {
      if (value !== undefined) meta[key as keyof typeof numbers] = value;
    }
    for (const key of ['title', 'language', 'license'] as const) {
      if (metadata[key]) meta[key] = metadata[key];
    }
    return meta;
  }
}

function short(fingerprint: string | undefined): string {
  return fingerprint ? fingerprint.slice(0, 12) : 'no fingerprint';
}
