/** One bar for everything that has to arrive, in bytes, with the time that is left. */

import type { EngineState } from './engine.js';
import { explain } from './errors.js';
import { byId } from './dom.js';
import { megabytes, number, t } from './i18n.js';

/** A rate needs this long before it says anything about the time left. */
const settleMs = 700;

/** Time left from what has arrived so far; recent speed counts most. */
export class Pace {
  #startedAt = -1;
  #at = 0;
  #loaded = 0;
  #rate = 0;

  /** Seconds left, or `null` while nothing sensible can be said. */
  secondsLeft(loaded: number, total: number, now: number): number | null {
    if (this.#startedAt < 0 || loaded < this.#loaded) {
      this.#startedAt = now;
      this.#at = now;
      this.#loaded = loaded;
      this.#rate = 0;
      return null;
    }
    const passed = now - this.#at;
    if (passed >= 200) {
      const rate = (loaded - this.#loaded) / passed;
      this.#rate = this.#rate === 0 ? rate : 0.7 * this.#rate + 0.3 * rate;
      this.#at = now;
      this.#loaded = loaded;
    }
    if (now - this.#startedAt < settleMs || this.#rate <= 0) return null;
    return Math.max(0, (total - loaded) / this.#rate / 1000);
  }
}

export function timeLeft(seconds: number): string {
  if (seconds < 2) return t('progress.soon');
  if (seconds < 90) return t('progress.seconds', { count: number(Math.ceil(seconds)) });
  return t('progress.minutes', { count: number(Math.ceil(seconds / 60)) });
}

export interface ProgressActions {
  /** Starts or starts again. */
  load(): void;
}

export class ProgressCard {
  #card = byId('progress');
  #title = byId('progress-title');
  #bar = byId<HTMLProgressElement>('progress-bar');
  #detail = byId('progress-detail');
  #button = byId<HTMLButtonElement>('progress-button');
  #status = byId('status');
  #alert = byId('alert');
  #pace = new Pace();
  #spokenTenth = -1;

  constructor(actions: ProgressActions) {
    this.#button.addEventListener('click', () => actions.load());
  }

  show(state: EngineState): void {
    this.#card.dataset.state = state.name;
    this.#card.hidden = state.name === 'ready';
    this.#button.hidden = state.name !== 'asking' && state.name !== 'failed';
    this.#bar.hidden = state.name === 'asking' || state.name === 'failed';
    this.#alert.textContent = '';
    switch (state.name) {
      case 'asking':
        this.#title.textContent = t('progress.ask');
        this.#detail.textContent = t('progress.ask.detail', { size: megabytes(state.bytes) });
        this.#button.textContent = t('progress.ask.go');
        break;
      case 'waiting':
        this.#title.textContent = t('progress.title');
        this.#detail.textContent = t('progress.other');
        this.#bar.removeAttribute('value');
        break;
      case 'loading':
        this.#loading(state.progress);
        break;
      case 'failed':
        this.#title.textContent = t('progress.failed');
        this.#detail.textContent = explain(state.error);
        this.#button.textContent = t('progress.again');
        this.#alert.textContent = `${t('progress.failed')} ${explain(state.error)}`;
        break;
      case 'ready':
        if (this.#spokenTenth >= 0) this.#status.textContent = t('progress.ready');
        this.#spokenTenth = -1;
    }
  }

  #loading(progress: Extract<EngineState, { name: 'loading' }>['progress']): void {
    this.#title.textContent = t('progress.title');
    if (!progress || progress.total <= 0) {
      this.#bar.removeAttribute('value');
      this.#detail.textContent = t('progress.begin');
      return;
    }
    this.#bar.max = progress.total;
    this.#bar.value = progress.loaded;
    if (progress.phase !== 'download') {
      this.#detail.textContent = t('progress.prepare');
      return;
    }
    const seconds = this.#pace.secondsLeft(progress.loaded, progress.total, performance.now());
    const size = t('progress.bytes', {
      loaded: megabytes(progress.loaded),
      total: megabytes(progress.total),
    });
    this.#detail.textContent = seconds === null ? size : `${size} · ${timeLeft(seconds)}`;
    this.#speak(progress.loaded / progress.total);
  }

  /** Screen readers hear of every tenth, not of every packet. */
  #speak(part: number): void {
    const tenth = Math.floor(part * 10);
    if (tenth === this.#spokenTenth) return;
    this.#spokenTenth = tenth;
    this.#status.textContent = t('progress.spoken', { percent: number(tenth * 10) });
  }
}
