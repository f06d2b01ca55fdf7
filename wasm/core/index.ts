/** `gyeot/core`: tokenizing, pooling and search, without the encoder's runtime. */
export { GyeotError } from './error.js';
export type { GyeotErrorCode } from './error.js';
export { CoreModule, compileCore } from './module.js';
export type { CoreExports, CoreOptions, Scope } from './module.js';
