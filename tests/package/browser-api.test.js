/**
 * The API in a browser, as a static folder serves it: what it keeps in Cache Storage and how it does
 * without, and threads where the page is isolated.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { chromium } from 'playwright-core';
import { answered, asked, chromiumPath, launch, serve, visitor } from '../browser/harness.js';
import { root } from '../js/support.js';
import { app, copyAssets, prepare } from './fixtures.js';

let browser;
let folder;
let host;
let files;
let manifest;
before(async () => {
  await prepare();
  folder = await app('browser-api', {
    main: "import * as gyeot from './gyeot/index.js';\nObject.assign(globalThis, { gyeot });",
  });
  await copyAssets(folder);
  manifest = JSON.parse(await readFile(path.join(folder, 'ko/default/gyeot.json'), 'utf8'));
  files = [manifest.encoder.file, ...manifest.tokenizer.files];
  host = await serve({ folder });
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await host?.stop();
});

/** A visitor on the page, and how to ask from there. */
async function visit(url = host.url, { by = browser, allowed = [], init } = {}) {
  const person = await visitor(by, {}, allowed);
  const page = await person.context.newPage();
  if (init) await page.addInitScript(init);
  await page.goto(url);
  await page.waitForFunction(() => globalThis.gyeot);
  return {
    page,
    // Left open: closing ends the worker, and with it what is still being stored.
    ask: (options = {}) => page.evaluate(async ({ options, asked }) => {
      const bot = await globalThis.gyeot.Gyeot.load({ model: 'ko/default/', table: 'ko/table/ko.safetensors', ...options });
      return (await bot.ask(asked)).answer;
    }, { options, asked }),
    /** Names of the caches and how many files are in ours, once they are as they should be. */
    caches: async (ready) => {
      for (let tries = 0; ; tries++) {
        const found = await page.evaluate(async (name) => {
          const names = (await caches.keys()).sort();
          const files = names.includes(name) ? await (await caches.open(name)).keys() : [];
          return { names, files: files.length };
        }, ours());
        if (ready(found) || tries === 100) return found;
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
    },
    done: async () => {
      person.check(url);
      await person.context.close();
    },
  };
}

/** Which of the model's files the server was asked for since the last call. */
let asks = 0;
function fetched() {
  const since = host.requests.slice(asks);
  asks = host.requests.length;
  return files.filter((file) => since.includes(`ko/default/${file}`));
}

const ours = () => `gyeot-model:${manifest.name}:${manifest.fingerprint}`;
const kept = (found) => found.files === files.length;

test('a model is kept by its fingerprint, and not asked for again', async () => {
  const { ask, page, caches, done } = await visit();
  fetched();
  // Another version of this model, and a model of another name.
  await page.evaluate(async (names) => {
    for (const name of names) await caches.open(name);
  }, [`gyeot-model:${manifest.name}:old`, 'gyeot-model:other:old']);
  assert.equal(await ask(), answered);
  assert.deepEqual(fetched(), files);
  const found = await caches((now) => kept(now) && now.names.length === 2);
  assert.deepEqual(found, { names: [ours(), 'gyeot-model:other:old'].sort(), files: files.length },
    'the older version is gone, the other model is not');
  await page.reload();
  await page.waitForFunction(() => globalThis.gyeot);
  assert.equal(await ask(), answered);
  assert.deepEqual(fetched(), []);
  await done();
});

test('an entry that was cut short, altered or evicted is fetched again', async () => {
  const { ask, page, caches, done } = await visit();
  await ask();
  await caches(kept);
  fetched();
  for (const length of [1000, undefined]) {
    await page.evaluate(async ([name, size]) => {
      const cache = await caches.open(name);
      const [first] = await cache.keys();
      const bytes = new Uint8Array(await (await cache.match(first)).arrayBuffer());
      bytes[500] ^= 1;
      await cache.put(first, new Response(bytes.slice(0, size)));
    }, [ours(), length]);
    assert.equal(await ask(), answered);
    assert.equal(fetched().length, 1);
    await caches(kept);
  }
  await page.evaluate((name) => caches.delete(name), ours());
  assert.equal(await ask(), answered);
  assert.deepEqual(fetched(), files);
  await done();
});

test('an older version stays until the new one is whole', async () => {
  const broken = await serve({
    folder,
    override: (name) => (name === `ko/default/${manifest.encoder.file}` ? { status: 503 } : undefined),
  });
  const { page, ask, done } = await visit(broken.url, { allowed: [/503/] });
  const old = `gyeot-model:${manifest.name}:old`;
  await page.evaluate((name) => caches.open(name), old);
  await assert.rejects(ask(), /the server answered 503/);
  assert.ok((await page.evaluate(() => caches.keys())).includes(old));
  await done();
  await broken.stop();
});

test('where the quota has no room it works from memory, and leaves nothing half kept', async () => {
  const { page, ask, caches, done } = await visit();
  const session = await page.context().newCDPSession(page);
  await session.send('Storage.overrideQuotaForOrigin', { origin: new URL(host.url).origin, quotaSize: 3_000_000 });
  fetched();
  for (let round = 0; round < 2; round++) {
    assert.equal(await ask(), answered);
    assert.deepEqual(fetched(), files);
  }
  assert.deepEqual((await caches((now) => now.names.length === 0)).names, []);
  await session.send('Storage.overrideQuotaForOrigin', { origin: new URL(host.url).origin });
  assert.equal(await ask(), answered);
  await caches(kept);
  await done();
});

test('where storage is forbidden it works from memory', async () => {
  const { ask, done } = await visit(host.url, {
    init: () => Object.defineProperty(globalThis, 'caches', {
      get() {
        throw new DOMException('Access is denied', 'SecurityError');
      },
    }),
  });
  fetched();
  assert.equal(await ask({ worker: false }), answered);
  assert.deepEqual(fetched(), files);
  await done();
});

test('on a plain http address, which has neither caches nor digests, it works', async () => {
  const plain = await chromium.launch({
    executablePath: chromiumPath(),
    args: ['--no-sandbox', '--disable-gpu', '--host-resolver-rules=MAP plain.test 127.0.0.1'],
  });
  try {
    const { page, ask, done } = await visit(host.url.replace('localhost', 'plain.test'), { by: plain });
    assert.deepEqual(await page.evaluate(() => [isSecureContext, typeof caches, typeof crypto.subtle]),
      [false, 'undefined', 'undefined']);
    assert.equal(await ask(), answered);
    await done();
  } finally {
    await plain.close();
  }
});

/** The same folder by `gyeot serve`, with or without the headers that allow threads. */
async function served(...options) {
  const child = spawn(process.execPath, [path.join(root, 'dist/command.js'), 'serve', folder, ...options], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const url = await new Promise((resolve, reject) => {
    child.stdout.once('data', (data) => resolve(String(data).split(' ')[0]));
    child.once('exit', () => reject(new Error('gyeot serve stopped')));
  });
  return { url, stop: () => child.kill() };
}

test('two threads work where the page is isolated, and are one where it is not', async () => {
  const vectors = {};
  for (const [options, isolated, workers] of [[['--isolated'], true, 1], [[], false, 0]]) {
    const server = await served(...options);
    try {
      const { page, ask, done } = await visit(server.url);
      assert.equal(await page.evaluate(() => crossOriginIsolated), isolated);
      // In this thread, so that the runtime's own thread is the page's worker and can be counted.
      const found = await page.evaluate(async (text) => {
        const bot = await globalThis.gyeot.Gyeot.load({ model: 'ko/default/', table: null, threads: 2, worker: false });
        return Array.from((await bot.embed([text])).data);
      }, asked);
      assert.equal(page.workers().length, workers);
      vectors[isolated] = found;
      assert.equal(await ask({ threads: 2 }), answered, 'and from a worker');
      await done();
    } finally {
      server.stop();
    }
  }
  const cosine = vectors.true.reduce((sum, value, at) => sum + value * vectors.false[at], 0);
  assert.ok(cosine > 1 - 1e-5, `${cosine}`);
});

test('many texts are shared with a second engine, which ends when it has nothing to do', async () => {
  const { page, done } = await visit();
  const same = await page.evaluate(async () => {
    const texts = Array.from({ length: 400 }, (_, at) => `${at}`);
    const bot = await globalThis.gyeot.Gyeot.load({ model: 'ko/default/', table: null });
    const alone = await bot.embed(texts);
    const together = await bot.embed(texts, { workers: 2 });
    return together.data.every((value, at) => value === alone.data[at]);
  });
  assert.ok(same);
  assert.equal(page.workers().length, 2);
  await page.waitForTimeout(2_500);
  assert.equal(page.workers().length, 1);
  await done();
});
