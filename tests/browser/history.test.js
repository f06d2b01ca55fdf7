/** What stays on the device: nothing unless asked for, and nothing after "delete everything". */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { answered, asked, begin, download, offlineReady, open, ready, said, say } from './harness.js';

let host;
let person;
let page;
let end;

// A tab that shows a bare file asks for that.
const allowed = [/favicon\.ico/];

before(async () => ({ host, person, page, end } = await begin({}, allowed)));
after(() => end());

test('by default a conversation is gone with the window', async () => {
  await say(page, asked);
  await page.reload();
  await ready(page);
  assert.deepEqual(await said(page), []);
});

test('kept when asked for, silently restored, in the order of both tabs', async () => {
  await say(page, asked);
  await page.click('#open-settings');
  await page.click('#keep');
  await page.keyboard.press('Escape');
  const second = await open(person.context, host.url);
  assert.deepEqual(await said(second), [asked], 'the other tab opens with it');
  await say(second, '요즘 잠이 안 와요');
  await second.close();
  await page.reload();
  await page.waitForSelector('.turn.you');
  assert.deepEqual(await said(page), [asked, '요즘 잠이 안 와요']);
  await ready(page);
  assert.equal(await page.locator('.turn.bot').last().locator('.why-button').count(), 1);
});

test('exported as text and as JSON', async () => {
  await page.click('#open-settings');
  const text = await download(page, () => page.click('#export-text'));
  assert.match(text.name, /\.txt$/);
  const lines = text.bytes.toString('utf8');
  assert.ok(lines.includes(asked) && lines.includes(answered));
  const json = await download(page, () => page.click('#export-json'));
  const { format, messages } = JSON.parse(json.bytes.toString('utf8'));
  assert.equal(format, 'gyeot-conversation');
  assert.equal(messages[0].text, asked);
  assert.equal(messages[1].text, answered);
  await page.keyboard.press('Escape');
});

test('switched off, the kept conversation is taken off the device, and no tab goes on keeping', async () => {
  const second = await open(person.context, host.url);
  await page.bringToFront();
  await page.click('#open-settings');
  await page.click('#keep');
  await page.keyboard.press('Escape');
  await second.waitForTimeout(200);
  await say(second, '요즘 잠이 안 와요');
  await second.close();
  await page.reload();
  await ready(page);
  assert.deepEqual(await said(page), []);
});

test('delete everything leaves no database, cache, setting or service worker, in any tab', async () => {
  await offlineReady(page);
  await page.click('#open-settings');
  await page.click('#keep');
  await page.keyboard.press('Escape');
  await say(page, asked);
  // Still loading when it hears of it, so that it has all its keeping to do yet.
  const second = await slowTab();
  await page.bringToFront();
  await page.click('#open-settings');
  await page.click('#forget');
  await page.click('#forget-yes');
  await page.waitForSelector('#forgotten');
  assert.match(await page.textContent('#forgotten'), /모두 지웠어요/);
  await ready(second);
  const rest = () => page.evaluate(async () => ({
    databases: (await indexedDB.databases()).map(({ name }) => name),
    caches: await caches.keys(),
    local: localStorage.length,
    session: sessionStorage.length,
    workers: (await navigator.serviceWorker.getRegistrations()).length,
  }));
  const nothing = { databases: [], caches: [], local: 0, session: 0, workers: 0 };
  await unregistered(() => rest().then(({ workers }) => workers === 0));
  // Both tabs have stored by then what they would store.
  await second.waitForTimeout(1_500);
  assert.deepEqual(await rest(), nothing);
  assert.deepEqual(await said(page), []);
  await second.waitForFunction(() => !document.querySelector('.turn.you'));
  await page.keyboard.press('Escape');
  assert.notEqual(await say(page, asked), '', 'and the open page still answers');
  assert.deepEqual(await page.evaluate(async () => (await indexedDB.databases()).length), 0);
  await second.close();
});

/**
 * Chromium lets go of a service worker only after its own check for a newer version, and forgets that
 * check where a tab was closed a moment after it had opened, as the tests above do. It is made up for
 * when somebody opens the place again; here that is a tab that shows a file.
 */
async function unregistered(isGone) {
  const gone = async (ms) => {
    for (const end = Date.now() + ms; Date.now() < end; await page.waitForTimeout(100)) {
      if (await isGone()) return true;
    }
    return false;
  };
  if (await gone(3_000)) return;
  const visit = await person.context.newPage();
  await visit.goto(`${host.url}sw.js`);
  await gone(10_000);
  await visit.close();
}

async function slowTab() {
  const tab = await person.context.newPage();
  const devtools = await person.context.newCDPSession(tab);
  await devtools.send('Emulation.setCPUThrottlingRate', { rate: 8 });
  await tab.goto(host.url, { waitUntil: 'commit' });
  await tab.waitForSelector('.turn.bot');
  return tab;
}
