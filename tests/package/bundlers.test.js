/** The packed tarballs in real projects: each bundler's output, loaded in a real browser, answers. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { answered, launch, serve } from '../browser/harness.js';
import { app, copied, copyAssets, prepare, result, run, start, threeLines } from './fixtures.js';
import { root } from '../js/support.js';

const manifest = JSON.parse(await readFile(path.join(root, 'model/default/gyeot.json'), 'utf8'));

let browser;
before(async () => {
  await prepare();
  browser = await launch();
});
after(() => browser?.close());

async function answers(folder, prefix = '/') {
  const host = await serve({ folder, prefix });
  try {
    assert.equal((await result(browser, host.url)).value, answered);
    return host.requests;
  } finally {
    await host.stop();
  }
}

test('gyeot-ko names the files that its manifest needs', async () => {
  const { default: ko } = await import(new URL('model/index.js', `file://${root}`));
  assert.deepEqual(Object.keys(ko.model).sort(),
    ['gyeot.json', manifest.encoder.file, ...manifest.tokenizer.files].sort());
  const table = await readFile(ko.table.url);
  assert.deepEqual([ko.table.size, ko.table.sha256],
    [table.length, createHash('sha256').update(table).digest('hex')], 'npm run build:table writes them');
});

test('Vite builds it without configuration', async () => {
  const folder = await app('vite-build', { main: threeLines });
  run('npx', ['vite', 'build', '--logLevel', 'error', '--base', './'], folder);
  const requests = await answers(path.join(folder, 'dist'), '/some/where/');
  assert.ok(requests.some((name) => /worker/.test(name)), 'it runs in a worker');
});

test('Vite serves it in development', async () => {
  const folder = await app('vite-dev', {
    main: threeLines,
    files: { 'vite.config.js': "export default { optimizeDeps: { exclude: ['gyeot', 'gyeot-ko'] } };" },
  });
  const server = await start('npx', ['vite', '--port', '0', '--strictPort', 'false'], folder);
  try {
    assert.equal((await result(browser, server.url)).value, answered);
  } finally {
    server.stop();
  }
});

test('webpack builds it without configuration', async () => {
  const folder = await app('webpack', { main: threeLines, script: 'dist/main.js' });
  run('npx', ['webpack', '--mode', 'production', '--entry', './main.js'], folder);
  const requests = await answers(folder);
  // Named by its content; only the ending is left of the name.
  const ending = path.extname(manifest.encoder.file);
  assert.ok(requests.some((request) => request.endsWith(ending)), `a file ${ending} was emitted`);
});

test('esbuild builds it, with the files copied', async () => {
  const folder = await app('esbuild', { main: copied, script: 'out/main.js' });
  run('npx', ['esbuild', 'main.js', '--bundle', '--format=esm', '--outdir=out', '--log-level=error'], folder);
  await copyAssets(folder);
  await answers(folder);
});

test('Rollup builds it, with the files copied', async () => {
  const folder = await app('rollup', { main: copied, script: 'out/main.js' });
  run('npx', ['rollup', 'main.js', '--dir', 'out', '--format', 'es', '--plugin', 'node-resolve', '--silent'], folder);
  await copyAssets(folder);
  await answers(folder);
});

test('a static folder serves it from a sub-path, without any tool', async () => {
  const main = copied.replace("'gyeot'", "'./gyeot/index.js'").replace("baseUrl: 'gyeot/', ", '');
  const folder = await app('static', { main });
  await copyAssets(folder);
  await answers(folder, '/deep/sub/path/');
});

test('Node imports it', async () => {
  const folder = await app('node', {
    main: threeLines.replace('globalThis.result = value', 'console.log(value)'),
  });
  assert.equal(run(process.execPath, ['main.js'], folder).trim(), answered);
});

test('Node requires it, where Node can', async (t) => {
  if (!process.features.require_module) return t.skip('this Node cannot require ES modules');
  const folder = await app('node-require', {
    main: '',
    files: { 'main.cjs': "const { Gyeot } = require('gyeot');\n" +
      "Gyeot.load().then((bot) => bot.ask('더 이상 내 감정을 내가 컨트롤 못 하겠어.'))" +
      '.then(({ answer }) => console.log(answer));' },
  });
  assert.equal(run(process.execPath, ['main.cjs'], folder).trim(), answered);
});

test('the Node entry finds gyeot-ko by itself', async () => {
  const folder = await app('node-default', {
    main: "import { Gyeot } from 'gyeot';\nconst bot = await Gyeot.load();\n" +
      "console.log((await bot.ask('더 이상 내 감정을 내가 컨트롤 못 하겠어.')).answer);",
  });
  assert.equal(run(process.execPath, ['main.js'], folder).trim(), answered);
});
