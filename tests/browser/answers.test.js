/** The main promise: the page answers, in a real browser, with nobody on the other end. */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import {
  answered, asked, crowded, desktop, launch, modelFiles, offlineReady, open, phone, ready,
  resident, say, serve, visitor,
} from './harness.js';

let browser;
before(async () => (browser = await launch()));
after(() => browser.close());

for (const [name, viewport] of [['a desktop', desktop], ['a phone', phone]]) {
  test(`answers on ${name}, with the server stopped, and in a second load without a network`, async () => {
    const host = await serve();
    const { context, check } = await visitor(browser, { viewport }, [/ERR_CONNECTION_REFUSED/]);
    const page = await open(context, host.url);
    assert.equal(await say(page, asked), answered);
    await offlineReady(page);

    await host.stop();
    assert.notEqual(await say(page, '요즘 잠이 안 와요'), '', 'the server is not needed any more');

    await page.reload();
    await ready(page);
    assert.equal(await say(page, asked), answered, 'opened without a network');

    const again = await open(context, host.url);
    assert.equal(await say(again, asked), answered, 'and in another tab');
    check(host.url);
    await context.close();
  });
}

test('works from a sub-path', async () => {
  const host = await serve({ prefix: '/somewhere/deep/' });
  const { context, check } = await visitor(browser);
  const page = await open(context, host.url);
  assert.equal(await say(page, asked), answered);
  await offlineReady(page);
  await host.stop();
  await page.reload();
  await ready(page);
  assert.equal(await say(page, asked), answered);
  assert.ok(host.requests.length > 0);
  check(host.url);
  await context.close();
});

test('works without a service worker, and without storage', async () => {
  const host = await serve();
  const { context, check } = await visitor(browser, { serviceWorkers: 'block' });
  await context.addInitScript(() => {
    for (const name of ['serviceWorker', 'locks']) {
      Object.defineProperty(Navigator.prototype, name, { get: () => undefined });
    }
    for (const name of ['caches', 'localStorage', 'sessionStorage', 'indexedDB']) {
      Object.defineProperty(window, name, {
        get() {
          throw new DOMException('refused', 'SecurityError');
        },
      });
    }
  });
  const page = await open(context, host.url);
  assert.equal(await say(page, asked), answered);
  check(host.url);
  await context.close();
  await host.stop();
});

test('a second visit answers soon after opening and fetches nothing large', async (t) => {
  const host = await serve();
  const folder = await mkdtemp(path.join(tmpdir(), 'gyeot-profile-'));
  const { context, check } = await resident(folder);
  const page = await open(context, host.url);
  await offlineReady(page);
  host.requests.length = 0;
  const begin = performance.now();
  await page.reload();
  await page.fill('#message', asked);
  await page.press('#message', 'Enter');
  await page.waitForFunction((text) => document.querySelector('#messages').innerText.includes(text), answered);
  const ms = performance.now() - begin;
  t.diagnostic(`answered ${Math.round(ms)} ms after opening`);
  assert.ok(ms < (crowded() ? 8_000 : 3_000), `answered ${Math.round(ms)} ms after opening`);
  const { weights } = modelFiles();
  assert.deepEqual(host.requests.filter((name) => weights.includes(name) || /wasm|table/.test(name)), []);
  check(host.url);
  await context.close();
  await host.stop();
  await rm(folder, { recursive: true, maxRetries: 5 });
});
