/** A build whose process is killed goes on where it was, and ends as if nothing had happened. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { gyeot, root } from './support.js';

/** A run with one engine saves what it has done after its first 500 questions. */
const [rows, kept] = [600, 500];
let folder;
before(async () => (folder = await mkdtemp(path.join(tmpdir(), 'gyeot-resume-'))));
after(() => rm(folder, { recursive: true, force: true }));

/** Every file of a folder with its digest. */
async function contents(of) {
  const entries = await readdir(of, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
  const digest = async (file) => createHash('sha256').update(await readFile(file)).digest('hex');
  return Object.fromEntries(await Promise.all(files.sort().map(async (file) => [path.relative(of, file), await digest(file)])));
}

/** Starts the command and ends it without a warning as soon as `when` is there. */
async function killed(args, when) {
  const child = spawn(process.execPath, [path.join(root, 'dist/command.js'), ...args], { stdio: 'ignore' });
  const ended = new Promise((resolve) => child.once('close', (code, signal) => resolve(signal)));
  const timer = setInterval(() => existsSync(when) && child.kill('SIGKILL'), 5);
  const signal = await ended;
  clearInterval(timer);
  assert.equal(signal, 'SIGKILL', 'it was still at work');
}

test('a build killed twice does nothing again, and its site is that of one run, byte for byte', async () => {
  // Texts of many lengths: they are read in batches by length, and a vector's last bits depend on those.
  const lines = Array.from({ length: rows }, (_, row) =>
    `${row}번 ${'물건은 '.repeat(1 + ((row * 7) % 5))}어디에 있나요?,${row}번 선반이에요.,선반 ${row % 40}`);
  await writeFile(path.join(folder, 'faq.csv'), ['질문,답변,구분', ...lines].join('\n'));
  await mkdir(path.join(folder, 'a'));
  await mkdir(path.join(folder, 'b'));
  const build = (to) =>
    ['build', path.join(folder, 'faq.csv'), '--out', path.join(folder, to, 'site'), '--jobs', '1', '--json'];
  const finished = async (to) => {
    const { code, stdout, stderr } = await gyeot(build(to));
    assert.equal(code, 0, stderr);
    return JSON.parse(stdout);
  };
  const begun = path.join(folder, 'b/.site.building');
  const partial = path.join(folder, 'b/site.partial');

  await killed(build('b'), begun);
  assert.ok(!existsSync(partial), 'killed before anything was worth keeping');
  await killed(build('b'), partial);
  assert.ok(!existsSync(path.join(folder, 'b/site')), 'no half-made site');
  assert.equal((await finished('b')).embedded, rows - kept);
  assert.deepEqual(await readdir(path.join(folder, 'b')), ['site'], 'nothing is left beside it');

  assert.equal((await finished('a')).embedded, rows);
  assert.deepEqual(await contents(path.join(folder, 'b/site')), await contents(path.join(folder, 'a/site')));
});
