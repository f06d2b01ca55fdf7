/**
 * `npm run bench [-- coldstart search --json --rounds N]`: the named parts, or all of them, ours and
 * the peers' side by side. Run it on a quiet machine; README.md here says what each figure is.
 */
import os from 'node:os';
import { forMachines, format, readOptions } from './harness.js';
import { measure as coldstart } from './coldstart.js';
import { measure as embedding } from './embedding.js';
import { measure as scale } from './scale.js';
import { measure as search } from './search.js';
import { measure as threads } from './threads.js';

const parts = { coldstart, embedding, threads, search, scale };
const named = process.argv.slice(2).filter((name) => Object.hasOwn(parts, name));
const options = readOptions(process.argv.slice(2));
const machine = `${os.cpus()[0]?.model ?? 'unknown'}, ${os.cpus().length} cores, Node ${process.version}`;
const load = os.loadavg()[0];
if (load > 0.5) console.error(`Other work is running (load ${load.toFixed(1)}): the figures will be noisy.`);
const tables = [];
for (const name of named.length > 0 ? named : Object.keys(parts)) {
  tables.push(...(await parts[name](options)));
}
if (options.json) {
  console.log(JSON.stringify({ machine, load, tables: forMachines(tables) }, null, 2));
} else {
  console.log(`${machine}, load ${load.toFixed(1)}\n`);
  for (const table of tables) console.log(`${format(table)}\n`);
}
