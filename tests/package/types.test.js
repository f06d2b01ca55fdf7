/** The package's types and metadata, by the tools that people's projects use. */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { before, test } from 'node:test';
import { root } from '../js/support.js';
import { app, prepare, project, run, tarball } from './fixtures.js';

before(prepare);

const bin = (name) => path.join(root, 'node_modules/.bin', name);

test('publint finds nothing', () => {
  for (const name of ['gyeot', 'gyeot-ko']) {
    run(bin('publint'), ['--strict', '--pack', 'false', path.join(project, 'node_modules', name)]);
  }
});

test('attw finds no trap in the types', () => {
  // CommonJS is not offered: Node 20.19 and newer require the ES module.
  run(bin('attw'), [tarball('gyeot'), '--profile', 'esm-only', '--exclude-entrypoints', 'core.wasm',
    'ort/*'], root);
});

const uses = `
import { Gyeot, GyeotError, Tokenizer, VectorIndex, meanPool, CoreModule } from 'gyeot';
import type { Answer, Embeddings, Match, Progress } from 'gyeot';
import { Tokenizer as CoreTokenizer } from 'gyeot/core';
import ko from 'gyeot-ko';

export async function all(signal: AbortSignal): Promise<void> {
  const bot: Gyeot = await Gyeot.load({ ...ko, signal, threads: 1, onProgress: ({ loaded, total }: Progress) => void (loaded / total) });
  const vectors: Embeddings = await bot.embed(['가'], { signal });
  const [n, d]: [number, number] = vectors.dims;
  const rows: Match[] = await bot.match('가', { k: n + d });
  const answer: Answer = await bot.ask('가', { threshold: 0.5 });
  const text: string | null = answer.kind === 'match' ? answer.answer : rows[0]?.question ?? null;
  await bot.addTable([{ question: '가', answer: text ?? '', group: '나' }]);
  const bytes: Uint8Array = await bot.exportTable({ vectors: 'i8' });
  await bot.setTable(bytes);
  bot.close();
  const core = await CoreModule.load();
  const tokenizer: Tokenizer = Tokenizer.fromVocab(core, bytes);
  const same: CoreTokenizer = tokenizer;
  const ids: Int32Array = same.encode('가').ids;
  const index = new VectorIndex(core, { dimension: 3 });
  index.add(meanPool(core, new Float32Array(3), new Int32Array(1), [1, 1, 3]));
  if (ids.length === 0) throw new GyeotError('argument', 'none');
}
`;

const wrong = {
  'an option that is not there': "await Gyeot.load({ modle: 'x' });",
  'a text that is a number': '(await Gyeot.load()).ask(3);',
  'an answer that is surely text': 'const text: string = (await (await Gyeot.load()).ask("가")).answer;',
  'a row without a question': "(await Gyeot.load()).addTable([{ answer: '나' }]);",
  'an error code that is not one': "new GyeotError('oops', 'x');",
  'a kind that is not one': '(await (await Gyeot.load()).ask("가")).kind === "crash";',
  'a constructor': 'new Gyeot();',
};

for (const [resolution, module] of [['bundler', 'ESNext'], ['node16', 'Node16'], ['nodenext', 'NodeNext']]) {
  test(`tsc takes the types under ${resolution}`, async () => {
    const folder = await app(`types-${resolution}`, { main: '', files: { 'uses.ts': uses } });
    const options = {
      compilerOptions: {
        module, moduleResolution: resolution, target: 'ES2022', strict: true, noEmit: true,
        lib: ['ES2022', 'DOM'], types: [], skipLibCheck: false,
      },
      files: ['uses.ts'],
    };
    await writeFile(path.join(folder, 'tsconfig.json'), JSON.stringify(options));
    // Here, a package of this repository's own would be found; in a user's project it would be missing.
    const files = run('npx', ['tsc', '-p', '.', '--listFiles'], folder).trim().split('\n');
    const others = files.filter((file) => !/uses\.ts$|node_modules\/(typescript|gyeot|gyeot-ko)\//.test(file));
    assert.deepEqual(others, []);
  });
}

test('types refuse what is wrong', async () => {
  const body = Object.entries(wrong)
    .map(([what, code], index) => `export async function f${index}() {\n  // @ts-expect-error ${what}\n  ${code}\n}`)
    .join('\n');
  const folder = await app('types-wrong', {
    main: '', files: { 'wrong.ts': `import { Gyeot, GyeotError } from 'gyeot';\n${body}\n` },
  });
  run('npx', ['tsc', '--module', 'nodenext', '--target', 'es2022', '--strict', '--noEmit', 'wrong.ts'], folder);
});

test('the package keeps what it promises about itself', async () => {
  const manifest = JSON.parse(await readFile(path.join(project, 'node_modules/gyeot/package.json'), 'utf8'));
  assert.equal(manifest.sideEffects, false);
  assert.equal(manifest.dependencies, undefined);
  const licenses = await readFile(path.join(project, 'node_modules/gyeot/dist/LICENSES.txt'), 'utf8');
  for (const name of ['onnxruntime-web', 'papaparse', 'read-excel-file', 'workbox-precaching']) {
    assert.match(licenses, new RegExp(`^${name} [\\d.]+, licence MIT$`, 'm'));
  }
  for (const name of ['preinstall', 'install', 'postinstall']) assert.equal(manifest.scripts?.[name], undefined);
});
