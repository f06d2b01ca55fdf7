/** One progress over several downloads, one of which tells of its bytes only at its end. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import esbuild from 'esbuild';

const { outputFiles: [{ text }] } = await esbuild.build({
  entryPoints: [fileURLToPath(new URL('../../wasm/gyeot/meter.ts', import.meta.url))],
  bundle: true, format: 'esm', platform: 'neutral', write: false,
});
const { Meter } = await import(`data:text/javascript,${encodeURIComponent(text)}`);

/** Reports of a meter through `steps`, at least 50 ms apart each, so that none is left out. */
function reports(t, steps) {
  let now = 0;
  t.mock.method(performance, 'now', () => (now += 100));
  const seen = [];
  steps(new Meter(({ loaded, total }) => seen.push([loaded, total])));
  return seen;
}

test('an unseen download comes along with the rest, and never goes back', (t) => {
  const seen = reports(t, (meter) => {
    meter.expectUnseen(1000);
    meter.expect(2000);
    meter.open();
    for (let i = 0; i < 20; i++) meter.add(100);
    meter.arrived(1000);
    meter.done();
  });
  for (const [at, [loaded, total]] of seen.entries()) {
    assert.equal(total, 3000);
    assert.ok(at === 0 || loaded >= seen[at - 1][0], `${loaded} after ${seen[at - 1]?.[0]}`);
  }
  assert.deepEqual(seen[10], [1000 + 450, 3000], 'half of the rest, and nearly half of the unseen');
  assert.equal(seen.at(-3)[0], 2900, 'a little is kept back while it has not arrived');
  assert.deepEqual(seen.at(-1), [3000, 3000]);
});

test('an unseen download may be the first to arrive', (t) => {
  const seen = reports(t, (meter) => {
    meter.expectUnseen(1000);
    meter.expect(2000);
    meter.open();
    meter.add(200);
    meter.arrived(1000);
    meter.add(1800);
  });
  assert.deepEqual(seen.map(([loaded]) => loaded), [0, 290, 1200, 3000]);
});
