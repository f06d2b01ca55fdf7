import { GyeotError } from '../core/index.js';
import { throwIfAborted } from './abort.js';

/** Runs jobs one after another, in order of arrival; a job that fails harms no other. */
export class Queue {
  #last: Promise<unknown> = Promise.resolve();
  #closed = false;
  #jobs = 0;

  /** Nothing runs or waits. */
  get idle(): boolean {
    return this.#jobs === 0 && !this.#closed;
  }

  run<T>(job: () => Promise<T> | T, signal?: AbortSignal): Promise<T> {
    this.#jobs++;
    const result = this.#last.then(() => {
      if (this.#closed) throw closedError();
      throwIfAborted(signal);
      return job();
    });
    this.#last = result.catch(() => {}).finally(() => this.#jobs--);
    return result;
  }

  /** Refuses what waits and what comes; resolves when the job that runs has ended. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#last;
  }
}

export function closedError(): GyeotError {
  return new GyeotError('closed', 'This Gyeot was closed; load another one');
}
