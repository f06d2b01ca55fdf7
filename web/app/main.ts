/** Puts the page together: which part hears of what. */

import type { HelpLine } from '../../wasm/gyeot/types.js';
import { Composer } from './composer.js';
import { Conversation } from './conversation.js';
import { byId, h } from './dom.js';
import { Engine } from './engine.js';
import { isFingerprint } from './errors.js';
import { fillHelp } from './help.js';
import { dropKept, forgetStored, keep, kept } from './history.js';
import { label, setLanguage, t } from './i18n.js';
import { dropModel, keptModel } from './keptmodel.js';
import { Log } from './log.js';
import { modelPicker } from './modelfolder.js';
import { dropCopies, inAppView, keepOffline, persist, watchInstall } from './offline.js';
import { stored } from './place.js';
import { ProgressCard } from './progress.js';
import { readRules } from './rules.js';
import {
  applyTheme,
  change,
  chosenLanguage,
  forgetSettings,
  readSettings,
  settings,
} from './settings.js';
import { SettingsPanel } from './settingspanel.js';
import { dressPage, loadSite, type Site } from './site.js';
import type { ShelvedTable } from './shelf.js';
import { Tables } from './tables.js';
import type { Turn } from './turn.js';
import { showReason } from './why.js';

/** How long the copy for later waits for the answer to a question that came before the model. */
const offlineRestMs = 1_000;

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** What one tab tells the others. */
type Word = 'forget';

/** What is carried over when the reader takes a new version. */
interface Handover {
  turns: Turn[];
  draft: string;
}

readSettings();
applyTheme(settings().theme);
setLanguage(chosenLanguage());
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () =>
  applyTheme(settings().theme),
);

// Another tab may stop keeping the conversation; this one must not go on with it.
addEventListener('storage', (event) => {
  if (event.key === stored.settings) applyTheme(readSettings().theme);
});

loadSite().then(start, (error: unknown) => {
  byId('progress-title').textContent = t('progress.failed');
  byId('progress-bar').hidden = true;
  byId('progress-detail').textContent = String((error as Error).message);
  const again = byId<HTMLButtonElement>('progress-button');
  again.hidden = false;
  again.textContent = t('progress.again');
  again.addEventListener('click', () => location.reload());
});

async function start(site: Site): Promise<void> {
  // Another tab may have changed or deleted them since.
  readSettings();
  dressPage(site);
  const engine = new Engine(site);
  const log = new Log(
    {
      region: byId('log'),
      list: byId('messages'),
      scroller: byId('scroller'),
      thinking: byId('thinking'),
      jump: byId('jump'),
      dock: byId('dock'),
    },
    site.language,
    {
      say: (text) => speak(text),
      copy: (text) => void copy(text).then((done) => done && toast(t('log.copied'))),
      explain: (turn, panel) => showReason(turn, panel, engine.bot, site.language),
    },
  );
  const starters = () => (tables.builtin ? site.starters : []);
  const conversation = new Conversation(
    site,
    starters,
    () => engine.bot,
    () => engine.whenReady(),
    {
      said: (turn) => {
        log.add(turn);
        if (settings().keepHistory) void keep(turn).catch(() => {});
      },
      waiting: (turn, still) => log.waiting(turn, still, engine.bot !== null),
      failed: () => toast(t('log.failed')),
    },
  );
  const composer = new Composer(byId<HTMLFormElement>('composer'), (text) => speak(text));
  const tables = new Tables(byId('tables-body'), engine, site, {
    status: toast,
    alert: toast,
    switched: () => {
      byId('starters').hidden = true;
    },
  });

  // Heard from here on, before anything is read or stored.
  const channel = 'BroadcastChannel' in self ? new BroadcastChannel(stored.channel) : null;
  channel?.addEventListener('message', (event: MessageEvent<Word>) => {
    if (event.data === 'forget') void forget();
  });

  let asked = false;
  function speak(text: string): void {
    asked = true;
    byId('starters').hidden = true;
    conversation.say(text);
  }

  function toast(text: string): void {
    // Inside a dialog everything else is inert, so the words appear in the one that is open.
    const open = document.querySelector('dialog[open]') ?? document.body;
    document.querySelector('.toast')?.remove();
    const element = h('p.toast', { role: 'status' });
    open.append(element);
    // Screen readers announce what changes in a region, not what a new region holds.
    setTimeout(() => (element.textContent = text), 50);
    setTimeout(() => element.remove(), 8_000);
  }

  log.greet(site.greeting);
  showStarters(starters(), site.language, speak);
  if (inAppView()) byId('log').before(h('p.note', {}, label('intro.inapp')));

  const handover = takeHandover();
  const old = handover?.turns ?? (settings().keepHistory ? await kept().catch(() => []) : []);
  if (old.length > 0) {
    conversation.turns.push(...old);
    log.restore(old);
    byId('starters').hidden = true;
  }
  if (handover?.draft) composer.draft = handover.draft;

  const rules = readRules(site);
  const help = rules.then((found) => site.help ?? found?.help ?? []);
  void rules.then((found) => (conversation.watch = found));
  wireHelp(help, site.language);
  wireDialogs();
  guardDrops();

  const progress = new ProgressCard({ load: () => void load() });
  engine.watch((state) => progress.show(state));

  /** Loads with the table that was in use; one of another model is offered for rebuilding. */
  async function load(go = (table: Uint8Array | null) => engine.load(table)): Promise<void> {
    const table = await tables.kept();
    if (await loadOwn(table)) return;
    await go(table?.bytes ?? null);
    if (engine.state.name !== 'failed' || !table || !isFingerprint(engine.state.error)) return;
    change({ table: null });
    await engine.load(null);
    tables.offerRebuild(table);
  }

  /** The model that the reader keeps here, if any; one that no longer loads is let go. */
  async function loadOwn(table: ShelvedTable | null): Promise<boolean> {
    const own = await keptModel();
    const fits = table !== null && table.fingerprint === settings().ownModel;
    if (own && (await engine.loadOwn(own.files, fits ? table.bytes : own.table))) return true;
    if (settings().ownModel) await dropModel();
    return false;
  }

  let installable = false;
  const panel = new SettingsPanel(byId('settings-body'), {
    title: site.title,
    turns: () => conversation.turns,
    theme: (theme) => {
      change({ theme });
      applyTheme(theme);
    },
    language: (language) => {
      change({ language });
      setLanguage(chosenLanguage());
      progress.show(engine.state);
    },
    keepHistory: async (on) => {
      try {
        if (on) {
          for (const turn of conversation.turns) await keep(turn);
          void persist();
        } else {
          await dropKept();
        }
        change({ keepHistory: on });
        return true;
      } catch {
        return false;
      }
    },
    openTables: () => void tables.open(),
    modelPicker: () => modelPicker(engine, {
      alert: toast,
      switched: () => void tables.render(),
      left: () => void load(),
    }),
    forget: () => {
      // Told first: a tab that goes on would put back what is deleted here.
      channel?.postMessage('forget' satisfies Word);
      return forget();
    },
    tableNow: () => {
      const table = engine.bot?.table;
      return table ? { name: tables.name, rows: table.rows } : null;
    },
    model: () => {
      const model = engine.bot?.model;
      return model ? { name: model.name, license: model.license ?? '' } : null;
    },
    canInstall: () => installable,
  });
  byId('open-settings').addEventListener('click', () => panel.open());
  watchInstall((possible) => (installable = possible));

  /** Deletes all that this page ever put on the device; the open page goes on working. */
  async function forget(): Promise<boolean> {
    clear();
    const drop = () => Promise.all([forgetStored(), dropCopies()]);
    // A load that is going on stores the model when it is done.
    if (!engine.bot) void engine.whenReady().then(drop).catch(() => {});
    try {
      await drop();
      return true;
    } catch {
      return false;
    }
  }

  function clear(): void {
    conversation.clear();
    tables.forget();
    forgetSettings();
    applyTheme('auto');
    log.clear();
    log.greet(site.greeting);
    showStarters(starters(), site.language, speak);
  }

  function offer(text: string, take: () => void): void {
    byId('update-text').textContent = text;
    byId('update').hidden = false;
    byId('update-take').onclick = () => {
      leaveHandover({ turns: conversation.turns, draft: composer.draft });
      take();
    };
  }
  byId('update-later').addEventListener('click', () => (byId('update').hidden = true));

  // A slow start on purpose: the copy for later is made once this visit has what it needs.
  // Where a question is waiting by then, its answer comes first.
  void engine.whenReady().then(() => (asked ? pause(offlineRestMs) : undefined)).then(() =>
    keepOffline({
      update: (take) => offer(t('update.text'), take),
      replaced: () => offer(t('update.replaced'), () => location.reload()),
    }),
  );

  await load((table) => engine.start(table));
}

function showStarters(starters: string[], lang: string, say: (text: string) => void): void {
  const place = byId('starters');
  place.hidden = starters.length === 0;
  const chips = starters.map((text) =>
    h('button.chip', { type: 'button', lang, onclick: () => say(text) }, text),
  );
  place.replaceChildren(...chips);
}

function wireHelp(lines: Promise<HelpLine[]>, language: string): void {
  byId('open-help').addEventListener('click', () => {
    byId<HTMLDialogElement>('help').showModal();
  });
  void lines.then((found) => fillHelp(byId('help-lines'), found, language));
}

/** A file dropped beside its place would be opened instead of the page, and the talk be gone. */
function guardDrops(): void {
  for (const type of ['dragover', 'drop']) addEventListener(type, (event) => event.preventDefault());
}

/** A click beside a dialog closes it, as Escape does. */
function wireDialogs(): void {
  for (const dialog of document.querySelectorAll('dialog')) {
    dialog.addEventListener('click', (event) => {
      if (event.target === dialog) dialog.close();
    });
  }
}

async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

function leaveHandover(handover: Handover): void {
  try {
    sessionStorage.setItem(stored.handover, JSON.stringify(handover));
  } catch {
    // Without session storage the new version starts with an empty conversation.
  }
}

function takeHandover(): Handover | null {
  try {
    const text = sessionStorage.getItem(stored.handover);
    sessionStorage.removeItem(stored.handover);
    return text ? (JSON.parse(text) as Handover) : null;
  } catch {
    return null;
  }
}
