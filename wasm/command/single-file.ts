/** A whole site as one HTML file that works from a double click: no server, no network. */
import { createHash } from 'node:crypto';
import { readFile, readdir } from 'node:fs/promises';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { GyeotError } from '../core/index.js';
import { writeWhole } from './tables.js';

/** The page's script and style without other files, and the names under which it asks for its data. */
const script = 'single.js';
const style = 'single.css';

/**
 * Runs before the page: its files lie in the document as gzip in base64, and `fetch` finds them
 * there. A page opened from a file may not start workers, so none is tried.
 */
const opening = `
const base = new URL('./', document.baseURI).href;
const types = { json: 'application/json', wasm: 'application/wasm' };
const plain = globalThis.fetch;
globalThis.fetch = async (request, options) => {
  const url = String(request?.url ?? request);
  const name = url.startsWith(base) ? decodeURIComponent(url.slice(base.length)) : null;
  const block = name && document.querySelector('script[data-file="' + CSS.escape(name) + '"]');
  if (!block) return url.startsWith('http') ? plain(request, options) : new Response('', { status: 404 });
  options?.signal?.throwIfAborted();
  const text = block.textContent;
  const packed = new Blob(Array.from({ length: Math.ceil(text.length / 262144) }, (_, part) =>
    Uint8Array.from(atob(text.slice(part * 262144, (part + 1) * 262144)), (c) => c.charCodeAt(0))));
  const stream = packed.stream().pipeThrough(new DecompressionStream('gzip'));
  const type = types[name.split('.').pop()] ?? 'application/octet-stream';
  const headers = { 'content-type': type, 'content-length': block.dataset.size };
  return new Response(stream, { headers });
};
globalThis.Worker = class { constructor() { throw new Error('no workers from a file'); } };
`;

export async function singleFile(site: string, dist: string, target: string): Promise<void> {
  const [page, code, plainCss] = await Promise.all([
    readFile(path.join(site, 'index.html'), 'utf8'),
    read(path.join(dist, script)),
    read(path.join(dist, style)),
  ]);
  const icon = await readFile(path.join(site, 'icons/icon.svg'));
  const iconUrl = `data:image/svg+xml;base64,${icon.toString('base64')}`;
  const css = plainCss.replaceAll('../icons/icon.svg', iconUrl);
  // `</script` inside a string would end the element.
  const main = code.replaceAll('</script', '<\\/script');
  const policy = [
    "default-src 'none'",
    `script-src ${hash(opening)} ${hash(main)} 'wasm-unsafe-eval'`,
    `style-src ${hash(css)}`,
    "img-src data: blob:", "base-uri 'none'", "form-action 'none'",
  ].join('; ');
  const html = page
    .replace(/(<meta http-equiv="Content-Security-Policy" content=")[^"]*/, (_, start: string) => start + policy)
    .replace(/<link rel="(manifest|apple-touch-icon|preload|modulepreload)"[^>]*>\n?/g, '')
    .replace(/<link rel="icon"[^>]*>/, () => `<link rel="icon" href="${iconUrl}">`)
    .replace(/<link rel="stylesheet"[^>]*>/, () => `<style>${css}</style>`)
    .replace(/<script type="module"[^>]*><\/script>\n?/, '');
  if (!html.includes(policy) || !html.includes('<style>')) {
    throw new GyeotError('format', `${site}/index.html has no place for the script or the policy`);
  }
  const blocks: string[] = [];
  for (const [name, file] of await filesOf(site, dist)) {
    const bytes = await readFile(file);
    const data = gzipSync(bytes, { level: 9 }).toString('base64');
    blocks.push(`<script type="text/plain" data-file="${name}" data-size="${bytes.length}">${data}</script>`);
  }
  const end = `${blocks.join('\n')}\n<script>${opening}</script>\n<script type="module">${main}</script>\n</body>`;
  await writeWhole(target, html.replace(/<\/body>/, () => end));
}

/** Names as the page asks for them, and where they are. */
async function filesOf(site: string, dist: string): Promise<[string, string][]> {
  const files: [string, string][] = [
    ['LICENSE.txt', path.join(site, 'LICENSE.txt')],
    ['site.json', path.join(site, 'site.json')],
    ['safety.ko.json', path.join(site, 'safety.ko.json')],
    ['runtime/core.wasm', path.join(dist, 'core.wasm')],
    ['runtime/ort/ort-wasm-simd-threaded.wasm', path.join(dist, 'ort/ort-wasm-simd-threaded.wasm')],
  ];
  for (const folder of ['model', 'table']) {
    for (const entry of await readdir(path.join(site, folder), { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      const file = path.join(entry.parentPath, entry.name);
      files.push([path.relative(site, file).split(path.sep).join('/'), file]);
    }
  }
  return files;
}

function hash(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}

async function read(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((cause: Error) => {
    throw new GyeotError('not-found', `${file} could not be read: ${cause.message}`, { file, cause });
  });
}
