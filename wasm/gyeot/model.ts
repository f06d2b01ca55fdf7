/** Opens a model folder: its manifest, or what stands for one, and its files. */
import { GyeotError } from '../core/index.js';
import { fileIn, nameOf, readLocated } from './assets.js';
import {
  computeFingerprint, deriveManifest, describingFiles, encoderFiles, neededFiles, parseJson,
  parseManifest,
  tokenizerFiles,
} from './manifest.js';
import { sha256 } from './sha256.js';
import type { LocatedFolder, ReadOptions } from './assets.js';
import type { FileEntry, Manifest, TokenizerSpec } from './manifest.js';

export interface OpenModel {
  folder: LocatedFolder;
  manifest: Manifest;
  /** Files still to be read, in the order of `neededFiles`. */
  entries: FileEntry[];
  /** Files that finding out about the folder has read already, by path. */
  read: Map<string, Uint8Array>;
}

export async function openModel(
  folder: LocatedFolder,
  options: ReadOptions = {},
): Promise<OpenModel> {
  const { signal } = options;
  const bytes = await readOptional(folder, 'gyeot.json', { signal });
  if (!bytes) return describe(folder, options);
  const file = nameOf(folder, 'gyeot.json');
  const manifest = parseManifest(bytes, file);
  const entries = neededFiles(manifest).map(
    (path) => manifest.files.find((entry) => entry.path === path)!,
  );
  const fingerprint = await computeFingerprint(manifest, entries.map((entry) => entry.sha256!));
  if (fingerprint !== manifest.fingerprint) {
    throw new GyeotError(
      'integrity',
      `${file} was changed by hand: its fingerprint should be ${fingerprint}`,
      { file },
    );
  }
  return { folder, manifest, entries, read: new Map() };
}

/** A folder without gyeot.json, as sentence-transformers, Optimum or a download leaves it. */
async function describe(folder: LocatedFolder, options: ReadOptions): Promise<OpenModel> {
  const { signal } = options;
  const read = new Map<string, Uint8Array>();
  await Promise.all(
    describingFiles.map(async (path) => {
      const bytes = await readOptional(folder, path, { signal });
      if (bytes) read.set(path, bytes);
    }),
  );
  const where = nameOf(folder) || 'The model';
  if (!read.has('config.json')) {
    throw new GyeotError(
      'not-found',
      `${where} has neither gyeot.json nor config.json, so it is no model folder`,
      { file: nameOf(folder, 'config.json') },
    );
  }
  const first = async (paths: readonly string[]): Promise<string | null> => {
    for (const path of paths) {
      const bytes = await readOptional(folder, path, options);
      if (!bytes) continue;
      read.set(path, bytes);
      return path;
    }
    return null;
  };
  const order = tokenizerOrder(read.get('tokenizer_config.json'), nameOf(folder, 'tokenizer_config.json'));
  const tokenizerFile = await first(order);
  if (!tokenizerFile) {
    throw new GyeotError(
      'not-found',
      `${where} has no tokenizer: ${tokenizerFiles.map(([, path]) => path).join(', ')} were looked for`,
      { file: nameOf(folder, 'tokenizer.json') },
    );
  }
  const encoder = await first(encoderFiles);
  if (!encoder) {
    throw new GyeotError(
      'not-found',
      `${where} has no ONNX file: ${encoderFiles.join(', ')} were looked for. ` +
        '`python -m model.export` makes one from a checkpoint',
      { file: nameOf(folder, encoderFiles[0]) },
    );
  }
  const type = tokenizerFiles.find(([, path]) => path === tokenizerFile)![0];
  const tokenizer: TokenizerSpec = { type, files: [tokenizerFile] };
  const manifest = deriveManifest(nameOf(folder), read, encoder, tokenizer);
  const digests = await Promise.all(neededFiles(manifest).map((path) => sha256(read.get(path)!)));
  manifest.fingerprint = await computeFingerprint(manifest, digests);
  return { folder, manifest, entries: [], read };
}

/**
 * Which tokenizer file to look for first. A vocabulary or a SentencePiece model is read by the rules
 * of its class; for classes whose rules are not known here, and for added tokens that vocab.txt
 * alone is not read with, tokenizer.json has them written down.
 */
function tokenizerOrder(config: Uint8Array | undefined, file: string): string[] {
  const said = config ? parseJson(config, file) : {};
  const name = String(said['tokenizer_class'] ?? '');
  const paths = tokenizerFiles.map(([, path]) => path);
  const added = JSON.stringify(said['added_tokens_decoder'] ?? {});
  if (/^XLMRobertaTokenizer/.test(name) ||
    (/^$|^(Bert|DistilBert|Electra|ConvBert|MobileBert|MPNet|PreTrained)Tokenizer/.test(name) &&
      !/"normalized":true|"special":false/.test(added))) {
    return paths;
  }
  return ['tokenizer.json', ...paths.filter((path) => path !== 'tokenizer.json')];
}

/** A file's bytes, or null where it is not: an HTML page in its place counts as its absence. */
async function readOptional(
  folder: LocatedFolder,
  path: string,
  options: ReadOptions,
): Promise<Uint8Array | null> {
  const located = fileIn(folder, path);
  if (!located) return null;
  try {
    return await readLocated(located, { ...options, name: nameOf(folder, path) });
  } catch (error) {
    if (!(error instanceof GyeotError)) throw error;
    if (error.code === 'not-found') return null;
    if (error.code === 'integrity' && error.message.includes('HTML page')) return null;
    throw error;
  }
}
