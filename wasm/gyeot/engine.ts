/** One model and one table, doing the work: in a worker, or in the thread that made it. */
import { GyeotError } from '../core/index.js';
import type { CoreModule, VectorIndex } from '../core/index.js';
import { Turns, confidence, vote } from './answer.js';
import type { Verdict, Voter } from './answer.js';
import { nameOf } from './assets.js';
import type { Located } from './assets.js';
import type { Embedder } from './embedder.js';
import type { Manifest } from './manifest.js';
import { Meter } from './meter.js';
import { readTable } from './parts.js';
import { Queue } from './queue.js';
import type { SafetyRules } from './safety.js';
import { Table } from './table.js';
import type { TableMeta, Texts } from './table.js';
import type {
  Answer, AskOptions, CallOptions, Embeddings, Match, ModelInfo, TableInfo, TokenPiece,
} from './types.js';

export interface EngineParts {
  core: CoreModule;
  manifest: Manifest;
  embedder: Embedder;
  safety: SafetyRules | null;
  /** Size of the model's files, for `info`. */
  bytes: number;
  /** Whether tables in parts are kept in Cache Storage. */
  keep: boolean;
}

/** Runs of the encoder ahead of the first question, and the rest between two of them. */
const practices = 10;
const practiceRestMs = 60;

export interface EngineInfo {
  model: ModelInfo;
  table: TableInfo | null;
}

interface Nearest {
  voters: Voter[];
  vector: Float32Array;
  truncated: boolean;
}

/** Groups with this prefix are of people in danger: their responses come with the help lines. */
const crisisPrefix = '위험/';

/**
 * Shares of the vote that such groups need together where no rule has met danger: for one of their responses,
 * and to be heard at all, with the help lines beside the fallback or another's response. Of the sentences
 * in tests/data that nothing was tuned on, `npm run quality` tells how many come so far.
 */
const crisisShare = 0.75;
const helpShare = 0.4;

export class Engine {
  readonly #core: CoreModule;
  readonly #manifest: Manifest;
  readonly #embedder: Embedder;
  readonly #safety: SafetyRules | null;
  readonly #bytes: number;
  readonly #keep: boolean;
  readonly #queue = new Queue();
  #table: Table | null = null;
  #index: VectorIndex | null = null;
  #turns = new Turns();

  constructor(parts: EngineParts) {
    this.#core = parts.core;
    this.#manifest = parts.manifest;
    this.#embedder = parts.embedder;
    this.#safety = parts.safety;
    this.#bytes = parts.bytes;
    this.#keep = parts.keep;
  }

  get info(): EngineInfo {
    const { name, fingerprint, dimension, maxLength, license } = this.#manifest;
    const model: ModelInfo = { name, fingerprint, dimension, maxLength, bytes: this.#bytes };
    if (license !== undefined) model.license = license;
    return { model, table: this.#tableInfo() };
  }

  #tableInfo(): TableInfo | null {
    const table = this.#table;
    if (!table) return null;
    const { fingerprint, threshold, margin, title, language, license } = table.meta;
    const info: TableInfo = {
      rows: table.rows,
      groups: table.groups.length,
      fingerprint,
      threshold: threshold ?? this.#manifest.threshold,
      margin: margin ?? this.#manifest.margin,
    };
    if (title !== undefined) info.title = title;
    if (language !== undefined) info.language = language;
    if (license !== undefined) info.license = license;
    return info;
  }

  embed(
    texts: string[],
    kind: 'query' | 'document',
    options: CallOptions = {},
  ): Promise<Embeddings> {
    return this.#queue.run(() => this.#embedder.embed(texts, kind, options), options.signal);
  }

  match(text: string, k = 5, { signal }: CallOptions = {}): Promise<Match[]> {
    return this.#queue.run(async () => {
      const { voters } = await this.#nearest(text, k);
      return voters.map(({ row, question, answer, group, score }) => ({
        row, question, answer, group, score,
      }));
    }, signal);
  }

  ask(text: string, options: AskOptions = {}): Promise<Answer> {
    return this.#queue.run(() => this.#ask(text, options), options.signal);
  }

  tokenize(text: string): Promise<TokenPiece[]> {
    return this.#queue.run(() => this.#embedder.tokenize(text));
  }

  async #nearest(text: string, k: number): Promise<Nearest> {
    const table = this.#table;
    if (!table || !this.#index) {
      throw new GyeotError('argument', 'No table is loaded: give one to load, setTable or addTable');
    }
    const { data, truncated } = await this.#embedder.embed([text], 'query');
    if (table.rows === 0) return { voters: [], vector: data, truncated: truncated[0]! };
    const { rows, scores } = this.#index.search(data, { k: Math.min(k, table.rows) });
    const voters = Array.from(rows, (row, index) => ({
      row,
      ...table.texts(row),
      score: scores[index]!,
      id: table.groupOf[row]!,
    }));
    return { voters, vector: data, truncated: truncated[0]! };
  }

  async #ask(text: string, options: AskOptions): Promise<Answer> {
    const begin = performance.now();
    const danger = this.#safety?.check(text);
    if (danger) {
      const answers = [...danger.answers];
      return {
        ...noAnswer, kind: 'crisis', answer: answers[0] ?? null, answers, help: danger.help,
        group: danger.category, ms: performance.now() - begin,
      };
    }
    if (text.trim() === '') return { ...noAnswer, ms: performance.now() - begin };
    const meta = this.#table?.meta;
    const { vote: defaults, threshold, margin } = this.#manifest;
    const k = meta?.voteK ?? defaults.k;
    const { voters, vector, truncated } = await this.#nearest(text, k);
    const verdict = vote(voters, { k, scale: meta?.voteScale ?? defaults.scale });
    const answer = this.#judge(verdict, vector, {
      threshold: options.threshold ?? meta?.threshold ?? threshold,
      margin: options.margin ?? meta?.margin ?? margin,
    });
    return { ...answer, truncated, ms: performance.now() - begin };
  }

  /** The vote's outcome as an answer: the winner's response, or none when it is not good enough. */
  #judge(
    verdict: Verdict,
    vector: Float32Array,
    limits: { threshold: number; margin: number },
  ): Answer {
    const inDanger = ({ group }: { group: string }): boolean => group.startsWith(crisisPrefix);
    const { candidates, margin } = verdict;
    const danger = candidates.filter(inDanger).reduce((sum, { share }) => sum + share, 0);
    const crisis = danger >= crisisShare;
    const heard = danger >= helpShare;
    const winner = candidates.find((one) => (inDanger(one) ? heard : !crisis));
    if (!winner) return { ...noAnswer };
    const { best, group, id } = winner;
    const table = this.#table!;
    const weight = table.meta.familiarity ?? 0;
    const sure = confidence(best.score, weight ? table.familiarity(vector) : 0, weight);
    const near = sure >= limits.threshold;
    const common = {
      ...noAnswer,
      question: best.question,
      group,
      score: best.score,
      confidence: sure,
      margin,
      candidates: candidates.map(({ group: name, share, best: row }) => ({
        group: name, share, best: row,
      })),
      help: heard && near ? [...(this.#safety?.help ?? [])] : [],
    };
    // Danger that is not clear enough for its response: any other would be out of place.
    if (!near || (!crisis && inDanger(winner))) return common;
    const turn = this.#turns.order(id, table.answers[id]!);
    const answers = best.answer === ''
      ? turn
      : [best.answer, ...turn.filter((answer) => answer !== best.answer)];
    const clear = crisis || margin >= limits.margin;
    if (!clear || answers.length === 0) return common;
    this.#turns.take(id, answers[0]!);
    return { ...common, kind: crisis ? 'crisis' : 'match', answer: answers[0]!, answers };
  }

  /** Puts a built table in place of the one that is there. */
  setTable(located: Located, options: CallOptions = {}): Promise<TableInfo> {
    return this.#queue.run(async () => {
      const meter = new Meter(options.onProgress);
      const bytes = await readTable(located, {
        signal: options.signal,
        keep: this.#keep,
        onBytes: meter.add,
        onLength: (size) => {
          meter.expect(size);
          meter.open();
        },
      });
      meter.done();
      return this.useTable(
        IndexedTable.read(this.#core, bytes, nameOf(located, 'table'), this.#manifest),
      );
    }, options.signal);
  }

  useTable({ table, index }: IndexedTable): TableInfo {
    this.#index?.close();
    this.#index = index;
    this.#table = table;
    this.#turns = new Turns();
    return this.#tableInfo()!;
  }

  /** Adds rows with their vectors `[n, d]` to the table, or starts one with them. */
  addTable(
    rows: Texts[],
    data: Float32Array,
    settings: { replace?: boolean; title?: string; license?: string } = {},
    options: CallOptions = {},
  ): Promise<TableInfo> {
    return this.#queue.run(() => {
      const old = settings.replace ? null : this.#table;
      const meta: TableMeta = old ? { ...old.meta } : { fingerprint: this.#manifest.fingerprint };
      if (settings.title !== undefined) meta.title = settings.title;
      if (settings.license !== undefined) meta.license = settings.license;
      const dimension = this.#manifest.dimension;
      const held = old?.vectors.toF32() ?? new Float32Array(0);
      const vectors = new Float32Array(held.length + data.length);
      vectors.set(held);
      vectors.set(data, held.length);
      const before = old ? Array.from({ length: old.rows }, (_, row) => old.texts(row)) : [];
      const table = Table.of([...before, ...rows], vectors, dimension, meta);
      return this.useTable(IndexedTable.of(this.#core, table));
    }, options.signal);
  }

  exportTable(vectors: 'f32' | 'i8' = 'f32'): Promise<Uint8Array> {
    return this.#queue.run(() => {
      if (!this.#table) throw new GyeotError('argument', 'No table is loaded');
      return this.#table.serialize(vectors);
    });
  }

  /**
   * Reads a sentence a few times while nobody asks. The browser then has the encoder's code compiled
   * well before the first question (20 ms instead of 90 to 200), and enough of it to be worth keeping
   * for the next visit.
   */
  async practise(): Promise<void> {
    const text = this.#table?.question(0) ?? 'gyeot';
    for (let time = 0; time < practices; time++) {
      await new Promise((resolve) => setTimeout(resolve, practiceRestMs));
      if (!this.#queue.idle) continue;
      await this.#queue.run(() => this.#embedder.embed([text], 'query'));
    }
  }

  async close(): Promise<void> {
    await this.#queue.close();
    this.#index?.close();
    this.#index = null;
    this.#table = null;
    await this.#embedder.close();
  }
}

/** A table together with the index of its vectors. */
export class IndexedTable {
  readonly table: Table;
  readonly index: VectorIndex;

  private constructor(table: Table, index: VectorIndex) {
    this.table = table;
    this.index = index;
  }

  static of(core: CoreModule, table: Table): IndexedTable {
    return new IndexedTable(table, table.vectors.index(core));
  }

  /** From a file, which has to be of the model that the manifest describes. */
  static read(
    core: CoreModule,
    bytes: Uint8Array,
    name: string,
    { fingerprint, dimension }: Manifest,
  ): IndexedTable {
    const table = Table.parse(bytes, name, fingerprint);
    if (table.dimension !== dimension) {
      throw new GyeotError(
        'format',
        `The table's vectors have ${table.dimension} numbers, the model's ${dimension}`,
      );
    }
    // What the first question would wait for is made now, while other files arrive.
    if (table.meta.familiarity) table.familiarity(new Float32Array(dimension));
    return IndexedTable.of(core, table);
  }

  close(): void {
    this.index.close();
  }
}

const noAnswer: Answer = {
  kind: 'fallback', answer: null, answers: [], question: null, group: null, score: 0,
  confidence: 0, margin: 0, candidates: [], help: [], truncated: false, ms: 0,
};
