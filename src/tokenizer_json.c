/* tokenizer.json as Hugging Face `tokenizers` writes it: the whole file, and its small parts. */
#include "tokenizer_json.h"

#include <string.h>

#include "unicode.h"

gyeot_status gyeot_json_refuse(gyeot_json_load *load, const char *part, const char *why) {
  return gyeot_fail(load->error, GYEOT_ERROR_FORMAT, "tokenizer.json: %s: %s", part, why);
}

gyeot_status gyeot_json_unsupported(gyeot_json_load *load, const char *part, gyeot_json type) {
  gyeot_status status = gyeot_json_read(load, part, type);
  if (status != GYEOT_OK) return status;
  return gyeot_fail(load->error, GYEOT_ERROR_UNSUPPORTED,
                    "tokenizer.json: the %s \"%s\" is not supported", part,
                    (const char *)load->text.bytes);
}

gyeot_status gyeot_json_read(gyeot_json_load *load, const char *part, gyeot_json value) {
  if (gyeot_json_kind_of(value) != GYEOT_JSON_STRING)
    return gyeot_json_refuse(load, part, "a string is missing");
  gyeot_status status = gyeot_json_string(value, &load->allocator, &load->text);
  if (status == GYEOT_OK) load->text.bytes[load->text.size] = '\0';
  return status;
}

gyeot_status gyeot_json_flag(gyeot_json_load *load, const char *part, gyeot_json object,
                             const char *name, bool *out) {
  gyeot_json_kind kind = gyeot_json_kind_of(gyeot_json_member(object, name));
  if (kind != GYEOT_JSON_TRUE && kind != GYEOT_JSON_FALSE)
    return gyeot_fail(load->error, GYEOT_ERROR_FORMAT,
                      "tokenizer.json: %s: \"%s\" is not a boolean", part, name);
  *out = kind == GYEOT_JSON_TRUE;
  return GYEOT_OK;
}

/* Added tokens get their ids in order, from the size of the model's vocabulary on; those that the
 * model knows keep its ids. The ids in the file are not looked at: neither does the reference. */
static gyeot_status read_added_tokens(gyeot_json_load *load, gyeot_json list, int32_t next_id) {
  static const char *const part = "added_tokens";
  for (gyeot_json_walk walk = gyeot_json_begin(list); gyeot_json_next(&walk);) {
    gyeot_added_token token = {0};
    gyeot_status status = gyeot_json_flag(load, part, walk.value, "special", &token.special);
    if (status == GYEOT_OK)
      status = gyeot_json_flag(load, part, walk.value, "normalized", &token.normalized);
    if (status == GYEOT_OK)
      status = gyeot_json_flag(load, part, walk.value, "single_word", &token.single_word);
    if (status == GYEOT_OK)
      status = gyeot_json_flag(load, part, walk.value, "lstrip", &token.lstrip);
    if (status == GYEOT_OK)
      status = gyeot_json_flag(load, part, walk.value, "rstrip", &token.rstrip);
    if (status == GYEOT_OK)
      status = gyeot_json_read(load, part, gyeot_json_member(walk.value, "content"));
    if (status == GYEOT_OK)
      status =
          gyeot_hf_engine_add(load->engine, load->text.bytes, load->text.size, token, &next_id);
    if (status == GYEOT_ERROR_UNSUPPORTED)
      return gyeot_fail(load->error, status,
                        "tokenizer.json: an added token of which normalization leaves nothing is "
                        "not supported");
    if (status == GYEOT_ERROR_LIMIT)
      return gyeot_fail(load->error, status, "tokenizer.json: there are too many added tokens");
    if (status != GYEOT_OK) return status;
  }
  return GYEOT_OK;
}

/* RobertaProcessing trims white space and Ġ from the offsets of pieces. Where no piece has any
 * there is nothing to trim; where one has, the offsets would differ from the reference. */
static bool has_trimmable_piece(const gyeot_hf_engine *engine) {
  const uint8_t *at = engine->pieces.pool, *end = at + engine->pieces.pool_size;
  for (size_t step; at < end; at += step) {
    uint32_t c = gyeot_utf8_read(at, end, &step);
    if (c == 0x120 || gyeot_unicode_properties(c) & GYEOT_SPACE) return true;
  }
  return false;
}

/* The scores that count when special tokens are text: without the special pieces. */
static gyeot_status hide_special_pieces(gyeot_hf_engine *engine) {
  gyeot_pipeline *pipeline = engine->pipeline;
  size_t count = engine->pieces.count;
  pipeline->text_scores = gyeot_allocate(&engine->base.allocator, count, sizeof(double));
  if (pipeline->text_scores == NULL) return GYEOT_ERROR_MEMORY;
  for (size_t i = 0; i < count; i++) pipeline->text_scores[i] = 0;
  memcpy(pipeline->text_scores, pipeline->scores,
         pipeline->score_count * sizeof *pipeline->scores);
  for (size_t i = 0; i < engine->added.special_count; i++)
    pipeline->text_scores[engine->added.special_ids[i]] = GYEOT_NO_SCORE;
  return GYEOT_OK;
}

static gyeot_status finish(gyeot_json_load *load) {
  gyeot_hf_engine *engine = load->engine;
  if (load->trims_offsets && has_trimmable_piece(engine))
    return gyeot_fail(
        load->error, GYEOT_ERROR_UNSUPPORTED,
        "tokenizer.json: the post_processor \"RobertaProcessing\" with trim_offsets is "
        "not supported for pieces with white space");
  if (engine->pipeline->unigram) return hide_special_pieces(engine);
  if (load->bert_normalizer && load->bert_pretokenizer && !engine->added.any_normalized) {
    gyeot_pipeline_free(engine->pipeline);
    engine->pipeline = NULL;
  }
  return GYEOT_OK;
}

static gyeot_status read_document(gyeot_json_load *load, gyeot_json document, size_t *max_length) {
  gyeot_json model = {NULL, NULL}, added = model, normalizer = model, pretokenizer = model;
  gyeot_json postprocessor = model, decoder = model, truncation = model;
  for (gyeot_json_walk walk = gyeot_json_begin(document); gyeot_json_next(&walk);) {
    if (gyeot_json_is(walk.key, "model")) model = walk.value;
    if (gyeot_json_is(walk.key, "added_tokens")) added = walk.value;
    if (gyeot_json_is(walk.key, "normalizer")) normalizer = walk.value;
    if (gyeot_json_is(walk.key, "pre_tokenizer")) pretokenizer = walk.value;
    if (gyeot_json_is(walk.key, "post_processor")) postprocessor = walk.value;
    if (gyeot_json_is(walk.key, "decoder")) decoder = walk.value;
    if (gyeot_json_is(walk.key, "truncation")) truncation = walk.value;
  }
  if (gyeot_json_kind_of(model) != GYEOT_JSON_OBJECT)
    return gyeot_json_refuse(load, "model", "it is missing");
  int32_t vocabulary_size = 0, length = 0;
  gyeot_status status = gyeot_json_model(load, model, &vocabulary_size);
  if (status == GYEOT_OK) status = gyeot_json_normalizer(load, normalizer);
  if (status == GYEOT_OK) status = gyeot_json_pretokenizer(load, pretokenizer);
  if (status == GYEOT_OK) status = gyeot_json_postprocessor(load, postprocessor);
  if (status == GYEOT_OK) status = gyeot_json_decoder(load, decoder);
  if (status == GYEOT_OK) status = read_added_tokens(load, added, vocabulary_size);
  if (status == GYEOT_OK) status = finish(load);
  if (gyeot_json_integer(gyeot_json_member(truncation, "max_length"), &length))
    *max_length = (size_t)length;
  return status;
}

static gyeot_status open_document(const uint8_t *bytes, size_t size, gyeot_json *document,
                                  gyeot_error *error) {
  const char *seen = gyeot_sniff(bytes, size);
  if (seen != NULL && strcmp(seen, "JSON") != 0)
    return gyeot_fail(error, GYEOT_ERROR_FORMAT, "this is %s, not a tokenizer.json", seen);
  gyeot_status status = gyeot_json_open(bytes, size, document, error);
  if (status != GYEOT_OK) return status;
  if (gyeot_json_kind_of(*document) == GYEOT_JSON_OBJECT) return GYEOT_OK;
  return gyeot_fail(error, GYEOT_ERROR_FORMAT, "a tokenizer.json is one JSON object");
}

gyeot_status gyeot_tokenizer_load_json(const uint8_t *bytes, size_t size,
                                       const gyeot_allocator *allocator,
                                       gyeot_tokenizer **out, gyeot_error *error) {
  if (error != NULL) *error = (gyeot_error){GYEOT_OK, ""};
  if (out == NULL || (bytes == NULL && size != 0))
    return gyeot_fail(error, GYEOT_ERROR_ARGUMENT, "load_json needs bytes and out");
  gyeot_json document;
  gyeot_status status = open_document(bytes, size, &document, error);
  if (status != GYEOT_OK) return status;

  gyeot_json_load load = {.allocator = gyeot_allocator_or_default(allocator), .error = error};
  size_t max_length = 0;
  gyeot_tokenizer *tokenizer = NULL;
  status = gyeot_hf_engine_new(&load.allocator, &load.engine);
  if (status == GYEOT_OK) {
    status = gyeot_pipeline_new(&load.allocator, &load.engine->pipeline);
    if (status == GYEOT_OK) status = read_document(&load, document, &max_length);
    if (status == GYEOT_OK)
      status = gyeot_tokenizer_wrap(&load.engine->base, &tokenizer);
    else
      gyeot_hf_engine_free(load.engine);
  }
  gyeot_deallocate(&load.allocator, load.text.bytes);
  if (status == GYEOT_ERROR_MEMORY)
    return gyeot_fail(error, status, "not enough memory for the tokenizer");
  if (status != GYEOT_OK) return status;
  gyeot_tokenizer_set_template(tokenizer, load.prefix, load.prefix_length, load.suffix,
                               load.suffix_length);
  tokenizer->max_length = max_length;
  *out = tokenizer;
  return GYEOT_OK;
}
