/** The runtime's .wasm: from the browser's own cache while it is there, from the copy when it is not. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { answered, asked, launch, offlineReady, open, say, serve, visitor } from './harness.js';

let browser;
before(async () => (browser = await launch()));
after(() => browser?.close());

test('with the server gone and the browser cache emptied, the copy still answers', async () => {
  const host = await serve();
  const { context } = await visitor(browser, {}, [/Failed to load resource/, /ERR_CONNECTION_REFUSED/]);
  const first = await open(context, host.url);
  await offlineReady(first);
  await first.close();
  const again = await open(context, host.url);
  const runtime = host.requests.filter((name) => /ort-.*\.wasm$/.test(name)).length;
  assert.ok(runtime <= 2, `the runtime was sent ${runtime} times: to the page, and at most to its copy`);
  const devtools = await context.newCDPSession(again);
  await devtools.send('Network.clearBrowserCache');
  await host.stop();
  await again.close();
  const offline = await open(context, host.url);
  assert.equal(await say(offline, asked), answered);
  await context.close();
});
