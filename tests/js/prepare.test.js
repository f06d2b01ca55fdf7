/** What is started before a model is known, and what may become of it. */
import assert from 'node:assert/strict';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { Gyeot } from '../../dist/node.js';

const model = fileURLToPath(new URL('../../model/default', import.meta.url));

test('one load goes on with what was prepared; a second one starts its own', async () => {
  const prepared = Gyeot.prepare();
  const first = await Gyeot.load({ model, table: null, safety: null, prepared });
  const second = await Gyeot.load({ model, table: null, safety: null, prepared });
  const [a, b] = await Promise.all([first.embed('안녕'), second.embed('안녕')]);
  assert.deepEqual(a.data, b.data);
  first.close();
  await second.embed('닫힌 것은 하나뿐');
  second.close();
});

test('what was prepared in vain can be closed, more than once', async () => {
  const prepared = Gyeot.prepare();
  prepared.close();
  prepared.close();
  const later = await Gyeot.load({ model, table: null, safety: null, prepared });
  later.close();
});

test('what fails while preparing is told by load', async () => {
  const baseUrl = new URL('./nowhere/', import.meta.url);
  const prepared = Gyeot.prepare({ baseUrl });
  await assert.rejects(Gyeot.load({ model, table: null, baseUrl, prepared }), { name: 'GyeotError' });
});
