/** Draws the PNG icons from the two SVG files, with Chromium: node web/icons/make.js */
import { readFile, writeFile } from 'node:fs/promises';
import { chromium } from 'playwright-core';

const sizes = [
  ['icon.svg', 'icon-192.png', 192],
  ['icon.svg', 'icon-512.png', 512],
  ['maskable.svg', 'maskable-512.png', 512],
  ['maskable.svg', 'apple-touch-180.png', 180],
];

const browser = await chromium.launch({
  executablePath: process.env.GYEOT_CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox'],
});
for (const [from, to, size] of sizes) {
  const svg = await readFile(new URL(from, import.meta.url), 'utf8');
  const page = await browser.newPage({ viewport: { width: size, height: size } });
  await page.setContent(`<style>body{margin:0}svg{display:block;width:100vw}</style>${svg}`);
  await writeFile(new URL(to, import.meta.url), await page.screenshot({ omitBackground: true }));
  await page.close();
}
await browser.close();
