/** The field and its button: grows to five lines, sends once, never loses a draft. */

import { EnterKey } from './enter.js';

export class Composer {
  #field: HTMLTextAreaElement;
  #button: HTMLButtonElement;
  #send: (text: string) => void;
  #last = '';

  constructor(form: HTMLFormElement, send: (text: string) => void) {
    this.#field = form.querySelector('textarea')!;
    this.#button = form.querySelector('button[type="submit"]')!;
    this.#send = send;

    const enter = new EnterKey({
      send: () => this.#take(),
      now: () => performance.now(),
      later: (run) => setTimeout(run, 0),
    });
    enter.listen(this.#field);
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#take();
      this.#field.focus();
    });
    this.#field.addEventListener('input', () => this.#fit());
    this.#field.addEventListener('keydown', (event) => this.#recall(event));
    this.#fit();
  }

  get draft(): string {
    return this.#field.value;
  }

  set draft(text: string) {
    this.#field.value = text;
    this.#fit();
  }

  focus(): void {
    this.#field.focus();
  }

  #take(): void {
    const text = this.#field.value.trim();
    this.draft = '';
    if (!text) return;
    this.#last = text;
    this.#send(text);
  }

  /** Up in an empty field brings the last message back. */
  #recall(event: KeyboardEvent): void {
    if (event.key !== 'ArrowUp' || event.isComposing || this.#field.value || !this.#last) return;
    event.preventDefault();
    this.draft = this.#last;
  }

  #fit(): void {
    this.#field.style.height = 'auto';
    this.#field.style.height = `${this.#field.scrollHeight}px`;
    this.#button.disabled = this.#field.value.trim() === '';
  }
}
