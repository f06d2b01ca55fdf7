/** Next's production build of the packed tarball, with both of its bundlers, in a real browser. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { answered, asked, launch } from '../browser/harness.js';
import { app, prepare, project, result, run, start } from './fixtures.js';

let browser;
before(async () => {
  await prepare();
  browser = await launch();
});
after(() => browser?.close());

const files = {
  // The roots say only where this project of tests ends; an ordinary one needs no such lines.
  'next.config.mjs': `export default {
  serverExternalPackages: ['gyeot', 'gyeot-ko'],
  outputFileTracingRoot: ${JSON.stringify(project)},
  turbopack: { root: ${JSON.stringify(project)} },
};`,
  'app/layout.js': `export default function Layout({ children }) {
  return <html lang="ko"><head><link rel="icon" href="data:," /></head><body>{children}</body></html>;
}`,
  'app/page.js': `'use client';
import { useEffect, useState } from 'react';
import { Gyeot } from 'gyeot';
import ko from 'gyeot-ko';

export default function Page() {
  const [bot, setBot] = useState(null);
  useEffect(() => {
    const control = new AbortController();
    const loading = Gyeot.load({ ...ko, signal: control.signal });
    loading.then(setBot, (error) => { globalThis.result = String(error); });
    return () => { control.abort(); loading.then((made) => made.close(), () => {}); };
  }, []);
  useEffect(() => {
    bot?.ask('${asked}').then(({ answer }) => { globalThis.result = answer; });
  }, [bot]);
  return <p>{bot ? bot.model.name : '…'}</p>;
}`,
  'app/ask/route.js': `import { Gyeot } from 'gyeot';

let bot;
export async function GET(request) {
  bot ??= Gyeot.load();
  const { answer } = await (await bot).ask(new URL(request.url).searchParams.get('q'));
  return Response.json({ answer });
}`,
};

for (const bundler of ['webpack', 'turbopack']) {
  test(`Next builds it with ${bundler}, for the page and for the server`, async () => {
    const folder = await app(`next-${bundler}`, { main: '', files });
    run('npx', ['next', 'build', `--${bundler}`], folder);
    const server = await start('npx', ['next', 'start', '--port', '0'], folder);
    try {
      const { value, workers } = await result(browser, server.url);
      assert.equal(value, answered);
      assert.equal(workers, 1, 'it runs in a worker');
      const reply = await fetch(`${server.url}/ask?q=${encodeURIComponent(asked)}`);
      assert.deepEqual(await reply.json(), { answer: answered });
    } finally {
      server.stop();
    }
  });
}
