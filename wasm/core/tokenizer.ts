/**
 * Tokenizers: text in, ids out, by the C core. Texts cross into wasm memory many at a time and are
 * written there directly; a lone surrogate of a JavaScript string becomes U+FFFD on the way.
 */
import { GyeotError } from './error.js';
import { CoreModule } from './module.js';
import type { CoreOptions, Scope } from './module.js';
import { chooseTokenizer } from './tokenizer-folder.js';
import type { TokenizerChoice, TokenizerSection } from './tokenizer-folder.js';

declare module './module.js' {
  interface CoreExports {
    gyeot_tokenizer_free(tokenizer: number): void;
    gyeot_tokenizer_id(tokenizer: number, piece: number, size: number): number;
    gyeot_tokenizer_piece(tokenizer: number, id: number, size: number): number;
    gyeot_tokenizer_set_template(
      tokenizer: number, prefix: number, prefixLength: number, suffix: number, suffixLength: number,
    ): number;
    gyeot_tokenizer_size(tokenizer: number): number;
    gyeot_text_free(tokenizer: number, text: number): void;
    gyeot_wasm_load_vocab(
      bytes: number, size: number, lowercase: number, stripAccents: number, splitChinese: number,
      unk: number, cls: number, sep: number, pad: number, mask: number, added: number,
      addedFlags: number, addedCount: number, out: number, error: number,
    ): number;
    gyeot_wasm_load_sentencepiece(
      bytes: number, size: number, idOffset: number, unkId: number, out: number, error: number,
    ): number;
    gyeot_wasm_load_json(bytes: number, size: number, out: number, error: number): number;
    gyeot_wasm_decode(
      tokenizer: number, ids: number, length: number, skip: number, outText: number, outSize: number,
    ): number;
    gyeot_wasm_batch_new(): number;
    gyeot_wasm_batch_free(batch: number): void;
    gyeot_wasm_batch_text(batch: number, bytes: number): number;
    gyeot_wasm_batch_ends(batch: number, count: number): number;
    gyeot_wasm_batch_encode(
      batch: number, tokenizer: number, size: number, count: number, options: number,
      maxLength: number,
    ): number;
    gyeot_wasm_batch_ids(batch: number): number;
    gyeot_wasm_batch_offsets(batch: number): number;
    gyeot_wasm_batch_id_ends(batch: number): number;
    gyeot_wasm_batch_truncated(batch: number): number;
    gyeot_wasm_batch_pad(batch: number, count: number, length: number, padId: number): number;
  }
}

/** A special token that is looked for in the text before anything else. */
export interface AddedToken {
  content: string;
  /** It takes the white space before it, behind it. Default: false. */
  lstrip?: boolean;
  rstrip?: boolean;
  /** Only where no letter, mark, digit or underscore touches it. Default: false. */
  singleWord?: boolean;
}

/** How a vocab.txt is used; the fields of tokenizer_config.json. */
export interface VocabOptions {
  lowercase?: boolean;
  /** Default: as BERT, exactly when `lowercase`. */
  stripAccents?: boolean | null;
  /** Spaces around Chinese characters. Default: true. */
  splitChinese?: boolean;
  unkToken?: string;
  clsToken?: string;
  sepToken?: string;
  padToken?: string;
  maskToken?: string;
  /** Special tokens besides these, in the order in which those without a line get their ids. */
  addedTokens?: readonly AddedToken[];
  /** What the error calls the file. */
  file?: string;
}

export interface SentencePieceOptions {
  /** Added to every id but the unknown's. XLM-R and E5: 1. Default: 0. */
  idOffset?: number;
  /** The id of `<unk>`. XLM-R and E5: 3. Default: the model's own. */
  unkId?: number;
  /** Special ids put before and behind a text, at most 8 each. Default: none. */
  prefix?: readonly number[];
  suffix?: readonly number[];
  padId?: number;
  file?: string;
}

export interface JsonOptions {
  padId?: number;
  file?: string;
}

export interface EncodeOptions {
  /** Put the model's special tokens around the text. Default: true. */
  addSpecialTokens?: boolean;
  /** A special token written in the text is plain text. For what users type. Default: false. */
  specialTokensAsText?: boolean;
  /** Ids kept, special tokens counted. Default: no limit. */
  maxLength?: number;
}

export interface Encoded {
  ids: Int32Array;
  /** For each id, begin and end in the string (UTF-16 units); 0, 0 for added special tokens. */
  offsets?: Uint32Array;
  truncated: boolean;
}

export interface EncodedBatch {
  /** `dims[0]` rows of `dims[1]` ids, padded on the right. */
  ids: Int32Array;
  /** 1 where an id is, 0 where there is padding. */
  mask: Int32Array;
  dims: [number, number];
  truncated: boolean[];
}

/** Texts of different lengths, one behind the other. */
export interface EncodedRows {
  ids: Int32Array;
  /** Row i is `ids.subarray(i ? ends[i - 1] : 0, ends[i])`. */
  ends: Uint32Array;
  truncated: boolean[];
}

export interface LoadOptions extends CoreOptions {
  /** Serve several objects from one core. Default: a core of its own. */
  core?: CoreModule;
  /** The `tokenizer` section of gyeot.json; it wins over what the files say. */
  tokenizer?: TokenizerSection;
  /** What errors call the folder. */
  folder?: string;
}

const ADD_SPECIAL_TOKENS = 1;
const SPECIAL_TOKENS_AS_TEXT = 2;
const WANT_OFFSETS = 4;

const encoder = new TextEncoder();
const abandoned = new FinalizationRegistry<() => void>((release) => release());

export class Tokenizer {
  readonly #core: CoreModule;
  #handle: number;
  readonly #batch: number;
  /** The id that `encodeBatch` pads with. */
  readonly padId: number;

  private constructor(core: CoreModule, handle: number, padId: (of: Tokenizer) => number) {
    const { exports } = core;
    const batch = exports.gyeot_wasm_batch_new() >>> 0;
    if (batch === 0) {
      exports.gyeot_tokenizer_free(handle);
      throw new GyeotError('memory', 'Out of memory for a tokenizer');
    }
    this.#core = core;
    this.#handle = handle;
    this.#batch = batch;
    abandoned.register(this, () => release(core, handle, batch), this);
    this.padId = padId(this);
  }

  /** Reads the tokenizer of a Hugging Face folder from its files, by name. */
  static async load(
    files: Readonly<Record<string, Uint8Array>>,
    options: LoadOptions = {},
  ): Promise<Tokenizer> {
    const choice = chooseTokenizer(files, options.tokenizer, options.folder);
    const core = options.core ?? (await CoreModule.load(options));
    return Tokenizer.#fromChoice(core, choice);
  }

  static #fromChoice(core: CoreModule, choice: TokenizerChoice): Tokenizer {
    switch (choice.type) {
      case 'wordpiece':
        return Tokenizer.fromVocab(core, choice.bytes, choice.options);
      case 'sentencepiece':
        return Tokenizer.fromSentencePiece(core, choice.bytes, choice.options);
      case 'tokenizer.json':
        return Tokenizer.fromJson(core, choice.bytes, choice.options);
    }
  }

  /** WordPiece from vocab.txt; equals BertTokenizerFast. */
  static fromVocab(core: CoreModule, bytes: Uint8Array, options: VocabOptions = {}): Tokenizer {
    return Tokenizer.#load(core, options.file, (scope, out, error) => {
      const name = (token: string | undefined): number =>
        token === undefined ? 0 : scope.text(noNul(token)).pointer;
      const names = [options.unkToken, options.clsToken, options.sepToken, options.padToken,
        options.maskToken].map(name) as [number, number, number, number, number];
      const accents = options.stripAccents;
      const added = options.addedTokens ?? [];
      const contents = scope.text(added.map(({ content }) => noNul(content)).join('\0')).pointer;
      const flags = scope.bytes(Uint8Array.from(added, flagsOf));
      return core.exports.gyeot_wasm_load_vocab(
        handOver(core, bytes), bytes.length, Number(options.lowercase ?? false),
        accents === undefined || accents === null ? -1 : Number(accents),
        Number(options.splitChinese ?? true), ...names, contents, flags, added.length, out, error,
      );
    }, (tokenizer) => tokenizer.id(options.padToken ?? '[PAD]'));
  }

  /** A SentencePiece .model; equals SentencePiece. */
  static fromSentencePiece(
    core: CoreModule,
    bytes: Uint8Array,
    options: SentencePieceOptions = {},
  ): Tokenizer {
    const tokenizer = Tokenizer.#load(core, options.file, (_, out, error) =>
      core.exports.gyeot_wasm_load_sentencepiece(
        handOver(core, bytes), bytes.length, options.idOffset ?? 0, options.unkId ?? -1, out, error,
      ), (made) => options.padId ?? made.id('<pad>'));
    try {
      if (options.prefix || options.suffix) {
        tokenizer.#setTemplate(options.prefix ?? [], options.suffix ?? []);
      }
      return tokenizer;
    } catch (error) {
      tokenizer.close();
      throw error;
    }
  }

  /** A tokenizer.json; equals Hugging Face tokenizers. What it cannot read exactly it refuses. */
  static fromJson(core: CoreModule, bytes: Uint8Array, options: JsonOptions = {}): Tokenizer {
    return Tokenizer.#load(core, options.file, (_, out, error) =>
      core.exports.gyeot_wasm_load_json(handOver(core, bytes), bytes.length, out, error),
      (made) => options.padId ?? Math.max(made.id('[PAD]'), made.id('<pad>')));
  }

  static #load(
    core: CoreModule,
    file: string | undefined,
    load: (scope: Scope, out: number, error: number) => number,
    padId: (of: Tokenizer) => number,
  ): Tokenizer {
    const handle = core.scope((scope) => {
      const out = scope.alloc(4);
      const error = scope.error();
      core.check(load(scope, out, error), error, file);
      return core.u32()[out >>> 2]!;
    });
    return new Tokenizer(core, handle, (made) => Math.max(0, padId(made)));
  }

  #setTemplate(prefix: readonly number[], suffix: readonly number[]): void {
    const core = this.#core;
    core.scope((scope) => {
      const before = scope.bytes(Int32Array.from(prefix));
      const after = scope.bytes(Int32Array.from(suffix));
      core.check(core.exports.gyeot_tokenizer_set_template(
        this.#open(), before, prefix.length, after, suffix.length,
      ));
    });
  }

  #open(): number {
    if (this.#handle === 0) throw new GyeotError('closed', 'This tokenizer was closed');
    return this.#handle;
  }

  /** One more than the largest id. */
  get size(): number {
    return this.#core.exports.gyeot_tokenizer_size(this.#open()) >>> 0;
  }

  /** The ids of a text. */
  encode(text: string, options: EncodeOptions & { offsets?: boolean } = {}): Encoded {
    this.#run([text], options, options.offsets ? WANT_OFFSETS : 0);
    const { exports } = this.#core;
    const count = this.#idEnds(1)[0]!;
    const encoded: Encoded = {
      ids: this.#ids(count),
      truncated: this.#core.u8()[exports.gyeot_wasm_batch_truncated(this.#batch) >>> 0] === 1,
    };
    if (options.offsets) {
      const at = exports.gyeot_wasm_batch_offsets(this.#batch) >>> 0;
      encoded.offsets = new Uint32Array(exports.memory.buffer, at, 2 * count).slice();
    }
    return encoded;
  }

  /** The ids of many texts as one rectangle, padded on the right. */
  encodeBatch(texts: readonly string[], options: EncodeOptions = {}): EncodedBatch {
    this.#run(texts, options, 0);
    const { exports } = this.#core;
    const n = texts.length;
    let longest = 0;
    let begin = 0;
    for (const end of this.#idEnds(n)) {
      longest = Math.max(longest, end - begin);
      begin = end;
    }
    const at = exports.gyeot_wasm_batch_pad(this.#batch, n, longest, this.padId) >>> 0;
    if (at === 0) throw new GyeotError('memory', `Out of memory for ${n} rows of ${longest} ids`);
    const cells = n * longest;
    const padded = new Int32Array(exports.memory.buffer, at, 2 * cells);
    return {
      ids: padded.slice(0, cells),
      mask: padded.slice(cells),
      dims: [n, longest],
      truncated: this.#truncated(n),
    };
  }

  /** The ids of many texts, one behind the other, without padding. */
  encodeRows(texts: readonly string[], options: EncodeOptions = {}): EncodedRows {
    this.#run(texts, options, 0);
    const ends = this.#idEnds(texts.length).slice();
    return {
      ids: this.#ids(ends.at(-1) ?? 0),
      ends,
      truncated: this.#truncated(texts.length),
    };
  }

  /** The text of ids, for people who debug. */
  decode(ids: ArrayLike<number>, options: { skipSpecialTokens?: boolean } = {}): string {
    const core = this.#core;
    const handle = this.#open();
    return core.scope((scope) => {
      const out = scope.alloc(8);
      const given = scope.bytes(Int32Array.from(ids));
      core.check(core.exports.gyeot_wasm_decode(
        handle, given, ids.length, Number(options.skipSpecialTokens ?? false), out, out + 4,
      ));
      const [text, size] = core.u32().subarray(out >>> 2, (out >>> 2) + 2) as unknown as
        [number, number];
      try {
        return core.text(text, size);
      } finally {
        core.exports.gyeot_text_free(handle, text);
      }
    });
  }

  /** The piece of an id; undefined for an id without one. */
  piece(id: number): string | undefined {
    const core = this.#core;
    const handle = this.#open();
    return core.scope((scope) => {
      const size = scope.alloc(4);
      const piece = core.exports.gyeot_tokenizer_piece(handle, id, size);
      return piece === 0 ? undefined : core.text(piece, core.u32()[size >>> 2]);
    });
  }

  /** The id of a piece or special token; -1 when there is none. */
  id(piece: string): number {
    const core = this.#core;
    const handle = this.#open();
    return core.scope((scope) => {
      const { pointer, size } = scope.text(piece);
      return core.exports.gyeot_tokenizer_id(handle, pointer, size);
    });
  }

  /** Gives the memory back. Any later call throws. */
  close(): void {
    if (this.#handle === 0) return;
    abandoned.unregister(this);
    release(this.#core, this.#handle, this.#batch);
    this.#handle = 0;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** Encodes texts; the results stand in the core's batch until the next call. */
  #run(texts: readonly string[], options: EncodeOptions, flags: number): void {
    const core = this.#core;
    const handle = this.#open();
    const { maxLength = 0 } = options;
    if (!Number.isInteger(maxLength) || maxLength < 0) {
      throw new GyeotError('argument', `maxLength should be a whole number, not ${maxLength}`);
    }
    const size = this.#write(texts);
    const all = flags |
      (options.addSpecialTokens === false ? 0 : ADD_SPECIAL_TOKENS) |
      (options.specialTokensAsText ? SPECIAL_TOKENS_AS_TEXT : 0);
    core.check(core.exports.gyeot_wasm_batch_encode(
      this.#batch, handle, size, texts.length, all, maxLength,
    ));
  }

  /**
   * Writes the texts into the core's memory, with where each ends; returns their bytes. One
   * conversion for all of them, unless a surrogate at an end could pair up with its neighbour.
   */
  #write(texts: readonly string[]): number {
    const { exports } = this.#core;
    const count = texts.length;
    const endsAt = exports.gyeot_wasm_batch_ends(this.#batch, count) >>> 0;
    if (endsAt === 0) throw new GyeotError('memory', `Out of memory for ${count} texts`);
    const ends = new Uint32Array(exports.memory.buffer, endsAt, count);
    let units = 0;
    let joinable = true;
    for (let i = 0; i < count; i++) {
      const text = texts[i]!;
      const { length } = text;
      units += length;
      ends[i] = units;
      if (length === 0) continue;
      if (isSurrogate(text.charCodeAt(0)) || isSurrogate(text.charCodeAt(length - 1))) {
        joinable = false;
      }
    }
    const bytes = 3 * units;
    const at = bytes < 0xffffffff ? exports.gyeot_wasm_batch_text(this.#batch, bytes) >>> 0 : 0;
    if (at === 0) throw new GyeotError('memory', `Out of memory for a text of ${units} characters`);
    const room = new Uint8Array(exports.memory.buffer, at, bytes);
    if (count === 1) return encoder.encodeInto(texts[0]!, room).written;
    if (joinable) return encoder.encodeInto(texts.join(''), room).written;
    let written = 0;
    for (const text of texts) {
      if (text.length !== 0) written += encoder.encodeInto(text, room.subarray(written)).written;
    }
    return written;
  }

  #ids(count: number): Int32Array {
    const { exports } = this.#core;
    return new Int32Array(
      exports.memory.buffer, exports.gyeot_wasm_batch_ids(this.#batch) >>> 0, count,
    ).slice();
  }

  #idEnds(count: number): Uint32Array {
    const { exports } = this.#core;
    return new Uint32Array(
      exports.memory.buffer, exports.gyeot_wasm_batch_id_ends(this.#batch) >>> 0, count,
    );
  }

  #truncated(count: number): boolean[] {
    const { exports } = this.#core;
    const at = exports.gyeot_wasm_batch_truncated(this.#batch) >>> 0;
    return Array.from(new Uint8Array(exports.memory.buffer, at, count), (flag) => flag === 1);
  }
}

function isSurrogate(unit: number): boolean {
  return (unit & 0xf800) === 0xd800;
}

/** A copy in the core's memory that the core frees. */
function handOver(core: CoreModule, bytes: Uint8Array): number {
  const pointer = core.alloc(bytes.length);
  core.u8().set(bytes, pointer);
  return pointer;
}

/** The bits GYEOT_TOKEN_LSTRIP, _RSTRIP and _SINGLE_WORD. */
function flagsOf({ lstrip, rstrip, singleWord }: AddedToken): number {
  return Number(lstrip ?? false) | Number(rstrip ?? false) << 1 | Number(singleWord ?? false) << 2;
}

function noNul(token: string): string {
  if (token.includes('\0')) throw new GyeotError('argument', 'A token name with a NUL in it');
  return token;
}

function release(core: CoreModule, handle: number, batch: number): void {
  core.exports.gyeot_wasm_batch_free(batch);
  core.exports.gyeot_tokenizer_free(handle);
}
