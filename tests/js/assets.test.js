/** What servers and checkouts hand out in place of a file: each is named, nothing is kept, a retry works. */
import assert from 'node:assert/strict';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { Gyeot, GyeotError } from '../../dist/node.js';
import { host, model } from './support.js';

const folders = [];
after(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true }))));

const manifest = JSON.parse(await readFile(path.join(model, 'gyeot.json'), 'utf8'));
const encoder = manifest.encoder.file;

/** Serves the default model, but for what `other` has to say. */
async function load(other, options = {}) {
  const server = await host(async (name) => {
    const answer = await other(name);
    if (answer) return answer;
    return { body: await readFile(path.join(model, name)) };
  });
  try {
    const bot = await Gyeot.load({ model: server.url, safety: null, ...options });
    return { bot, requests: server.requests };
  } finally {
    await server.stop();
  }
}

function fails(code, pattern) {
  return (error) => {
    assert.ok(error instanceof GyeotError, String(error?.stack));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, pattern);
    return true;
  };
}

test('a model loads over HTTP, each file once', async () => {
  const { bot, requests } = await load(() => null);
  assert.equal(bot.model.fingerprint, manifest.fingerprint);
  assert.equal((await bot.embed('안녕')).dims[1], manifest.dimension);
  assert.equal(new Set(requests).size, requests.length);
  bot.close();
});

const whole = await readFile(path.join(model, encoder));
const flipped = Buffer.from(whole);
flipped[1234567] ^= 1;

const replies = [
  ['an HTML page with status 200', { type: 'text/html', body: '<!doctype html><title>app</title>' }, 'integrity', /answered 200 with an HTML page/],
  ['an HTML page without its type', { body: '<!DOCTYPE html><html></html>' }, 'integrity', /is an HTML page/],
  ['a Git LFS pointer', { body: 'version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n' }, 'integrity', /Git LFS pointer.*git lfs pull/],
  ['gzip data', { body: gzipSync('model') }, 'integrity', /gzip data/],
  ['nothing', { body: '' }, 'integrity', /is empty/],
  ['half of it', { body: whole.subarray(0, whole.length >> 1) }, 'integrity', /bytes were expected|were expected/],
  ['too much of it', { body: Buffer.concat([whole, Buffer.from('x')]) }, 'integrity', /longer than/],
  ['one flipped bit', { body: flipped }, 'integrity', /SHA-256/],
  ['status 404', { status: 404, type: 'text/plain' }, 'not-found', /answered 404/],
  ['status 500', { status: 500, type: 'text/plain' }, 'network', /answered 500/],
];

for (const [what, reply, code, pattern] of replies) {
  test(`${what} in place of the encoder is refused by name`, async () => {
    await assert.rejects(load((name) => (name === encoder ? reply : null)), fails(code, pattern));
  });
}

test('no server gives a network error that names the address', async () => {
  await assert.rejects(Gyeot.load({ model: 'http://127.0.0.1:9/model/' }), fails('network', /127\.0\.0\.1:9/));
});

test('after a failure the same call works', async () => {
  let broken = true;
  const other = (name) => (broken && name === encoder ? { status: 503, type: 'text/plain' } : null);
  await assert.rejects(load(other), fails('network', /503/));
  broken = false;
  const { bot } = await load(other);
  bot.close();
});

test('a load can be cancelled while it waits', async () => {
  const controller = new AbortController();
  const slow = load((name) => (name === encoder ? { delay: 5000, body: '' } : null), { signal: controller.signal });
  setTimeout(() => controller.abort(), 200);
  const begin = performance.now();
  await assert.rejects(slow, fails('aborted', /cancelled/));
  assert.ok(performance.now() - begin < 4000);
});

async function copyModel() {
  const folder = await mkdtemp(path.join(tmpdir(), 'gyeot-model-'));
  folders.push(folder);
  await cp(model, folder, { recursive: true });
  return folder;
}

test('files in parts are put together and checked', async () => {
  const folder = await copyModel();
  const { createHash } = await import('node:crypto');
  const changed = structuredClone(manifest);
  const entry = changed.files.find((file) => file.path === encoder);
  const cut = 10_000_000;
  entry.parts = [];
  for (let at = 0; at < whole.length; at += cut) {
    const part = whole.subarray(at, at + cut);
    const name = `${encoder}.${entry.parts.length}`;
    await writeFile(path.join(folder, name), part);
    entry.parts.push({ path: name, size: part.length, sha256: createHash('sha256').update(part).digest('hex') });
  }
  await rm(path.join(folder, encoder));
  await writeFile(path.join(folder, 'gyeot.json'), JSON.stringify(changed));
  const bot = await Gyeot.load({ model: folder, safety: null });
  assert.equal((await bot.embed('안녕')).dims[0], 1);
  bot.close();
});

test('a folder without gyeot.json works as it is, and its vectors are the same', async () => {
  const folder = await copyModel();
  await rm(path.join(folder, 'gyeot.json'));
  const [plain, known] = await Promise.all([
    Gyeot.load({ model: folder, safety: null }),
    Gyeot.load({ model, safety: null }),
  ]);
  assert.equal(plain.model.dimension, known.model.dimension);
  assert.equal(plain.model.maxLength, known.model.maxLength);
  assert.deepEqual((await plain.embed('오늘 기분이 어때?')).data, (await known.embed('오늘 기분이 어때?')).data);
  plain.close();
  known.close();
});

const folderFaults = [
  ['no such folder', async (folder) => rm(folder, { recursive: true }), 'not-found', /neither gyeot\.json nor config\.json/],
  ['a manifest that is not JSON', (folder) => writeFile(path.join(folder, 'gyeot.json'), '{'), 'format', /gyeot\.json is not JSON/],
  ['a manifest of another kind', (folder) => writeFile(path.join(folder, 'gyeot.json'), '{"format":"x"}'), 'format', /"format" should be/],
  ['a newer manifest', (folder) => change(folder, { version: 9 }), 'unsupported', /version 9/],
  ['a path out of the folder', (folder) => change(folder, { encoder: { file: '../x.onnx' } }), 'format', /not a path inside/],
  ['a changed prompt', (folder) => change(folder, { prompts: { query: 'changed: ', document: '' } }), 'integrity', /changed by hand/],
  ['a missing encoder', (folder) => rm(path.join(folder, encoder)), 'not-found', /does not exist/],
  ['an encoder that is none', async (folder) => {
    await rm(path.join(folder, 'gyeot.json'));
    await writeFile(path.join(folder, encoder), 'not a model at all');
  }, 'format', /could not be opened as a model/],
  ['a decoder', async (folder) => {
    await rm(path.join(folder, 'gyeot.json'));
    await writeFile(path.join(folder, 'config.json'), '{"architectures":["LlamaForCausalLM"],"hidden_size":8}');
  }, 'unsupported', /decoder gives no sentence vectors/],
];

async function change(folder, fields) {
  await writeFile(path.join(folder, 'gyeot.json'), JSON.stringify({ ...manifest, ...fields }));
}

for (const [what, harm, code, pattern] of folderFaults) {
  test(`${what} gives an error that says so`, async () => {
    const folder = await copyModel();
    await harm(folder);
    await assert.rejects(Gyeot.load({ model: folder, safety: null }), fails(code, pattern));
  });
}
