/** The dialog of tables: which there are, which one answers, a new one, taking one along. */

import type { Row } from '../../wasm/gyeot/types.js';
import { h, saveFile } from './dom.js';
import type { Engine } from './engine.js';
import { explain, isAbort } from './errors.js';
import { number, t } from './i18n.js';
import { persist } from './offline.js';
import { change, settings } from './settings.js';
import { dropTable, getTable, listTables, putTable, type ShelvedTable } from './shelf.js';
import type { Site } from './site.js';
import { buildProgress, newTable, type Draft } from './tablebuild.js';
import { readTexts } from './tablefile.js';

export interface TableEvents {
  status(text: string): void;
  alert(text: string): void;
  /** Another table answers now. */
  switched(): void;
}

export class Tables {
  /** Name of a table that lives only in this window; `null` where the settings tell. */
  #unkept: string | null = null;
  #shelf: ShelvedTable[] = [];
  #draft: Draft | null = null;
  #building: AbortController | null = null;
  #body: HTMLElement;
  #engine: Engine;
  #site: Site;
  #events: TableEvents;

  constructor(body: HTMLElement, engine: Engine, site: Site, events: TableEvents) {
    this.#body = body;
    this.#engine = engine;
    this.#site = site;
    this.#events = events;
    engine.watch(() => void this.render());
  }

  /** The kept table that was in use last time; the site's own is in use where it is gone. */
  async kept(): Promise<ShelvedTable | null> {
    const { table } = settings();
    if (!table) return null;
    const kept = await getTable(table).catch(() => null);
    if (kept === undefined) change({ table: null });
    return kept ?? null;
  }

  /** The site's own table is in use. */
  get builtin(): boolean {
    return this.#unkept === null && settings().table === null;
  }

  get name(): string {
    if (this.#unkept !== null) return this.#unkept;
    const { table } = settings();
    return this.#shelf.find(({ id }) => id === table)?.name ?? t('tables.builtin');
  }

  async open(): Promise<void> {
    await this.render();
    this.#body.closest('dialog')?.showModal();
  }

  /** Says that a kept table waits to be built again, because the model has changed. */
  offerRebuild(table: ShelvedTable): void {
    this.#events.alert(t('tables.other', { name: table.name }));
  }

  forget(): void {
    this.#shelf = [];
    this.#draft = null;
    this.#building?.abort();
  }

  async render(): Promise<void> {
    if (this.#building) return;
    this.#shelf = await listTables().catch(() => []);
    const { bot } = this.#engine;
    if (!bot) {
      this.#body.replaceChildren(h('p', {}, t('tables.lead')), h('p.note', {}, t('tables.wait')));
      return;
    }
    const focused = this.#body.contains(document.activeElement) ? document.activeElement!.id : '';
    this.#body.replaceChildren(
      h('p', {}, t('tables.lead')),
      this.#list(),
      newTable(this.#draft, {
        changed: (draft) => {
          this.#draft = draft;
          void this.render();
        },
        build: (name, rows) => void this.build(name, rows),
        safetensors: (name, bytes) => void this.#adopt(name, bytes),
        failed: (text) => this.#events.alert(text),
      }),
      this.#exports(),
    );
    // Drawn anew, but whoever was at a control stays at it.
    if (focused) this.#body.querySelector<HTMLElement>(`#${focused}`)?.focus();
  }

  #list(): HTMLElement {
    const list = h('ul.tables');
    list.append(
      h(
        'li',
        {},
        h('span', {}, h('b', {}, t('tables.builtin'))),
        this.#useButton(this.builtin, () => void this.#useBuiltin()),
      ),
    );
    const inUse = this.#unkept === null ? settings().table : null;
    for (const table of this.#shelf) list.append(this.#entry(table, table.id === inUse));
    return list;
  }

  #entry(table: ShelvedTable, using: boolean): HTMLElement {
    const fits = table.fingerprint === this.#engine.bot?.model.fingerprint;
    const size = t('tables.size', { rows: number(table.rows), groups: number(table.groups) });
    const about = fits ? size : t('tables.other', { name: table.name });
    const remove = h('button.text', { type: 'button' }, t('tables.delete'));
    remove.addEventListener('click', () => void this.#remove(table, using));
    const again = h('button.primary', { type: 'button' }, t('tables.rebuild'));
    again.addEventListener('click', () => {
      const rows = readTexts(table.bytes);
      if (rows) void this.build(table.name, rows, table.id);
    });
    return h(
      'li',
      {},
      h('span', {}, h('b', {}, table.name), h('small', {}, about)),
      fits ? this.#useButton(using, () => void this.#use(table)) : again,
      remove,
    );
  }

  #useButton(using: boolean, use: () => void): HTMLElement {
    if (using) return h('span.using', {}, t('tables.using'));
    const button = h('button.primary', { type: 'button' }, t('tables.use'));
    button.addEventListener('click', use);
    return button;
  }

  #exports(): HTMLElement {
    const table = h('button', { type: 'button' }, t('tables.export.table'));
    const site = h('button', { type: 'button', id: 'export-site' }, t('tables.export.site'));
    table.addEventListener('click', () => void this.#exportTable());
    site.addEventListener('click', () => void this.#exportSite(site));
    return h(
      'section',
      {},
      h('h3', {}, t('tables.export')),
      h('div.row', {}, table, site),
      h('p.fine', {}, t('tables.export.site.about')),
    );
  }

  /** Embeds rows into a table of their own, keeps it, and answers from it. */
  async build(name: string, rows: Row[], id: string = crypto.randomUUID()): Promise<void> {
    const { bot } = this.#engine;
    if (!bot || this.#building) return;
    const stop = (this.#building = new AbortController());
    const progress = buildProgress(() => stop.abort());
    this.#body.replaceChildren(progress.element);
    progress.focus();
    try {
      const info = await bot.addTable(rows, {
        replace: true,
        title: name,
        workers: roomForAnother() ? 2 : 1,
        signal: stop.signal,
        onProgress: ({ phase, loaded, total }) => {
          if (phase === 'embed') progress.show(loaded, total);
        },
      });
      const kept = await this.#keep({
        id,
        name,
        rows: info.rows,
        groups: info.groups,
        fingerprint: info.fingerprint,
        bytes: await bot.exportTable(),
      });
      this.#draft = null;
      this.#took(kept ? id : null, kept ? null : name);
      const where = t(kept ? 'tables.kept' : 'tables.notkept');
      this.#events.status(`${t('tables.built', { name })} ${where}`);
    } catch (error) {
      if (isAbort(error)) this.#events.status(t('tables.cancelled'));
      else this.#events.alert(explain(error));
    } finally {
      this.#building = null;
      await this.render();
      this.#body.querySelector<HTMLElement>('button')?.focus();
    }
  }

  async #adopt(name: string, bytes: Uint8Array): Promise<void> {
    const { bot } = this.#engine;
    if (!bot) return;
    try {
      const info = await bot.setTable(bytes.slice());
      const title = info.title || name;
      const id = crypto.randomUUID();
      const { rows, groups, fingerprint } = info;
      const kept = await this.#keep({ id, name: title, rows, groups, fingerprint, bytes });
      this.#took(kept ? id : null, kept ? null : title);
      this.#events.status(t('tables.switched', { name: title }));
    } catch (error) {
      const rows = readTexts(bytes);
      this.#draft = rows && { name, file: name, encoding: 'UTF-8', built: rows };
      this.#events.alert(explain(error));
    }
    await this.render();
  }

  async #use(table: ShelvedTable): Promise<void> {
    await this.#switch(table.bytes.slice(), table.id, table.name);
  }

  async #useBuiltin(): Promise<void> {
    await this.#switch(new URL(this.#site.table, document.baseURI), null, t('tables.builtin'));
  }

  async #switch(source: Uint8Array | URL, id: string | null, name: string): Promise<void> {
    try {
      await this.#engine.bot?.setTable(source);
      this.#took(id, null);
      this.#events.status(t('tables.switched', { name }));
    } catch (error) {
      this.#events.alert(explain(error));
    }
    await this.render();
  }

  async #remove(table: ShelvedTable, using: boolean): Promise<void> {
    if (using) await this.#useBuiltin();
    await dropTable(table.id);
    await this.render();
  }

  async #keep(table: ShelvedTable): Promise<boolean> {
    try {
      await putTable(table);
      void persist();
      return true;
    } catch {
      return false;
    }
  }

  #took(id: string | null, unkept: string | null): void {
    this.#unkept = unkept;
    if (settings().table !== id) change({ table: id });
    this.#events.switched();
  }

  async #exportTable(): Promise<void> {
    const bytes = await this.#engine.bot?.exportTable();
    if (bytes) saveFile(`${fileName(this.name)}.safetensors`, [bytes as BlobPart], 'application/octet-stream');
  }

  async #exportSite(button: HTMLButtonElement): Promise<void> {
    const { bot, ownModel } = this.#engine;
    if (!bot) return;
    button.disabled = true;
    try {
      const { makeSiteZip } = await import('./sitezip.js');
      const title = this.builtin ? this.#site.title : this.name;
      // The starters are about the site's own table.
      const site = this.builtin ? this.#site : { ...this.#site, starters: [] };
      const onProgress = (done: number, total: number): void => {
        button.textContent = t('tables.zipping', { done: number(done), total: number(total) });
      };
      const zip = await makeSiteZip({ site, title, bot, ownModel, onProgress });
      saveFile(`${fileName(title)}.zip`, [zip], 'application/zip');
    } catch (error) {
      this.#events.alert(explain(error));
    } finally {
      button.disabled = false;
      button.textContent = t('tables.export.site');
    }
  }
}

/** A name that every file system takes. */
function fileName(title: string): string {
  return title.replace(/[\\/:*?"<>|\u0000-\u001f]+/g, ' ').trim() || 'gyeot';
}

/** Whether a second engine may run beside the first: a core for it, one for the page, and memory. */
function roomForAnother(): boolean {
  const { hardwareConcurrency, deviceMemory = 4 } = navigator as Navigator & { deviceMemory?: number };
  return hardwareConcurrency >= 4 && deviceMemory >= 4;
}
