/** What the tests of the package share. */
import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));
export const model = path.join(root, 'model/default');

/** Runs the built command; resolves to what it said and its exit code. */
export function gyeot(args, { input = '', cwd = root } = {}) {
  const child = spawn(process.execPath, [path.join(root, 'dist/command.js'), ...args], { cwd });
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr']) {
    child[name].setEncoding('utf8').on('data', (text) => (said[name] += text));
  }
  child.stdin.end(input);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, ...said }));
  });
}

/** A server whose answers the test decides: `answer(path)` gives status, type and body. */
export async function host(answer) {
  const requests = [];
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, 'http://host');
    const name = decodeURIComponent(pathname.slice(1));
    requests.push(name);
    const { status = 200, type = 'application/octet-stream', body = '', delay = 0 } =
      (await answer(name)) ?? { status: 404, type: 'text/plain' };
    if (delay) await new Promise((resolve) => setTimeout(resolve, delay));
    response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body) });
    response.end(body);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}/`,
    requests,
    stop: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}
