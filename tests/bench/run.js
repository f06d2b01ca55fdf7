/**
 * `npm run bench [-- --json] [-- --rounds N]`: every benchmark that this checkout can run, in one
 * table, ours and the peers' side by side. Run it on a quiet machine.
 */
import os from 'node:os';
import { forMachines, format, readOptions } from './harness.js';
import { measure as search } from './search.js';

const options = readOptions(process.argv.slice(2));
const machine = `${os.cpus()[0]?.model ?? 'unknown'}, ${os.cpus().length} cores, Node ${process.version}`;
const load = os.loadavg()[0];
if (load > 0.5) console.error(`Other work is running (load ${load.toFixed(1)}): the figures will be noisy.`);
const tables = await search(options);
if (options.json) {
  console.log(JSON.stringify({ machine, load, tables: forMachines(tables) }, null, 2));
} else {
  console.log(`${machine}, load ${load.toFixed(1)}\n`);
  for (const table of tables) console.log(`${format(table)}\n`);
}
