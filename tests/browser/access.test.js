/** Everyone can use it: axe in every state, keyboard only, small and zoomed, calm and high contrast. */
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { asked, desktop, launch, open, outside, phone, say, serve, visitor } from './harness.js';

const axePath = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const rules = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

let browser;
let host;
before(async () => {
  browser = await launch();
  host = await serve();
});
after(async () => {
  await browser.close();
  await host.stop();
});

/** axe through an isolated world, which the page's policy does not bind. */
async function axe(page, state) {
  const session = await page.context().newCDPSession(page);
  const { readFile } = await import('node:fs/promises');
  const { frameTree } = await session.send('Page.getFrameTree');
  const world = await session.send('Page.createIsolatedWorld', { frameId: frameTree.frame.id });
  const contextId = world.executionContextId;
  const run = (expression) =>
    session.send('Runtime.evaluate', { expression, contextId, awaitPromise: true, returnByValue: true });
  await run(`${await readFile(axePath, 'utf8')};0`);
  const { result } = await run(`axe.run(document, {
    runOnly: ${JSON.stringify(rules)}, resultTypes: ['violations']
  }).then(({ violations }) => violations.map((one) =>
    one.id + ': ' + one.nodes.map((node) => node.target.join(' ') + ' ' + node.failureSummary).join(' | ')))`);
  assert.deepEqual(result.value, [], state);
  await session.detach();
}

for (const [name, options] of Object.entries({
  'a phone, light': { viewport: phone, colorScheme: 'light' },
  'a desktop, dark': { viewport: desktop, colorScheme: 'dark' },
})) {
  test(`axe finds nothing in any state: ${name}`, async () => {
    const { context, check } = await visitor(browser, { ...options, reducedMotion: 'reduce' });
    const page = await context.newPage();
    await page.goto(host.url);
    await axe(page, 'first visit, loading');
    await page.waitForSelector('#progress[data-state="ready"]', { state: 'attached' });
    await axe(page, 'ready');
    await say(page, asked);
    await page.locator('.why-button').last().click();
    await page.waitForSelector('.tokens li');
    await axe(page, 'an answer with its reason');
    await say(page, outside[0]);
    await axe(page, 'a fallback with ways on');
    await say(page, '죽고 싶어');
    await axe(page, 'danger');
    await page.click('#open-help');
    await axe(page, 'help');
    await page.keyboard.press('Escape');
    await page.click('#open-settings');
    await axe(page, 'settings');
    await page.click('#forget');
    await axe(page, 'asking before deletion');
    await page.click('#open-tables');
    await page.waitForSelector('.new-table');
    await axe(page, 'tables');
    const rows = Array.from({ length: 300 }, (_, i) => `질문 ${i},답`).join('\n');
    await page.setInputFiles('#table-file', { name: '표.csv', mimeType: '', buffer: Buffer.from(`유저,챗봇\n${rows}`) });
    await page.waitForSelector('.new-table form');
    await axe(page, 'columns');
    await page.click('.new-table button[type=submit]');
    await page.waitForSelector('.building');
    await axe(page, 'building');
    await page.locator('.building button').click();
    check(host.url);
    await context.close();
  });
}

test('every message is announced once, and nothing else with it', async () => {
  const { context } = await visitor(browser, { viewport: phone });
  const page = await open(context, host.url);
  assert.equal(await page.getAttribute('#log', 'role'), 'log');
  await page.evaluate(() => {
    // What a polite, non-atomic live region announces: added text, except below aria-live="off".
    window.announced = [];
    new MutationObserver((records) => {
      for (const { addedNodes } of records) {
        for (const node of addedNodes) {
          const element = node.nodeType === 1 ? node : node.parentElement;
          if (!element?.closest('[aria-live="off"]')) window.announced.push(node.textContent);
        }
      }
    }).observe(document.querySelector('#log'), { childList: true, subtree: true, characterData: true });
  });
  const text = await say(page, asked);
  await page.waitForTimeout(300);
  const announced = await page.evaluate(() => window.announced);
  assert.equal(announced.length, 2, announced.join(' | '));
  assert.match(announced[0], new RegExp(`^나${asked.replace('.', '\\.')}`));
  assert.ok(announced[1].startsWith(`곁${text}`), announced[1]);
  assert.doesNotMatch(announced[1], /복사|왜 이 답/);
  assert.equal(await page.getAttribute('#status', 'role'), 'status');
  assert.equal(await page.getAttribute('#alert', 'role'), 'alert');
  await context.close();
});

test('keyboard only: skip link, message, reason, chips, dialogs, and back', async () => {
  const { context } = await visitor(browser, { viewport: desktop });
  const page = await open(context, host.url);
  const focused = () => page.evaluate(() => document.activeElement.id || document.activeElement.className);
  const tabTo = async (wanted, limit = 40) => {
    for (let i = 0; i < limit; i++) {
      if ((await focused()).includes(wanted)) return;
      await page.keyboard.press('Tab');
    }
    assert.fail(`Tab never reached ${wanted}`);
  };
  await page.keyboard.press('Tab');
  assert.equal(await focused(), 'skip');
  await page.keyboard.press('Enter');
  assert.equal(await focused(), 'message');
  await page.keyboard.type(outside[0]);
  await page.keyboard.press('Enter');
  await page.waitForSelector('.fallback');
  assert.equal(await focused(), 'message', 'a reply takes no focus');
  await page.evaluate(() => document.querySelector('#open-settings').focus());
  await tabTo('why-button');
  await page.keyboard.press('Enter');
  await page.waitForSelector('.why:not([hidden])');
  await page.keyboard.press('Enter');
  await tabTo('chip');
  const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
  assert.equal(outline, 'solid', 'focus is visible');
  await page.keyboard.press('Enter');
  await page.waitForSelector('.turn.match');
  await page.evaluate(() => document.querySelector('.skip').focus());
  await tabTo('open-help');
  await page.keyboard.press('Enter');
  await page.waitForSelector('#help[open]');
  await page.keyboard.press('Escape');
  assert.equal(await focused(), 'open-help', 'focus returns to where it was');
  await context.close();
});

test('320 px wide and at 200 % nothing scrolls sideways or hides', async () => {
  for (const viewport of [{ width: 320, height: 568 }, { width: 640, height: 400 }, { width: 320, height: 256 }]) {
    const { context } = await visitor(browser, { viewport });
    const page = await open(context, host.url);
    await say(page, '죽고 싶어');
    const wide = await page.evaluate(() =>
      [document.documentElement, document.querySelector('#scroller')].map((box) => box.scrollWidth - box.clientWidth));
    assert.deepEqual(wide, [0, 0], `${viewport.width} px`);
    await page.click('#open-help');
    assert.equal(await page.$eval('#help', (box) => box.scrollWidth - box.clientWidth), 0);
    await page.keyboard.press('Escape');
    const small = await page.$$eval('button, a.call, select', (all) => all
      .filter((one) => one.checkVisibility() && !one.closest('dialog:not([open])'))
      .map((one) => [one.textContent.trim(), one.getBoundingClientRect()])
      .filter(([, box]) => box.width < 24 || box.height < 24)
      .map(([text]) => text));
    assert.deepEqual(small, [], 'targets are at least 24 px');
    await context.close();
  }
});

test('forced colours keep edges, reduced motion keeps still', async () => {
  const { context } = await visitor(browser, { forcedColors: 'active', reducedMotion: 'reduce' });
  const page = await open(context, host.url);
  await say(page, asked);
  const border = await page.$eval('.turn.you .bubble', (bubble) => getComputedStyle(bubble).borderTopWidth);
  assert.equal(border, '1px');
  const animated = await page.$$eval('*', (all) =>
    all.filter((one) => getComputedStyle(one).animationName !== 'none').length);
  assert.equal(animated, 0);
  await context.close();
});

test('in English the interface changes and the answers keep their language mark', async () => {
  const { context, check } = await visitor(browser, { locale: 'en-GB' });
  const page = await open(context, host.url);
  assert.equal(await page.getAttribute('html', 'lang'), 'en');
  assert.match(await page.innerText('.intro'), /never leave this device/);
  await say(page, asked);
  assert.equal(await page.locator('.turn.bot .bubble').last().getAttribute('lang'), 'ko');
  assert.match(await page.locator('.why-button').last().innerText(), /Why this answer/);
  await page.click('#open-settings');
  await page.locator('#settings select').nth(1).selectOption('ko');
  assert.equal(await page.getAttribute('html', 'lang'), 'ko');
  assert.match(await page.locator('.why-button').last().innerText(), /왜 이 답인가요/);
  check(host.url);
  await context.close();
});
