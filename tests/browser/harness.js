/**
 * What the browser tests share: dist/page on a server that can be stopped, one Chromium, and pages
 * on which any console error and any request to another origin fails the test.
 */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { existsSync, readFileSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { availableParallelism, loadavg } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

export const root = fileURLToPath(new URL('../..', import.meta.url));
export const pageFolder = process.env.GYEOT_PAGE ?? path.join(root, 'dist/page');

/** The walk-through of the project: asked in words that are not in the table. */
export const asked = '더 이상 내 감정을 내가 컨트롤 못 하겠어.';
export const answered = '감정이 조절이 안 될 때만큼 힘들 때는 없는 거 같아요.';

/** The model's large files as the page serves them, by their path; in parts where a host asks for it. */
export function modelFiles() {
  const { encoder, tokenizer, files } =
    JSON.parse(readFileSync(path.join(pageFolder, 'model/gyeot.json'), 'utf8'));
  const served = (name) => {
    const file = files.find((entry) => entry.path === name);
    return (file.parts ?? [file]).map((part) => `model/${part.path}`);
  };
  return { weights: served(encoder.file), vocabulary: tokenizer.files.flatMap(served) };
}

/** What no table of feelings should answer. */
export const outside = ['파이썬으로 퀵정렬 코드 짜 줘', '삼성전자 주가 얼마야'];

export const phone = { width: 360, height: 740 };
export const desktop = { width: 1280, height: 800 };

const types = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.webmanifest': 'application/manifest+json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.wasm': 'application/wasm',
};

/**
 * A plain static host without special headers. `prefix` is the sub-path that it serves at;
 * `override(path)` may give other bytes, a delay or a status for a file.
 */
export async function serve({ folder = pageFolder, prefix = '/', override } = {}) {
  const requests = [];
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, 'http://host');
    if (!pathname.startsWith(prefix)) return void response.writeHead(404).end();
    let name = decodeURIComponent(pathname.slice(prefix.length));
    if (name === '' || name.endsWith('/')) name += 'index.html';
    requests.push(name);
    const other = (await override?.(name)) ?? {};
    // A reply that never comes must not keep the test's process alive.
    if (other.delay) await new Promise((resolve) => setTimeout(resolve, other.delay).unref());
    if (other.status) return void response.writeHead(other.status).end();
    try {
      const body = other.body ?? (await readFile(path.join(folder, name)));
      const type = other.type ?? types[path.extname(name)] ?? 'application/octet-stream';
      response.writeHead(200, {
        'content-type': type,
        'content-length': body.length,
        'cache-control': 'max-age=600',
      });
      if (!other.bytesPerSecond) return void response.end(body);
      const step = Math.ceil(other.bytesPerSecond / 10);
      for (let at = 0; at < body.length && !response.destroyed; at += step) {
        response.write(body.subarray(at, at + step));
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      response.end();
    } catch {
      response.writeHead(404).end();
    }
  });
  const listen = (port) => new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
  // One that a failed test left open must not keep the test's process alive either.
  server.unref();
  await listen(0);
  const { port } = server.address();
  return {
    url: `http://localhost:${port}${prefix}`,
    requests,
    stop: () =>
      new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      }),
    restart: () => listen(port),
  };
}

const launchOptions = () => ({
  executablePath: chromiumPath(),
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ],
});

export function launch() {
  if (!existsSync(path.join(pageFolder, 'index.html'))) {
    throw new Error('dist/page is not built: run npm run build');
  }
  return chromium.launch(launchOptions());
}

export function chromiumPath() {
  const found = [process.env.GYEOT_CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser',
    '/usr/bin/google-chrome'].find((at) => at && existsSync(at));
  if (!found) throw new Error('No Chromium: install it, or name it in GYEOT_CHROMIUM');
  return found;
}

const newcomer = { viewport: desktop, locale: 'ko-KR', timezoneId: 'Asia/Seoul' };

/** A fresh visitor. `allowed` lists console errors that the test itself brings about. */
export async function visitor(browser, options = {}, allowed = []) {
  return watched(await browser.newContext({ ...newcomer, ...options }), allowed);
}

/** A visitor with a profile on disk; the private windows of the others keep no large file. */
export async function resident(folder, options = {}) {
  return watched(await chromium.launchPersistentContext(folder, { ...launchOptions(), ...newcomer, ...options }));
}

function watched(context, allowed = []) {
  const faults = [];
  const origins = new Set();
  context.on('page', (page) => {
    page.on('console', (message) => {
      if (message.type() !== 'error') return;
      const text = `${message.text()} (${message.location().url})`;
      if (!allowed.some((pattern) => pattern.test(text))) faults.push(text);
    });
    page.on('pageerror', (error) => faults.push(String(error)));
  });
  context.on('request', (request) => {
    const { origin, protocol } = new URL(request.url());
    if (/^(https?|wss?):$/.test(protocol)) origins.add(origin);
  });
  return {
    context,
    /** Fails for any console error, page error, or request to another origin than the page's. */
    check(url) {
      assert.deepEqual(faults, [], 'the console stays clean');
      assert.deepEqual([...origins], [new URL(url).origin], 'no request leaves the origin');
    },
  };
}

/** A browser, a host, a visitor and a page that can answer, for all tests of a file. */
export async function begin(options = {}, allowed = []) {
  const browser = await launch();
  const host = await serve();
  const person = await visitor(browser, options, allowed);
  const page = await open(person.context, host.url);
  const end = async () => {
    try {
      person.check(host.url);
    } finally {
      await browser.close();
      await host.stop();
    }
  };
  return { browser, host, person, page, end };
}

/** Opens the page and waits until it can answer. */
export async function open(context, url) {
  const page = await context.newPage();
  await page.goto(url);
  await ready(page);
  return page;
}

export async function ready(page) {
  await page.waitForSelector('#progress[data-state="ready"]', { state: 'attached', timeout: 60_000 });
}

/** Types a message the way a person does, and resolves to the reply's text. */
export async function say(page, text) {
  const before = await page.locator('.turn.bot').count();
  await page.fill('#message', text);
  await page.press('#message', 'Enter');
  return reply(page, before);
}

export async function reply(page, before) {
  const bubble = page.locator('.turn.bot').nth(before).locator('.bubble');
  await bubble.waitFor({ timeout: 30_000 });
  return bubble.innerText();
}

export const lastReply = (page) => page.locator('.turn.bot').last();

/** What the visitor said, in order. */
export const said = (page) => page.locator('.turn.you .bubble').allInnerTexts();

/** Resolves when the page says these words in passing. */
export function toast(page, words) {
  return page.waitForFunction(
    (text) => document.querySelector('.toast')?.textContent.includes(text), words, { timeout: 120_000 });
}

export async function openTables(page) {
  await page.click('#open-settings');
  await page.click('#open-tables');
  await page.waitForSelector('.new-table');
}

export async function closeDialogs(page) {
  while (await page.locator('dialog[open]').count()) await page.keyboard.press('Escape');
}

/** The file that a click saves. */
export async function download(page, click, options) {
  const [file] = await Promise.all([page.waitForEvent('download', options), click()]);
  return { name: file.suggestedFilename(), bytes: await readFile(await file.path()) };
}

/** Resolves when the copy on the device is whole. */
export async function offlineReady(page) {
  await page.evaluate(async () => {
    await navigator.serviceWorker.ready;
    if (navigator.serviceWorker.controller) return;
    await new Promise((resolve) =>
      navigator.serviceWorker.addEventListener('controllerchange', resolve, { once: true }));
  });
}

/** Whether other programs hold the processor, so that a wall clock measures them and not the page. */
export function crowded() {
  return loadavg()[0] > 2 * availableParallelism();
}

export async function sizeOf(file) {
  return (await stat(path.join(pageFolder, file))).size;
}
