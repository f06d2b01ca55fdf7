/** The settings dialog: look, conversation, answers, this device. */

import { h, saveFile } from './dom.js';
import { number, t, type Language } from './i18n.js';
import { asJson, asText } from './history.js';
import { install, isComplete } from './offline.js';
import { settings, type Theme } from './settings.js';
import type { Turn } from './turn.js';

declare const GYEOT_VERSION: string;

export interface SettingsActions {
  title: string;
  turns(): Turn[];
  theme(theme: Theme): void;
  language(language: Language | 'auto'): void;
  /** Resolves to whether the choice could be carried out. */
  keepHistory(on: boolean): Promise<boolean>;
  openTables(): void;
  modelPicker(): HTMLElement;
  forget(): Promise<boolean>;
  tableNow(): { name: string; rows: number } | null;
  model(): { name: string; license: string } | null;
  canInstall(): boolean;
}

export class SettingsPanel {
  #body: HTMLElement;
  #actions: SettingsActions;
  #picker: HTMLElement | null = null;
  #forgotten = false;

  constructor(body: HTMLElement, actions: SettingsActions) {
    this.#body = body;
    this.#actions = actions;
  }

  open(): void {
    this.render();
    this.#body.closest('dialog')?.showModal();
  }

  render(): void {
    this.#picker ??= this.#actions.modelPicker();
    this.#body.replaceChildren(
      this.#look(),
      this.#talk(),
      this.#answers(),
      this.#device(),
      h('section', {}, h('h3', {}, t('settings.keys')), h('p.fine', {}, t('settings.keys.about'))),
      this.#about(),
    );
  }

  #look(): HTMLElement {
    const theme = pick(
      t('settings.theme'),
      (['auto', 'light', 'dark'] as const).map((value) => [value, t(`settings.theme.${value}`)]),
      settings().theme,
      (value) => this.#actions.theme(value as Theme),
    );
    const language = pick(
      t('settings.language'),
      [['auto', t('settings.language.auto')], ['ko', '한국어'], ['en', 'English']],
      settings().language,
      (value) => {
        this.#picker = null;
        this.#actions.language(value as Language | 'auto');
        this.render();
      },
    );
    return h('section', {}, h('h3', {}, t('settings.look')), theme, language);
  }

  #talk(): HTMLElement {
    const keep = h('input', { type: 'checkbox', id: 'keep', checked: settings().keepHistory });
    const about = h('p.fine', {}, t('settings.keep.about'));
    keep.addEventListener('change', async () => {
      const done = await this.#actions.keepHistory(keep.checked);
      if (done) return;
      keep.checked = !keep.checked;
      about.textContent = t('settings.keep.failed');
    });
    return h(
      'section',
      {},
      h('h3', {}, t('settings.talk')),
      h('label.check', {}, keep, h('span', {}, t('settings.keep'))),
      about,
      this.#exports(),
    );
  }

  #exports(): HTMLElement {
    const turns = this.#actions.turns();
    if (turns.length === 0) return h('p.fine', {}, t('settings.export.none'));
    const { title } = this.#actions;
    const text = h('button', { type: 'button', id: 'export-text' }, t('settings.export.text'));
    const json = h('button', { type: 'button', id: 'export-json' }, t('settings.export.json'));
    text.addEventListener('click', () =>
      // The mark lets old Korean editors see that this is UTF-8.
      saveFile(`${title}.txt`, ['\ufeff', asText(turns, title)], 'text/plain;charset=utf-8'),
    );
    json.addEventListener('click', () =>
      saveFile(`${title}.json`, [asJson(turns, title)], 'application/json'),
    );
    return h('div.row', {}, text, json);
  }

  #answers(): HTMLElement {
    const tables = h('button', { type: 'button', id: 'open-tables' }, t('settings.tables'));
    tables.addEventListener('click', () => this.#actions.openTables());
    const now = this.#actions.tableNow();
    return h(
      'section',
      {},
      h('h3', {}, t('settings.answers')),
      now && h('p.fine', {}, t('settings.tables.now', { name: now.name, rows: number(now.rows) })),
      h('div.row', {}, tables),
      now && this.#picker,
    );
  }

  #device(): HTMLElement {
    const offline = h('p.fine', { id: 'offline-state' }, t('settings.offline.no'));
    void isComplete().then((complete) => {
      if (complete) offline.textContent = t('settings.offline.yes');
    });
    const usage = h('p.fine');
    void navigator.storage?.estimate?.().then(({ usage: bytes }) => {
      // Browsers count deleted files for a while; after a deletion the number would mislead.
      if (bytes && !this.#forgotten) usage.textContent = t('settings.usage', { size: number(bytes / 1e6, 1) });
    });
    const section = h('section', {}, h('h3', {}, t('settings.device')), offline, usage);
    if (this.#actions.canInstall()) {
      const button = h('button', { type: 'button' }, t('settings.install'));
      button.addEventListener('click', () => void install());
      section.append(h('div.row', {}, button));
    }
    section.append(this.#forget());
    return section;
  }

  /** Asks once more in place: a native confirm() would freeze the page. */
  #forget(): HTMLElement {
    const place = h('div');
    const first = h('button.danger', { type: 'button', id: 'forget' }, t('settings.forget'));
    const rest = (): void => place.replaceChildren(
      h('div.row', {}, first),
      h('p.fine', {}, t('settings.forget.about')),
    );
    const yes = h('button.danger', { type: 'button', id: 'forget-yes' }, t('settings.forget.yes'));
    const no = h('button.text', { type: 'button' }, t('settings.forget.no'));
    first.addEventListener('click', () => {
      place.replaceChildren(
        h('p', { role: 'alert' }, t('settings.forget.sure')),
        h('div.row', {}, yes, no),
      );
      no.focus();
    });
    no.addEventListener('click', () => {
      rest();
      first.focus();
    });
    yes.addEventListener('click', async () => {
      yes.disabled = true;
      const done = (this.#forgotten = await this.#actions.forget());
      this.render();
      const text = t(done ? 'settings.forget.done' : 'settings.forget.failed');
      this.#body.querySelector('#forget')?.closest('section')?.append(
        h('p.note', { role: 'status', id: 'forgotten' }, text),
      );
    });
    rest();
    return place;
  }

  #about(): HTMLElement {
    const model = this.#actions.model();
    const { name, license = '' } = model ?? {};
    const text = name && t('settings.about', { model: name, license, version: GYEOT_VERSION });
    return h('p.fine', {}, text);
  }
}

function pick(
  title: string,
  options: [string, string][],
  chosen: string,
  choose: (value: string) => void,
): HTMLElement {
  const select = h('select');
  for (const [value, text] of options) select.append(h('option', { value }, text));
  select.value = chosen;
  select.addEventListener('change', () => choose(select.value));
  return h('label.field', {}, h('span', {}, title), select);
}

