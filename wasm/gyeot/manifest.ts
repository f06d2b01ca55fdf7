/**
 * What a model folder says about itself: `gyeot.json`, or, in a folder without it, the files that
 * sentence-transformers and Hugging Face write.
 */
import { GyeotError } from '../core/index.js';
import { sha256 } from './sha256.js';

export interface FileEntry {
  path: string;
  size?: number;
  sha256?: string;
  /** Pieces that make up the file, in order, where a host limits the size of one. */
  parts?: { path: string; size: number; sha256: string }[];
}

export type Pooling = 'mean' | 'cls' | 'max' | 'mean_sqrt_len';

export interface TokenizerSpec {
  type: 'wordpiece' | 'sentencepiece' | 'tokenizer.json';
  files: string[];
  id_offset?: number;
  unk_id?: number;
  prefix?: number[];
  suffix?: number[];
  pad_id?: number;
}

export interface Manifest {
  name: string;
  license?: string;
  languages: string[];
  /** Missing until `computeFingerprint` where the folder has no gyeot.json. */
  fingerprint: string;
  dimension: number;
  maxLength: number;
  pooling: Pooling;
  normalize: boolean;
  prompts: { query: string; document: string };
  tokenizer: TokenizerSpec;
  encoder: { file: string; output?: string };
  threshold: number;
  margin: number;
  vote: { k: number; scale: number };
  parity?: string;
  files: FileEntry[];
}

const poolings: readonly Pooling[] = ['mean', 'cls', 'max', 'mean_sqrt_len'];

/** Reads gyeot.json, naming the field that is wrong. */
export function parseManifest(bytes: Uint8Array, file: string): Manifest {
  const json = parseJson(bytes, file);
  const wrong = (field: string, right: string): never => {
    throw new GyeotError('format', `${file}: "${field}" should be ${right}`, { file });
  };
  if (json['format'] !== 'gyeot-model') wrong('format', '"gyeot-model"');
  if (json['version'] !== 1) {
    throw new GyeotError(
      'unsupported',
      `${file}: version ${String(json['version'])} is newer than this gyeot reads (1)`,
      { file },
    );
  }
  const text = (value: unknown, field: string): string =>
    typeof value === 'string' ? value : wrong(field, 'a string');
  const number = (value: unknown, field: string, fallback?: number): number => {
    if (value === undefined && fallback !== undefined) return fallback;
    return typeof value === 'number' && Number.isFinite(value) ? value : wrong(field, 'a number');
  };
  const count = (value: unknown, field: string): number => {
    const parsed = number(value, field);
    return Number.isInteger(parsed) && parsed > 0 && parsed <= 65536
      ? parsed
      : wrong(field, 'a whole number from 1 to 65536');
  };
  const object = (value: unknown, field: string): Record<string, unknown> =>
    isObject(value) ? value : wrong(field, 'an object');
  const pooling = (json['pooling'] ?? 'mean') as Pooling;
  if (!poolings.includes(pooling)) wrong('pooling', `one of ${poolings.join(', ')}`);
  const prompts = object(json['prompts'] ?? {}, 'prompts');
  const tokenizer = object(json['tokenizer'], 'tokenizer') as unknown as TokenizerSpec;
  if (!['wordpiece', 'sentencepiece', 'tokenizer.json'].includes(tokenizer.type)) {
    wrong('tokenizer.type', '"wordpiece", "sentencepiece" or "tokenizer.json"');
  }
  if (!Array.isArray(tokenizer.files) || tokenizer.files.length === 0) {
    wrong('tokenizer.files', 'a list of file names');
  }
  tokenizer.files.forEach((path) => checkPath(text(path, 'tokenizer.files'), file));
  const encoder = object(json['encoder'], 'encoder');
  const vote = object(json['vote'] ?? {}, 'vote');
  if (!Array.isArray(json['files'])) wrong('files', 'a list');
  const files = (json['files'] as unknown[]).map((entry, index) =>
    parseEntry(object(entry, `files[${index}]`), file));
  const manifest: Manifest = {
    name: text(json['name'], 'name'),
    languages: Array.isArray(json['languages']) ? json['languages'].map(String) : [],
    fingerprint: text(json['fingerprint'], 'fingerprint'),
    dimension: count(json['dimension'], 'dimension'),
    maxLength: count(json['max_length'], 'max_length'),
    pooling,
    normalize: json['normalize'] !== false,
    prompts: {
      query: text(prompts['query'] ?? '', 'prompts.query'),
      document: text(prompts['document'] ?? '', 'prompts.document'),
    },
    tokenizer,
    encoder: { file: checkPath(text(encoder['file'], 'encoder.file'), file) },
    threshold: number(json['threshold'], 'threshold', 0),
    margin: number(json['margin'], 'margin', 0),
    vote: {
      k: Math.max(1, Math.round(number(vote['k'], 'vote.k', 10))),
      scale: number(vote['scale'], 'vote.scale', 20),
    },
    files,
  };
  if (typeof json['license'] === 'string') manifest.license = json['license'];
  if (typeof json['parity'] === 'string') manifest.parity = checkPath(json['parity'], file);
  if (typeof encoder['output'] === 'string') manifest.encoder.output = encoder['output'];
  for (const path of neededFiles(manifest)) {
    if (!files.some((entry) => entry.path === path)) wrong('files', `a list that has ${path} in it`);
  }
  return manifest;
}

/** One of a manifest's files; `file` is the manifest's name. */
export function parseEntry(entry: Record<string, unknown>, file: string): FileEntry {
  const one = (value: Record<string, unknown>) => {
    const { path, size, sha256: digest } = value;
    if (typeof path !== 'string' || !Number.isSafeInteger(size) || (size as number) < 0 ||
        typeof digest !== 'string' || !/^[0-9a-f]{64}$/.test(digest)) {
      throw new GyeotError(
        'format',
        `${file}: each of "files" needs "path", "size" and "sha256" (64 hexadecimal digits)`,
        { file },
      );
    }
    return { path: checkPath(path, file), size: size as number, sha256: digest };
  };
  const result: FileEntry = one(entry);
  if (Array.isArray(entry['parts'])) {
    result.parts = entry['parts'].map((part) => one(isObject(part) ? part : {}));
  }
  return result;
}

/** Paths stay inside the folder. */
function checkPath(path: string, file: string): string {
  if (path === '' || /^[/\\]|(^|[/\\])\.\.([/\\]|$)|^[a-z]+:/i.test(path)) {
    throw new GyeotError('format', `${file}: "${path}" is not a path inside the folder`, { file });
  }
  return path;
}

/** The files that running the model takes: the encoder first, then the tokenizer's. */
export function neededFiles(manifest: Manifest): string[] {
  return [manifest.encoder.file, ...manifest.tokenizer.files];
}

/**
 * The identity of the vectors: two models with one fingerprint put a text at the same place.
 * `digests` are the SHA-256 of `neededFiles`, in that order.
 */
export async function computeFingerprint(manifest: Manifest, digests: string[]): Promise<string> {
  const [encoder, ...tokenizer] = digests;
  const identity = [
    encoder,
    tokenizer,
    manifest.pooling,
    manifest.normalize,
    manifest.prompts.query,
    manifest.prompts.document,
    manifest.maxLength,
    manifest.dimension,
  ];
  return sha256(new TextEncoder().encode(JSON.stringify(identity)));
}

/** Files of a folder without gyeot.json that are read if they are there. */
export const describingFiles = [
  'config.json',
  'modules.json',
  'sentence_bert_config.json',
  'config_sentence_transformers.json',
  '1_Pooling/config.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
];

/** Encoders by preference: small first. */
export const encoderFiles = [
  'onnx/model_quantized.onnx.gyw',
  'onnx/model_quantized.onnx',
  'onnx/model_int8.onnx',
  'model_quantized.onnx',
  'onnx/model.onnx',
  'model.onnx',
];

/** Tokenizers by preference: what a folder has of these decides its kind. */
export const tokenizerFiles: readonly (readonly [TokenizerSpec['type'], string])[] = [
  ['wordpiece', 'vocab.txt'],
  ['sentencepiece', 'sentencepiece.bpe.model'],
  ['sentencepiece', 'spiece.model'],
  ['sentencepiece', 'sentencepiece.model'],
  ['sentencepiece', 'tokenizer.model'],
  ['tokenizer.json', 'tokenizer.json'],
];

/** A manifest from the files that sentence-transformers and Hugging Face write. */
export function deriveManifest(
  folder: string,
  found: ReadonlyMap<string, Uint8Array>,
  encoder: string,
  tokenizer: TokenizerSpec,
): Manifest {
  const read = (path: string): Record<string, unknown> => {
    const bytes = found.get(path);
    return bytes ? parseJson(bytes, `${folder}${path}`) : {};
  };
  const config = read('config.json');
  checkArchitecture(config, folder);
  const pooling = read('1_Pooling/config.json');
  const dimension = Number(pooling['word_embedding_dimension'] ?? config['hidden_size'] ?? config['dim']);
  if (!Number.isInteger(dimension) || dimension < 1 || dimension > 65536) {
    throw new GyeotError(
      'format',
      `${folder}config.json has no usable "hidden_size", and 1_Pooling/config.json no ` +
        '"word_embedding_dimension"',
      { file: `${folder}config.json` },
    );
  }
  const st = read('config_sentence_transformers.json');
  const prompts = isObject(st['prompts']) ? st['prompts'] : {};
  return {
    name: String(config['_name_or_path'] || folder.replace(/\/$/, '').split('/').pop() || 'model'),
    languages: [],
    fingerprint: '',
    dimension,
    maxLength: maxLengthOf(read('sentence_bert_config.json'), read('tokenizer_config.json'), config),
    pooling: poolingOf(pooling, folder),
    normalize: normalizes(found.get('modules.json'), folder),
    prompts: {
      query: typeof prompts['query'] === 'string' ? prompts['query'] : '',
      document: typeof prompts['document'] === 'string' ? prompts['document']
        : typeof prompts['passage'] === 'string' ? prompts['passage'] : '',
    },
    tokenizer,
    encoder: { file: encoder },
    threshold: 0,
    margin: 0,
    vote: { k: 10, scale: 20 },
    files: [encoder, ...tokenizer.files].map((path) => ({ path })),
  };
}

function checkArchitecture(config: Record<string, unknown>, folder: string): void {
  const architectures = Array.isArray(config['architectures']) ? config['architectures'].map(String) : [];
  const refused = architectures.find((name) => /ForCausalLM|LMHeadModel|ForSequenceClassification/.test(name));
  if (!refused) return;
  throw new GyeotError(
    'unsupported',
    `${folder}config.json names ${refused}: ` +
      (/Classification/.test(refused)
        ? 'a cross-encoder or classifier gives scores for pairs, not vectors'
        : 'a decoder gives no sentence vectors') +
      '; a sentence encoder is needed (BERT, RoBERTa, XLM-R, MPNet, …)',
    { file: `${folder}config.json` },
  );
}

function poolingOf(config: Record<string, unknown>, folder: string): Pooling {
  const file = `${folder}1_Pooling/config.json`;
  if (typeof config['pooling_mode'] === 'string') {
    const mode = config['pooling_mode'].replace('mean_sqrt_len_tokens', 'mean_sqrt_len') as Pooling;
    if (poolings.includes(mode)) return mode;
    throw new GyeotError('unsupported', `${file}: pooling "${mode}" is not one of ${poolings}`, { file });
  }
  const flags: [string, Pooling][] = [
    ['pooling_mode_cls_token', 'cls'],
    ['pooling_mode_mean_tokens', 'mean'],
    ['pooling_mode_max_tokens', 'max'],
    ['pooling_mode_mean_sqrt_len_tokens', 'mean_sqrt_len'],
  ];
  const known = new Set(flags.map(([flag]) => flag));
  const on = Object.keys(config).filter((key) => key.startsWith('pooling_mode') && config[key] === true);
  if (on.length > 1 || on.some((flag) => !known.has(flag))) {
    throw new GyeotError('unsupported', `${file}: ${on.join(' with ')} is not supported`, { file });
  }
  return flags.find(([flag]) => flag === on[0])?.[1] ?? 'mean';
}

function normalizes(modules: Uint8Array | undefined, folder: string): boolean {
  if (!modules) return false;
  const file = `${folder}modules.json`;
  const list: unknown = parseAny(modules, file);
  if (!Array.isArray(list)) throw new GyeotError('format', `${file} should be a list`, { file });
  const types = list.map((module) => String(isObject(module) ? module['type'] : ''));
  const dense = types.find((type) => /\.(Dense|LSTM|CNN|LayerNorm|WeightedLayerPooling)$/.test(type));
  if (dense) {
    throw new GyeotError(
      'unsupported',
      `${file} has a ${dense} layer after pooling; \`python -m model.export\` builds it into a gyeot model`,
      { file },
    );
  }
  return types.some((type) => type.endsWith('.Normalize'));
}

function maxLengthOf(
  sentence: Record<string, unknown>,
  tokenizer: Record<string, unknown>,
  config: Record<string, unknown>,
): number {
  // RoBERTa's positions begin after the padding index, so two of them are never used.
  const shift = /roberta|camembert|mpnet/.test(String(config['model_type'])) ? 2 : 0;
  const positions = Number(config['max_position_embeddings'] ?? 514) - shift;
  const usable = (value: unknown) => Number.isInteger(value) && (value as number) > 0;
  if (usable(sentence['max_seq_length'])) {
    return Math.min(sentence['max_seq_length'] as number, positions);
  }
  const stated = tokenizer['model_max_length'];
  return usable(stated) ? Math.min(stated as number, positions) : positions;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parseAny(bytes: Uint8Array, file: string): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new GyeotError('format', `${file} is not JSON: ${(cause as Error).message}`, { file, cause });
  }
}

export function parseJson(bytes: Uint8Array, file: string): Record<string, unknown> {
  const value = parseAny(bytes, file);
  if (!isObject(value)) throw new GyeotError('format', `${file} should be a JSON object`, { file });
  return value;
}
