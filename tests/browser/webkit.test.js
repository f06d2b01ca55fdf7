/**
 * The main promise in WebKit, where it can be driven: Debian's webkit2gtk-driver and xvfb. Without
 * a graphics card it compiles the encoder slowly, so the waits are long.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { answered, asked, serve } from './harness.js';

const driverPath = '/usr/bin/WebKitWebDriver';
const browserPath = ['4.1', '4.0', '6.0']
  .map((version) => `/usr/lib/${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu/webkit2gtk-${version}/MiniBrowser`)
  .find((at) => existsSync(at));
const found = existsSync(driverPath) && existsSync('/usr/bin/Xvfb') && browserPath;
const skip = found ? false : 'WebKit cannot be driven here';

const display = ':78';
const enterKey = '\uE007';
const readyState = "document.querySelector('#progress')?.dataset.state === 'ready'";

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** Speaks WebDriver with one session. */
async function connect(port) {
  const call = async (method, path, body) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { method, body: body && JSON.stringify(body) });
    const { value } = await response.json();
    if (value?.error) throw new Error(`${value.error}: ${value.message}`);
    return value;
  };
  for (let tries = 0; tries < 50; tries++) {
    if (await call('GET', '/status').then(() => true, () => false)) break;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  const options = { binary: browserPath, args: ['--automation'] };
  const { sessionId } = await call('POST', '/session', {
    capabilities: { alwaysMatch: { 'webkitgtk:browserOptions': options } },
  });
  const at = `/session/${sessionId}`;
  const evaluate = (expression) => call('POST', `${at}/execute/async`, {
    script: `const done = arguments[0]; Promise.resolve(${expression}).then(done, () => done(null));`,
    args: [],
  });
  const until = async (expression) => {
    for (let tries = 0; tries < 600; tries++) {
      const value = await evaluate(expression);
      if (value) return value;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    throw new Error(`Never true: ${expression}`);
  };
  return {
    until,
    async go(url) {
      await call('POST', `${at}/url`, { url });
      await until(readyState);
    },
    async ask(text) {
      const before = await evaluate("document.querySelectorAll('.turn.bot').length");
      const field = await call('POST', `${at}/element`, { using: 'css selector', value: '#message' });
      await call('POST', `${at}/element/${Object.values(field)[0]}/value`, { text: text + enterKey });
      return (await until(`document.querySelectorAll('.turn.bot .bubble')[${before}]?.innerText`)).trim();
    },
    quit: () => call('DELETE', at).catch(() => {}),
  };
}

test('answers in WebKit, and in a second load without a network', { skip, timeout: 300_000 }, async () => {
  const port = await freePort();
  const screen = spawn('/usr/bin/Xvfb', [display, '-screen', '0', '1280x800x24'], { stdio: 'ignore' });
  const driver = spawn(driverPath, [`--port=${port}`], {
    env: { ...process.env, DISPLAY: display, GDK_BACKEND: 'x11', LIBGL_ALWAYS_SOFTWARE: '1' },
    stdio: 'ignore',
  });
  const host = await serve();
  let session;
  try {
    session = await connect(port);
    await session.go(host.url);
    assert.equal(await session.ask(asked), answered);
    await session.until('navigator.serviceWorker.ready.then(() => !!navigator.serviceWorker.controller)');
    await host.stop();
    await session.go(host.url);
    assert.equal(await session.ask(asked), answered);
  } finally {
    await session?.quit();
    driver.kill();
    screen.kill();
  }
});
