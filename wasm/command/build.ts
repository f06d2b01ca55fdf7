/** `gyeot build`: from a spreadsheet to a folder that any static host serves. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, mkdir, readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { GyeotError } from '../core/index.js';
import { cutFile, partLimit } from '../gyeot/cut.js';
import { parseManifest } from '../gyeot/manifest.js';
import type { FileEntry } from '../gyeot/manifest.js';
import type { Texts } from '../gyeot/table.js';
import type { HelpLine } from '../gyeot/types.js';
import { readPrecache, stampPrecache } from '../../web/precache.js';
import { jobsHelp, jobsOf, loadBot } from './options.js';
import type { Command } from './options.js';
import { defaultModel, distFolder } from './places.js';
import { policy } from './serve.js';
import { singleFile } from './single-file.js';
import { csvHelp, csvOptions, readCsv } from './table.js';
import { buildTable, report } from './tables.js';

export const build: Command = {
  summary: 'A static site from a spreadsheet',
  help: `
gyeot build FAQ.csv|FAQ.xlsx --out SITE [--config site.json] [--model DIR] [--single-file]

Makes a folder to upload to any static host: the chat page with this table. --single-file makes SITE
one HTML file that answers from a double click, without a server or a network. A run that was stopped
goes on where it was, and one over an earlier site embeds only what is new.

${csvHelp}
  --title TEXT                         the page's name
  --config FILE                        JSON with any of: title, language, description, greeting,
                                       fallback, starters (lists of sentences), help (a list of name,
                                       number, description), colors (accent, accentDark), safety
                                       (a rules file, or null for none), threshold (default: what
                                       5 % of sentences from elsewhere reach), margin
${jobsHelp}
  --json                               what was built, as one JSON object

  gyeot build faq.csv --out site --title "우리 가게 도우미" && gyeot serve site`,
  options: {
    ...csvOptions,
    out: { type: 'string' },
    config: { type: 'string' },
    title: { type: 'string' },
    model: { type: 'string' },
    'single-file': { type: 'boolean' },
    jobs: { type: 'string' },
    json: { type: 'boolean' },
  },
  positionals: ['FAQ.csv'],
  async run(options, terminal, signal) {
    const out = options.text('out');
    if (out === undefined) throw new GyeotError('argument', '--out SITE is missing');
    const page = path.join(distFolder, 'page');
    if (!existsSync(path.join(page, 'index.html'))) {
      throw new GyeotError('not-found', `${page} is not there: build gyeot first (npm run build)`);
    }
    const config = await readConfig(options.text('config'));
    const title = options.text('title') ?? config.title;
    if (title !== undefined) config.title = title;
    const [single, json] = [options.flag('single-file'), options.flag('json')];
    const target = path.resolve(out);
    if (!single) await checkTarget(target);

    const { rows } = await readCsv(options.positionals[0]!, options, terminal);
    const bot = await loadBot(options, terminal, signal, null);
    await mkdir(path.dirname(target), { recursive: true });
    // Named after the site, so that the next run finds and removes what a killed one has left.
    const work = path.join(path.dirname(target), `.${path.basename(target)}.building`);
    await rm(work, { recursive: true, force: true });
    try {
      await copyShell(page, work);
      const model = options.text('model') ?? defaultModel();
      await copyModel(model, path.join(work, 'model'), single);
      const meta = {
        ...(config.title === undefined ? {} : { title: config.title }),
        ...(config.language === undefined ? {} : { language: config.language }),
        ...(config.threshold === undefined ? {} : { threshold: config.threshold }),
        ...(config.margin === undefined ? {} : { margin: config.margin }),
      };
      await mkdir(path.join(work, 'table'), { recursive: true });
      // Past some 13,000 rows, vectors in bytes make the download a quarter.
      const large = exactSize(rows, bot.model.dimension) > partLimit;
      const built = await buildTable(bot, rows, path.join(work, 'table/table.safetensors'), {
        meta,
        vectors: large ? 'i8' : 'f32',
        signal,
        workers: jobsOf(options),
        partial: `${target}.partial`,
        earlier: ['json', 'safetensors'].map((kind) => path.join(target, `table/table.${kind}`)),
        cut: !single,
      }, terminal);
      await writeSite(work, config, `table/${path.basename(built.file)}`);
      await writeHostFiles(work);
      if (single) {
        const file = out.endsWith('.html') ? target : `${target}.html`;
        await singleFile(work, distFolder, file);
        report(terminal, file, built, json);
        if (!json) terminal.note('Open it with a double click');
      } else {
        await rm(target, { recursive: true, force: true });
        await rename(work, target);
        report(terminal, out, built, json);
        if (!json) terminal.note(`Try it: gyeot serve ${out}`);
      }
    } finally {
      bot.close();
      await rm(work, { recursive: true, force: true });
    }
  },
};

/** Bytes of a table with f32 vectors, but for its header. */
function exactSize(rows: readonly Texts[], dimension: number): number {
  const texts = rows.reduce((sum, { question, answer, group }) =>
    sum + Buffer.byteLength(question + answer + group), 0);
  return texts + rows.length * (dimension + 3) * 4;
}

/** Only an empty folder or an earlier site is ever replaced. */
async function checkTarget(target: string): Promise<void> {
  if (!existsSync(target)) return;
  const entries = await readdir(target).catch(() => null);
  if (entries === null) throw new GyeotError('argument', `${target} is a file, not a folder`);
  if (entries.length === 0 || entries.includes('precache.js')) return;
  throw new GyeotError('argument', `${target} holds other things than a site; give an empty folder`);
}

interface Config {
  title?: string;
  language?: string;
  description?: string;
  greeting?: string[];
  fallback?: string[];
  starters?: string[];
  help?: HelpLine[];
  colors?: { accent?: string; accentDark?: string };
  /** Bytes of the rules file, or null for none. */
  safety?: Uint8Array | null;
  threshold?: number;
  margin?: number;
}

async function readConfig(file: string | undefined): Promise<Config> {
  if (file === undefined) return {};
  let json: unknown;
  try {
    json = JSON.parse(await readFile(file, 'utf8'));
  } catch (cause) {
    throw new GyeotError('format', `${file} could not be read as JSON: ${(cause as Error).message}`, { file, cause });
  }
  const wrong = (what: string): never => {
    throw new GyeotError('format', `${file}: ${what}`, { file });
  };
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return wrong('should be an object');
  const given = json as Record<string, unknown>;
  const kinds: Record<string, (value: unknown) => boolean> = {
    title: isText, language: isText, description: isText,
    greeting: isTexts, fallback: isTexts, starters: isTexts,
    help: (value) => Array.isArray(value) && value.every((line) =>
      isText(line?.name) && isText(line?.number) && isText(line?.description)),
    colors: (value) => typeof value === 'object' && value !== null && Object.entries(value).every(
      ([name, color]) => ['accent', 'accentDark'].includes(name) && isText(color)),
    safety: (value) => value === null || isText(value),
    threshold: Number.isFinite, margin: Number.isFinite,
  };
  for (const [name, value] of Object.entries(given)) {
    const check = Object.hasOwn(kinds, name) ? kinds[name]! : wrong(`"${name}" is not known; known are ${Object.keys(kinds).join(', ')}`);
    if (!check(value)) wrong(`"${name}" has the wrong type`);
  }
  const config = { ...given } as Config;
  for (const name of ['greeting', 'fallback', 'starters'] as const) {
    const value = given[name];
    if (typeof value === 'string') config[name] = [value];
  }
  if (typeof given['safety'] === 'string') {
    const rules = path.resolve(path.dirname(file), given['safety']);
    config.safety = await readFile(rules).catch((cause: Error) =>
      wrong(`the safety rules ${rules} could not be read: ${cause.message}`));
  }
  return config;
}

const isText = (value: unknown): boolean => typeof value === 'string';
const isTexts = (value: unknown): boolean =>
  isText(value) || (Array.isArray(value) && value.every(isText));

/** The page without its model and table; the published package keeps its runtime only once. */
async function copyShell(page: string, to: string): Promise<void> {
  const leave = [path.join(page, 'model'), path.join(page, 'table')];
  await cp(page, to, { recursive: true, filter: (from) => !leave.includes(from) });
  const files = readPrecache(await readFile(path.join(to, 'precache.js'), 'utf8'));
  for (const { url } of files) {
    const match = /^runtime-[^/]+\/(.+)$/.exec(url);
    if (!match || existsSync(path.join(to, url))) continue;
    await mkdir(path.dirname(path.join(to, url)), { recursive: true });
    await cp(path.join(distFolder, match[1]!), path.join(to, url));
  }
}

/** The files that gyeot.json lists; large ones in parts, named in the copied manifest, unless `whole`. */
async function copyModel(from: string, to: string, whole: boolean): Promise<void> {
  const manifestFile = path.join(from, 'gyeot.json');
  let text: string;
  try {
    text = await readFile(manifestFile, 'utf8');
  } catch {
    throw new GyeotError(
      'not-found',
      `${manifestFile} is missing: a site's model needs a manifest, which \`python -m model.export\` writes`,
      { file: manifestFile },
    );
  }
  const manifest = JSON.parse(text) as { parity?: string; files: FileEntry[] };
  // Recorded vectors are for checking, not for visitors.
  manifest.files = manifest.files.filter((file) => file.path !== manifest.parity);
  delete manifest.parity;
  for (const file of manifest.files) {
    const bytes = await readFile(path.join(from, file.path));
    await mkdir(path.dirname(path.join(to, file.path)), { recursive: true });
    if (whole || bytes.length <= partLimit) {
      await writeFile(path.join(to, file.path), bytes);
      continue;
    }
    const { entry, parts } = await cutFile(file.path, bytes);
    for (const [name, part] of parts) await writeFile(path.join(to, name), part);
    file.parts = entry.parts!;
  }
  await writeFile(path.join(to, 'gyeot.json'), JSON.stringify(manifest));
}

/** site.json, the app manifest and the safety rules, and the list of what works offline. */
async function writeSite(site: string, config: Config, table: string): Promise<void> {
  const json = JSON.parse(await readFile(path.join(site, 'site.json'), 'utf8')) as Record<string, unknown>;
  const { threshold: _threshold, margin: _margin, safety, ...words } = config;
  Object.assign(json, words, { table, download: await downloadOf(site) });
  // The bundled starters are about the bundled table.
  if (!config.starters) json['starters'] = [];
  if (safety === null) json['safety'] = null;
  if (safety instanceof Uint8Array) await writeFile(path.join(site, 'safety.ko.json'), safety);
  await writeFile(path.join(site, 'site.json'), `${JSON.stringify(json, null, 2)}\n`);
  const appFile = path.join(site, 'manifest.webmanifest');
  const app = JSON.parse(await readFile(appFile, 'utf8')) as Record<string, unknown>;
  if (config.title) Object.assign(app, { name: config.title, short_name: config.title });
  if (config.language) app['lang'] = config.language;
  await writeFile(appFile, `${JSON.stringify(app, null, 2)}\n`);

  const script = await readFile(path.join(site, 'precache.js'), 'utf8');
  const listed = readPrecache(script);
  const gone = listed.map(({ url }) => url).filter((url) => !existsSync(path.join(site, url)));
  const changed: Record<string, string> = {};
  for (const url of [table, 'site.json', 'manifest.webmanifest', 'safety.ko.json', 'model/gyeot.json']) {
    if (existsSync(path.join(site, url))) {
      changed[url] = sha256(await readFile(path.join(site, url))).slice(0, 16);
    }
  }
  await writeFile(path.join(site, 'precache.js'), stampPrecache(script, changed, gone));
}

/** Bytes that a first visit fetches for the answers: asked about on metered connections. */
async function downloadOf(site: string): Promise<number> {
  const { encoder, tokenizer, files } = parseManifest(
    await readFile(path.join(site, 'model/gyeot.json')), 'model/gyeot.json');
  const model = files.filter((file) => [encoder.file, ...tokenizer.files].includes(file.path));
  let sum = model.reduce((bytes, { size }) => bytes + size!, 0);
  for (const file of await readdir(site, { recursive: true })) {
    const counts = file.startsWith(`table${path.sep}`) || (/^runtime-/.test(file) && file.endsWith('.wasm'));
    if (counts) sum += (await stat(path.join(site, file))).size;
  }
  return sum;
}

/** What static hosts read: Netlify and Cloudflare the headers, GitHub Pages the empty file. */
async function writeHostFiles(site: string): Promise<void> {
  await writeFile(path.join(site, '.nojekyll'), '');
  const forever = '  Cache-Control: public, max-age=31536000, immutable\n';
  const fresh = '  Cache-Control: no-cache\n';
  const runtime = (await readdir(site)).find((name) => name.startsWith('runtime-'));
  await writeFile(
    path.join(site, '_headers'),
    `/*\n  Content-Security-Policy: ${policy}\n  X-Content-Type-Options: nosniff\n` +
      '  Referrer-Policy: no-referrer\n' +
      `/assets/*\n${forever}` +
      (runtime ? `/${runtime}/*\n${forever}` : '') +
      ['/', '/index.html', '/sw.js', '/precache.js', '/site.json'].map((url) => `${url}\n${fresh}`).join('') +
      '/*.wasm\n  Content-Type: application/wasm\n',
  );
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
