/* What the kinds of tokenizer (WordPiece, SentencePiece, tokenizer.json) offer the public façade in
 * tokenizer.c. An engine yields the ids of a text without template and without truncation; the
 * façade does the rest. */
#ifndef GYEOT_TOKENIZER_ENGINE_H
#define GYEOT_TOKENIZER_ENGINE_H

#include "alloc.h"
#include "gyeot_tokenizer.h"

typedef struct gyeot_engine gyeot_engine;

/* The growing output and the reusable scratch memory of one encode call. An engine lays out its own
 * temporary arrays in `scratch`, as many separate blocks as it needs, each grown with
 * gyeot_sink_scratch or with gyeot_grow of size 1: a block's capacity counts bytes, because one
 * sink serves engines of all kinds. */
enum { GYEOT_SCRATCH_BLOCKS = 24 };
typedef struct gyeot_sink {
  gyeot_allocator allocator;
  int32_t *ids;
  uint32_t *offsets; /* pairs of byte positions in the text; filled only when want_offsets */
  size_t length, ids_capacity, offsets_capacity;
  bool want_offsets;
  struct { void *block; size_t capacity; } scratch[GYEOT_SCRATCH_BLOCKS];
} gyeot_sink;

/* The memory of an encoding, for a loader that runs part of its own pipeline. */
gyeot_sink *gyeot_encoding_sink(gyeot_encoding *encoding);

/* Appends one id. begin and end are byte positions in the original text. */
gyeot_status gyeot_sink_push(gyeot_sink *sink, int32_t id, size_t begin, size_t end);

/* Makes room for `total` ids (and their offsets when wanted), those already there counted. */
gyeot_status gyeot_sink_reserve(gyeot_sink *sink, size_t total);

/* Scratch block `index` with room for `count` elements of `size` bytes, what it held kept; NULL
 * when out of memory. */
void *gyeot_sink_scratch(gyeot_sink *sink, size_t index, size_t count, size_t size);

/* What kind of file the bytes look like, as a phrase for an error message ("an HTML page"), or NULL
 * when nothing is recognised: HTML, a Git LFS pointer, gzip, zip, JSON, UTF-16 text, an ONNX or
 * SentencePiece model, safetensors, nothing at all. */
const char *gyeot_sniff(const uint8_t *bytes, size_t size);

typedef struct gyeot_engine_class {
  gyeot_status (*encode)(const gyeot_engine *engine, const uint8_t *text, size_t size,
                         bool special_tokens_as_text, gyeot_sink *sink);
  gyeot_status (*decode)(const gyeot_engine *engine, const int32_t *ids, size_t length,
                         bool skip_special_tokens, uint8_t **out_text, size_t *out_size);
  const uint8_t *(*piece)(const gyeot_engine *engine, int32_t id, size_t *size);
  int32_t (*id)(const gyeot_engine *engine, const uint8_t *piece, size_t size);
  size_t (*size)(const gyeot_engine *engine);
  void (*free)(gyeot_engine *engine);
} gyeot_engine_class;

/* First member of every engine's own struct. */
struct gyeot_engine {
  const gyeot_engine_class *class_;
  gyeot_allocator allocator;
};

enum { GYEOT_TEMPLATE_MAX = 8 };
struct gyeot_tokenizer {
  gyeot_allocator allocator;
  gyeot_engine *engine;
  int32_t prefix[GYEOT_TEMPLATE_MAX], suffix[GYEOT_TEMPLATE_MAX];
  size_t prefix_length, suffix_length;
  size_t max_length; /* that the file names, 0: none */
};

/* Wraps an engine that was made with `engine->allocator`; on failure the engine is freed. */
gyeot_status gyeot_tokenizer_wrap(gyeot_engine *engine, gyeot_tokenizer **out);

#endif
