/** The main promise in Firefox, where it is installed (Debian: firefox-esr). */
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { answered, asked, serve } from './harness.js';

const firefox = [process.env.GYEOT_FIREFOX, '/usr/bin/firefox-esr', '/usr/bin/firefox'].find(
  (at) => at && existsSync(at),
);
const skip = firefox ? false : 'Firefox is not installed';

test('answers in Firefox, and in a second load without a network', { skip, timeout: 120_000 }, async () => {
  const child = fork(fileURLToPath(new URL('firefox.js', import.meta.url)), [firefox], {
    execArgv: ['--experimental-websocket', '--no-warnings'],
  });
  const answer = () =>
    new Promise((resolve, reject) => {
      child.once('message', ({ result, error }) => (error ? reject(new Error(error)) : resolve(result)));
      child.once('exit', (code) => reject(new Error(`the driver ended with ${code}`)));
    });
  const tell = (command, value) => {
    const told = answer();
    child.send({ command, value });
    return told;
  };
  const host = await serve();
  try {
    assert.equal(await answer(), 'started');
    await tell('go', host.url);
    assert.equal(await tell('ask', asked), answered);
    await tell('until', 'navigator.serviceWorker.ready.then(() => !!navigator.serviceWorker.controller)');
    await host.stop();
    await tell('go', host.url);
    assert.equal(await tell('ask', asked), answered);
    assert.deepEqual(await tell('errors'), []);
  } finally {
    await tell('quit').catch(() => child.kill());
  }
});
