/**
 * From nothing to an answer: `node tests/bench/coldstart.js [--json] [--rounds N]`. The page of
 * dist/page against transformers.js over the same model and table, in Chromium, each round in a
 * profile of its own; then how long one sentence takes once all is loaded.
 */
import { createServer } from 'node:http';
import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { chromium } from 'playwright-core';
import { asked, chromiumPath, offlineReady, pageFolder } from '../browser/harness.js';
import { installPeers, main, optional, peersFolder, race, root, summarize } from './harness.js';
import { tokenizerJson } from './tokenizer-json.js';

const peer = ['@huggingface/transformers', '4.3.1'];
const modules = path.join(peersFolder, 'node_modules');
const model = path.join(root, 'model/default');

/** Where each address lies; the first prefix that fits. */
const folders = [
  ['/tjs/', path.join(modules, '@huggingface/transformers/dist')],
  ['/ort/', path.join(modules, 'onnxruntime-web/dist')],
  ['/models/default/', model],
  ['/table/', path.join(root, 'model/table')],
  ['/bench/', path.join(root, 'tests/bench')],
  ['/dist/', path.join(root, 'dist')],
];

const types = {
  '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.mjs': 'text/javascript',
  '.css': 'text/css', '.json': 'application/json', '.wasm': 'application/wasm',
  '.svg': 'image/svg+xml', '.webmanifest': 'application/manifest+json',
};

/** A static host that counts what it sends. `mapped` serves the peer's addresses, else the page. */
async function serve(mapped) {
  const sent = { bytes: 0 };
  const made = mapped ? {
    '/models/default/tokenizer.json':
      JSON.stringify(tokenizerJson(readFileSync(path.join(model, 'sentencepiece.bpe.model')))),
  } : {};
  const find = (name) => {
    if (!mapped) return path.join(pageFolder, name.endsWith('/') ? `${name}index.html` : name);
    const [prefix, folder] = folders.find(([start]) => name.startsWith(start)) ?? [];
    return folder === undefined ? '' : path.join(folder, name.slice(prefix.length));
  };
  const server = createServer(async (request, response) => {
    const name = decodeURIComponent(new URL(request.url, 'http://host').pathname);
    try {
      const body = Buffer.from(made[name] ?? (await readFile(find(name))));
      sent.bytes += body.length;
      response.writeHead(200, {
        'content-type': types[path.extname(find(name))] ?? 'application/octet-stream',
        'content-length': body.length,
        'cache-control': 'max-age=600',
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
async function fresh(visit) {
  const profile = await mkdtemp(path.join(os.tmpdir(), 'gyeot-bench-'));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: chromiumPath(),
    args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
    locale: 'ko-KR',
  });
  try {
    return await visit(context);
  } finally {
    await context.close();
    await rm(profile, { recursive: true, force: true });
  }
}

/** Milliseconds since the page was opened, once `selector` has its nth element with text. */
async function shown(page, selector, nth) {
  const found = await page.waitForFunction(([selector, nth]) => {
    const text = document.querySelectorAll(selector)[nth]?.textContent;
    return text ? { ms: performance.now(), text } : null;
  }, [selector, nth], { timeout: 120_000 });
  return found.jsonValue();
}

async function askOurs(page, url) {
  await page.goto(url, { waitUntil: 'commit' });
  await page.waitForSelector('.turn.bot');
  const before = await page.locator('.turn.bot').count();
  await page.fill('#message', asked);
  await page.press('#message', 'Enter');
  return shown(page, '.turn.bot .bubble', before);
}

async function askPeer(page, url) {
  await page.goto(`${url}bench/coldstart.html?q=${encodeURIComponent(asked)}`, { waitUntil: 'commit' });
  return shown(page, '#answer', 0);
}

/** One profile: the first visit, and a second one in a new tab when the first has settled. */
function visits(mapped, ask, settle, seen) {
  return fresh(async (context) => {
    const server = await serve(mapped);
    try {
      const first = await context.newPage();
      const cold = await ask(first, server.url);
      await settle(first);
      const bytes = server.sent.bytes;
      await first.close();
      const repeat = await ask(await context.newPage(), server.url);
      Object.assign(seen, { bytes, again: server.sent.bytes - bytes, text: cold.text });
      (seen.repeats ??= []).push(repeat.ms);
      return cold.ms;
    } finally {
      server.stop();
    }
  });
}

async function embedding(rounds) {
  const texts = JSON.parse(readFileSync(path.join(model, 'parity.json'), 'utf8')).texts.slice(0, 50);
  const server = await serve(true);
  try {
    return await fresh(async (context) => {
      const ours = await context.newPage();
      await ours.goto(`${server.url}bench/blank.html`);
      await ours.evaluate(async () => {
        const { Gyeot } = await import('/dist/index.js');
        const bot = await Gyeot.load({ model: '/models/default/', table: null, threads: 1 });
        window.embed = (text) => bot.embed(text);
      });
      const theirs = await context.newPage();
      await askPeer(theirs, server.url);
      const each = (page) => async () => {
        await page.bringToFront();
        return page.evaluate(async (texts) => {
          const begun = performance.now();
          for (const text of texts) await window.embed(text);
          return (performance.now() - begun) / texts.length;
        }, texts);
      };
      const results = await race([
        { name: 'gyeot', run: each(ours) },
        { name: 'transformers.js', run: each(theirs) },
      ], rounds);
      return {
        title: `One sentence to its vector, warm, one thread, Chromium (${texts.length} sentences a round)`,
        unit: 'ms', results,
      };
    });
  } finally {
    server.stop();
  }
}

/** Both sides must answer from one model and its table, or the answers cannot be compared. */
function checkBuilt() {
  const { fingerprint } = JSON.parse(readFileSync(path.join(model, 'gyeot.json'), 'utf8'));
  const pages = JSON.parse(readFileSync(path.join(pageFolder, 'model/gyeot.json'), 'utf8'));
  const table = readFileSync(path.join(root, 'model/table/ko.safetensors'));
  if (pages.fingerprint !== fingerprint || !table.subarray(0, 8192).includes(fingerprint)) {
    throw new Error('The page, the table and model/default are not of one build: run npm run build');
  }
}

export async function measure({ rounds = 3 } = {}) {
  checkBuilt();
  installPeers([peer]);
  const ours = {};
  const theirs = {};
  const cold = await race([
    { name: 'gyeot, dist/page', run: () => visits(false, askOurs, offlineReady, ours) },
    { name: 'transformers.js', run: () => visits(true, askPeer, async () => {}, theirs) },
  ], rounds, { warmup: 0 });
  const repeat = [[cold[0].name, ours], [cold[1].name, theirs]]
    .map(([name, { repeats }]) => ({ name, ...summarize(repeats) }));
  const megabytes = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;
  const told = (key) => [
    `bytes sent: gyeot ${megabytes(ours[key])}, transformers.js ${megabytes(theirs[key])}`];
  const tables = [
    {
      title: 'First visit, from opening to the answer, Chromium on localhost', unit: 'ms', results: cold,
      notes: [...told('bytes'), `gyeot answers: ${ours.text}`, `transformers.js finds: ${theirs.text}`],
    },
    {
      title: 'Second visit, a new tab in the same profile', unit: 'ms', results: repeat,
      notes: told('again'),
    },
  ];
  return [...tables, ...(await optional('Embedding', async () => [await embedding(Math.max(rounds, 5))]))];
}

await main(import.meta.url, measure);
