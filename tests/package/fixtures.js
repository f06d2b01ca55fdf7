/** A project into which the packed tarballs are installed, with the tools that people use. */
import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { cp, mkdir, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { visitor } from '../browser/harness.js';
import { root } from '../js/support.js';

/** Kept out of the root's devDependencies: only these tests need them. */
const tools = {
  '@rollup/plugin-node-resolve': '16.0.3',
  esbuild: '0.28.2',
  next: '16.4.6',
  react: '19.3.1',
  'react-dom': '19.3.1',
  rollup: '4.68.7',
  typedoc: '0.28.20',
  'typedoc-plugin-markdown': '4.14.1',
  typescript: '5.9.3',
  vite: '8.3.8',
  webpack: '5.112.2',
  'webpack-cli': '7.3.1',
};

export const cache = path.join(root, '.cache/package');
export const project = path.join(cache, 'project');

export function run(command, args, cwd = project) {
  const env = { ...process.env, NEXT_TELEMETRY_DISABLED: '1' };
  try {
    return execFileSync(command, args, { cwd, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  } catch (error) {
    throw new Error(`${command} ${args.join(' ')}\n${error.stdout ?? ''}${error.stderr ?? error.message}`);
  }
}

const packages = path.join(project, 'node_modules');

/** The project with the bundlers and other tools, but without gyeot. */
export async function installTools() {
  await mkdir(project, { recursive: true });
  const manifest = JSON.stringify({ name: 'fixture', private: true, type: 'module', dependencies: tools });
  const stamp = createHash('sha256').update(manifest).digest('hex');
  const stampFile = path.join(cache, 'stamp');
  if (existsSync(stampFile) && (await readFile(stampFile, 'utf8')) === stamp) return;
  await rm(packages, { recursive: true, force: true });
  for (const name of ['gyeot', 'gyeot-ko']) await rm(path.join(cache, `${name}.stamp`), { force: true });
  await writeFile(path.join(project, 'package.json'), manifest);
  run('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error']);
  await writeFile(stampFile, stamp);
}

/** The project with gyeot and gyeot-ko as `npm pack` makes them. */
export async function prepare() {
  await installTools();
  for (const [name, folder] of [['gyeot', root], ['gyeot-ko', path.join(root, 'model')]]) {
    await install(name, folder);
  }
}

/** What `npm pack` made of gyeot or gyeot-ko. */
export function tarball(name) {
  const { version } = JSON.parse(readFileSync(path.join(packages, name, 'package.json'), 'utf8'));
  return path.join(cache, `${name}-${version}.tgz`);
}

/** Packs a package and unpacks it where npm would put it; neither has dependencies to resolve. */
async function install(name, folder) {
  const stampFile = path.join(cache, `${name}.stamp`);
  const stamp = await stampOf(folder);
  if (existsSync(stampFile) && (await readFile(stampFile, 'utf8')) === stamp) return;
  await rm(stampFile, { force: true });
  const [tarball] = JSON.parse(run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', cache, folder], root));
  const target = path.join(packages, name);
  await rm(target, { recursive: true, force: true });
  await mkdir(target, { recursive: true });
  run('tar', ['-xzf', path.join(cache, tarball.filename), '-C', target, '--strip-components=1']);
  await writeFile(stampFile, stamp);
}

/** Sizes and times of all that may be packed: one file of tests after another need not pack again. */
async function stampOf(folder) {
  const { files } = JSON.parse(await readFile(path.join(folder, 'package.json'), 'utf8'));
  const places = new Set(['package.json', 'README.md', 'LICENSE']);
  for (const name of files) places.add(name.replace(/^!/, '').split('/')[0]);
  const hash = createHash('sha256');
  for (const place of [...places].sort()) {
    const at = path.join(folder, place);
    if (!existsSync(at)) continue;
    const inside = (await stat(at)).isDirectory() ? await readdir(at, { recursive: true }) : [];
    for (const name of ['', ...inside.sort()]) {
      const { size, mtimeMs } = await stat(path.join(at, name));
      hash.update(`${place}/${name} ${size} ${mtimeMs}\n`);
    }
  }
  return hash.digest('hex');
}

/**
 * Starts a bundler's server and waits until it says where it listens, as all of them do. It runs in
 * a group of its own, because npx would leave its child behind.
 */
export async function start(command, args, cwd) {
  const env = { ...process.env, NEXT_TELEMETRY_DISABLED: '1' };
  const server = spawn(command, args, { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'inherit'] });
  const url = await new Promise((resolve, reject) => {
    let text = '';
    server.stdout.setEncoding('utf8').on('data', (part) => {
      text += part.replace(/\x1b\[[0-9;]*m/g, '');
      const found = /Local:\s+(http:\S+)/.exec(text);
      if (found) resolve(found[1]);
    });
    server.once('exit', () => reject(new Error(`${args[0]} stopped: ${text}`)));
  });
  return { url, stop: () => process.kill(-server.pid) };
}

/** Opens a page and waits for what the app found out. */
export async function result(browser, url) {
  const person = await visitor(browser);
  try {
    const page = await person.context.newPage();
    await page.goto(url);
    await page.waitForFunction(() => globalThis.result !== undefined, null, { timeout: 90_000 });
    const value = await page.evaluate(() => globalThis.result);
    person.check(url);
    return { value, workers: page.workers().length };
  } finally {
    await person.context.close();
  }
}

/** An empty folder of the project, with an entry and a page that loads `script`. */
export async function app(name, { main, script = 'main.js', files = {} }) {
  const folder = path.join(project, name);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await writeFile(path.join(folder, 'main.js'), main);
  await writeFile(path.join(folder, 'index.html'), html(script));
  for (const [file, text] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(folder, file)), { recursive: true });
    await writeFile(path.join(folder, file), text);
  }
  return folder;
}

export function html(script) {
  return `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,">` +
    `<script type="module" src="./${script}"></script>`;
}

/** What every app does: three lines, and the answer where the test finds it. */
export const threeLines = `
import { Gyeot } from 'gyeot';
import ko from 'gyeot-ko';
const tell = (value) => { globalThis.result = value; };
(async () => {
  const bot = await Gyeot.load(ko);
  const { answer } = await bot.ask('더 이상 내 감정을 내가 컨트롤 못 하겠어.');
  tell(answer);
  bot.close();
})().catch((error) => tell(String(error)));
`;

/** The same for bundlers that do not follow \`new URL\`: files are copied, and their folder named. */
export const copied = threeLines
  .replace("import ko from 'gyeot-ko';\n", '')
  .replace('Gyeot.load(ko)', "Gyeot.load({ baseUrl: 'gyeot/', model: 'ko/default/', table: 'ko/table/ko.safetensors' })");

export async function copyAssets(to) {
  await cp(path.join(packages, 'gyeot/dist'), path.join(to, 'gyeot'), {
    recursive: true,
    filter: (from) => !from.includes(`${path.sep}page`),
  });
  for (const folder of ['default', 'table']) {
    await cp(path.join(packages, 'gyeot-ko', folder), path.join(to, 'ko', folder), { recursive: true });
  }
}
