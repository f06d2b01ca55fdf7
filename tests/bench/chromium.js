/** What the benchmarks in Chromium share: a host, a profile of its own, and the peer's page. */
import { createServer } from 'node:http';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import esbuild from 'esbuild';
import { chromium } from 'playwright-core';
import { chromiumPath, pageFolder } from '../browser/harness.js';
import { peersFolder, root } from './harness.js';
import { tokenizerJson } from './tokenizer-json.js';

export const peer = ['@huggingface/transformers', '4.3.1'];
export const model = path.join(root, 'model/default');
const modules = path.join(peersFolder, 'node_modules');
/** multilingual-e5-small in eight bits; tests/bench/README.md says how it is made. */
export const large = path.join(root, '.cache/e5-q8');

/** Where each address lies; the first prefix that fits. */
const folders = [
  ['/tjs/', path.join(modules, '@huggingface/transformers/dist')],
  ['/ort/', path.join(modules, 'onnxruntime-web/dist')],
  ['/own-ort/', path.join(root, 'node_modules/onnxruntime-web/dist')],
  ['/models/default/', model],
  ['/models/large/', large],
  ['/table/', path.join(root, 'model/table')],
  ['/bench/', path.join(root, 'tests/bench')],
  ['/dist/', path.join(root, 'dist')],
  // The same, with an engine that adds up in `encoderMs` how long the runtime ran.
  ['/timed/', path.join(root, 'dist')],
];

/** Where peers look for the ONNX file. */
export const plainEncoder = '/models/default/onnx/model_quantized.onnx';

/** The encoder as the ONNX file that peers read: unpacked, if it is kept packed. */
export async function plainBytes() {
  const { encoder } = JSON.parse(readFileSync(path.join(model, 'gyeot.json'), 'utf8'));
  const bytes = new Uint8Array(readFileSync(path.join(model, encoder.file)));
  const { outputFiles: [{ text }] } = await esbuild.build({
    entryPoints: [path.join(root, 'wasm/gyeot/weights.ts')],
    bundle: true, format: 'esm', platform: 'node', write: false,
  });
  const { unpackWeights } = await import(`data:text/javascript,${encodeURIComponent(text)}`);
  const core = await WebAssembly.compile(readFileSync(path.join(root, 'dist/core.wasm')));
  return unpackWeights(bytes, core, encoder.file);
}

function timedEngine() {
  const engine = readFileSync(path.join(root, 'dist/engine.js'), 'utf8');
  const call = 'results=await this.#session.run(feeds,[this.#output])';
  if (!engine.includes(call)) throw new Error('The engine runs its encoder in a new way; see timedEngine()');
  return engine.replace(call,
    `const begun=performance.now();${call};globalThis.encoderMs=(globalThis.encoderMs??0)+performance.now()-begun`);
}

const types = {
  '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.mjs': 'text/javascript',
  '.css': 'text/css', '.json': 'application/json', '.wasm': 'application/wasm',
  '.svg': 'image/svg+xml', '.webmanifest': 'application/manifest+json',
};

/**
 * A static host that counts what it sends. `mapped` serves the benchmarks' addresses, else the page;
 * `isolated` sends the headers that threads need.
 */
export async function serve(mapped, { isolated = false } = {}) {
  const sent = { bytes: 0 };
  const tokenizer = (folder) =>
    JSON.stringify(tokenizerJson(readFileSync(path.join(folder, 'sentencepiece.bpe.model'))));
  const made = mapped ? {
    '/models/default/tokenizer.json': tokenizer(model),
    ...(existsSync(large) ? { '/models/large/tokenizer.json': tokenizer(large) } : {}),
    [plainEncoder]: await plainBytes(),
    '/timed/engine.js': timedEngine(),
  } : {};
  const find = (name) => {
    if (!mapped) return path.join(pageFolder, name.endsWith('/') ? `${name}index.html` : name);
    const [prefix, folder] = folders.find(([start]) => name.startsWith(start)) ?? [];
    return folder === undefined ? '' : path.join(folder, name.slice(prefix.length));
  };
  const headers = isolated
    ? { 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp' }
    : {};
  const server = createServer(async (request, response) => {
    const name = decodeURIComponent(new URL(request.url, 'http://host').pathname);
    try {
      const body = Buffer.from(made[name] ?? (await readFile(find(name))));
      sent.bytes += body.length;
      response.writeHead(200, {
        'content-type': types[path.extname(find(name))] ?? 'application/octet-stream',
        'content-length': body.length,
        'cache-control': 'max-age=600',
        ...headers,
      });
      response.end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://localhost:${server.address().port}/`,
    sent,
    stop: () => (server.close(), server.closeAllConnections()),
  };
}

/** Calls `visit` with a browser whose profile is new. */
export async function fresh(visit, args = []) {
  const profile = await mkdtemp(path.join(os.tmpdir(), 'gyeot-bench-'));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: chromiumPath(),
    args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', ...args],
    locale: 'ko-KR',
  });
  try {
    return await visit(context, profile);
  } finally {
    await context.close();
    await rm(profile, { recursive: true, force: true });
  }
}

/** The most memory, in bytes, that a tab of this profile ever held at once; Linux only. */
export function peakOfTabs(profile) {
  const processes = readdirSync('/proc').filter((name) => /^\d+$/.test(name)).flatMap((id) => {
    try {
      const status = readFileSync(`/proc/${id}/status`, 'utf8');
      const command = readFileSync(`/proc/${id}/cmdline`, 'utf8');
      return [{ id, command, parent: /PPid:\t(\d+)/.exec(status)[1], peak: /VmHWM:\s+(\d+)/.exec(status)?.[1] }];
    } catch {
      return []; // It ended meanwhile.
    }
  });
  const parents = new Map(processes.map(({ id, parent }) => [id, parent]));
  const browser = processes.find(({ command }) => command.includes(profile) && !command.includes('--type='));
  const below = (id) => id === browser?.id || (parents.has(id) && below(parents.get(id)));
  const peaks = processes
    .filter(({ id, command }) => command.includes('--type=renderer') && below(id))
    .map(({ peak }) => Number(peak) * 1024);
  return Math.max(...peaks);
}

/** The model's own sentences: its recorded texts, the same for every contestant. */
export function sentences(count) {
  return JSON.parse(readFileSync(path.join(model, 'parity.json'), 'utf8')).texts.slice(0, count);
}
