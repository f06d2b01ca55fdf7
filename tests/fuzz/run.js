/**
 * Fuzzes the readers and the encoders with libFuzzer, AddressSanitizer and UBSan (needs clang).
 *
 *   npm run fuzz                       15 minutes for each target
 *   npm run fuzz -- 60 fuzz_encode     seconds, and the targets to run
 *
 * Inputs found on the way are kept in build/fuzz/found; a crash is written to build/fuzz/crashes and
 * ends the run with status 1.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = path.join(root, 'build/fuzz');
const [first, ...rest] = process.argv.slice(2);
const seconds = /^\d+$/.test(first ?? '') ? Number(first) : 900;
const wanted = /^\d+$/.test(first ?? '') ? rest : [first, ...rest].filter(Boolean);

/** Files beside the target's own corpus that are good to start from. */
const seeds = {
  fuzz_sentencepiece: ['tests/data/sentencepiece'],
  fuzz_tokenizer_json: ['tests/data/tokenizer_json'],
};

function run(command, args, options = {}) {
  const result = spawnSync(command, args, { cwd: root, stdio: 'inherit', ...options });
  if (result.error) {
    console.error(`${command} could not be started: ${result.error.message}. Install clang and cmake.`);
    process.exit(1);
  }
  return result.status === 0;
}

const built =
  run('cmake', ['-S', root, '-B', folder, '-DGYEOT_FUZZ=ON', '-DCMAKE_C_COMPILER=clang',
    '-DCMAKE_BUILD_TYPE=RelWithDebInfo'], { stdio: ['ignore', 'ignore', 'inherit'] }) &&
  run('cmake', ['--build', folder, '--parallel', '2'], { stdio: ['ignore', 'ignore', 'inherit'] });
if (!built) process.exit(1);

const targets = readdirSync(path.join(root, 'tests/fuzz'))
  .filter((name) => /^fuzz_\w+\.c$/.test(name))
  .map((name) => name.replace('.c', ''))
  .filter((name) => wanted.length === 0 || wanted.includes(name));
if (targets.length === 0) {
  console.error(`No target is called ${wanted.join(' or ')}`);
  process.exit(2);
}

const failed = [];
for (const target of targets) {
  const found = path.join(folder, 'found', target);
  const crashes = path.join(folder, 'crashes');
  mkdirSync(found, { recursive: true });
  mkdirSync(crashes, { recursive: true });
  const dictionary = path.join(root, `tests/fuzz/${target}.dict`);
  const folders = [`tests/fuzz/corpus/${target}`, ...(seeds[target] ?? [])]
    .map((name) => path.join(root, name))
    .filter((name) => existsSync(name));
  console.log(`${target}: ${seconds} s`);
  const good = run(path.join(folder, target), [
    `-max_total_time=${seconds}`, '-timeout=30', '-rss_limit_mb=1500', '-max_len=20000',
    '-print_final_stats=1', '-verbosity=1', `-artifact_prefix=${crashes}/${target}-`,
    ...(existsSync(dictionary) ? [`-dict=${dictionary}`] : []), found, ...folders,
  ]);
  if (!good) failed.push(target);
}
if (failed.length !== 0) {
  console.error(`Failed: ${failed.join(', ')}; the inputs are in build/fuzz/crashes`);
  process.exit(1);
}
