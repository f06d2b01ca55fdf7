/**
 * From nothing to an answer: `node tests/bench/coldstart.js [--json] [--rounds N]`. The page of
 * dist/page against transformers.js over the same model and table, and over the usual multilingual model
 * if it is there, in Chromium, each round in a profile of its own.
 */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { asked, offlineReady, pageFolder } from '../browser/harness.js';
import { fresh, large, model, peakOfTabs, peer, plainBytes, serve } from './chromium.js';
import { installPeers, main, optional, race, root, summarize } from './harness.js';

const dwellMs = 4_000;

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

async function askPeer(page, url, query = { q: asked }) {
  await page.goto(`${url}bench/coldstart.html?${new URLSearchParams(query)}`, { waitUntil: 'commit' });
  return shown(page, '#answer', 0);
}

const askLarge = (page, url) => askPeer(page, url, { q: asked, model: 'large' });

/** One profile: the first visit, and a second one in a new tab when the first has settled. */
function visits(mapped, ask, settle, seen) {
  return fresh(async (context) => {
    const server = await serve(mapped);
    try {
      const first = await context.newPage();
      const cold = await ask(first, server.url);
      await settle(first);
      // As long as a reader takes at least; the browser keeps compiled code meanwhile.
      await first.waitForTimeout(dwellMs);
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

/** The most memory that a tab's process ever held by the time of the answer, in bytes. */
function peak(mapped, ask) {
  return fresh(async (context, profile) => {
    const server = await serve(mapped);
    try {
      const page = await context.newPage();
      await ask(page, server.url);
      return peakOfTabs(profile);
    } finally {
      server.stop();
    }
  });
}

/** What the tab's heaps hold once it has answered and garbage is collected, in bytes. */
function held(ask) {
  return fresh(async (context) => {
    const server = await serve(true, { isolated: true });
    try {
      const page = await context.newPage();
      await ask(page, server.url);
      return await page.evaluate(async () => (await performance.measureUserAgentSpecificMemory()).bytes);
    } finally {
      server.stop();
    }
  }, ['--enable-blink-features=ForceEagerMeasureMemory']);
}

/** The engine on a bare page of the host that sends the headers which measuring needs. */
async function askEngine(page, url) {
  await page.goto(`${url}bench/blank.html`);
  await page.evaluate(async (asked) => {
    const { Gyeot } = await import('/dist/index.js');
    window.bot = await Gyeot.load({ model: '/models/default/', table: '/table/ko.safetensors', cache: false });
    await window.bot.ask(asked);
  }, asked);
}

async function memory(rounds) {
  const blank = (page, url) => page.goto(`${url}bench/blank.html`);
  const size = (await plainBytes()).length;
  const inMegabytes = (results) => results.map(({ name, median, spread }) => (
    { name, median: median / 1e6, spread: spread / 1e6 }));
  const times = (bytes) => `${(bytes * 1e6 / size).toFixed(1)} × the encoder's ${(size / 1e6).toFixed(1)} MB`;
  const heaps = inMegabytes(await race([
    { name: 'gyeot', run: () => held(askEngine) },
    { name: 'transformers.js', run: () => held(askPeer) },
  ], rounds, { warmup: 0 }));
  const [ours, other, empty] = inMegabytes(await race([
    { name: 'gyeot, dist/page', run: () => peak(false, askOurs) },
    { name: 'transformers.js', run: () => peak(true, askPeer) },
    { name: 'a blank tab', run: () => peak(true, blank) },
  ], rounds, { warmup: 0 }));
  return [
    {
      title: 'JavaScript and WebAssembly heaps after the first answer', unit: 'MB', results: heaps,
      notes: heaps.map(({ name, median }) => `${name}: ${times(median)}`),
    },
    {
      title: "The most that the tab's process held on a first visit, code and all", unit: 'MB',
      results: [ours, other, empty],
      notes: [ours, other].map(({ name, median }) => `${name}, over a blank tab: ${times(median - empty.median)}`),
    },
  ];
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
  const contestants = [
    { name: 'gyeot, dist/page', mapped: false, ask: askOurs, settle: offlineReady },
    { name: 'transformers.js', mapped: true, ask: askPeer, settle: async () => {} },
    ...(existsSync(large) ? [{
      name: 'transformers.js, multilingual-e5-small q8', mapped: true, ask: askLarge, settle: async () => {},
    }] : []),
  ].map((one) => ({ ...one, seen: {} }));
  const cold = await race(contestants.map(({ name, mapped, ask, settle, seen }) => (
    { name, run: () => visits(mapped, ask, settle, seen) })), rounds, { warmup: 0 });
  const repeat = contestants.map(({ name, seen }) => ({ name, ...summarize(seen.repeats) }));
  const told = (key) => contestants.map(({ name, seen }) => `${name} is sent ${(seen[key] / 1e6).toFixed(1)} MB`);
  const shows = contestants.slice(0, 2).map(({ name, seen }) => `${name} shows: ${seen.text}`);
  const tables = [
    {
      title: 'First visit, from opening to the answer, Chromium on localhost', unit: 'ms', results: cold,
      notes: [...told('bytes'), ...shows],
    },
    {
      title: 'Second visit, a new tab in the same profile', unit: 'ms', results: repeat,
      notes: told('again'),
    },
  ];
  return [...tables, ...(await optional('Memory', () => memory(Math.min(rounds, 3))))];
}

await main(import.meta.url, measure);
