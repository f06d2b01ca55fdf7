/**
 * Drives Firefox over WebDriver BiDi, in a process of its own: Node 20 has WebSocket only behind a
 * flag. Messages from the parent: { go }, { ask }, { evaluate }, { quit }; each is answered.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

const enterKey = '\uE007';

const profile = await mkdtemp(path.join(tmpdir(), 'gyeot-firefox-'));
const firefox = spawn(
  process.argv[2],
  ['--headless', '--no-remote', '--remote-debugging-port=0', '--profile', profile],
  { env: { ...process.env, HOME: profile } },
);
const address = await new Promise((resolve) =>
  firefox.stderr.on('data', (data) => {
    const found = /ws:\/\/\S+/.exec(String(data));
    if (found) resolve(found[0]);
  }));

const socket = new WebSocket(`${address}/session`);
await new Promise((resolve) => socket.addEventListener('open', resolve));
const waiting = new Map();
const errors = [];
socket.addEventListener('message', ({ data }) => {
  const message = JSON.parse(data);
  if (message.method === 'log.entryAdded' && message.params.level === 'error') {
    errors.push(message.params.text);
  }
  const settle = waiting.get(message.id);
  waiting.delete(message.id);
  settle?.(message);
});

let count = 0;
async function send(method, params = {}) {
  const id = ++count;
  const answer = await new Promise((resolve) => {
    waiting.set(id, resolve);
    socket.send(JSON.stringify({ id, method, params }));
  });
  if (answer.type === 'error') throw new Error(`${method}: ${answer.message}`);
  return answer.result;
}

await send('session.new', { capabilities: {} });
await send('session.subscribe', { events: ['log.entryAdded'] });
const { contexts } = await send('browsingContext.getTree');
const { context } = contexts[0];

async function evaluate(expression) {
  const target = { context };
  const { type, result, exceptionDetails } = await send('script.evaluate', {
    expression, target, awaitPromise: true,
  });
  if (type === 'exception') throw new Error(exceptionDetails.text);
  return result.value;
}

async function until(expression) {
  for (let tries = 0; tries < 300; tries++) {
    const value = await evaluate(expression);
    if (value) return value;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error(`Never true: ${expression}`);
}

const commands = {
  async go(url) {
    await send('browsingContext.navigate', { context, url, wait: 'complete' });
    await until("document.querySelector('#progress').dataset.state === 'ready'");
  },
  async ask(text) {
    const before = await evaluate("document.querySelectorAll('.turn.bot').length");
    await evaluate("document.querySelector('#message').focus()");
    const keys = [...text, enterKey].flatMap((value) => [
      { type: 'keyDown', value },
      { type: 'keyUp', value },
    ]);
    await send('input.performActions', { context, actions: [{ type: 'key', id: 'keys', actions: keys }] });
    return until(`document.querySelectorAll('.turn.bot .bubble')[${before}]?.innerText`);
  },
  until,
  errors: async () => errors,
  async quit() {
    await send('browser.close').catch(() => {});
    firefox.kill();
    await new Promise((resolve) => (firefox.exitCode === null ? firefox.once('exit', resolve) : resolve()));
    await rm(profile, { recursive: true, force: true });
  },
};

process.on('message', async ({ command, value }) => {
  try {
    process.send({ result: await commands[command](value) });
  } catch (error) {
    process.send({ error: error.message });
  }
  if (command === 'quit') process.exit();
});
process.send({ result: 'started' });
