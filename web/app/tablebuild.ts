/** A new table: a file dropped or picked, its columns named, its embedding watched. */

import type { Row } from '../../wasm/gyeot/types.js';
import type { Columns } from './csv.js';
import { h } from './dom.js';
import { number, t } from './i18n.js';
import { timeLeft, Pace } from './progress.js';

/** The parser arrives with the first file. */
type Csv = typeof import('./csv.js');

/** A file that was read and waits for its columns to be confirmed. */
export interface Draft {
  file: string;
  name: string;
  encoding: string;
  sheet?: { csv: Csv; lines: string[][]; columns: Columns };
  /** Texts of a built table that belongs to another model. */
  built?: Row[];
}

export interface NewTableEvents {
  changed(draft: Draft | null): void;
  build(name: string, rows: Row[]): void;
  safetensors(name: string, bytes: Uint8Array): void;
  failed(text: string): void;
}

const previewLines = 4;

export function newTable(draft: Draft | null, events: NewTableEvents): HTMLElement {
  const section = h('section.new-table', {}, h('h3', {}, t('tables.add')));
  if (!draft) section.append(dropZone(events));
  else if (draft.built) section.append(rebuild(draft, draft.built, events));
  else if (draft.sheet) section.append(columns(draft, draft.sheet, events));
  return section;
}

function dropZone(events: NewTableEvents): HTMLElement {
  const input = h('input', {
    type: 'file',
    id: 'table-file',
    accept: '.csv,.tsv,.txt,.safetensors,text/csv',
    class: 'sr',
  });
  const zone = h(
    'div.drop',
    {},
    h('p', {}, t('tables.drop')),
    input,
    h('label.button', { for: 'table-file' }, t('tables.pick')),
    h('p.fine', {}, t('tables.pick.about')),
  );
  input.addEventListener('change', () => {
    const file = input.files?.[0];
    if (file) void readFile(file, events);
  });
  zone.addEventListener('dragover', (event) => {
    event.preventDefault();
    zone.classList.add('over');
  });
  zone.addEventListener('dragleave', () => zone.classList.remove('over'));
  zone.addEventListener('drop', (event) => {
    event.preventDefault();
    zone.classList.remove('over');
    const file = event.dataTransfer?.files[0];
    if (file) void readFile(file, events);
  });
  return zone;
}

async function readFile(file: File, events: NewTableEvents): Promise<void> {
  const csv = await import('./csv.js');
  const name = file.name.normalize('NFC').replace(/\.[^.]+$/, '');
  if (/\.safetensors$/i.test(file.name)) {
    events.safetensors(name, new Uint8Array(await file.arrayBuffer()));
    return;
  }
  const tooLarge = t('tables.toolarge', {
    rows: number(csv.rowLimit),
    size: number(csv.csvLimit / 1024 / 1024),
  });
  if (file.size > csv.csvLimit) return events.failed(tooLarge);
  const { text, encoding } = csv.decode(new Uint8Array(await file.arrayBuffer()));
  if (text.includes('\u0000')) return events.failed(t('error.encoding'));
  const lines = csv.parse(text);
  if (lines.length > csv.rowLimit) return events.failed(tooLarge);
  if (lines.length === 0) return events.failed(t('tables.empty'));
  const sheet = { csv, lines, columns: csv.guess(lines) };
  events.changed({ file: file.name, name, encoding, sheet });
}

function columns(
  draft: Draft,
  sheet: NonNullable<Draft['sheet']>,
  events: NewTableEvents,
): HTMLElement {
  const { csv, lines, columns: chosen } = sheet;
  const update = (part: Partial<Columns>): void =>
    events.changed({
      ...draft,
      name: name.value,
      sheet: { ...sheet, columns: { ...chosen, ...part } },
    });
  const { rows, skipped } = csv.toRows(lines, chosen);

  const header = h('input', { type: 'checkbox', id: 'table-header', checked: chosen.header });
  header.addEventListener('change', () => update({ header: header.checked }));
  const name = h('input', { type: 'text', value: draft.name, maxlength: 80, id: 'table-name' });
  const build = h('button.primary', { type: 'submit' }, t('tables.build'));
  const cancel = h('button.text', { type: 'button' }, t('tables.cancel'));
  cancel.addEventListener('click', () => events.changed(null));

  const form = h(
    'form',
    {},
    h('p', {}, t('tables.file', {
      file: draft.file,
      rows: number(lines.length),
      encoding: draft.encoding,
    })),
    h(
      'fieldset.columns',
      {},
      h('legend', {}, t('tables.columns')),
      choice(lines, chosen, 'question', update),
      choice(lines, chosen, 'answer', update),
      choice(lines, chosen, 'group', update),
      h('label.check', {}, header, h('span', {}, t('tables.header'))),
    ),
    preview(rows),
    skipped > 0 ? h('p.fine', {}, t('tables.skipped', { count: number(skipped) })) : null,
    h('label.field', {}, h('span', {}, t('tables.name')), name),
    h('div.row', {}, build, cancel),
  );
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    if (rows.length === 0) events.failed(t('tables.empty'));
    else events.build(name.value.trim() || draft.name, rows);
  });
  return form;
}

function choice(
  lines: string[][],
  chosen: Columns,
  which: 'question' | 'answer' | 'group',
  update: (part: Partial<Columns>) => void,
): HTMLElement {
  const select = h('select', { id: `column-${which}` });
  if (which !== 'question') select.append(h('option', { value: -1 }, t('tables.none')));
  const width = Math.max(...lines.slice(0, 50).map((line) => line.length));
  for (let at = 0; at < width; at++) {
    const named = chosen.header ? lines[0]?.[at]?.trim() : '';
    const text = named || t('tables.column', { number: at + 1 });
    select.append(h('option', { value: at, selected: at === chosen[which] }, text));
  }
  select.value = String(chosen[which]);
  select.addEventListener('change', () => update({ [which]: Number(select.value) }));
  return h('label.field', {}, h('span', {}, t(`tables.${which}`)), select);
}

function preview(rows: Row[]): HTMLElement {
  const body = h('tbody');
  for (const row of rows.slice(0, previewLines)) {
    const cells = [row.group, row.question, row.answer];
    body.append(h('tr', {}, ...cells.map((text) => h('td', {}, text ?? ''))));
  }
  const heads = (['group', 'question', 'answer'] as const).map((which) =>
    h('th', { scope: 'col' }, t(`tables.${which}`)),
  );
  const table = h(
    'table',
    {},
    h('caption', {}, t('tables.preview')),
    h('thead', {}, h('tr', {}, ...heads)),
    body,
  );
  return h('div.scroll', { tabindex: 0, role: 'region', 'aria-label': t('tables.preview') }, table);
}

function rebuild(draft: Draft, rows: Row[], events: NewTableEvents): HTMLElement {
  const build = h('button.primary', { type: 'button' }, t('tables.rebuild'));
  const cancel = h('button.text', { type: 'button' }, t('tables.cancel'));
  build.addEventListener('click', () => events.build(draft.name, rows));
  cancel.addEventListener('click', () => events.changed(null));
  return h(
    'div',
    {},
    h('p', {}, t('tables.other', { name: draft.name })),
    h('div.row', {}, build, cancel),
  );
}

export interface BuildProgress {
  element: HTMLElement;
  show(done: number, total: number): void;
  focus(): void;
}

/** The bar while sentences are embedded, with a way to stop. */
export function buildProgress(cancel: () => void): BuildProgress {
  const pace = new Pace();
  const bar = h('progress', { max: 1, value: 0, 'aria-label': t('tables.building') });
  const detail = h('p.detail');
  const stop = h('button', { type: 'button' }, t('tables.cancel'));
  stop.addEventListener('click', cancel);
  return {
    element: h('div.building', {}, h('p.title', {}, t('tables.building')), bar, detail, stop),
    show(done, total) {
      bar.max = total;
      bar.value = done;
      const seconds = pace.secondsLeft(done, total, performance.now());
      const count = t('tables.building.detail', { done: number(done), total: number(total) });
      detail.textContent = seconds === null ? count : `${count} · ${timeLeft(seconds)}`;
    },
    focus: () => stop.focus(),
  };
}
