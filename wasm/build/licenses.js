/** The licences of all that dist carries: ours, and those of the packages bundled into it. */
import { readFile, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';

/** Bundled by the page's own build, or copied into another package: the bundles do not list them. */
const besides = [
  'onnxruntime-web', 'saxen',
  'workbox-core', 'workbox-precaching', 'workbox-routing', 'workbox-strategies',
];
const rule = `\n\n${'-'.repeat(80)}\n\n`;

/** Writes LICENSES.txt; `inputs` are the files that esbuild took, relative to the root. */
export async function writeLicenses(root, dist, inputs) {
  const names = new Set(besides);
  for (const input of inputs) {
    const found = /(?:^|\/)node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*node_modules\/)/.exec(input);
    if (found) names.add(found[1]);
  }
  const parts = [await readFile(path.join(root, 'LICENSE'), 'utf8')];
  for (const name of [...names].sort()) {
    parts.push(await licenseOf(path.join(root, 'node_modules', name)));
  }
  const text = parts.map((part) => part.trim()).join(rule);
  await writeFile(path.join(dist, 'LICENSES.txt'), `${text}\n`);
}

async function licenseOf(folder) {
  const read = (file) => readFile(path.join(folder, file), 'utf8');
  const { name, version, license, author } = JSON.parse(await read('package.json'));
  const files = await readdir(folder);
  const file = files.find((entry) => /^(licen[cs]e|copying)(\.(md|txt))?$/i.test(entry));
  const by = (typeof author === 'string' ? author : author?.name) ?? `the authors of ${name}`;
  const text = file ? await read(file) : `Copyright (c) ${by}`;
  return `${name} ${version}, licence ${license}\n\n${text.trim()}`;
}
