/**
 * When Enter sends. One press sends once, whichever way the browser orders its events:
 *
 *   Chrome, Firefox   keydown (composing) → compositionend [→ a plain keydown Enter]
 *   Safari            compositionend → keydown (keyCode 229)
 *
 * Hangul is committed and sent by one Enter. For Japanese and Chinese, Enter while composing
 * picks a candidate and must not send.
 */

const hangul = /^[\u1100-\u11ff\u3130-\u318f\ua960-\ua97f\uac00-\ud7ff]+$/;

/** Safari's keydown follows its compositionend within this many milliseconds. */
const safariGap = 50;

const inputMethodKeyCode = 229;

export interface EnterTarget {
  /** Sends what the field holds; must do nothing when it holds nothing. */
  send(): void;
  now(): number;
  /** Runs after the browser has finished the event at hand. */
  later(run: () => void): void;
}

export class EnterKey {
  #target: EnterTarget;
  #pending = false;
  #composing = '';
  #endedAt = -Infinity;
  #committed = '';

  constructor(target: EnterTarget) {
    this.#target = target;
  }

  /** Wires the events of a text field. */
  listen(field: HTMLElement): void {
    field.addEventListener('keydown', (event) => this.keydown(event));
    field.addEventListener('compositionupdate', (event) => this.compositionupdate(event.data));
    field.addEventListener('compositionend', (event) => this.compositionend(event.data));
    field.addEventListener('beforeinput', (event) => this.beforeinput(event as InputEvent));
    field.addEventListener('blur', () => (this.#pending = false));
  }

  keydown(event: KeyboardEvent): void {
    const enter = event.key === 'Enter' || event.code === 'Enter' || event.code === 'NumpadEnter';
    if (!enter || event.shiftKey || event.ctrlKey || event.altKey || event.metaKey) {
      if (event.keyCode !== inputMethodKeyCode || enter) this.#pending = false;
      return;
    }
    if (event.isComposing) {
      // The commit comes next; holding the key back here would hold back the syllable too.
      this.#pending = hangul.test(this.#composing);
      return;
    }
    if (event.keyCode === inputMethodKeyCode) {
      const justEnded = this.#target.now() - this.#endedAt <= safariGap;
      if (!justEnded || !hangul.test(this.#committed)) return;
    }
    event.preventDefault();
    this.#pending = false;
    this.#endedAt = -Infinity;
    this.#target.send();
  }

  compositionupdate(text: string): void {
    this.#composing = text;
  }

  compositionend(text: string): void {
    this.#endedAt = this.#target.now();
    this.#committed = text.slice(-1);
    this.#composing = '';
    if (!this.#pending) return;
    if (!hangul.test(text)) {
      this.#pending = false;
      return;
    }
    // The field holds the committed syllable only once this event is over.
    this.#target.later(() => {
      if (!this.#pending) return;
      this.#pending = false;
      this.#target.send();
    });
  }

  /** The line break that some engines still insert for an Enter that sends. */
  beforeinput(event: InputEvent): void {
    const breaks = event.inputType === 'insertLineBreak' || event.inputType === 'insertParagraph';
    if (breaks && this.#pending) event.preventDefault();
  }
}
