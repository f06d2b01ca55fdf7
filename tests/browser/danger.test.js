/** Danger comes first: care and numbers, at once, also while the model is still on its way. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, modelFiles, open, phone, say, serve, visitor } from './harness.js';

let browser;
before(async () => (browser = await launch()));
after(() => browser.close());

test('answered with care and tappable numbers, never by similarity', async () => {
  const host = await serve();
  const { context, check } = await visitor(browser, { viewport: phone });
  const page = await open(context, host.url);
  for (const words of ['죽고 싶어', '더 살고싶지않아요', '자살하고 싶다']) {
    await say(page, words);
    const turn = page.locator('.turn.bot').last();
    assert.match(await turn.getAttribute('class'), /crisis/, words);
    const links = await turn.locator('a.call').evaluateAll((all) => all.map((one) => one.getAttribute('href')));
    assert.ok(links.includes('tel:109'), `${words}: ${links}`);
    for (const link of links) assert.match(link, /^tel:\d+$/);
    const box = await turn.locator('a.call').first().boundingBox();
    assert.ok(box.height >= 44, 'large enough to tap');
    assert.equal(await turn.locator('.chip').count(), 0);
  }
  check(host.url);
  await context.close();
  await host.stop();
});

test('does not wait for the download', async () => {
  const { weights } = modelFiles();
  const host = await serve({ override: (name) => (weights.includes(name) ? { delay: 600_000 } : null) });
  const { context } = await visitor(browser);
  const page = await context.newPage();
  await page.goto(host.url);
  await page.waitForSelector('.turn.bot');
  await page.waitForLoadState('load');
  await page.waitForFunction(() => document.querySelector('#help-lines a'), null, { polling: 100 }).catch(() => {});
  await say(page, '죽고 싶어');
  assert.match(await page.locator('.turn.bot').last().getAttribute('class'), /crisis/);
  assert.equal(await page.locator('#progress').isVisible(), true, 'the model is still loading');
  await context.close();
  await host.stop();
});

test('the help button is in view from the first moment, in every state', async () => {
  const host = await serve();
  const { context } = await visitor(browser, { viewport: phone });
  const page = await context.newPage();
  await page.goto(host.url);
  assert.ok(await page.locator('#open-help').isVisible());
  await page.click('#open-help');
  const numbers = await page.locator('#help .number').allInnerTexts();
  for (const wanted of ['109', '112', '119', '1366', '117']) assert.ok(numbers.includes(wanted), `${wanted} in ${numbers}`);
  await context.close();
  await host.stop();
});

test('without JavaScript the page still says whom to call', async () => {
  const host = await serve();
  const { context } = await visitor(browser, { javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto(host.url);
  assert.equal(await page.locator('noscript a, .intro a').first().getAttribute('href'), 'tel:109');
  await context.close();
  await host.stop();
});
