#include "gyeot_tokenizer.h"

#include <string.h>

#include "tokenizer_engine.h"

/* What gyeot_encoding_new really makes: the public view first, the memory behind it after. */
typedef struct encoding {
  gyeot_encoding view;
  gyeot_sink sink;
} encoding;

gyeot_status gyeot_tokenizer_wrap(gyeot_engine *engine, gyeot_tokenizer **out) {
  gyeot_tokenizer *tokenizer = gyeot_allocate(&engine->allocator, 1, sizeof *tokenizer);
  if (tokenizer == NULL) {
    engine->class_->free(engine);
    return GYEOT_ERROR_MEMORY;
  }
  memset(tokenizer, 0, sizeof *tokenizer);
  tokenizer->allocator = engine->allocator;
  tokenizer->engine = engine;
  *out = tokenizer;
  return GYEOT_OK;
}

void gyeot_tokenizer_free(gyeot_tokenizer *tokenizer) {
  if (tokenizer == NULL) return;
  gyeot_allocator allocator = tokenizer->allocator;
  tokenizer->engine->class_->free(tokenizer->engine);
  gyeot_deallocate(&allocator, tokenizer);
}

gyeot_status gyeot_tokenizer_set_template(gyeot_tokenizer *tokenizer, const int32_t *prefix,
                                          size_t prefix_length, const int32_t *suffix,
                                          size_t suffix_length) {
  if (tokenizer == NULL) return GYEOT_ERROR_ARGUMENT;
  if (prefix_length > GYEOT_TEMPLATE_MAX || suffix_length > GYEOT_TEMPLATE_MAX)
    return GYEOT_ERROR_ARGUMENT;
  if ((prefix == NULL && prefix_length != 0) || (suffix == NULL && suffix_length != 0))
    return GYEOT_ERROR_ARGUMENT;
  for (size_t i = 0; i < prefix_length; i++) tokenizer->prefix[i] = prefix[i];
  for (size_t i = 0; i < suffix_length; i++) tokenizer->suffix[i] = suffix[i];
  tokenizer->prefix_length = prefix_length;
  tokenizer->suffix_length = suffix_length;
  return GYEOT_OK;
}

size_t gyeot_tokenizer_size(const gyeot_tokenizer *tokenizer) {
  if (tokenizer == NULL) return 0;
  return tokenizer->engine->class_->size(tokenizer->engine);
}

size_t gyeot_tokenizer_max_length(const gyeot_tokenizer *tokenizer) {
  return tokenizer == NULL ? 0 : tokenizer->max_length;
}

const uint8_t *gyeot_tokenizer_piece(const gyeot_tokenizer *tokenizer, int32_t id, size_t *size) {
  *size = 0;
  if (tokenizer == NULL || id < 0) return NULL;
  return tokenizer->engine->class_->piece(tokenizer->engine, id, size);
}

int32_t gyeot_tokenizer_id(const gyeot_tokenizer *tokenizer, const uint8_t *piece, size_t size) {
  if (tokenizer == NULL || (piece == NULL && size != 0)) return -1;
  return tokenizer->engine->class_->id(tokenizer->engine, piece, size);
}

gyeot_status gyeot_encoding_new(const gyeot_allocator *allocator, gyeot_encoding **out) {
  if (out == NULL) return GYEOT_ERROR_ARGUMENT;
  gyeot_allocator gate = gyeot_allocator_or_default(allocator);
  encoding *made = gyeot_allocate(&gate, 1, sizeof *made);
  if (made == NULL) return GYEOT_ERROR_MEMORY;
  memset(made, 0, sizeof *made);
  made->sink.allocator = gate;
  *out = &made->view;
  return GYEOT_OK;
}

void gyeot_encoding_free(gyeot_encoding *view) {
  if (view == NULL) return;
  encoding *made = (encoding *)view;
  gyeot_allocator gate = made->sink.allocator;
  gyeot_deallocate(&gate, made->sink.ids);
  gyeot_deallocate(&gate, made->sink.offsets);
  for (size_t i = 0; i < GYEOT_SCRATCH_BLOCKS; i++)
    gyeot_deallocate(&gate, made->sink.scratch[i].block);
  gyeot_deallocate(&gate, made);
}

gyeot_sink *gyeot_encoding_sink(gyeot_encoding *view) { return &((encoding *)view)->sink; }

gyeot_status gyeot_sink_reserve(gyeot_sink *sink, size_t total) {
  void *ids = sink->ids, *offsets = sink->offsets;
  if (gyeot_grow(&sink->allocator, &ids, &sink->ids_capacity, total, sizeof *sink->ids) != GYEOT_OK)
    return GYEOT_ERROR_MEMORY;
  sink->ids = ids;
  if (!sink->want_offsets) return GYEOT_OK;
  if (gyeot_grow(&sink->allocator, &offsets, &sink->offsets_capacity, 2 * total,
                 sizeof *sink->offsets) != GYEOT_OK)
    return GYEOT_ERROR_MEMORY;
  sink->offsets = offsets;
  return GYEOT_OK;
}

gyeot_status gyeot_sink_push(gyeot_sink *sink, int32_t id, size_t begin, size_t end) {
  if (sink->length >= sink->ids_capacity ||
      (sink->want_offsets && 2 * sink->length + 2 > sink->offsets_capacity)) {
    gyeot_status status = gyeot_sink_reserve(sink, sink->length + 1);
    if (status != GYEOT_OK) return status;
  }
  sink->ids[sink->length] = id;
  if (sink->want_offsets) {
    sink->offsets[2 * sink->length] = (uint32_t)begin;
    sink->offsets[2 * sink->length + 1] = (uint32_t)end;
  }
  sink->length++;
  return GYEOT_OK;
}

void *gyeot_sink_scratch(gyeot_sink *sink, size_t index, size_t count, size_t size) {
  if (count > SIZE_MAX / size) return NULL;
  if (gyeot_grow(&sink->allocator, &sink->scratch[index].block, &sink->scratch[index].capacity,
                 count * size, 1) != GYEOT_OK)
    return NULL;
  return sink->scratch[index].block;
}

/* Moves the text's ids to make room for the template and writes it. The room is there already. */
static void put_template(const gyeot_tokenizer *tokenizer, gyeot_sink *sink, size_t kept) {
  size_t before = tokenizer->prefix_length, after = tokenizer->suffix_length;
  memmove(sink->ids + before, sink->ids, kept * sizeof *sink->ids);
  memcpy(sink->ids, tokenizer->prefix, before * sizeof *sink->ids);
  memcpy(sink->ids + before + kept, tokenizer->suffix, after * sizeof *sink->ids);
  sink->length = before + kept + after;
  if (!sink->want_offsets) return;
  memmove(sink->offsets + 2 * before, sink->offsets, 2 * kept * sizeof *sink->offsets);
  memset(sink->offsets, 0, 2 * before * sizeof *sink->offsets);
  memset(sink->offsets + 2 * (before + kept), 0, 2 * after * sizeof *sink->offsets);
}

gyeot_status gyeot_tokenizer_encode(const gyeot_tokenizer *tokenizer, const uint8_t *text,
                                    size_t size, const gyeot_encode_options *options,
                                    gyeot_encoding *out) {
  if (out == NULL) return GYEOT_ERROR_ARGUMENT;
  gyeot_sink *sink = &((encoding *)out)->sink;
  *out = (gyeot_encoding){sink->ids, NULL, 0, false};
  if (tokenizer == NULL || options == NULL || (text == NULL && size != 0))
    return GYEOT_ERROR_ARGUMENT;
  if (size >= UINT32_MAX) return GYEOT_ERROR_ARGUMENT;
  size_t added =
      options->add_special_tokens ? tokenizer->prefix_length + tokenizer->suffix_length : 0;
  if (options->max_length != 0 && options->max_length < added) return GYEOT_ERROR_ARGUMENT;

  sink->length = 0;
  sink->want_offsets = options->want_offsets;
  gyeot_status status = tokenizer->engine->class_->encode(tokenizer->engine, text, size,
                                                          options->special_tokens_as_text, sink);
  size_t kept = sink->length;
  bool truncated = options->max_length != 0 && kept > options->max_length - added;
  if (truncated) kept = options->max_length - added;
  if (status == GYEOT_OK) status = gyeot_sink_reserve(sink, kept + added);
  out->ids = sink->ids;
  if (status != GYEOT_OK) return status;
  if (added != 0)
    put_template(tokenizer, sink, kept);
  else
    sink->length = kept;
  out->offsets = sink->want_offsets ? sink->offsets : NULL;
  out->length = sink->length;
  out->truncated = truncated;
  return GYEOT_OK;
}

gyeot_status gyeot_tokenizer_decode(const gyeot_tokenizer *tokenizer, const int32_t *ids,
                                    size_t length, bool skip_special_tokens, uint8_t **out_text,
                                    size_t *out_size) {
  if (tokenizer == NULL || out_text == NULL || out_size == NULL || (ids == NULL && length != 0))
    return GYEOT_ERROR_ARGUMENT;
  return tokenizer->engine->class_->decode(tokenizer->engine, ids, length, skip_special_tokens,
                                           out_text, out_size);
}

void gyeot_text_free(const gyeot_tokenizer *tokenizer, uint8_t *text) {
  if (tokenizer != NULL) gyeot_deallocate(&tokenizer->allocator, text);
}
