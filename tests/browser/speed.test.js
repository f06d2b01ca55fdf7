/** The shell is small, shows itself at once, and never jumps or stalls: on a slow phone. */
import assert from 'node:assert/strict';
import { readFile, readdir } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { asked, crowded, launch, pageFolder, phone, reply, serve, visitor } from './harness.js';

let browser;
before(async () => (browser = await launch()));
after(() => browser.close());

test('the shell is under 60 kB compressed, and names no other place', async (t) => {
  const files = ['index.html', 'site.json'];
  for (const name of await readdir(path.join(pageFolder, 'assets'))) {
    if (/^(main|style|chunk)-.*\.(js|css)$/.test(name)) files.push(`assets/${name}`);
  }
  let size = 0;
  for (const name of files) {
    const bytes = await readFile(path.join(pageFolder, name));
    size += gzipSync(bytes).length;
    const urls = (bytes.toString('utf8').match(/https?:\/\/[^\s"'`<>\\)]+/g) ?? [])
      .filter((url) => !url.startsWith('http://www.w3.org/'));
    assert.deepEqual(urls, [], name);
  }
  t.diagnostic(`${size} bytes of shell, gzip`);
  assert.ok(size < 60_000, `${size} bytes`);
});

test('the policy allows no other origin, no eval and no inline script', async () => {
  const html = await readFile(path.join(pageFolder, 'index.html'), 'utf8');
  const policy = html.match(/Content-Security-Policy" content="([^"]+)"/)[1];
  assert.match(policy, /default-src 'none'/);
  assert.match(policy, /connect-src 'self'/);
  assert.match(policy, /script-src 'self' 'wasm-unsafe-eval';/);
  assert.doesNotMatch(policy, /unsafe-inline|'unsafe-eval'|blob:|https?:|\*/);
});

test('on a slow phone: painted early, still, and free to type while loading', async (t) => {
  const host = await serve();
  t.after(() => host.stop());
  const { context, check } = await visitor(browser, { viewport: phone });
  t.after(() => context.close());
  const page = await context.newPage();
  await page.addInitScript(() => {
    window.measured = { largest: 0, shift: 0, blocked: 0 };
    const watch = (type, note) =>
      new PerformanceObserver((list) => list.getEntries().forEach(note)).observe({ type, buffered: true });
    watch('largest-contentful-paint', (entry) => (window.measured.largest = entry.startTime));
    watch('layout-shift', (entry) => {
      if (!entry.hadRecentInput) window.measured.shift += entry.value;
    });
    watch('longtask', (entry) => (window.measured.blocked += Math.max(0, entry.duration - 50)));
  });
  const session = await context.newCDPSession(page);
  // A slow 4G phone, as Lighthouse imagines it.
  await session.send('Emulation.setCPUThrottlingRate', { rate: 4 });
  await session.send('Network.enable');
  await session.send('Network.emulateNetworkConditions', {
    offline: false, latency: 150, downloadThroughput: 1.6e6 / 8, uploadThroughput: 750e3 / 8,
  });
  await page.goto(host.url);
  await page.waitForSelector('.turn.bot');
  await page.waitForTimeout(1_000);
  await page.fill('#message', asked);
  await page.press('#message', 'Enter');
  await page.waitForSelector('.turn.you');
  const { largest, shift, blocked } = await page.evaluate(() => window.measured);
  t.diagnostic(`largest paint ${Math.round(largest)} ms, layout shift ${shift.toFixed(3)}, ` +
    `blocked ${Math.round(blocked)} ms`);
  assert.ok(largest < 2_500, `largest paint after ${largest} ms`);
  assert.ok(shift < 0.1, `layout shift ${shift}`);
  // Where others crowd the processor a wall clock measures them, too, and a shared host's neighbours do
  // not show in its load: 90 to 130 ms when all is quiet, up to 280 at other hours. A page that freezes
  // is off by seconds even then.
  const bound = crowded() ? 700 : 300;
  assert.ok(blocked < bound, `main thread blocked for ${blocked} ms`);
  await session.send('Emulation.setCPUThrottlingRate', { rate: 1 });
  await session.send('Network.emulateNetworkConditions', {
    offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: -1,
  });
  assert.notEqual(await reply(page, 1), '', 'and the question is answered when ready');
  check(host.url);
});
