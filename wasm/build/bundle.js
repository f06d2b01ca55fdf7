/** JavaScript for dist/: which entry becomes which file, and what each of them may share. */
import { existsSync } from 'node:fs';
import { cp, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import esbuild from 'esbuild';
import { writeLicenses } from './licenses.js';

const runtimeWasm = 'ort-wasm-simd-threaded.wasm';

/**
 * index, node and engine import core.js instead of holding a copy, so that `instanceof GyeotError`
 * means the same from `gyeot` and `gyeot/core`. worker.js holds everything in one file: bundlers
 * and static hosts then need no other script for it.
 */
export async function bundle(root, dist) {
  const { version } = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8'));
  const safety = path.join(root, 'model/safety.ko.json');
  const runtimeFile = await stat(path.join(dist, 'ort', runtimeWasm));
  const common = {
    absWorkingDir: root,
    bundle: true,
    format: 'esm',
    target: 'es2022',
    charset: 'utf8',
    sourcemap: true,
    sourcesContent: false,
    legalComments: 'inline',
    logLevel: 'warning',
    metafile: true,
    define: {
      GYEOT_VERSION: JSON.stringify(version),
      GYEOT_RUNTIME_BYTES: String(runtimeFile.size),
    },
    minifySyntax: true,
    minifyWhitespace: true,
    outdir: dist,
  };
  const browser = { ...common, platform: 'browser' };
  const rules = existsSync(safety) ? JSON.stringify(JSON.parse(await readFile(safety, 'utf8'))) : 'null';
  const engine = { ...browser, define: { ...common.define, GYEOT_SAFETY: rules } };
  const builds = [
    // The source map and the wasm/core folder beside it tell the names that are shortened here.
    {
      ...browser,
      minifyIdentifiers: true,
      entryPoints: entries(root, { core: 'wasm/core/index.ts' }),
    },
    {
      ...browser,
      entryPoints: entries(root, { index: 'wasm/gyeot/index.ts', node: 'wasm/gyeot/node.ts' }),
      plugins: [siblings(['core', 'engine'])],
    },
    {
      ...engine,
      entryPoints: entries(root, { engine: 'wasm/gyeot/service.ts' }),
      plugins: [siblings(['core', 'engine']), runtime(root)],
    },
    {
      ...engine,
      entryPoints: entries(root, { worker: 'wasm/gyeot/worker.ts' }),
      plugins: [runtime(root)],
    },
    {
      ...common,
      platform: 'node',
      target: 'node20',
      // Workbooks are rare, so what reads them is loaded only for them.
      entryPoints: entries(root, {
        command: 'wasm/command/command.ts',
        xlsx: 'wasm/command/xlsx.ts',
      }),
      // Bundled CommonJS packages look for `require`.
      banner: {
        js: "#!/usr/bin/env node\nimport { createRequire as __createRequire } from 'node:module';\n" +
          'const require = __createRequire(import.meta.url);',
      },
      plugins: [siblings(['core', 'node', 'xlsx'])],
    },
  ];
  const inputs = [];
  for (const options of builds) {
    if (Object.keys(options.entryPoints).length === 0) continue;
    inputs.push(...Object.keys((await esbuild.build(options)).metafile.inputs));
  }
  await writeLicenses(root, dist, inputs);
  for (const name of ['core', 'index', 'node', 'engine', 'worker']) {
    await startLineWithExport(path.join(dist, `${name}.js`));
  }
}

/** Tools that tell ES modules from CommonJS by their text look for `export` at a line's start. */
async function startLineWithExport(file) {
  const text = await readFile(file, 'utf8');
  const at = text.lastIndexOf('export{');
  if (at > 0 && text[at - 1] !== '\n') {
    await writeFile(file, `${text.slice(0, at)}\n${text.slice(at)}`);
  }
}

/** The page as one script and one style, for `gyeot build --single-file`. */
export async function bundleSingle(root, dist) {
  const { version } = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8'));
  await esbuild.build({
    absWorkingDir: root,
    entryPoints: { single: 'web/app/main.ts' },
    outdir: dist,
    bundle: true,
    format: 'esm',
    target: 'es2022',
    charset: 'utf8',
    minify: true,
    legalComments: 'none',
    logLevel: 'warning',
    define: { RUNTIME_FOLDER: '"runtime/"', GYEOT_VERSION: JSON.stringify(version) },
    plugins: [{
      name: 'built-api',
      setup(build) {
        build.onResolve({ filter: /wasm\/gyeot\/index\.js$/ }, () => ({
          path: path.join(dist, 'index.js'),
        }));
      },
    }],
  });
  await esbuild.build({
    absWorkingDir: root,
    entryPoints: { single: 'web/styles/style.css' },
    outdir: dist,
    bundle: true,
    minify: true,
    charset: 'utf8',
    logLevel: 'warning',
    external: ['../icons/*'],
  });
}

/** Leaves out entries whose source is not there. */
function entries(root, map) {
  return Object.fromEntries(
    Object.entries(map).filter(([, source]) => existsSync(path.join(root, source))),
  );
}

/** Imports of another entry's source become imports of its output beside this one. */
function siblings(names) {
  const sources = {
    core: /\/core\/index\.js$/,
    engine: /^\.\/service\.js$/,
    node: /\/gyeot\/node\.js$/,
    xlsx: /^\.\/xlsx\.js$/,
  };
  return {
    name: 'siblings',
    setup(build) {
      for (const name of names) {
        build.onResolve({ filter: sources[name] }, (args) =>
          args.kind === 'entry-point' ? undefined : { path: `./${name}.js`, external: true });
      }
    },
  };
}

/**
 * ONNX Runtime Web's single-file build, with changes. It names its own files relative to itself,
 * which would make bundlers look for what is not there: the engine passes the .wasm, and threads
 * start from the script that holds the runtime. The hook for starting the .wasm is let through from
 * `env.wasm`, so that the engine compiles it while it downloads, with progress.
 */
function runtime(root) {
  const source = path.join(root, 'node_modules/onnxruntime-web/dist/ort.wasm.bundle.min.mjs');
  return {
    name: 'onnxruntime-web',
    setup(build) {
      build.onResolve({ filter: /^onnxruntime-web\/wasm$/ }, () => ({ path: source }));
      build.onLoad({ filter: /ort\.wasm\.bundle\.min\.mjs$/ }, async () => {
        const text = await readFile(source, 'utf8');
        const env = /\b(\w+)\.wasmBinary,\[/.exec(text)?.[1];
        const contents = text
          .replaceAll(`new URL("${runtimeWasm}",import.meta.url).href`, '""')
          .replaceAll(
            /new (\w+)\("ort\.wasm\.bundle\.min\.mjs",import\.meta\.url\)/g,
            'new $1(typeof WorkerGlobalScope<"u"?self.location.href:import.meta.url)',
          )
          .replace(/\(await import\((?:\/\*[^*]*\*\/\s*)*(\w+)\)\)\.default/, '$1')
          .replace(
            /(\{numThreads:\w+)(\};if\(\w+\)\w+\.wasmBinary=)/,
            `$1,instantiateWasm:${env}.instantiateWasm$2`,
          );
        if (!env || !contents.includes(`${env}.instantiateWasm`)) {
          throw new Error('onnxruntime-web starts its .wasm in a new way; see runtime() in bundle.js');
        }
        return { contents, loader: 'js' };
      });
    },
  };
}

/** The runtime's .wasm, as a file of our own package. */
export async function vendorRuntime(root, dist) {
  const from = path.join(root, 'node_modules/onnxruntime-web');
  const to = path.join(dist, 'ort');
  await mkdir(to, { recursive: true });
  await cp(path.join(from, 'dist', runtimeWasm), path.join(to, runtimeWasm));
  const { version, license } = JSON.parse(await readFile(path.join(from, 'package.json'), 'utf8'));
  await writeFile(
    path.join(to, 'NOTICE.txt'),
    `${runtimeWasm} and the code of onnxruntime-web ${version} in engine.js and worker.js:\n` +
      `ONNX Runtime, Copyright (c) Microsoft Corporation, ${license} licence.\n`,
  );
}
