/**
 * One sentence and many: `node tests/bench/embedding.js [--json] [--rounds N]`. Ours against bare runs
 * of the same runtime and against transformers.js, over the same ONNX file, in one Chromium.
 */
import path from 'node:path';
import { CoreModule, Tokenizer } from '../../dist/core.js';
import { readFileSync } from 'node:fs';
import { fresh, model, peer, plainEncoder, sentences, serve } from './chromium.js';
import { installPeers, main, race, summarize } from './harness.js';

const one = 50;
/** As long as a table of a thousand questions, so that the start of a second engine is in proportion. */
const many = 1000;
/** Texts of one call of the peer: its own examples' size, and the best of 8, 16, 32 and 64 here. */
const peerBatch = 16;

/** A page on which `window.embed(texts)` gives the vectors of texts, one call each or all at once. */
async function ours(context, url, options) {
  const page = await context.newPage();
  await page.goto(`${url}bench/blank.html`);
  await page.evaluate(async (options) => {
    const { Gyeot } = await import(`/${options.worker === false ? 'timed' : 'dist'}/index.js`);
    const bot = await Gyeot.load({
      model: '/models/default/', table: '/table/ko.safetensors', cache: false, ...options,
    });
    window.embed = (texts, workers) => bot.embed(texts, { workers });
    window.ask = (text) => bot.ask(text, { threshold: 0 });
  }, options);
  return page;
}

async function theirs(context, url) {
  const page = await context.newPage();
  await page.goto(`${url}bench/coldstart.html?q=${encodeURIComponent('안녕')}`);
  await page.waitForFunction(() => document.querySelector('#answer').textContent !== '', null, {
    timeout: 120_000,
  });
  return page;
}

/** The runtime alone, with the ids of each sentence ready: what no path can go below. */
async function bare(context, url, ids) {
  const page = await context.newPage();
  await page.goto(`${url}bench/blank.html`);
  await page.evaluate(async ([ids, file]) => {
    const ort = await import('/own-ort/ort.wasm.min.mjs');
    ort.env.wasm.wasmPaths = '/own-ort/';
    ort.env.wasm.numThreads = 1;
    ort.env.logLevel = 'error';
    const session = await ort.InferenceSession.create(file);
    const feeds = ids.map((row) => {
      const tensor = (data) => new ort.Tensor('int64', BigInt64Array.from(data, BigInt), [1, row.length]);
      const all = {
        input_ids: tensor(row), attention_mask: tensor(row.map(() => 1)),
        token_type_ids: tensor(row.map(() => 0)),
      };
      return Object.fromEntries(session.inputNames.map((name) => [name, all[name]]));
    });
    window.run = (at) => session.run(feeds[at]);
  }, [ids, plainEncoder]);
  return page;
}

/** The ids of sentences, by the model's own tokenizer. */
async function idsOf(texts) {
  const { tokenizer } = JSON.parse(readFileSync(path.join(model, 'gyeot.json'), 'utf8'));
  const files = Object.fromEntries(
    tokenizer.files.map((name) => [name, readFileSync(path.join(model, name))]));
  const loaded = await Tokenizer.load(files, { core: await CoreModule.load(), tokenizer });
  return texts.map((text) => [...loaded.encode(text, { specialTokensAsText: true }).ids]);
}

/** A contestant that takes `texts` in turn; gives the milliseconds of one. */
function inTurn(page, texts, call) {
  return async () => {
    await page.bringToFront();
    return page.evaluate(async ([texts, call]) => {
      const step = { embed: (text) => window.embed([text]), ask: (text) => window.ask(text),
        run: (_, at) => window.run(at), peer: (text) => window.embed(text) }[call];
      const begun = performance.now();
      for (let at = 0; at < texts.length; at++) await step(texts[at], at);
      return (performance.now() - begun) / texts.length;
    }, [texts, call]);
  };
}

/** What `call` takes besides the runtime's run, in percent of it. */
async function overhead(page, texts, rounds, call) {
  await page.bringToFront();
  const shares = await page.evaluate(async ([texts, rounds, call]) => {
    const shares = [];
    for (let round = 0; round < rounds; round++) {
      globalThis.encoderMs = 0;
      const begun = performance.now();
      for (const text of texts) await window[call](call === 'ask' ? text : [text]);
      shares.push(((performance.now() - begun) / globalThis.encoderMs - 1) * 100);
    }
    return shares;
  }, [texts, rounds, call]);
  const { median, spread } = summarize(shares);
  return `${median.toFixed(2)} ± ${spread.toFixed(2)} %`;
}

/** A contestant that takes all texts in calls of `size`; gives the milliseconds of one text. */
function atOnce(page, texts, size, workers = 1) {
  return async () => {
    await page.bringToFront();
    return page.evaluate(async ([texts, size, workers]) => {
      const begun = performance.now();
      for (let at = 0; at < texts.length; at += size) {
        await window.embed(texts.slice(at, at + size), workers);
      }
      return (performance.now() - begun) / texts.length;
    }, [texts, size, workers]);
  };
}

export async function measure({ rounds = 7 } = {}) {
  installPeers([peer]);
  const few = sentences(one);
  const texts = Array.from({ length: many / 200 }, () => sentences(200)).flat();
  const ids = await idsOf(few);
  const lengths = ids.map((row) => row.length).sort((a, b) => a - b);
  const server = await serve(true);
  try {
    return await fresh(async (context) => {
      const alone = await bare(context, server.url, ids);
      const inPage = await ours(context, server.url, { worker: false });
      const inWorker = await ours(context, server.url, {});
      const other = await theirs(context, server.url);
      const single = await race([
        { name: 'the runtime alone, ids ready', run: inTurn(alone, few, 'run') },
        { name: 'gyeot, text to vector, in the page', run: inTurn(inPage, few, 'embed') },
        { name: 'gyeot, text to vector, in its worker', run: inTurn(inWorker, few, 'embed') },
        { name: 'gyeot, text to answer, in its worker', run: inTurn(inWorker, few, 'ask') },
        { name: 'transformers.js, text to vector', run: inTurn(other, few, 'peer') },
      ], rounds);
      const batches = await race([
        { name: 'gyeot, all at once, two engines', run: atOnce(inWorker, texts, texts.length, 2) },
        { name: 'gyeot, all at once', run: atOnce(inWorker, texts, texts.length) },
        { name: `transformers.js, ${peerBatch} at a time`, run: atOnce(other, texts, peerBatch) },
        { name: 'transformers.js, one at a time', run: atOnce(other, texts, 1) },
      ], Math.min(rounds, 3));
      const besides = [await overhead(inPage, few, rounds, 'embed'), await overhead(inPage, few, rounds, 'ask')];
      const rate = ({ name, median }) => `${name}: ${(1000 / median).toFixed(1)} sentences a second`;
      return [
        {
          title: `One sentence, warm, one thread, Chromium (${one} sentences of ${lengths[0]} to ` +
            `${lengths.at(-1)} tokens, half of them under ${lengths[one / 2]})`,
          unit: 'ms', results: single,
          notes: [`besides the runtime's run, in percent of it: text to vector ${besides[0]}, ` +
            `text to answer ${besides[1]}`],
        },
        {
          title: `Many sentences, Chromium, time for one (${many} sentences)`,
          unit: 'ms', results: batches, notes: batches.map(rate),
        },
      ];
    });
  } finally {
    server.stop();
  }
}

await main(import.meta.url, measure);
