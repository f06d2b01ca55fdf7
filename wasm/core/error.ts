/** The one error class, and its codes. @module */

/** What went wrong, for a program to decide by; the message is for people. */
export type GyeotErrorCode =
  /** Out of memory, in the core or in the runtime. */
  | 'memory'
  /** A value that the call does not take. */
  | 'argument'
  /** A file is not what it was said to be. */
  | 'format'
  /** Well-formed, but of a kind that is refused by name. */
  | 'unsupported'
  /** Larger than a documented limit. */
  | 'limit'
  /** A file or folder is not there. */
  | 'not-found'
  /** A request failed before it had an answer. */
  | 'network'
  /** A file has another length, type or SHA-256 than the manifest says. */
  | 'integrity'
  /** A table was built with another model. */
  | 'fingerprint'
  /** The caller's `AbortSignal` fired. */
  | 'aborted'
  /** The object was closed. */
  | 'closed'
  /** Storage is full or forbidden. */
  | 'storage'
  /** The encoder's runtime failed. */
  | 'runtime'
  /** Text in an encoding that could not be told or read. */
  | 'encoding'
  /** A spreadsheet row that cannot be used. */
  | 'csv';

/** Every failure that a caller can meet is one of these, with a code. */
export class GyeotError extends Error {
  readonly code: GyeotErrorCode;
  /** The file that was at fault, where there was one. */
  readonly file: string | undefined;

  constructor(
    code: GyeotErrorCode,
    message: string,
    options: { file?: string | undefined; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'GyeotError';
    this.code = code;
    this.file = options.file;
  }
}
