#include "hf_engine.h"

#include <string.h>

#include "unicode.h"

static void free_engine(gyeot_engine *base) { gyeot_hf_engine_free((gyeot_hf_engine *)base); }

static gyeot_status encode_gap(const gyeot_hf_engine *engine, const uint8_t *text, size_t begin,
                               size_t end, bool special_tokens_as_text, gyeot_sink *sink) {
  if (begin == end) return GYEOT_OK;
  if (engine->pipeline != NULL)
    return gyeot_pipeline_encode(engine->pipeline, &engine->added, &engine->wordpiece, text, begin,
                                 end, special_tokens_as_text, sink);
  return gyeot_bert_encode(&engine->bert, &engine->wordpiece, text, begin, end,
                           special_tokens_as_text, sink);
}

static gyeot_status encode(const gyeot_engine *base, const uint8_t *text, size_t size,
                           bool special_tokens_as_text, gyeot_sink *sink) {
  const gyeot_hf_engine *engine = (const gyeot_hf_engine *)base;
  if (!engine->added.any_raw)
    return encode_gap(engine, text, 0, size, special_tokens_as_text, sink);
  gyeot_added_search search = {&engine->added, &engine->added.raw, {text, NULL, size},
                               special_tokens_as_text, 0, 0};
  for (;;) {
    gyeot_added_match match;
    gyeot_added_next(&search, &match);
    gyeot_status status = encode_gap(engine, text, match.gap_begin, match.gap_end,
                                     special_tokens_as_text, sink);
    if (status != GYEOT_OK || match.token == NULL) return status;
    /* White space that the token before took is not there for this one. */
    if (match.begin < match.end)
      status = gyeot_sink_push(sink, match.token->id, match.begin, match.end);
    if (status != GYEOT_OK) return status;
  }
}

static gyeot_status decode(const gyeot_engine *base, const int32_t *ids, size_t length,
                           bool skip_special_tokens, uint8_t **out_text, size_t *out_size) {
  const gyeot_hf_engine *engine = (const gyeot_hf_engine *)base;
  gyeot_strings strings = {0};
  gyeot_status status = GYEOT_OK;
  for (size_t i = 0; i < length && status == GYEOT_OK; i++) {
    size_t size;
    const uint8_t *text = gyeot_pieces_get(&engine->pieces, ids[i], &size);
    if (text == NULL) continue;
    if (skip_special_tokens && gyeot_added_is_special(&engine->added, ids[i])) continue;
    status = gyeot_strings_write(&strings, &base->allocator, text, size);
    if (status == GYEOT_OK) status = gyeot_strings_end(&strings, &base->allocator);
  }
  if (status == GYEOT_OK)
    status = gyeot_decoders_run(&engine->decoders, &base->allocator, &strings);
  /* The caller gets a block in any case, so that freeing is the same for an empty text. */
  if (status == GYEOT_OK && strings.pool == NULL) {
    strings.pool = gyeot_allocate(&base->allocator, 1, 1);
    if (strings.pool == NULL) status = GYEOT_ERROR_MEMORY;
  }
  if (status != GYEOT_OK) {
    gyeot_strings_free(&strings, &base->allocator);
    return status;
  }
  *out_text = strings.pool;
  *out_size = strings.size;
  gyeot_deallocate(&base->allocator, strings.ends);
  return GYEOT_OK;
}

static const uint8_t *piece(const gyeot_engine *base, int32_t id, size_t *size) {
  return gyeot_pieces_get(&((const gyeot_hf_engine *)base)->pieces, id, size);
}

static int32_t id_of(const gyeot_engine *base, const uint8_t *text, size_t size) {
  return gyeot_hf_engine_id((const gyeot_hf_engine *)base, text, size);
}

static size_t size_of(const gyeot_engine *base) {
  return ((const gyeot_hf_engine *)base)->pieces.count;
}

static const gyeot_engine_class hf_class = {encode, decode, piece, id_of, size_of, free_engine};

gyeot_status gyeot_hf_engine_new(const gyeot_allocator *allocator, gyeot_hf_engine **out) {
  gyeot_hf_engine *engine = gyeot_allocate(allocator, 1, sizeof *engine);
  if (engine == NULL) return GYEOT_ERROR_MEMORY;
  memset(engine, 0, sizeof *engine);
  engine->base = (gyeot_engine){&hf_class, *allocator};
  gyeot_pieces_init(&engine->pieces, allocator);
  if (gyeot_added_init(&engine->added, allocator) != GYEOT_OK) {
    gyeot_deallocate(allocator, engine);
    return GYEOT_ERROR_MEMORY;
  }
  *out = engine;
  return GYEOT_OK;
}

void gyeot_hf_engine_free(gyeot_hf_engine *engine) {
  gyeot_allocator allocator = engine->base.allocator;
  gyeot_pieces_free(&engine->pieces);
  gyeot_added_free(&engine->added);
  gyeot_decoders_free(&engine->decoders, &allocator);
  if (engine->wordpiece.trie.edges != NULL) gyeot_trie_free(&engine->wordpiece.trie);
  gyeot_pipeline_free(engine->pipeline);
  gyeot_deallocate(&allocator, engine);
}

int32_t gyeot_hf_engine_id(const gyeot_hf_engine *engine, const uint8_t *text, size_t size) {
  for (size_t i = engine->added.count; i-- > 0;) {
    gyeot_piece_place content = engine->added.tokens[i].content;
    if (content.size == size && memcmp(engine->pieces.pool + content.at, text, size) == 0)
      return engine->added.tokens[i].id;
  }
  if (engine->wordpiece.trie.edges != NULL)
    return gyeot_trie_get(&engine->wordpiece.trie, text, size);
  if (engine->pipeline != NULL && engine->pipeline->unigram && size != 0)
    return gyeot_piece_trie_find(&engine->pipeline->trie, text, size);
  return -1;
}

/* A token that is looked for in normalized text is looked for in its own normalized form. */
static gyeot_status add_normalized(gyeot_hf_engine *engine, const uint8_t *text, size_t size,
                                   gyeot_added_token token) {
  gyeot_encoding *scratch;
  gyeot_status status = gyeot_encoding_new(&engine->base.allocator, &scratch);
  if (status != GYEOT_OK) return status;
  gyeot_sink *sink = gyeot_encoding_sink(scratch);
  gyeot_text form;
  status = gyeot_pipeline_normalize(engine->pipeline, text, 0, size, sink, &form);
  uint8_t *bytes = NULL;
  if (status == GYEOT_OK) {
    bytes = gyeot_sink_scratch(sink, GYEOT_BLOCK_BYTES, form.length + 1, 4);
    if (bytes == NULL) status = GYEOT_ERROR_MEMORY;
  }
  /* The reference finds an empty string between any two characters. */
  if (status == GYEOT_OK && form.length == 0) status = GYEOT_ERROR_UNSUPPORTED;
  if (status == GYEOT_OK) {
    size_t written = 0;
    for (size_t i = 0; i < form.length; i++)
      written += gyeot_utf8_write(form.characters[i], bytes + written);
    status = gyeot_added_put(&engine->added, bytes, written, token);
    if (status == GYEOT_OK) status = gyeot_pieces_set(&engine->pieces, token.id, bytes, written);
  }
  gyeot_encoding_free(scratch);
  return status;
}

gyeot_status gyeot_hf_engine_add(gyeot_hf_engine *engine, const uint8_t *text, size_t size,
                                 gyeot_added_token token, int32_t *next_id) {
  if (size == 0) return GYEOT_OK;
  token.id = gyeot_hf_engine_id(engine, text, size);
  if (token.id < 0) token.id = (*next_id)++;
  gyeot_status status = gyeot_pieces_set(&engine->pieces, token.id, text, size);
  if (status != GYEOT_OK) return status;
  token.content = engine->pieces.places[token.id];
  if (token.normalized && engine->pipeline != NULL)
    status = add_normalized(engine, text, size, token);
  else
    status = gyeot_added_put(&engine->added, text, size, token);
  engine->wordpiece.special = engine->added.special_ids;
  engine->wordpiece.special_count = engine->added.special_count;
  return status;
}
