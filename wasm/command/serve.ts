/** `gyeot serve`: a folder on localhost, as a careful static host would give it. */
import { existsSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import path from 'node:path';
import sirv from 'sirv';
import { GyeotError } from '../core/index.js';
import type { Command } from './options.js';

/** Nothing from elsewhere, nothing to elsewhere, no eval. */
export const policy = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "worker-src 'self'",
  "connect-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const types: Record<string, string> = {
  '.wasm': 'application/wasm',
  '.js': 'text/javascript; charset=utf-8',
  '.webmanifest': 'application/manifest+json',
  '.onnx': 'application/octet-stream',
  '.gyw': 'application/octet-stream',
  '.safetensors': 'application/octet-stream',
};

export const serve: Command = {
  summary: 'Serve a site on this machine',
  help: `
gyeot serve SITE [--port N] [--open] [--isolated]

Serves the folder at http://localhost:8080/ (or the next free port) with the right types and a strict
Content-Security-Policy. --open shows it in the browser; --isolated adds the headers that allow
threads.

  gyeot serve site --open`,
  options: {
    port: { type: 'string' },
    open: { type: 'boolean' },
    isolated: { type: 'boolean' },
  },
  positionals: ['SITE'],
  async run(options, terminal, signal) {
    const folder = path.resolve(options.positionals[0]!);
    if (!existsSync(path.join(folder, 'index.html'))) {
      throw new GyeotError('not-found', `${folder} has no index.html; gyeot build makes a site`, {
        file: folder,
      });
    }
    const files = sirv(folder, {
      dev: true,
      etag: true,
      setHeaders(response, pathname) {
        const type = types[path.extname(pathname)];
        if (type) response.setHeader('content-type', type);
        response.setHeader('content-security-policy', policy);
        response.setHeader('x-content-type-options', 'nosniff');
        response.setHeader('referrer-policy', 'no-referrer');
        response.setHeader('cache-control', 'no-cache');
        if (options.flag('isolated')) {
          response.setHeader('cross-origin-opener-policy', 'same-origin');
          response.setHeader('cross-origin-embedder-policy', 'require-corp');
        }
      },
    });
    const server = createServer((request, response) => {
      files(request, response, () => {
        response.writeHead(404, { 'content-type': 'text/plain; charset=utf-8' });
        response.end('Not found');
      });
    });
    const fixed = options.text('port') !== undefined;
    const port = await listen(server, options.count('port', 8080), fixed);
    const url = `http://localhost:${port}/`;
    terminal.print(`${url} serves ${path.relative('', folder) || folder} (Ctrl+C stops)`);
    if (options.flag('open')) openBrowser(url);
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      signal.addEventListener('abort', () => resolve());
      process.once('SIGTERM', () => resolve());
    });
    server.closeAllConnections();
    server.close();
  },
};

/** Listens on the port; unless it was asked for by number, on the next that is free. */
async function listen(server: Server, first: number, fixed: boolean): Promise<number> {
  for (let port = first; ; port++) {
    const error = await new Promise<NodeJS.ErrnoException | null>((resolve) => {
      server.once('error', resolve);
      server.listen(port, 'localhost', () => {
        server.off('error', resolve);
        resolve(null);
      });
    });
    if (!error) return port;
    if (error.code !== 'EADDRINUSE' || fixed || port >= first + 50) {
      throw new GyeotError('argument', `Port ${port} cannot be used: ${error.message}`);
    }
  }
}

/** Shows a page where there is a screen; silent where there is none. */
function openBrowser(url: string): void {
  const screen = process.platform !== 'linux' || process.env['DISPLAY'] || process.env['WAYLAND_DISPLAY'];
  if (!screen || process.env['CI']) return;
  const [command, ...args] = process.platform === 'darwin' ? ['open', url]
    : process.platform === 'win32' ? ['cmd', '/c', 'start', '', url]
      : ['xdg-open', url];
  const child = spawn(command!, args, { detached: true, stdio: 'ignore' });
  child.on('error', () => {});
  child.unref();
}
