/**
 * Builds the page into a folder that any static host can serve as it is:
 *
 *   index.html  sw.js  precache.js  site.json  manifest.webmanifest  safety.ko.json
 *   assets/     scripts and styles, named by content
 *   runtime-…/  core.wasm, worker.js, ort/…, in a folder named by content
 *   model/      the model, large files in parts that every host takes
 *   table/      the built table
 *   icons/
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import esbuild from 'esbuild';
import { injectManifest } from 'workbox-build';

const web = fileURLToPath(new URL('.', import.meta.url));
const root = path.dirname(path.resolve(web));
const target = ['es2022', 'chrome111', 'firefox115', 'safari16.4'];

/** Cloudflare refuses files over 25 MiB. */
const partLimit = 20 * 1024 * 1024;

/** What the page needs before the model's own files, compressed. */
const shellLimit = 60_000;

const precacheLimit = 24 * 1024 * 1024;

/** Without these in the precache the page would not open offline. */
const required = [
  /^index\.html$/,
  /^assets\/main-\w+\.js$/,
  /^assets\/style-\w+\.css$/,
  /^runtime-\w+\/core\.wasm$/,
  /^runtime-\w+\/worker\.js$/,
  /^runtime-\w+\/ort\/ort-wasm-simd-threaded\.wasm$/,
  /^model\/gyeot\.json$/,
  /^table\/ko\.safetensors$/,
  /^safety\.ko\.json$/,
  /^site\.json$/,
  /^manifest\.webmanifest$/,
];

/** @param options `model` is a folder, `table` a built table, `safety` a rules file. */
export async function buildPage({
  outdir,
  dist = path.join(root, 'dist'),
  model = path.join(root, 'model/default'),
  table = path.join(root, 'model/table/ko.safetensors'),
  safety = path.join(root, 'model/safety.ko.json'),
}) {
  for (const file of [model, table, safety, path.join(dist, 'index.js')]) {
    if (!existsSync(file)) throw new Error(`The page needs ${path.relative(root, file)}`);
  }
  const out = `${path.resolve(outdir)}.new`;
  await rm(out, { recursive: true, force: true });
  await mkdir(out, { recursive: true });

  const runtime = await copyRuntime(dist, out);
  await cp(path.join(web, 'icons'), path.join(out, 'icons'), {
    recursive: true,
    filter: (from) => !from.endsWith('.js'),
  });
  await cp(path.join(web, 'manifest.webmanifest'), path.join(out, 'manifest.webmanifest'));
  await cp(safety, path.join(out, 'safety.ko.json'));
  await cp(path.join(dist, 'LICENSES.txt'), path.join(out, 'LICENSE.txt'));
  await cp(table, path.join(out, 'table/ko.safetensors'));
  await copyModel(model, path.join(out, 'model'));
  await writeSite(out, runtime);

  const assets = await bundle(dist, out, runtime);
  await writeIndex(out, assets);
  await writeServiceWorker(out);
  await checkShell(out, assets);

  await rm(outdir, { recursive: true, force: true });
  await rename(out, outdir);
}

/** The worker and its WebAssembly; the folder's name changes with their content. */
async function copyRuntime(dist, out) {
  const files = ['core.wasm', 'worker.js', 'ort/ort-wasm-simd-threaded.wasm', 'ort/NOTICE.txt'];
  const hash = createHash('sha256');
  for (const file of files) hash.update(await readFile(path.join(dist, file)));
  const folder = `runtime-${hash.digest('hex').slice(0, 8)}`;
  for (const file of files) {
    await cp(path.join(dist, file), path.join(out, folder, file));
  }
  return folder;
}

/** Copies the files that gyeot.json lists, the large ones in parts. */
async function copyModel(from, to) {
  const manifest = JSON.parse(await readFile(path.join(from, 'gyeot.json'), 'utf8'));
  for (const file of manifest.files) {
    const bytes = await readFile(path.join(from, file.path));
    await mkdir(path.dirname(path.join(to, file.path)), { recursive: true });
    if (bytes.length <= partLimit) {
      await writeFile(path.join(to, file.path), bytes);
      continue;
    }
    file.parts = [];
    for (let at = 0; at < bytes.length; at += partLimit) {
      const part = bytes.subarray(at, at + partLimit);
      const partPath = `${file.path}.${file.parts.length + 1}`;
      await writeFile(path.join(to, partPath), part);
      file.parts.push({ path: partPath, size: part.length, sha256: sha256(part) });
    }
  }
  await writeFile(path.join(to, 'gyeot.json'), JSON.stringify(manifest));
}

/** site.json with the size of a first visit's download, for the question on metered connections. */
async function writeSite(out, runtime) {
  const site = JSON.parse(await readFile(path.join(web, 'site.json'), 'utf8'));
  const manifest = JSON.parse(await readFile(path.join(out, site.model, 'gyeot.json'), 'utf8'));
  const needed = [manifest.encoder.file, ...manifest.tokenizer.files];
  site.download = manifest.files
    .filter((file) => needed.includes(file.path))
    .reduce((sum, file) => sum + file.size, 0);
  for (const file of [site.table, `${runtime}/core.wasm`, `${runtime}/ort/ort-wasm-simd-threaded.wasm`]) {
    site.download += (await readFile(path.join(out, file))).length;
  }
  await writeFile(path.join(out, 'site.json'), JSON.stringify(site, null, 2) + '\n');
}

async function bundle(dist, out, runtime) {
  const { version } = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8'));
  const result = await esbuild.build({
    absWorkingDir: root,
    entryPoints: { main: path.join(web, 'app/main.ts'), style: path.join(web, 'styles/style.css') },
    outdir: path.join(out, 'assets'),
    entryNames: '[name]-[hash]',
    chunkNames: '[name]-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    target,
    charset: 'utf8',
    minify: true,
    metafile: true,
    legalComments: 'linked',
    logLevel: 'warning',
    external: ['../icons/*'],
    define: {
      RUNTIME_FOLDER: JSON.stringify(`${runtime}/`),
      GYEOT_VERSION: JSON.stringify(version),
    },
    plugins: [builtApi(dist)],
  });
  const named = (entry) =>
    path.posix.join('assets', path.basename(
      Object.entries(result.metafile.outputs).find(([, output]) => output.entryPoint === entry)[0],
    ));
  return {
    script: named('web/app/main.ts'),
    style: named('web/styles/style.css'),
    /** The entry and all that it imports at once. */
    shell: staticImports(result.metafile, 'web/app/main.ts'),
  };
}

/** The page uses the package as it is published: the API's source stands for its built file. */
function builtApi(dist) {
  return {
    name: 'built-api',
    setup(build) {
      build.onResolve({ filter: /wasm\/gyeot\/index\.js$/ }, () => ({
        path: path.join(dist, 'index.js'),
      }));
    },
  };
}

function staticImports(metafile, entry) {
  const first = Object.keys(metafile.outputs).find(
    (name) => metafile.outputs[name].entryPoint === entry,
  );
  const seen = new Set([first]);
  for (const name of seen) {
    for (const { path: next, kind } of metafile.outputs[name].imports) {
      if (kind === 'import-statement' && metafile.outputs[next]) seen.add(next);
    }
  }
  return [...seen].map((name) => `assets/${path.basename(name)}`);
}

async function writeIndex(out, assets) {
  const html = await readFile(path.join(web, 'index.html'), 'utf8');
  await writeFile(
    path.join(out, 'index.html'),
    html
      .replace('%STYLE%', assets.style)
      .replace('%SCRIPT%', assets.script)
      // Asked for at once, not after the scripts that ask for them have run.
      .replace('%PRELOAD%', [
        ...assets.shell.filter((name) => name !== assets.script)
          .map((name) => `<link rel="modulepreload" href="${name}">`),
        '<link rel="preload" as="fetch" href="site.json" crossorigin>',
      ].join('\n')),
  );
}

/** sw.js, and precache.js with the list of files that it keeps. */
async function writeServiceWorker(out) {
  await esbuild.build({
    entryPoints: [path.join(web, 'sw.ts')],
    outfile: path.join(out, 'sw.js'),
    bundle: true,
    format: 'iife',
    target,
    minify: true,
    charset: 'utf8',
    legalComments: 'none',
    logLevel: 'warning',
    define: { 'process.env.NODE_ENV': '"production"' },
  });
  const template = path.join(out, '.precache');
  await writeFile(template, 'self.GYEOT_FILES=self.__WB_MANIFEST;\n');
  const { warnings } = await injectManifest({
    swSrc: template,
    swDest: path.join(out, 'precache.js'),
    globDirectory: out,
    // The model's large files are kept by the page, which checks them byte by byte.
    globPatterns: ['*.*', '{assets,icons,runtime-*,table}/**/*', 'model/**/*.json'],
    globIgnores: ['sw.js', 'precache.js', 'model/parity.json'],
    dontCacheBustURLsMatching: /^(assets\/.*-[0-9A-Z]{8}\.|runtime-[0-9a-f]{8}\/)/,
    maximumFileSizeToCacheInBytes: precacheLimit,
  });
  await rm(template);
  if (warnings.length > 0) throw new Error(`The precache is not whole: ${warnings.join('; ')}`);
  const script = await readFile(path.join(out, 'precache.js'), 'utf8');
  const urls = JSON.parse(script.slice(script.indexOf('['), script.lastIndexOf(']') + 1)).map(
    (file) => file.url,
  );
  for (const name of required) {
    if (!urls.some((url) => name.test(url))) {
      throw new Error(`No file in the precache matches ${name}: the page would not open offline`);
    }
  }
  for (const file of await readdir(out, { recursive: true, withFileTypes: true })) {
    const at = path.join(file.parentPath, file.name);
    if (file.isFile() && (await readFile(at)).length > precacheLimit) {
      throw new Error(`${path.relative(out, at)} is over ${precacheLimit} bytes: hosts refuse it`);
    }
  }
}

async function checkShell(out, assets) {
  const files = ['index.html', 'site.json', assets.style, ...assets.shell];
  let size = 0;
  for (const file of files) size += gzipSync(await readFile(path.join(out, file))).length;
  if (size > shellLimit) {
    throw new Error(`The page's shell is ${size} bytes compressed; the limit is ${shellLimit}`);
  }
  return size;
}

function sha256(bytes) {
  return createHash('sha256').update(bytes).digest('hex');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await buildPage({ outdir: process.argv[2] ?? path.join(root, 'dist/page') });
}
