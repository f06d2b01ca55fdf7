/** The copy on the device: whole, healed, shared between tabs, and renewed only when asked. */
import assert from 'node:assert/strict';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import {
  asked, answered, launch, modelFiles, offlineReady, open, pageFolder, ready, say, serve, visitor,
} from './harness.js';

let browser;
before(async () => (browser = await launch()));
after(() => browser.close());

test('everything that the page asks for is in the copy', async () => {
  const host = await serve();
  const { context, check } = await visitor(browser);
  const page = await open(context, host.url);
  await offlineReady(page);
  const cached = await page.evaluate(async () => {
    const urls = [];
    for (const name of await caches.keys()) {
      for (const { url } of await (await caches.open(name)).keys()) urls.push(new URL(url).pathname.slice(1));
    }
    return urls;
  });
  const wanted = new Set(host.requests.filter((name) => !/^(sw|precache)\.js$/.test(name)));
  const { weights, vocabulary } = modelFiles();
  const large = [...weights, ...vocabulary];
  const missing = [...wanted].filter((name) => !cached.includes(name) && !large.includes(name));
  assert.deepEqual(missing, []);
  assert.equal(cached.filter((name) => name.startsWith('gyeot-model/')).length, 2, 'weights and vocabulary');
  await page.click('#open-settings');
  await page.waitForFunction(() =>
    document.querySelector('#offline-state').textContent.includes('인터넷이 없어도'));
  check(host.url);
  await context.close();
  await host.stop();
});

test('installable: a manifest with icons, named and of the right size', async () => {
  const manifest = JSON.parse(await readFile(path.join(pageFolder, 'manifest.webmanifest'), 'utf8'));
  assert.equal(manifest.display, 'standalone');
  assert.ok(manifest.id && manifest.lang && manifest.name && manifest.start_url);
  assert.ok(manifest.icons.some(({ purpose }) => purpose === 'maskable'));
  for (const { src, sizes } of manifest.icons.filter(({ type }) => type === 'image/png')) {
    const png = await readFile(path.join(pageFolder, src));
    assert.equal(`${png.readUInt32BE(16)}x${png.readUInt32BE(20)}`, sizes, src);
  }
  const host = await serve();
  const { context } = await visitor(browser);
  const page = await context.newPage();
  await page.goto(host.url);
  const session = await context.newCDPSession(page);
  const { errors } = await session.send('Page.getAppManifest');
  assert.deepEqual(errors, []);
  const { installabilityErrors } = await session.send('Page.getInstallabilityErrors');
  assert.deepEqual(installabilityErrors.filter(({ errorId }) => errorId !== 'in-incognito'), []);
  await context.close();
  await host.stop();
});

test('a damaged or evicted file heals itself', async () => {
  const host = await serve();
  const { context, check } = await visitor(browser);
  const page = await open(context, host.url);
  await offlineReady(page);
  await page.evaluate(async () => {
    for (const name of await caches.keys()) {
      const cache = await caches.open(name);
      for (const request of await cache.keys()) {
        if (request.url.includes('/gyeot-model/')) await cache.put(request, new Response('half a file'));
        if (request.url.includes('/assets/')) await cache.delete(request);
      }
    }
  });
  await page.reload();
  await ready(page);
  assert.equal(await say(page, asked), answered);
  check(host.url);
  await context.close();
  await host.stop();
});

test('two tabs opened at once fetch the model once', async () => {
  const host = await serve();
  const { context, check } = await visitor(browser);
  const [first, second] = await Promise.all([open(context, host.url), open(context, host.url)]);
  assert.equal(await say(first, asked), answered);
  assert.notEqual(await say(second, asked), '');
  const fetched = host.requests.filter((name) => name === modelFiles().weights[0]).length;
  assert.equal(fetched, 1);
  check(host.url);
  await context.close();
  await host.stop();
});

test('a new version is offered, taken when asked, and nothing typed is lost', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'gyeot-page-'));
  await cp(pageFolder, folder, { recursive: true });
  const host = await serve({ folder });
  const { context, check } = await visitor(browser);
  const page = await open(context, host.url);
  await offlineReady(page);
  await say(page, asked);
  await page.fill('#message', '적다 만 말');

  const site = JSON.parse(await readFile(path.join(folder, 'site.json'), 'utf8'));
  await writeFile(path.join(folder, 'site.json'), JSON.stringify({ ...site, title: '곁 둘' }));
  const list = await readFile(path.join(folder, 'precache.js'), 'utf8');
  await writeFile(path.join(folder, 'precache.js'),
    list.replace(/"revision":"\w+","url":"site.json"/, '"revision":"new","url":"site.json"'));
  await page.evaluate(async () => (await navigator.serviceWorker.getRegistration()).update());
  await page.waitForSelector('#update:not([hidden])');
  await page.waitForTimeout(300);
  assert.equal(await page.inputValue('#message'), '적다 만 말', 'not forced');
  assert.equal(await page.title(), '곁');
  await Promise.all([page.waitForEvent('load'), page.click('#update-take')]);
  await ready(page);
  assert.equal(await page.title(), '곁 둘');
  assert.equal(await page.inputValue('#message'), '적다 만 말');
  assert.deepEqual(await page.locator('.turn.you .bubble').allInnerTexts(), [asked]);
  check(host.url);
  await context.close();
  await host.stop();
  await rm(folder, { recursive: true });
});
