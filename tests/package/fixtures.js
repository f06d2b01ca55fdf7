/** A project into which the packed tarballs are installed, with the bundlers that people use. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { root } from '../js/support.js';

/** Kept out of the root's devDependencies: only these tests need them. */
const tools = {
  '@rollup/plugin-node-resolve': '16.0.3',
  esbuild: '0.28.2',
  rollup: '4.68.7',
  typescript: '5.9.3',
  vite: '8.3.8',
  webpack: '5.112.2',
  'webpack-cli': '7.3.1',
};

const cache = path.join(root, '.cache/package');
export const project = path.join(cache, 'project');

export function run(command, args, cwd = project) {
  try {
    return execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  } catch (error) {
    throw new Error(`${command} ${args.join(' ')}\n${error.stdout ?? ''}${error.stderr ?? error.message}`);
  }
}

/** The project with gyeot and gyeot-ko as `npm pack` makes them. */
export async function prepare() {
  const packages = path.join(project, 'node_modules');
  await mkdir(project, { recursive: true });
  const manifest = JSON.stringify({ name: 'fixture', private: true, type: 'module', dependencies: tools });
  const stamp = createHash('sha256').update(manifest).digest('hex');
  const stampFile = path.join(cache, 'stamp');
  if (!existsSync(stampFile) || (await readFile(stampFile, 'utf8')) !== stamp) {
    await rm(packages, { recursive: true, force: true });
    await writeFile(path.join(project, 'package.json'), manifest);
    run('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error']);
    await writeFile(stampFile, stamp);
  }
  for (const [name, folder] of [['gyeot', root], ['gyeot-ko', path.join(root, 'model')]]) {
    await install(name, folder, packages);
  }
}

/** Packs a package and unpacks it where npm would put it; neither has dependencies to resolve. */
async function install(name, folder, packages) {
  const [tarball] = JSON.parse(run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', cache, folder], root));
  const target = path.join(packages, name);
  await rm(target, { recursive: true, force: true });
  await mkdir(target, { recursive: true });
  run('tar', ['-xzf', path.join(cache, tarball.filename), '-C', target, '--strip-components=1']);
}

/** An empty folder of the project, with an entry and a page that loads `script`. */
export async function app(name, { main, script = 'main.js', files = {} }) {
  const folder = path.join(project, name);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  await writeFile(path.join(folder, 'main.js'), main);
  await writeFile(path.join(folder, 'index.html'), html(script));
  for (const [file, text] of Object.entries(files)) await writeFile(path.join(folder, file), text);
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
  const packages = path.join(project, 'node_modules');
  await cp(path.join(packages, 'gyeot/dist'), path.join(to, 'gyeot'), {
    recursive: true,
    filter: (from) => !from.includes(`${path.sep}page`),
  });
  for (const folder of ['default', 'table']) {
    await cp(path.join(packages, 'gyeot-ko', folder), path.join(to, 'ko', folder), { recursive: true });
  }
}
