/**
 * Loads core.wasm (a standalone module: memory and functions, no glue) and gives the rest of
 * `core/` what it needs to call it: typed exports, fresh heap views, scoped temporary memory, and
 * status codes as errors.
 */
import { GyeotError } from './error.js';
import type { GyeotErrorCode } from './error.js';

/**
 * What core.wasm exports. Each file that calls functions of its own adds them here:
 * `declare module './module.js' { interface CoreExports { gyeot_wasm_x(a: number): number } }`
 * @hidden
 */
export interface CoreExports {
  readonly memory: WebAssembly.Memory;
  malloc(bytes: number): number;
  free(pointer: number): void;
  /** Address of the NUL-terminated name of a status. */
  gyeot_status_name(status: number): number;
  gyeot_wasm_error_size(): number;
  gyeot_wasm_error_message(error: number): number;
}

export interface CoreOptions {
  /** Where core.wasm is. Default: beside this module. */
  wasmUrl?: string | URL | undefined;
  /** Its bytes, instead. */
  wasmBinary?: Uint8Array | ArrayBuffer | undefined;
  /** The compiled module, instead: one compilation can serve many instances. */
  module?: WebAssembly.Module | undefined;
}

/** Temporary memory in the core's heap, given back when the scope ends. */
export class Scope {
  readonly #core: CoreModule;
  readonly #pointers: number[] = [];

  constructor(core: CoreModule) {
    this.#core = core;
  }

  /** Uninitialised bytes, aligned for every type. */
  alloc(bytes: number): number {
    const pointer = this.#core.alloc(bytes);
    this.#pointers.push(pointer);
    return pointer;
  }

  /** A copy of any typed array. */
  bytes(source: ArrayBufferView): number {
    const pointer = this.alloc(source.byteLength);
    const bytes = new Uint8Array(source.buffer, source.byteOffset, source.byteLength);
    this.#core.u8().set(bytes, pointer);
    return pointer;
  }

  /** UTF-8 of a string, with a NUL after it that `size` does not count. */
  text(text: string): { pointer: number; size: number } {
    const bytes = encoder.encode(text);
    const pointer = this.alloc(bytes.length + 1);
    const heap = this.#core.u8();
    heap.set(bytes, pointer);
    heap[pointer + bytes.length] = 0;
    return { pointer, size: bytes.length };
  }

  /** Room for the core's error details, for `check`. */
  error(): number {
    const size = this.#core.exports.gyeot_wasm_error_size();
    const pointer = this.alloc(size);
    this.#core.u8().fill(0, pointer, pointer + size);
    return pointer;
  }

  /** @internal */
  end(): void {
    for (const pointer of this.#pointers) this.#core.exports.free(pointer);
    this.#pointers.length = 0;
  }
}

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

export class CoreModule {
  readonly exports: CoreExports;

  private constructor(exports: CoreExports) {
    this.exports = exports;
  }

  /** Compiles (while downloading, where the server's types allow) and instantiates core.wasm. */
  static async load(options: CoreOptions = {}): Promise<CoreModule> {
    const module = options.module ?? (await compileCore(options));
    let instance: WebAssembly.Instance;
    try {
      instance = await WebAssembly.instantiate(module, importsOf(module));
    } catch (cause) {
      throw new GyeotError('memory', `core.wasm could not be started: ${String(cause)}`, { cause });
    }
    const exports = instance.exports as unknown as CoreExports & { _initialize?: () => void };
    exports._initialize?.();
    return new CoreModule(exports);
  }

  // Views are made at each use: growing the memory detaches the old ones.
  u8(): Uint8Array {
    return new Uint8Array(this.exports.memory.buffer);
  }
  i32(): Int32Array {
    return new Int32Array(this.exports.memory.buffer);
  }
  u32(): Uint32Array {
    return new Uint32Array(this.exports.memory.buffer);
  }
  f32(): Float32Array {
    return new Float32Array(this.exports.memory.buffer);
  }

  /** Memory that the caller gives back with `exports.free`. */
  alloc(bytes: number): number {
    // An address over 2 GiB comes back negative from wasm's i32.
    const pointer = this.exports.malloc(Math.max(1, bytes)) >>> 0;
    if (pointer === 0) throw new GyeotError('memory', `Out of memory: ${bytes} bytes were asked for`);
    return pointer;
  }

  /** Runs `work`; all that it allocates through the scope is freed afterwards, come what may. */
  scope<T>(work: (scope: Scope) => T): T {
    const scope = new Scope(this);
    try {
      return work(scope);
    } finally {
      scope.end();
    }
  }

  /** The UTF-8 text at an address; without `size`, up to the NUL. */
  text(pointer: number, size?: number): string {
    const heap = this.u8();
    const begin = pointer >>> 0;
    const end = size === undefined ? heap.indexOf(0, begin) : begin + size;
    return decoder.decode(heap.subarray(begin, end));
  }

  /** Throws the `GyeotError` of a status that is not OK; `error` is a `gyeot_error` or 0. */
  check(status: number, error = 0, file?: string): void {
    if (status === 0) return;
    const name = this.text(this.exports.gyeot_status_name(status));
    const code = name === 'unknown' ? 'runtime' : (name as GyeotErrorCode);
    const detail = error ? this.text(this.exports.gyeot_wasm_error_message(error)) : '';
    const message = detail || defaultMessages[code] || `core.wasm answered with status ${status}`;
    throw new GyeotError(code, file ? `${file}: ${message}` : message, { file });
  }
}

const defaultMessages: Partial<Record<GyeotErrorCode, string>> = {
  memory: 'Out of memory',
  argument: 'A value is out of range',
  format: 'The file is not in the expected format',
  unsupported: 'The file is of a kind that is not supported',
  limit: 'Larger than the limit',
};

/** Compiles core.wasm once for several instances. */
export async function compileCore(options: CoreOptions = {}): Promise<WebAssembly.Module> {
  if (typeof WebAssembly === 'undefined' || !WebAssembly.validate(simdProbe)) {
    throw new GyeotError(
      'unsupported',
      'This browser has no WebAssembly SIMD; Chrome 91, Firefox 89 and Safari 16.4 have it',
    );
  }
  if (options.wasmBinary) return compileBytes(options.wasmBinary, 'wasmBinary');
  const url = options.wasmUrl
    ? new URL(options.wasmUrl, pageUrl())
    : new URL('./core.wasm', import.meta.url);
  if (url.protocol === 'file:' && typeof process !== 'undefined') {
    return compileBytes(readWithNode(url), url.href);
  }
  let response: Response;
  try {
    response = await fetch(url);
  } catch (cause) {
    throw new GyeotError('network', `${url.href} could not be fetched: ${String(cause)}`, {
      file: url.href,
      cause,
    });
  }
  const type = response.headers.get('content-type') ?? '';
  if (!response.ok || type.startsWith('text/html')) {
    throw new GyeotError(
      response.ok ? 'integrity' : 'not-found',
      `${url.href} is not core.wasm: the server answered ${response.status} with ${type || 'no type'}. ` +
        'Copy core.wasm from the package and give its place as wasmUrl or baseUrl',
      { file: url.href },
    );
  }
  if (type.startsWith('application/wasm')) {
    // A clone, so that a refused stream can still be compiled from the bytes.
    try {
      return await WebAssembly.compileStreaming(response.clone());
    } catch {
      return compileBytes(await response.arrayBuffer(), url.href);
    }
  }
  return compileBytes(await response.arrayBuffer(), url.href);
}

async function compileBytes(
  source: Uint8Array | ArrayBuffer,
  file: string,
): Promise<WebAssembly.Module> {
  try {
    return await WebAssembly.compile(source as BufferSource);
  } catch (cause) {
    throw new GyeotError('format', `${file} is not a WebAssembly module: ${String(cause)}`, {
      file,
      cause,
    });
  }
}

function pageUrl(): string {
  return typeof location === 'undefined' ? import.meta.url : location.href;
}

// getBuiltinModule keeps `node:` imports, which bundlers for the browser refuse, out of the graph.
function readWithNode(url: URL): Uint8Array {
  try {
    return process.getBuiltinModule('node:fs').readFileSync(url);
  } catch (cause) {
    throw new GyeotError('not-found', `${url.href} could not be read: ${String(cause)}`, {
      file: url.href,
      cause,
    });
  }
}

/** The few system calls that a standalone module may name; the core does no I/O, so none is met. */
function importsOf(module: WebAssembly.Module): WebAssembly.Imports {
  const imports: Record<string, Record<string, WebAssembly.ImportValue>> = {};
  for (const { module: space, name, kind } of WebAssembly.Module.imports(module)) {
    if (kind !== 'function') continue;
    (imports[space] ??= {})[name] =
      name === 'emscripten_notify_memory_growth'
        ? () => {}
        : () => {
            throw new GyeotError('runtime', `core.wasm called ${space}.${name}`);
          };
  }
  return imports;
}

// (module (func (drop (v128.const i32x4 0 0 0 0))))
const simdProbe = new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 10, 23, 1, 21, 0, 253, 12, 0, 0, 0, 0,
  0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 26, 11,
]);
