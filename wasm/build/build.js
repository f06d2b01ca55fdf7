/**
 * The build: core.wasm by CMake under emscripten, TypeScript by esbuild with tsc's declarations,
 * ONNX Runtime Web's one .wasm beside them, and the page. Each step is skipped when what it reads
 * has not changed since the last time.
 *
 *   node wasm/build/build.js           all of it
 *   node wasm/build/build.js --watch   and again at each change of a source file
 *   node wasm/build/build.js --only=wasm,types,script,page
 */
import { spawnSync } from 'node:child_process';
import { existsSync, watch } from 'node:fs';
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { pathToFileURL, fileURLToPath } from 'node:url';
import { createHash } from 'node:crypto';
import path from 'node:path';
import { bundle, bundleSingle, vendorRuntime } from './bundle.js';
import { filesUnder } from './files.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const dist = path.join(root, 'dist');

/** Steps in order; `inputs` are files and folders whose content decides whether it runs. */
const steps = {
  wasm: {
    inputs: ['CMakeLists.txt', 'src', 'wasm/shim', 'wasm/exports.txt'],
    outputs: ['dist/core.wasm'],
    run: buildWasm,
  },
  types: {
    inputs: ['tsconfig.json', 'wasm/core', 'wasm/gyeot', 'wasm/command', 'wasm/build/tsconfig.json',
      'web/precache.ts', 'package-lock.json'],
    outputs: ['dist/types/gyeot/index.d.ts'],
    run: buildTypes,
  },
  script: {
    inputs: ['LICENSE', 'wasm/core', 'wasm/gyeot', 'wasm/command', 'wasm/build',
      'model/safety.ko.json', 'package.json', 'package-lock.json'],
    outputs: ['dist/index.js', 'dist/node.js', 'dist/core.js', 'dist/worker.js', 'dist/engine.js',
      'dist/LICENSES.txt'],
    run: buildScript,
  },
  single: {
    inputs: ['web', 'dist/index.js', 'dist/engine.js', 'dist/core.js', 'wasm/build/bundle.js'],
    outputs: ['dist/single.js', 'dist/single.css'],
    run: () => bundleSingle(root, dist),
  },
  page: {
    inputs: ['web', 'model/default', 'model/table', 'model/safety.ko.json', 'dist/index.js',
      'dist/worker.js', 'dist/core.wasm', 'dist/LICENSES.txt', 'package-lock.json'],
    outputs: ['dist/page/index.html'],
    run: buildPage,
  },
};

async function buildWasm() {
  const folder = path.join(root, 'build/wasm');
  if (!existsSync(path.join(folder, 'CMakeCache.txt'))) {
    run('emcmake', ['cmake', '-S', root, '-B', folder, '-DCMAKE_BUILD_TYPE=Release']);
  }
  run('cmake', ['--build', folder, '--parallel', '2']);
  await mkdir(dist, { recursive: true });
  await cp(path.join(folder, 'core.wasm'), path.join(dist, 'core.wasm'));
}

async function buildTypes() {
  await rm(path.join(dist, 'types'), { recursive: true, force: true });
  const tsc = path.join(root, 'node_modules/typescript/bin/tsc');
  run(process.execPath, [tsc, '-p', root]);
  run(process.execPath, [tsc, '-p', path.join(root, 'wasm/build')]);
}

async function buildScript() {
  await vendorRuntime(root, dist);
  await bundle(root, dist);
}

async function buildPage() {
  const script = path.join(root, 'web/build.js');
  if (!existsSync(script)) return;
  const { buildPage: build } = await import(pathToFileURL(script).href);
  await build({ outdir: path.join(dist, 'page') });
}

/** Runs a command quietly; on failure prints what it said. */
function run(command, args) {
  const result = spawnSync(command, args, { cwd: root, encoding: 'utf8' });
  if (result.error) throw new Error(`${command}: ${result.error.message}`);
  if (result.status !== 0) {
    throw new Error(`${command} ${args[0] ?? ''} failed\n${result.stdout}${result.stderr}`);
  }
}

/** A digest of names and contents; build outputs inside inputs are named one by one above. */
async function digest(inputs) {
  const hash = createHash('sha256');
  for (const input of inputs) {
    for (const file of await filesUnder(path.join(root, input))) {
      hash.update(path.relative(root, file)).update('\0').update(await readFile(file));
    }
  }
  return hash.digest('hex');
}

export async function build({ only = Object.keys(steps) } = {}) {
  const stampFile = path.join(root, 'build/stamps.json');
  const stamps = existsSync(stampFile) ? JSON.parse(await readFile(stampFile, 'utf8')) : {};
  await mkdir(path.dirname(stampFile), { recursive: true });
  for (const name of only) {
    const step = steps[name];
    if (!step) throw new Error(`No build step is called ${name}; there are ${Object.keys(steps)}`);
    const stamp = await digest(step.inputs);
    const present = step.outputs.every((file) => existsSync(path.join(root, file)));
    if (present && stamps[name] === stamp) continue;
    const begin = performance.now();
    await step.run();
    stamps[name] = stamp;
    await writeFile(stampFile, JSON.stringify(stamps, null, 2));
    console.log(`built ${name} in ${((performance.now() - begin) / 1000).toFixed(1)} s`);
  }
}

/** Builds again when something changed; changes while building count for the next round. */
async function watchAll(options) {
  let dirty = true;
  let wake = () => {};
  for (const folder of ['src', 'wasm', 'web', 'model/table', 'model/default']) {
    if (!existsSync(path.join(root, folder))) continue;
    watch(path.join(root, folder), { recursive: true }, () => {
      dirty = true;
      wake();
    });
  }
  for (;;) {
    if (!dirty) await new Promise((resolve) => (wake = resolve));
    await new Promise((resolve) => setTimeout(resolve, 100));
    dirty = false;
    await build(options).catch((error) => console.error(error.message));
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const only = process.argv.find((arg) => arg.startsWith('--only='))?.slice(7).split(',');
  const work = process.argv.includes('--watch') ? watchAll : build;
  work(only ? { only } : {}).catch((error) => {
    console.error(error.message);
    process.exit(1);
  });
}
