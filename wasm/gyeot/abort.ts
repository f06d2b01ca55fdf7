import { GyeotError } from '../core/index.js';

/** Throws `aborted` when the signal has fired. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw abortError(signal);
}

export function abortError(signal: AbortSignal): GyeotError {
  return new GyeotError('aborted', 'The call was cancelled', { cause: signal.reason });
}
