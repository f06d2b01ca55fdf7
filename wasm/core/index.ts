/// <reference lib="esnext.disposable" preserve="true" />
/** `gyeot/core`: tokenizing, pooling and search, without the encoder's runtime. @module */
export { GyeotError } from './error.js';
export type { GyeotErrorCode } from './error.js';
export { CoreModule, compileCore } from './module.js';
export type { CoreExports, CoreOptions, Scope } from './module.js';
export { Tokenizer } from './tokenizer.js';
export type {
  AddedToken, EncodeOptions, Encoded, EncodedBatch, EncodedRows, JsonOptions,
  LoadOptions as TokenizerLoadOptions,
  SentencePieceOptions,
  VocabOptions,
} from './tokenizer.js';
export type { TokenizerSection } from './tokenizer-folder.js';
export { meanPool, pool } from './pooling.js';
export type { PoolOptions, PoolingMode } from './pooling.js';
export { VectorIndex } from './vector-index.js';
export type {
  Neighbours,
  SearchOptions,
  VectorIndexOptions,
  VectorIndexType,
} from './vector-index.js';
