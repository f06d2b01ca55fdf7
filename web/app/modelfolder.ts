/** The reader's own model: a folder is picked, checked against its own record, then used. */

import type { GyeotBot, Source } from '../../wasm/gyeot/types.js';
import { h } from './dom.js';
import type { Engine } from './engine.js';
import { explain, isAbort } from './errors.js';
import { dropModel, keepModel } from './keptmodel.js';
import { number, t } from './i18n.js';
import { settings } from './settings.js';
import { buildProgress } from './tablebuild.js';
import { readTexts } from './tablefile.js';

/** Vectors this near to the recorded ones count as the same. */
const sameCosine = 0.99;

const parityFile = 'parity.json';

interface Parity {
  texts: string[];
  vectors: number[][];
}

export interface ParityResult {
  total: number;
  good: number;
  lowest: number;
}

/** Files by their path inside the folder that was picked. */
export async function readFolder(files: Iterable<File>): Promise<Record<string, Uint8Array>> {
  const found: Record<string, Uint8Array> = {};
  for (const file of files) {
    const path = file.webkitRelativePath.split('/').slice(1).join('/') || file.name;
    if (path.split('/').some((part) => part.startsWith('.'))) continue;
    found[path] = new Uint8Array(await file.arrayBuffer());
  }
  return found;
}

/** Embeds the recorded sentences again and compares; `null` without a record. */
export async function replayParity(
  bot: GyeotBot,
  record: Uint8Array | undefined,
): Promise<ParityResult | null> {
  if (!record) return null;
  const parity = JSON.parse(new TextDecoder().decode(record)) as Parity;
  const { data, dims } = await bot.embed(parity.texts);
  let lowest = 1;
  let good = 0;
  parity.vectors.forEach((vector, row) => {
    const cosine = cosineOf(vector, data.subarray(row * dims[1], (row + 1) * dims[1]));
    lowest = Math.min(lowest, cosine);
    if (cosine >= sameCosine) good++;
  });
  return { total: parity.texts.length, good, lowest };
}

function cosineOf(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let dot = 0;
  let aa = 0;
  let bb = 0;
  for (let i = 0; i < a.length; i++) {
    dot += a[i]! * b[i]!;
    aa += a[i]! * a[i]!;
    bb += b[i]! * b[i]!;
  }
  return dot / Math.sqrt(aa * bb || 1);
}

export interface ModelEvents {
  alert(text: string): void;
  switched(): void;
  /** The reader wants the page's own model back. */
  left(): void;
}

/** The part of the settings where a folder is picked. */
export function modelPicker(engine: Engine, events: ModelEvents): HTMLElement {
  const input = h('input', { type: 'file', id: 'model-folder', class: 'sr', multiple: true });
  input.webkitdirectory = true;
  const place = h('div', { 'aria-live': 'polite' });
  engine.watch(({ name }) => {
    if (name === 'ready' && engine.ownModel && !place.hasChildNodes()) showUse(engine, place, events);
  });
  input.addEventListener('change', () => {
    const files = [...(input.files ?? [])];
    input.value = '';
    if (files.length > 0) void tryModel(engine, files, place, events);
  });
  return h(
    'div',
    {},
    input,
    h('label.button', { for: 'model-folder' }, t('settings.model')),
    h('p.fine', {}, t('settings.model.about')),
    place,
  );
}

async function tryModel(
  engine: Engine,
  files: File[],
  place: HTMLElement,
  events: ModelEvents,
): Promise<void> {
  let bot: GyeotBot | null = null;
  try {
    place.replaceChildren(h('p.note', {}, t('model.checking')));
    const folder = await readFolder(files);
    bot = await engine.openFolder({ ...folder });
    const result = await replayParity(bot, folder[parityFile]);
    const lowest = number(result?.lowest ?? 0, 4);
    if (result && result.good < result.total) {
      bot.close();
      events.alert(t('model.parity.bad', { lowest }));
      place.replaceChildren(h('p.note', {}, t('model.parity.bad', { lowest })));
      return;
    }
    const verdict = result
      ? t('model.parity', { total: number(result.total), good: number(result.good), lowest })
      : t('model.parity.none');
    offerRebuild(engine, bot, folder, verdict, place, events);
  } catch (error) {
    bot?.close();
    events.alert(explain(error));
    place.replaceChildren(h('p.note', {}, explain(error)));
  }
}

/** The table in use is embedded anew; until that is done, the old model goes on answering. */
function offerRebuild(
  engine: Engine,
  bot: GyeotBot,
  folder: Record<string, Source>,
  verdict: string,
  place: HTMLElement,
  events: ModelEvents,
): void {
  const build = h('button.primary', { type: 'button' }, t('tables.rebuild'));
  const cancel = h('button.text', { type: 'button' }, t('tables.cancel'));
  place.replaceChildren(
    h('p.note', {}, verdict),
    h('p', {}, t('model.rebuild')),
    h('div.row', {}, build, cancel),
  );
  cancel.addEventListener('click', () => {
    bot.close();
    place.replaceChildren();
  });
  build.addEventListener('click', async () => {
    const stop = new AbortController();
    const progress = buildProgress(() => stop.abort());
    place.replaceChildren(progress.element);
    try {
      const old = await engine.bot?.exportTable();
      const rows = (old && readTexts(old)) ?? [];
      await bot.addTable(rows, {
        replace: true,
        title: engine.bot?.table?.title,
        signal: stop.signal,
        onProgress: ({ phase, loaded, total }) => {
          if (phase === 'embed') progress.show(loaded, total);
        },
      });
      await dropModel();
      place.replaceChildren();
      engine.replace(bot, folder);
      events.switched();
    } catch (error) {
      bot.close();
      place.replaceChildren();
      if (!isAbort(error)) events.alert(explain(error));
    }
  });
}

/** Which model answers; whether it is kept for the next visit; the way back. */
function showUse(engine: Engine, place: HTMLElement, events: ModelEvents): void {
  const { bot, ownModel } = engine;
  if (!bot || !ownModel) return;
  const size = Object.values(ownModel).reduce((sum, file) => sum + (file as Uint8Array).length, 0);
  const keep = h('input', {
    type: 'checkbox',
    id: 'keep-model',
    checked: settings().ownModel === bot.model.fingerprint,
  });
  const about = h('p.fine', {}, t('model.keep.about'));
  keep.addEventListener('change', async () => {
    keep.disabled = true;
    if (keep.checked) {
      const model = { files: ownModel as Record<string, Uint8Array>, table: await bot.exportTable() };
      keep.checked = await keepModel(model, bot.model.fingerprint);
      about.textContent = t(keep.checked ? 'model.kept' : 'model.keep.failed');
    } else {
      await dropModel();
      about.textContent = t('model.keep.about');
    }
    keep.disabled = false;
  });
  const back = h('button', { type: 'button', id: 'leave-model' }, t('model.leave'));
  back.addEventListener('click', async () => {
    place.replaceChildren();
    await dropModel();
    engine.leaveOwn();
    events.left();
  });
  place.replaceChildren(
    h('p.note', {}, t('model.using', { name: bot.model.name })),
    h('label.check', {}, keep, h('span', {}, t('model.keep', { size: number(size / 1e6, 1) }))),
    about,
    h('div.row', {}, back),
  );
}
