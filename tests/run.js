/**
 * `npm test`: set-up, build, then every suite. Each runs even when one before it failed; the exit
 * code is that of the whole. `node tests/run.js c js` runs only those.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { setup } from '../wasm/build/setup.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const suites = { c, js: () => node('js'), browser: () => node('browser'), package: () => node('package') };

/** The native library and its tests. */
function c() {
  const folder = path.join(root, 'build/native');
  return (
    run('cmake', ['-S', root, '-B', folder, '-DCMAKE_BUILD_TYPE=Release'], 'pipe') &&
    run('cmake', ['--build', folder, '--parallel', '2'], 'pipe') &&
    run('ctest', ['--test-dir', folder, '--output-on-failure'])
  );
}

/** What the slowest test takes on a slow machine, and twice that; a browser that died says nothing. */
const timeoutMs = 300_000;

/**
 * One folder of tests. Browsers and bundlers are given the machine one file at a time, and a file
 * that fails is tried again, twice at most, and said so: a real browser on a busy machine can miss a
 * deadline.
 */
function node(name) {
  const folder = path.join(root, 'tests', name);
  if (!existsSync(folder)) return true;
  const files = readdirSync(folder)
    .filter((file) => file.endsWith('.test.js'))
    .sort()
    .map((file) => path.join('tests', name, file));
  if (files.length === 0) return true;
  const test = (...some) =>
    run(process.execPath, [
      '--test', '--test-reporter=spec', '--test-concurrency=2', `--test-timeout=${timeoutMs}`, ...some,
    ]);
  if (name === 'js') return test(...files);
  const passes = (file) => {
    for (let tries = 1; tries <= 3; tries++) {
      if (test(file)) return true;
      console.error(`${file} failed at try ${tries} of 3`);
    }
    return false;
  };
  return files.filter((file) => !passes(file)).length === 0;
}

/** With 'pipe', what a command says is shown only when it fails. */
function run(command, args, stdio = 'inherit') {
  const result = spawnSync(command, args, { cwd: root, stdio: ['ignore', stdio, stdio], encoding: 'utf8' });
  if (result.error) console.error(`${command}: ${result.error.message}`);
  if (result.status !== 0 && stdio === 'pipe') console.error(`${result.stdout}${result.stderr}`);
  return result.status === 0;
}

const wanted = process.argv.slice(2);
for (const name of wanted) {
  if (!Object.hasOwn(suites, name)) {
    console.error(`There is no suite "${name}"; there are ${Object.keys(suites).join(', ')}`);
    process.exit(2);
  }
}
try {
  setup();
} catch (error) {
  console.error(error.message);
  process.exit(1);
}
if (!run(process.execPath, ['wasm/build/build.js'])) process.exit(1);
const failed = (wanted.length ? wanted : Object.keys(suites)).filter((name) => !suites[name]());
if (failed.length > 0) {
  console.error(`Failed: ${failed.join(', ')}`);
  process.exit(1);
}
