/** What the benchmarks share in Node: peers installed on demand, tables, and a run of one's own. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { ratio } from './race.js';

export { race, ratio, summarize } from './race.js';

export const root = fileURLToPath(new URL('../..', import.meta.url));
export const peersFolder = path.join(root, '.cache/bench-peers');

/** A table as text: a line a contestant, ratios to the first. */
export function format({ title, unit, results, notes = [] }) {
  const lines = results.map((result, place) => {
    const figures = `${figure(result.median)} ± ${figure(result.spread)}`;
    const share = place === 0 ? null : ratio(result, results[0]);
    const told = place === 0 ? '' : share === null ? 'too noisy' : `× ${share.value.toFixed(2)}`;
    return `  ${result.name.padEnd(42)} ${figures.padStart(18)} ${unit}  ${told}`.trimEnd();
  });
  return [title, ...lines, ...notes.map((note) => `  ${note}`)].join('\n');
}

function figure(value) {
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

/** The same for machines, each result with its ratio to the first. */
export function forMachines(tables) {
  return tables.map(({ results, ...rest }) => ({
    ...rest,
    results: results.map((result) => ({ ...result, ratio: ratio(result, results[0]) })),
  }));
}

/** Prints what `measure` gives, when the file is run by itself. */
export async function main(url, measure) {
  if (process.argv[1] === undefined || pathToFileURL(process.argv[1]).href !== url) return;
  const options = readOptions(process.argv.slice(2));
  const tables = await measure(options);
  if (options.json) console.log(JSON.stringify(forMachines(tables), null, 2));
  else for (const table of tables) console.log(`${format(table)}\n`);
}

/** `--json` and `--rounds N`. */
export function readOptions(args) {
  const at = args.indexOf('--rounds');
  return { json: args.includes('--json'), rounds: at < 0 ? undefined : Number(args[at + 1]) };
}

/** Installs peers from npm, each `[name, version]`, into .cache; a missing one takes no part. */
export function installPeers(peers) {
  const missing = peers.filter(([name, version]) => installedVersion(name) !== version);
  if (missing.length === 0) return;
  mkdirSync(peersFolder, { recursive: true });
  // A package of its own, or npm would install into the project's.
  const file = path.join(peersFolder, 'package.json');
  if (!existsSync(file)) writeFileSync(file, '{"private":true}\n');
  const names = missing.map(([name, version]) => `${name}@${version}`);
  console.error(`Installing ${names.join(', ')} into .cache/bench-peers`);
  spawnSync('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error', '--ignore-scripts',
    ...names], { cwd: peersFolder, stdio: ['ignore', 'ignore', 'inherit'] });
}

function installedVersion(name) {
  const file = path.join(peersFolder, 'node_modules', name, 'package.json');
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).version : null;
}

/** Resolves names as the peers' folder does. */
export const requirePeer = createRequire(path.join(peersFolder, 'package.json'));

/** What `make` gives, or nothing, saying why, when a peer cannot take part. */
export async function optional(name, make) {
  try {
    return await make();
  } catch (error) {
    console.error(`${name} takes no part: ${error.message}`);
    return [];
  }
}
