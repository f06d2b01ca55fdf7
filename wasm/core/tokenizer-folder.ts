/** Which file of a Hugging Face folder holds the tokenizer, and how it is to be read. */
import { GyeotError } from './error.js';
import type { AddedToken, JsonOptions, SentencePieceOptions, VocabOptions } from './tokenizer.js';

/** The `tokenizer` section of gyeot.json. */
export interface TokenizerSection {
  type: 'wordpiece' | 'sentencepiece' | 'tokenizer.json';
  files: readonly string[];
  id_offset?: number;
  unk_id?: number;
  prefix?: readonly number[];
  suffix?: readonly number[];
  pad_id?: number;
}

export type TokenizerChoice =
  | { type: 'wordpiece'; bytes: Uint8Array; options: VocabOptions }
  | { type: 'sentencepiece'; bytes: Uint8Array; options: SentencePieceOptions }
  | { type: 'tokenizer.json'; bytes: Uint8Array; options: JsonOptions };

type Files = Readonly<Record<string, Uint8Array>>;
type Json = Record<string, unknown>;

/** fairseq numbers its own four tokens first: <s> <pad> </s> <unk>. */
const fairseq = { idOffset: 1, unkId: 3, prefix: [0], suffix: [2], padId: 1 };

/** How the classes that come with a SentencePiece model number and frame its pieces. */
const sentencePieceClasses: Record<string, SentencePieceOptions> = {
  XLMRobertaTokenizer: fairseq,
  'xlm-roberta': fairseq,
};

const wordPieceClasses = new Set([
  'BertTokenizer', 'DistilBertTokenizer', 'ElectraTokenizer', 'ConvBertTokenizer',
  'MobileBertTokenizer', 'MPNetTokenizer', 'PreTrainedTokenizer',
]);

export function chooseTokenizer(
  files: Files,
  section: TokenizerSection | undefined,
  folder = '',
): TokenizerChoice {
  const config = readJson(files, 'tokenizer_config.json', folder);
  const special = readJson(files, 'special_tokens_map.json', folder);
  const type = section?.type ?? typeOf(files, config);
  const path = fileOf(files, type, section, folder);
  const bytes = files[path]!;
  const file = folder + path;
  switch (type) {
    case 'wordpiece': {
      // special_tokens_map.json only counts where the configuration lists no added tokens.
      const all = config['added_tokens_decoder'] === undefined ? { ...special, ...config } : config;
      const reason = whyNotVocab(files, all);
      if (reason === undefined) return { type, bytes, options: { ...vocabOptions(all), file } };
      const json = files['tokenizer.json'];
      if (json) {
        const options = { ...padOf(section), file: `${folder}tokenizer.json` };
        return { type: 'tokenizer.json', bytes: json, options };
      }
      throw new GyeotError('unsupported', `${folder}${reason}; add tokenizer.json, which says it all`,
        { file: `${folder}tokenizer_config.json` });
    }
    case 'sentencepiece': {
      const options = sentencePieceOptions(files, config, section, folder);
      return { type, bytes, options: { ...options, file } };
    }
    case 'tokenizer.json':
      return { type, bytes, options: { ...padOf(section), file } };
    default:
      throw new GyeotError('unsupported',
        `A tokenizer of type "${String(type)}"; this reads wordpiece, sentencepiece and tokenizer.json`);
  }
}

/** Why vocab.txt with this configuration would be read otherwise than by BertTokenizerFast. */
function whyNotVocab(files: Files, config: Json): string | undefined {
  const name = className(config);
  if (name !== undefined && !wordPieceClasses.has(name)) {
    return `tokenizer_config.json names ${name}, whose use of vocab.txt is not known here`;
  }
  const declared = Object.values(objectOf(config['added_tokens_decoder'])).map(objectOf);
  const named = Object.entries(config).filter(([key]) => key.endsWith('_token'))
    .map(([, value]) => objectOf(value));
  const contents = declared.map((token) => token['content']);
  const other = [...declared, ...named].find((token) => token['normalized'] === true) ??
    declared.find((token) => token['special'] !== true) ??
    Object.keys(readJson(files, 'added_tokens.json', ''))
      .filter((content) => !contents.includes(content)).map((content) => ({ content }))[0];
  return other && `${JSON.stringify(other['content'])} is an added token that is not special or is ` +
    'looked for in normalized text';
}

function typeOf(files: Files, config: Json): TokenizerSection['type'] {
  const names = Object.keys(files);
  const known = className(config);
  if (names.includes('vocab.txt') && (known === undefined || wordPieceClasses.has(known))) {
    return 'wordpiece';
  }
  const hasJson = names.includes('tokenizer.json');
  if (names.some(isModel) && !(hasJson && known !== undefined && !(known in sentencePieceClasses))) {
    return 'sentencepiece';
  }
  return hasJson || !names.includes('vocab.txt') ? 'tokenizer.json' : 'wordpiece';
}

function fileOf(
  files: Files,
  type: TokenizerSection['type'],
  section: TokenizerSection | undefined,
  folder: string,
): string {
  const fits = (path: string): boolean =>
    type === 'sentencepiece' ? isModel(path)
      : type === 'wordpiece' ? path.endsWith('.txt')
        : path.endsWith('tokenizer.json');
  const found = section
    ? section.files.find(fits) ?? section.files[0]
    : Object.keys(files).sort().find((path) => !path.includes('/') && fits(path));
  if (found !== undefined && files[found]) return found;
  const wanted = found ?? (type === 'sentencepiece' ? 'a .model file'
    : type === 'wordpiece' ? 'vocab.txt' : 'vocab.txt, a SentencePiece .model or tokenizer.json');
  throw new GyeotError('not-found', `${folder || 'The folder'} has no tokenizer: ${wanted} is missing`,
    { file: folder + (found ?? '') });
}

function isModel(path: string): boolean {
  return /\.(model|spm)$/.test(path);
}

/** Without "Fast": both kinds of class read the same files. */
function className(config: Json): string | undefined {
  const name = config['tokenizer_class'];
  return typeof name === 'string' ? name.replace(/Fast$/, '') : undefined;
}

function vocabOptions(config: Json): VocabOptions {
  const options: VocabOptions = {
    // BertTokenizerFast lower-cases unless it is told not to.
    lowercase: typeof config['do_lower_case'] === 'boolean' ? config['do_lower_case'] : true,
    splitChinese:
      typeof config['tokenize_chinese_chars'] === 'boolean' ? config['tokenize_chinese_chars'] : true,
    stripAccents: typeof config['strip_accents'] === 'boolean' ? config['strip_accents'] : null,
  };
  for (const name of mainTokens) {
    const token = tokenOf(config[`${name}_token`])?.content;
    if (token !== undefined) options[`${name}Token`] = token;
  }
  options.addedTokens = addedTokens(config);
  return options;
}

/** In the order in which the reference gives ids to those that vocab.txt has no line for. */
const mainTokens = ['unk', 'sep', 'pad', 'cls', 'mask'] as const;

function addedTokens(config: Json): AddedToken[] {
  // The keys are ids, which JavaScript keeps in ascending order.
  const declared = Object.values(objectOf(config['added_tokens_decoder']));
  const named = mainTokens.map((name) => config[`${name}_token`] ?? `[${name.toUpperCase()}]`);
  const extra = config['extra_special_tokens'];
  const additional = Array.isArray(extra) ? extra : config['additional_special_tokens'];
  const byContent = new Map<string, AddedToken>();
  for (const value of [
    ...declared, config['bos_token'], config['eos_token'], ...named, ...Object.values(objectOf(extra)),
    ...(Array.isArray(additional) ? additional : []),
  ]) {
    const token = tokenOf(value);
    if (token && token.content !== '' && !byContent.has(token.content)) {
      byContent.set(token.content, token);
    }
  }
  return [...byContent.values()];
}

/** A token is given as a string or as an object with its `content`. */
function tokenOf(value: unknown): AddedToken | undefined {
  if (typeof value === 'string') return { content: value };
  const { content, lstrip, rstrip, single_word: single } = objectOf(value);
  return typeof content !== 'string' ? undefined
    : { content, lstrip: lstrip === true, rstrip: rstrip === true, singleWord: single === true };
}

function objectOf(value: unknown): Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {};
}

function sentencePieceOptions(
  files: Files,
  config: Json,
  section: TokenizerSection | undefined,
  folder: string,
): SentencePieceOptions {
  const own: SentencePieceOptions = {};
  if (section?.id_offset !== undefined) own.idOffset = section.id_offset;
  if (section?.unk_id !== undefined) own.unkId = section.unk_id;
  if (section?.prefix !== undefined) own.prefix = section.prefix;
  if (section?.suffix !== undefined) own.suffix = section.suffix;
  Object.assign(own, padOf(section));
  // A section that numbers the ids says all there is to say.
  if (own.idOffset !== undefined || own.prefix !== undefined) return own;
  const model = readJson(files, 'config.json', folder)['model_type'];
  const known = className(config) ?? (typeof model === 'string' ? model : undefined);
  if (known === undefined) return own;
  const layout = sentencePieceClasses[known];
  if (layout) return { ...layout, ...own };
  throw new GyeotError('unsupported',
    `${folder}tokenizer_config.json names ${known}, whose numbering of SentencePiece ids is not known ` +
      'here; give id_offset, unk_id, prefix, suffix and pad_id in gyeot.json, or add tokenizer.json',
    { file: `${folder}tokenizer_config.json` });
}

function padOf(section: TokenizerSection | undefined): { padId?: number } {
  return section?.pad_id === undefined ? {} : { padId: section.pad_id };
}

function readJson(files: Files, path: string, folder: string): Json {
  const bytes = files[path];
  if (!bytes) return {};
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new GyeotError('format', `${folder}${path} is not JSON: ${String(cause)}`,
      { file: folder + path, cause });
  }
  return objectOf(json);
}
