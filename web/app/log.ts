/** The conversation on the screen: one list item a message, announced once by screen readers. */

import { h, icon } from './dom.js';
import { clock, label, t } from './i18n.js';
import type { Turn } from './turn.js';
import { helpList } from './help.js';

/** Messages longer than this are folded. */
const foldedLength = 700;

/** This near to the end counts as reading along. */
const nearEnd = 96;

export interface LogActions {
  say(text: string): void;
  copy(text: string): void;
  /** Fills the reason panel when it is opened. */
  explain(turn: Turn, panel: HTMLElement): void;
}

export class Log {
  #list: HTMLElement;
  #region: HTMLElement;
  #scroller: HTMLElement;
  #thinking: HTMLElement;
  #jump: HTMLElement;
  #language: string;
  #actions: LogActions;
  #items = new Map<string, HTMLElement>();
  #thinkingTimer = 0;
  /** Whether the reader was at the end when last seen to scroll. */
  #followed = false;

  constructor(
    parts: {
      region: HTMLElement;
      list: HTMLElement;
      scroller: HTMLElement;
      thinking: HTMLElement;
      jump: HTMLElement;
      dock: HTMLElement;
    },
    language: string,
    actions: LogActions,
  ) {
    this.#region = parts.region;
    this.#list = parts.list;
    this.#scroller = parts.scroller;
    this.#thinking = parts.thinking;
    this.#jump = parts.jump;
    this.#language = language;
    this.#actions = actions;
    this.#jump.addEventListener('click', () => this.toEnd());
    this.#scroller.addEventListener('scroll', () => {
      this.#followed = this.#atEnd();
      if (this.#followed) this.#jump.hidden = true;
    });
    // A growing field, an opening keyboard: who was at the end stays there.
    const resized = new ResizeObserver(() => {
      const size = `${parts.dock.offsetHeight}px`;
      document.documentElement.style.setProperty('--dock-size', size);
      if (this.#followed) this.toEnd();
    });
    resized.observe(this.#scroller);
    resized.observe(parts.dock);
  }

  /** The first words: no time and no buttons, they are not part of what was said. */
  greet(lines: string[]): void {
    for (const line of lines) {
      const who = label('log.bot');
      who.className = 'sr';
      const bubble = h('div.bubble', { lang: this.#language }, h('p', {}, line));
      this.#list.append(h('li.turn.bot', {}, who, bubble));
    }
  }

  /** Shows a message and follows it, unless the reader has scrolled away from the end. */
  add(turn: Turn): void {
    const follow = turn.who === 'you' || this.#atEnd();
    const item = this.#item(turn);
    this.#items.set(turn.id, item);
    // Offers stay only with the newest message: older ones would clutter the way back.
    for (const old of this.#list.querySelectorAll('.chips')) old.remove();
    this.#list.append(item);
    this.#addActions(turn, item);
    if (follow) this.toEnd();
    else this.#jump.hidden = false;
  }

  /** Puts a kept conversation back without having it read aloud. */
  restore(turns: Turn[]): void {
    this.#region.setAttribute('aria-live', 'off');
    for (const turn of turns) this.add({ ...turn, chips: [] });
    requestAnimationFrame(() => this.#region.removeAttribute('aria-live'));
  }

  /** A note under a question that waits for the model; the dots only where waiting is felt. */
  waiting(turn: Turn, still: boolean, modelReady: boolean): void {
    clearTimeout(this.#thinkingTimer);
    this.#items.get(turn.id)?.querySelector('.later')?.remove();
    this.#thinking.hidden = true;
    if (!still) return;
    if (!modelReady) {
      const note = h('span.later', {}, label('log.later'));
      this.#items.get(turn.id)?.querySelector('.meta')?.append(note);
      return;
    }
    this.#thinkingTimer = window.setTimeout(() => {
      const follow = this.#atEnd();
      this.#thinking.hidden = false;
      if (follow) this.toEnd();
    }, 250);
  }

  clear(): void {
    this.#list.replaceChildren();
    this.#items.clear();
    this.#thinking.hidden = true;
    this.#jump.hidden = true;
  }

  toEnd(): void {
    this.#jump.hidden = true;
    this.#followed = true;
    this.#scroller.scrollTo({ top: this.#scroller.scrollHeight });
  }

  #atEnd(): boolean {
    const box = this.#scroller;
    return box.scrollHeight - box.scrollTop - box.clientHeight <= nearEnd;
  }

  #item(turn: Turn): HTMLElement {
    const item = h('li.turn', { id: `turn-${turn.id}` });
    item.classList.add(turn.who, turn.kind);
    const who = label(turn.who === 'you' ? 'log.you' : 'log.bot');
    who.className = 'sr';
    const bubble = h('div.bubble', { lang: this.#language });
    for (const line of turn.text.split(/\n{2,}/)) bubble.append(h('p', {}, line));
    item.append(who, bubble);
    if (turn.text.length > foldedLength) this.#fold(bubble, item);
    if (turn.help?.length) item.append(helpList(turn.help, this.#language));
    item.append(
      h('div.meta', {}, h('time', { datetime: new Date(turn.at).toISOString() }, clock(turn.at))),
    );
    if (turn.chips?.length) item.append(this.#chips(turn));
    return item;
  }

  #fold(bubble: HTMLElement, item: HTMLElement): void {
    bubble.classList.add('folded');
    const more = h('button.text', { type: 'button', 'aria-expanded': 'false' }, label('log.more'));
    more.addEventListener('click', () => {
      const folded = bubble.classList.toggle('folded');
      more.setAttribute('aria-expanded', String(!folded));
      more.replaceChildren(label(folded ? 'log.more' : 'log.less'));
    });
    item.append(more);
  }

  #chips(turn: Turn): HTMLElement {
    const id = `chips-${turn.id}`;
    const title = label(turn.kind === 'match' ? 'chips.maybe' : 'chips.ways');
    title.id = id;
    const list = h('div.chips', { role: 'group', 'aria-labelledby': id }, title);
    for (const text of turn.chips ?? []) {
      const say = (): void => this.#actions.say(text);
      list.append(
        h('button.chip', { type: 'button', lang: this.#language, onclick: say }, text),
      );
    }
    return list;
  }

  /** Added after the message, in a place that is not announced: only the words are read aloud. */
  #addActions(turn: Turn, item: HTMLElement): void {
    const actions = h('div.actions', { 'aria-live': 'off' });
    item.querySelector('.meta')!.append(actions);
    setTimeout(() => {
      const copy = h('button.quiet', { type: 'button' }, icon('copy'), label('log.copy'));
      copy.addEventListener('click', () => this.#actions.copy(turn.text));
      if (turn.who === 'bot') actions.append(copy);
      if (turn.reason) actions.append(this.#why(turn, item));
    }, 0);
  }

  #why(turn: Turn, item: HTMLElement): HTMLElement {
    const id = `why-${turn.id}`;
    const button = h('button.quiet.why-button', {
      type: 'button',
      'aria-expanded': 'false',
      'aria-controls': id,
    });
    button.append(icon('why'), label('why.open'));
    const panel = h('section.why', { id, hidden: true, 'aria-live': 'off' });
    panel.dataset.tLabel = 'why.title';
    panel.setAttribute('aria-label', t('why.title'));
    item.querySelector('.meta')!.after(panel);
    button.addEventListener('click', () => {
      panel.hidden = !panel.hidden;
      button.setAttribute('aria-expanded', String(!panel.hidden));
      if (panel.hidden) return;
      this.#actions.explain(turn, panel);
      panel.scrollIntoView({ block: 'nearest' });
    });
    panel.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape') return;
      button.click();
      button.focus();
    });
    return button;
  }
}
