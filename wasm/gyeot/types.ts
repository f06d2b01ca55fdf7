/** The public types of gyeot: what goes in, what comes out, in which units. */

/** A file whose length and SHA-256 are known: progress is exact, and it is checked before use. */
export interface Asset {
  url: string | URL;
  size?: number;
  /** Lower-case hexadecimal. */
  sha256?: string;
}

/** A file to read: an absolute or page-relative URL, a path (Node), or the bytes themselves. */
export type Source = string | URL | Uint8Array | ArrayBuffer | Asset;

/** A model: the folder's URL or path, or its files by their path inside the folder. */
export type ModelSource = string | URL | { readonly [path: string]: Source };

/** Progress over everything that a call does; `total` is known before the first byte. */
export interface Progress {
  phase: 'download' | 'prepare' | 'embed';
  /** Bytes for `download`, steps for `prepare`, texts for `embed`. */
  loaded: number;
  total: number;
}

export interface CallOptions {
  signal?: AbortSignal;
  onProgress?: (progress: Progress) => void;
}

/** For work on many texts. */
export interface ManyOptions extends CallOptions {
  /**
   * How many engines share the work, one for each 200 texts at most. The others run in workers of their
   * own and read the model again, some 60 MB each for the default one; they end when nothing has come
   * for two seconds. Not for a model that was given as bytes. Default 1.
   */
  workers?: number;
}

export interface EmbedOptions extends ManyOptions {
  /** Which of the model's prompts goes before the texts. Default `query`. */
  kind?: 'query' | 'document';
}

/** Where the engine runs: what `Gyeot.prepare` can begin with before a model is known. */
export interface EngineOptions {
  /** Threads for the encoder where the page is cross-origin isolated. Default 1. */
  threads?: number;
  /**
   * Run in a worker. Default: true in a browser; false in Node, where a worker keeps the process alive
   * until `close()`. Falls back to this thread.
   */
  worker?: boolean;
  /** Makes the worker, for bundlers that cannot find ours. */
  createWorker?: () => Worker;
  /** Folder that holds `core.wasm`, `worker.js` and `ort/`. Default: beside the module. */
  baseUrl?: string | URL;
}

/** A worker and a runtime that are being started; one `load` may use them. */
export interface Prepared {
  /** Ends them, where no `load` came to use them. */
  close(): void;
}

export interface LoadOptions extends CallOptions, EngineOptions {
  /** Default: the bundled Korean model. */
  model?: ModelSource;
  /**
   * A built table (safetensors), or the list (`.json`) of one that lies in parts, as `gyeot build` writes
   * it where hosts would refuse the whole. Default: the bundled table. `null` loads the encoder alone
   * (`embed` works, `ask` does not).
   */
  table?: Source | null;
  /** What `Gyeot.prepare` gave, with the same options of the engine. */
  prepared?: Prepared;
  /** Where `core.wasm` is, or its bytes. Default: in `baseUrl`. */
  wasmUrl?: string | URL;
  wasmBinary?: Uint8Array | ArrayBuffer;
  /**
   * Keep the files of models and of tables in parts in Cache Storage, by fingerprint. `write` does not
   * look for them there first: for a visit known to be the first, where looking takes 0.3 s. Default true
   * where it exists.
   */
  cache?: boolean | 'write';
  /** Safety rules that come before the table; `null` for none. Default: the bundled Korean rules. */
  safety?: Source | null;
}

export interface Embeddings {
  /** Row-major `[n, d]`, L2-normalised where the model says so. */
  data: Float32Array;
  dims: [n: number, d: number];
  /** Whether each text was cut at the model's maximum length. */
  truncated: boolean[];
}

export interface Match {
  /** Row number in the table, from 0. */
  row: number;
  question: string;
  /** The row's own response; empty when its group's responses serve it. */
  answer: string;
  group: string;
  /** Cosine similarity, -1 to 1. */
  score: number;
}

/** A group that took part in the vote. */
export interface Candidate {
  group: string;
  /** The group's share of the vote, 0 to 1. */
  share: number;
  /** Its nearest row. */
  best: Match;
}

export interface HelpLine {
  name: string;
  /** As dialled, digits and hyphens. */
  number: string;
  description: string;
}

export interface Answer {
  kind: 'match' | 'fallback' | 'crisis';
  /** The response; `null` when there is no good one (`fallback`). */
  answer: string | null;
  /** All responses that would serve, the given one first. */
  answers: string[];
  /** The question of the nearest row of the winning group; `null` for a crisis found by rule. */
  question: string | null;
  group: string | null;
  /** Cosine similarity of that row, -1 to 1; 0 for a crisis found by rule. */
  score: number;
  /** What the threshold is held against: the score, or, where the table says so, its mean with how near
   *  the text is to the whole table; 0 for a crisis found by rule. */
  confidence: number;
  /** Vote share of the first group minus that of the second, 0 to 1. */
  margin: number;
  candidates: Candidate[];
  /** Where to call: for `crisis`, and for another answer to what came near one. */
  help: HelpLine[];
  truncated: boolean;
  /** Milliseconds from call to answer. */
  ms: number;
}

export interface AskOptions {
  signal?: AbortSignal;
  /** Minimal confidence for an answer. Default: the table's, else the model's. */
  threshold?: number;
  /** Minimal margin. Default: the table's, else 0. */
  margin?: number;
}

export interface Row {
  question: string;
  answer?: string;
  group?: string;
}

/** How one text was read, for showing to people. */
export interface TokenPiece {
  id: number;
  /** The vocabulary's piece. */
  piece: string;
  /** UTF-16 positions in the text that was given; 0, 0 for special tokens. */
  begin: number;
  end: number;
}

export interface TableInfo {
  rows: number;
  groups: number;
  fingerprint: string;
  threshold: number;
  margin: number;
  title?: string;
  language?: string;
  license?: string;
}

export interface ModelInfo {
  name: string;
  fingerprint: string;
  dimension: number;
  maxLength: number;
  license?: string;
  bytes: number;
}

/** What `Gyeot.load` gives. Calls may overlap; they are served in order. */
export interface GyeotBot {
  readonly model: ModelInfo;
  readonly table: TableInfo | null;
  /** Sentence vectors, in the order of the texts. Cancelling gives `aborted`, and harms no other call. */
  embed(texts: string | string[], options?: EmbedOptions): Promise<Embeddings>;
  /** The `k` nearest rows (default 5), best first, whatever their scores. */
  match(text: string, options?: { k?: number; signal?: AbortSignal }): Promise<Match[]>;
  /** A response, a crisis with its help lines, or the fallback where nothing is near enough. */
  ask(text: string, options?: AskOptions): Promise<Answer>;
  /** How the model reads a text, piece by piece. */
  tokenize(text: string): Promise<TokenPiece[]>;
  /** Embeds rows and adds them to the table that is loaded (or starts one). All or nothing. */
  addTable(
    rows: Row[],
    options?: ManyOptions & { replace?: boolean; title?: string; license?: string },
  ): Promise<TableInfo>;
  /** Replaces the table by a built one, whole or in parts. Its fingerprint must be the model's. */
  setTable(table: Source, options?: CallOptions): Promise<TableInfo>;
  /** The table as a safetensors file. */
  exportTable(options?: { vectors?: 'f32' | 'i8' }): Promise<Uint8Array>;
  /** Frees everything; later calls throw `closed`. Calling it twice is fine. */
  close(): void;
}
