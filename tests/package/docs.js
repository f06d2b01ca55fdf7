/** `npm run docs`: docs/api.md, the reference of the API, made from the types and their comments. */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { root } from '../js/support.js';
import { cache, installTools, project, run } from './fixtures.js';

export const file = path.join(root, 'docs/api.md');

const head = `# The API of gyeot

Made by \`npm run docs\` from the types and their comments. \`gyeot/core\` is the part that needs no
encoder: \`CoreModule\`, \`Tokenizer\`, \`VectorIndex\`, \`meanPool\`, \`pool\` and \`GyeotError\`.
`;

const options = {
  plugin: [path.join(project, 'node_modules/typedoc-plugin-markdown/dist/index.js')],
  tsconfig: path.join(root, 'wasm/build/tsconfig.json'),
  entryPoints: [path.join(root, 'wasm/gyeot/index.ts')],
  out: path.join(cache, 'docs'),
  outputFileStrategy: 'modules',
  readme: 'none',
  sort: ['source-order'],
  groupOrder: ['Classes', 'Functions', 'Interfaces', '*'],
  disableSources: true,
  disableGit: true,
  excludeInternal: true,
  excludeProtected: true,
  excludePrivate: true,
  excludeExternals: true,
  hidePageHeader: true,
  hidePageTitle: true,
  hideBreadcrumbs: true,
  parametersFormat: 'table',
  interfacePropertiesFormat: 'table',
  classPropertiesFormat: 'table',
  typeAliasPropertiesFormat: 'table',
  validation: { notExported: false },
  logLevel: 'Warn',
};

/** The codes of `GyeotError` with what is said of each, which TypeDoc leaves out of a union. */
export async function codes() {
  const source = await readFile(path.join(root, 'wasm/core/error.ts'), 'utf8');
  const union = /export type GyeotErrorCode =([^;]+);/.exec(source)[1];
  return [...union.matchAll(/(?:\/\*\* (.+?) \*\/\s+)?\| '([a-z-]+)'/g)].map(([, said, code]) => [code, said]);
}

export async function reference() {
  await installTools();
  const config = path.join(cache, 'typedoc.json');
  await rm(options.out, { recursive: true, force: true });
  await writeFile(config, JSON.stringify(options));
  run(path.join(project, 'node_modules/.bin/typedoc'), ['--options', config], root);
  const text = await readFile(path.join(options.out, 'README.md'), 'utf8');
  const table = (await codes()).map(([code, said]) => `| \`${code}\` | ${said} |`).join('\n');
  const section = /(### GyeotErrorCode\n\n)> [^\n]+\n/;
  if (!section.test(text)) throw new Error('The reference has no GyeotErrorCode');
  return `${head}\n${text.replace(section, `$1| Code | What went wrong |\n| ------ | ------ |\n${table}\n`)}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, await reference());
  console.log(path.relative('', file));
}
