/** The packed tarballs in real projects: each bundler's output, loaded in a real browser, answers. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { answered, launch, serve, visitor } from '../browser/harness.js';
import { app, copied, copyAssets, prepare, run, threeLines } from './fixtures.js';

let browser;
before(async () => {
  await prepare();
  browser = await launch();
});
after(() => browser?.close());

/** Opens a page and waits for what the app found out. */
async function result(url) {
  const person = await visitor(browser);
  try {
    const page = await person.context.newPage();
    await page.goto(url);
    await page.waitForFunction(() => globalThis.result !== undefined, null, { timeout: 90_000 });
    const value = await page.evaluate(() => globalThis.result);
    person.check(url);
    const workers = page.workers().length;
    return { value, workers };
  } finally {
    await person.context.close();
  }
}

async function answers(folder, prefix = '/') {
  const host = await serve({ folder, prefix });
  try {
    assert.equal((await result(host.url)).value, answered);
    return host.requests;
  } finally {
    await host.stop();
  }
}

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
  const server = spawn('npx', ['vite', '--port', '0', '--strictPort', 'false'], {
    cwd: folder, detached: true, stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const url = await new Promise((resolve, reject) => {
      let text = '';
      server.stdout.setEncoding('utf8').on('data', (part) => {
        text += part.replace(/\x1b\[[0-9;]*m/g, '');
        const found = /Local:\s+(http:\S+)/.exec(text);
        if (found) resolve(found[1]);
      });
      server.once('exit', () => reject(new Error(`Vite stopped: ${text}`)));
    });
    assert.equal((await result(url)).value, answered);
  } finally {
    process.kill(-server.pid);
  }
});

test('webpack builds it without configuration', async () => {
  const folder = await app('webpack', { main: threeLines, script: 'dist/main.js' });
  run('npx', ['webpack', '--mode', 'production', '--entry', './main.js'], folder);
  const requests = await answers(folder);
  assert.ok(requests.some((name) => /onnx$|\.onnx/.test(name)));
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
