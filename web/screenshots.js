/**
 * Takes the pictures that the README shows, from the built page: npm run screenshots
 * Hangul needs a font on this machine; Debian's is the package fonts-noto-cjk.
 */
import { spawnSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { asked, desktop, launch, open, phone, say, serve, visitor } from '../tests/browser/harness.js';

const folder = new URL('screenshots/', import.meta.url);

const pictures = {
  'phone-light': {
    options: { viewport: phone, deviceScaleFactor: 2 },
    async act(page) {
      await say(page, asked);
      await page.evaluate(() => document.querySelector('#scroller').scrollTo(0, 0));
    },
  },
  'phone-dark': {
    options: { viewport: phone, deviceScaleFactor: 2, colorScheme: 'dark' },
    async act(page) {
      await say(page, '요즘 잠이 안 와요');
      await say(page, asked);
    },
  },
  desktop: {
    options: { viewport: desktop },
    async act(page) {
      await say(page, '요즘 잠이 안 와요');
      await say(page, asked);
    },
  },
  why: {
    options: { viewport: phone, deviceScaleFactor: 2 },
    async act(page) {
      await say(page, asked);
      await page.locator('.why-button').last().click();
      await page.waitForSelector('.tokens li');
      await page.locator('.turn.bot').last().evaluate((turn) => turn.scrollIntoView());
    },
  },
  crisis: {
    options: { viewport: phone, deviceScaleFactor: 2 },
    async act(page) {
      await say(page, '죽고 싶어');
      await page.locator('.turn.you').last().evaluate((turn) => turn.scrollIntoView());
    },
  },
};

const fonts = spawnSync('fc-list', [':lang=ko'], { encoding: 'utf8' });
if (!fonts.stdout?.trim()) {
  console.error('No font for Hangul here. Install as root:  apt-get install fonts-noto-cjk');
  process.exit(1);
}

await mkdir(folder, { recursive: true });
const host = await serve();
const browser = await launch();
for (const [name, { options, act }] of Object.entries(pictures)) {
  const { context, check } = await visitor(browser, { reducedMotion: 'reduce', ...options });
  // The same time in every picture: a new one differs only where the page does.
  await context.addInitScript(() => {
    Date.now = () => Date.UTC(2026, 0, 5, 12, 4);
  });
  const page = await open(context, host.url);
  await act(page);
  await page.evaluate(() => document.activeElement?.blur());
  await page.waitForTimeout(300);
  await writeFile(new URL(`${name}.png`, folder), await page.screenshot());
  check(host.url);
  await context.close();
}
await browser.close();
await host.stop();
