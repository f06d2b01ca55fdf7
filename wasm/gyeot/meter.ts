import type { Progress } from './types.js';

/** One total over several downloads. Says nothing until the total is known. */
export class Meter {
  readonly #report: ((progress: Progress) => void) | undefined;
  #total = 0;
  #unseen = 0;
  #loaded = 0;
  #open = false;
  #last = -Infinity;

  constructor(report: ((progress: Progress) => void) | undefined) {
    this.#report = report;
  }

  expect = (bytes: number): void => {
    this.#total += bytes;
  };

  /** Expects a download that tells of its bytes only when it is done, by `arrived`. */
  expectUnseen(bytes: number): void {
    this.#total += bytes;
    this.#unseen += bytes;
  }

  arrived = (bytes: number): void => {
    this.#unseen = Math.max(0, this.#unseen - bytes);
    this.add(bytes);
  };

  add = (bytes: number): void => {
    this.#loaded += bytes;
    this.#emit();
  };

  /** The total is complete: reporting begins. */
  open(): void {
    this.#open = true;
    this.#emit();
  }

  done(): void {
    this.#last = -Infinity;
    this.#total = Math.max(this.#total, this.#loaded);
    this.#loaded = this.#total;
    this.#unseen = 0;
    this.#emit();
  }

  #emit(): void {
    if (!this.#open || !this.#report) return;
    const now = performance.now();
    // Twenty times a second is more than an eye or a screen reader wants.
    if (now - this.#last < 50 && this.#loaded < this.#total) return;
    this.#last = now;
    const total = Math.max(this.#total, this.#loaded);
    // What cannot be seen is taken to come along with the rest, less a little that is kept back.
    const seen = total - this.#unseen;
    const unseen = seen > 0 ? 0.9 * this.#unseen * (this.#loaded / seen) : 0;
    const loaded = Math.round(this.#loaded + unseen);
    this.#report({ phase: 'download', loaded, total });
  }
}
