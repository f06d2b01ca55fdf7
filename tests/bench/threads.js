/**
 * Two threads where the page is cross-origin isolated: `node tests/bench/threads.js [--json] [--rounds N]`.
 * The same engine with one thread and with two, in one Chromium, on a host that sends COOP and COEP.
 */
import os from 'node:os';
import { fresh, sentences, serve } from './chromium.js';
import { main, race } from './harness.js';

async function engine(context, url, threads) {
  const page = await context.newPage();
  await page.goto(`${url}bench/blank.html`);
  const isolated = await page.evaluate(async (threads) => {
    const { Gyeot } = await import('/dist/index.js');
    const bot = await Gyeot.load({ model: '/models/default/', table: null, cache: false, threads });
    window.embed = (texts) => bot.embed(texts);
    return crossOriginIsolated;
  }, threads);
  if (!isolated) throw new Error('The page is not cross-origin isolated');
  return page;
}

/** Milliseconds of one text, asked for one by one. */
function inTurn(page, texts) {
  return async () => {
    await page.bringToFront();
    return page.evaluate(async (texts) => {
      const begun = performance.now();
      for (const text of texts) await window.embed([text]);
      return (performance.now() - begun) / texts.length;
    }, texts);
  };
}

export async function measure({ rounds = 7 } = {}) {
  const server = await serve(true, { isolated: true });
  const short = sentences(40);
  const long = short.slice(0, 8).map((text, at) => Array(6).fill(text).join(' ') + at);
  try {
    return await fresh(async (context) => {
      const one = await engine(context, server.url, 1);
      const two = await engine(context, server.url, 2);
      const tables = [];
      for (const [what, texts] of [['short', short], ['long', long]]) {
        const results = await race([
          { name: 'one thread', run: inTurn(one, texts) },
          { name: 'two threads', run: inTurn(two, texts) },
        ], rounds);
        tables.push({
          title: `Threads, ${what} sentences to vectors, isolated page, Chromium on ${os.cpus().length} cores`,
          unit: 'ms', results,
        });
      }
      return tables;
    });
  } finally {
    server.stop();
  }
}

await main(import.meta.url, measure);
