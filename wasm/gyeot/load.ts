/** Gets an engine ready: downloads, compiles and opens side by side. */
import { CoreModule, GyeotError, Tokenizer, compileCore } from '../core/index.js';
import { throwIfAborted } from './abort.js';
import { nameOf, readEntry, readLocated } from './assets.js';
import type { Located, LocatedFolder, ReadOptions } from './assets.js';
import { AssetCache } from './cache.js';
import { defaultSafety } from './defaults.js';
import { Embedder, breathe } from './embedder.js';
import { Encoder } from './encoder.js';
import { Engine, IndexedTable } from './engine.js';
import { Meter } from './meter.js';
import { openModel } from './model.js';
import type { OpenModel } from './model.js';
import { readTable } from './parts.js';
import { runtimeBytes, startRuntime } from './runtime.js';
import { SafetyRules } from './safety.js';
import type { CallOptions } from './types.js';
import { warmUp } from './warmup.js';
import { unpackWeights } from './weights.js';

/** What a load takes once everything is absolute and can cross to a worker. */
export interface EngineOptions {
  model: LocatedFolder;
  table: Located | null;
  /** `undefined`: the bundled rules; `null`: none. */
  safety: Located | null | undefined;
  core: Located;
  runtime: Located;
  threads: number;
  cache: boolean | 'write';
}

/** Loads everything in parallel; whatever fails or is cancelled, nothing half-made is left. */
export async function loadEngine(options: EngineOptions, call: CallOptions = {}): Promise<Engine> {
  const controller = new AbortController();
  const abort = () => controller.abort(call.signal?.reason);
  if (call.signal?.aborted) abort();
  call.signal?.addEventListener('abort', abort, { once: true });
  try {
    return await loadAll(options, call.onProgress, controller);
  } catch (error) {
    // Whatever is still on its way is of no use any more.
    controller.abort();
    throw error;
  } finally {
    call.signal?.removeEventListener('abort', abort);
  }
}

async function loadAll(
  options: EngineOptions,
  onProgress: CallOptions['onProgress'],
  controller: AbortController,
): Promise<Engine> {
  const { signal } = controller;
  throwIfAborted(signal);
  const meter = new Meter(onProgress);
  const read: ReadOptions = { signal, onBytes: meter.add };

  if (options.cache) AssetCache.wake();
  meter.expectUnseen(runtimeBytes);
  const runtime = startRuntime(options.runtime, options.threads, { signal, onBytes: meter.arrived });
  const compiled = compile(options.core);
  const core = compiled.then((module) => CoreModule.load({ module }));
  const opened = openModel(options.model, { ...read, onLength: meter.expect });
  const table = startTable(options.table, options.cache, read, meter);
  const safety = readSafety(options.safety, signal);
  // Failures are met below, in the order in which they tell most.
  for (const promise of [runtime, core, table.bytes, safety]) promise.catch(() => {});

  const model = await opened;
  const { manifest } = model;
  const bytes = model.entries.reduce((sum, entry) => sum + (entry.size ?? 0), 0);
  meter.expect(bytes);
  const cache = options.cache
    ? await AssetCache.open(manifest.name, manifest.fingerprint, options.cache !== 'write')
    : null;
  const files = readModel(model, { ...read, cache });
  await table.length;
  meter.open();

  const encoderName = nameOf(model.folder, manifest.encoder.file);
  const whole = Promise.all([files.encoder, compiled]).then(([bytes, module]) =>
    unpackWeights(bytes, module, encoderName));
  whole.catch(() => {});
  let waiting = true;
  files.encoder.then(() => (waiting = false), () => (waiting = false));
  const warm = runtime.then(async (ort) => {
    await warmUp(ort, () => waiting).catch(() => {});
    return ort;
  });
  warm.catch(() => {});
  const steps = [
    Promise.all([whole, warm]).then(([encoder, ort]) =>
      Encoder.create(ort, encoder, encoderName, manifest.encoder.output)),
    Promise.all([files.tokenizer, core]).then(([tokenizer, module]) =>
      Tokenizer.load(tokenizer, {
        core: module,
        tokenizer: manifest.tokenizer,
        folder: nameOf(model.folder),
      })),
    // Made ready while the model is on its way, not after it.
    Promise.all([table.bytes, core]).then(([found, module]) =>
      found && IndexedTable.read(module, found, nameOf(options.table!, 'table'), manifest)),
    safety,
  ] as const;
  let prepared = 0;
  const total = steps.length;
  for (const step of steps) {
    step.then(() => prepared++, () => {});
  }
  // Everything has arrived when these have; opening the model may take a moment more.
  Promise.all([files.encoder, files.tokenizer, runtime, table.bytes]).then(() => {
    meter.done();
    onProgress?.({ phase: 'prepare', loaded: prepared, total });
  }, () => {});

  const [encoder, tokenizer, indexed, rules] = await all(steps, () => controller.abort());
  const module = await core;
  const embedder = new Embedder(module, manifest, tokenizer, encoder);
  const size = bytes || [...model.read.values()].reduce((sum, file) => sum + file.length, 0);
  const engine = new Engine({
    core: module, manifest, embedder, safety: rules, bytes: size, keep: options.cache !== false,
  });
  if (indexed) engine.useTable(indexed);
  await breathe(signal);
  onProgress?.({ phase: 'prepare', loaded: total, total });
  void cache?.finish();
  return engine;
}

function compile(located: Located): Promise<WebAssembly.Module> {
  return compileCore(
    'bytes' in located ? { wasmBinary: located.bytes } : { wasmUrl: located.url },
  );
}

/** Starts reading the model's files; each can be used as soon as it is there. */
function readModel(model: OpenModel, options: ReadOptions) {
  const { manifest } = model;
  const get = async (path: string): Promise<Uint8Array> => {
    const there = model.read.get(path);
    if (there) return there;
    return readEntry(model.folder, model.entries.find((entry) => entry.path === path)!, options);
  };
  const encoder = get(manifest.encoder.file);
  model.read.delete(manifest.encoder.file);
  const tokenizer = Promise.all(
    manifest.tokenizer.files.map(async (path) => [path, await get(path)] as const),
  ).then((files) => Object.fromEntries([...model.read, ...files]));
  encoder.catch(() => {});
  tokenizer.catch(() => {});
  return { encoder, tokenizer };
}

function startTable(
  located: Located | null,
  keep: boolean | 'write',
  options: ReadOptions,
  meter: Meter,
) {
  if (!located) return { bytes: Promise.resolve(null), length: Promise.resolve() };
  let known: () => void = () => {};
  const length = new Promise<void>((resolve) => (known = resolve));
  const bytes = readTable(located, {
    ...options,
    keep,
    onLength: (size) => {
      meter.expect(size);
      known();
    },
    onBytes: (count) => {
      known();
      options.onBytes?.(count);
    },
  });
  bytes.then(known, known);
  return { bytes, length };
}

async function readSafety(
  located: Located | null | undefined,
  signal: AbortSignal | undefined,
): Promise<SafetyRules | null> {
  if (located === null) return null;
  if (located === undefined) return defaultSafety === null ? null : SafetyRules.parse(defaultSafety);
  const bytes = await readLocated(located, { signal });
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw new GyeotError('format', `${nameOf(located)} is not JSON: ${String(cause)}`, { cause });
  }
  return SafetyRules.parse(json);
}

/**
 * Like Promise.all, but tells of the first failure at once, waits for the others to end, closes what
 * they made and then throws that first failure.
 */
async function all<T extends readonly Promise<unknown>[]>(
  promises: T,
  onFailure: () => void,
): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
  const failures: unknown[] = [];
  const made: unknown[] = [];
  await Promise.all(
    promises.map((promise, index) =>
      promise.then(
        (value) => {
          made[index] = value;
        },
        (error: unknown) => {
          failures.push(error);
          onFailure();
        },
      )),
  );
  if (failures.length === 0) return made as never;
  for (const part of made) await (part as { close?: () => unknown } | null | undefined)?.close?.();
  throw failures[0];
}
