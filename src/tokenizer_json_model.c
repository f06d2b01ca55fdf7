/* The "model" of tokenizer.json: WordPiece and Unigram. */
#include <string.h>

#include "tokenizer_json.h"
#include "unicode.h"

/* The members of "model", found in one walk: a vocabulary of ten megabytes is slow to skip. */
typedef struct members {
  gyeot_json type, vocabulary, unk_token, prefix, longest, unk_id, byte_fallback, merges;
} members;

static members members_of(gyeot_json model) {
  members found = {{NULL, NULL}, {NULL, NULL}, {NULL, NULL}, {NULL, NULL},
                   {NULL, NULL}, {NULL, NULL}, {NULL, NULL}, {NULL, NULL}};
  for (gyeot_json_walk walk = gyeot_json_begin(model); gyeot_json_next(&walk);) {
    if (gyeot_json_is(walk.key, "type")) found.type = walk.value;
    if (gyeot_json_is(walk.key, "vocab")) found.vocabulary = walk.value;
    if (gyeot_json_is(walk.key, "unk_token")) found.unk_token = walk.value;
    if (gyeot_json_is(walk.key, "continuing_subword_prefix")) found.prefix = walk.value;
    if (gyeot_json_is(walk.key, "max_input_chars_per_word")) found.longest = walk.value;
    if (gyeot_json_is(walk.key, "unk_id")) found.unk_id = walk.value;
    if (gyeot_json_is(walk.key, "byte_fallback")) found.byte_fallback = walk.value;
    if (gyeot_json_is(walk.key, "merges")) found.merges = walk.value;
  }
  return found;
}

static gyeot_status too_large(gyeot_json_load *load) {
  return gyeot_fail(load->error, GYEOT_ERROR_LIMIT,
                    "tokenizer.json: the vocabulary has too many or too long pieces");
}

/* {"piece": id, ...} */
static gyeot_status read_wordpiece_vocabulary(gyeot_json_load *load, gyeot_json vocabulary,
                                              int32_t *size) {
  gyeot_hf_engine *engine = load->engine;
  gyeot_status status = gyeot_trie_init(&engine->wordpiece.trie, &load->allocator, 1 << 15);
  for (gyeot_json_walk walk = gyeot_json_begin(vocabulary);
       status == GYEOT_OK && gyeot_json_next(&walk);) {
    int32_t id, before;
    status = gyeot_json_read(load, "model.vocab", walk.key);
    if (status != GYEOT_OK) break;
    if (!gyeot_json_integer(walk.value, &id))
      return gyeot_json_refuse(load, "model.vocab", "an id is not a whole number");
    const uint8_t *text = load->text.bytes;
    status = gyeot_trie_put(&engine->wordpiece.trie, text, load->text.size, id, &before);
    if (status == GYEOT_OK && before >= 0) gyeot_pieces_forget(&engine->pieces, before);
    if (status == GYEOT_OK) status = gyeot_pieces_set(&engine->pieces, id, text, load->text.size);
    if (before < 0) ++*size;
  }
  return status == GYEOT_ERROR_LIMIT ? too_large(load) : status;
}

static gyeot_status read_wordpiece(gyeot_json_load *load, const members *model, int32_t *size) {
  gyeot_wordpiece *wordpiece = &load->engine->wordpiece;
  int32_t longest;
  if (!gyeot_json_integer(model->longest, &longest))
    return gyeot_json_refuse(load, "model", "\"max_input_chars_per_word\" is not a whole number");
  if (gyeot_json_kind_of(model->vocabulary) != GYEOT_JSON_OBJECT)
    return gyeot_json_refuse(load, "model", "a WordPiece \"vocab\" is an object");
  gyeot_status status = read_wordpiece_vocabulary(load, model->vocabulary, size);
  if (status != GYEOT_OK) return status;

  status = gyeot_json_read(load, "model.unk_token", model->unk_token);
  if (status != GYEOT_OK) return status;
  wordpiece->unk_id = gyeot_trie_get(&wordpiece->trie, load->text.bytes, load->text.size);
  if (wordpiece->unk_id < 0)
    return gyeot_json_refuse(load, "model", "\"unk_token\" is not in the vocabulary");
  status = gyeot_json_read(load, "model.continuing_subword_prefix", model->prefix);
  if (status != GYEOT_OK) return status;
  wordpiece->inner_node = gyeot_trie_walk(&wordpiece->trie, load->text.bytes, load->text.size);
  wordpiece->longest_word = (size_t)longest;
  return GYEOT_OK;
}

static bool piece_of(const void *context, size_t id, const uint8_t **text, size_t *size) {
  *text = gyeot_pieces_get(context, (int32_t)id, size);
  return *size != 0;
}

/* [["piece", score], ...] */
static gyeot_status read_unigram_vocabulary(gyeot_json_load *load, gyeot_json vocabulary) {
  gyeot_hf_engine *engine = load->engine;
  gyeot_pipeline *pipeline = engine->pipeline;
  size_t capacity = 0;
  double lowest = 0;
  for (gyeot_json_walk walk = gyeot_json_begin(vocabulary); gyeot_json_next(&walk);) {
    size_t id = pipeline->score_count;
    double score;
    gyeot_json_walk pair = gyeot_json_begin(walk.value);
    if (!gyeot_json_next(&pair))
      return gyeot_json_refuse(load, "model.vocab", "an entry is not a piece and a score");
    gyeot_status status = gyeot_json_read(load, "model.vocab", pair.value);
    if (status != GYEOT_OK) return status;
    if (!gyeot_json_next(&pair) || !gyeot_json_double(pair.value, &score) || gyeot_json_next(&pair))
      return gyeot_json_refuse(load, "model.vocab", "an entry is not a piece and a score");
    status = gyeot_pieces_set(&engine->pieces, (int32_t)id, load->text.bytes, load->text.size);
    if (status != GYEOT_OK) return status == GYEOT_ERROR_LIMIT ? too_large(load) : status;
    void *scores = pipeline->scores;
    if (gyeot_grow(&load->allocator, &scores, &capacity, id + 1, sizeof score) != GYEOT_OK)
      return GYEOT_ERROR_MEMORY;
    pipeline->scores = scores;
    pipeline->scores[pipeline->score_count++] = score;
    if (id == 0 || score < lowest) lowest = score;
  }
  pipeline->unknown_score = lowest - 10;
  return GYEOT_OK;
}

static void find_byte_pieces(gyeot_pipeline *pipeline) {
  static const char digits[] = "0123456789ABCDEF";
  for (size_t byte = 0; byte < 256; byte++) {
    const uint8_t piece[6] = {'<', '0', 'x', (uint8_t)digits[byte >> 4], (uint8_t)digits[byte & 15],
                              '>'};
    pipeline->byte_ids[byte] = gyeot_piece_trie_find(&pipeline->trie, piece, sizeof piece);
  }
}

static gyeot_status read_unigram(gyeot_json_load *load, const members *model, int32_t *size) {
  gyeot_pipeline *pipeline = load->engine->pipeline;
  if (gyeot_json_kind_of(model->vocabulary) != GYEOT_JSON_ARRAY)
    return gyeot_json_refuse(load, "model", "a Unigram \"vocab\" is an array");
  gyeot_status status = read_unigram_vocabulary(load, model->vocabulary);
  if (status != GYEOT_OK) return status;
  if (gyeot_json_kind_of(model->unk_id) < GYEOT_JSON_FALSE)
    return gyeot_fail(load->error, GYEOT_ERROR_UNSUPPORTED,
                      "tokenizer.json: a Unigram model without unk_id is not supported");
  if (!gyeot_json_integer(model->unk_id, &pipeline->unknown_id) ||
      (size_t)pipeline->unknown_id >= pipeline->score_count)
    return gyeot_json_refuse(load, "model", "\"unk_id\" is not in the vocabulary");

  pipeline->unigram = true;
  *size = (int32_t)pipeline->score_count;
  gyeot_piece_source source = {.context = &load->engine->pieces,
                               .count = pipeline->score_count,
                               .piece = piece_of};
  status = gyeot_piece_trie_build(&pipeline->trie, &source, false, &load->allocator, NULL);
  if (status == GYEOT_ERROR_LIMIT) return too_large(load);
  if (status != GYEOT_OK) return status;
  pipeline->byte_fallback = gyeot_json_kind_of(model->byte_fallback) == GYEOT_JSON_TRUE;
  if (pipeline->byte_fallback) find_byte_pieces(pipeline);
  return GYEOT_OK;
}

gyeot_status gyeot_json_model(gyeot_json_load *load, gyeot_json value, int32_t *vocabulary_size) {
  members model = members_of(value);
  if (gyeot_json_is(model.type, "WordPiece")) return read_wordpiece(load, &model, vocabulary_size);
  if (gyeot_json_is(model.type, "Unigram")) return read_unigram(load, &model, vocabulary_size);
  if (model.type.at != NULL) return gyeot_json_unsupported(load, "model", model.type);
  /* Old files name no type. */
  if (model.merges.at != NULL)
    return gyeot_fail(load->error, GYEOT_ERROR_UNSUPPORTED,
                      "tokenizer.json: the model \"BPE\" is not supported");
  if (model.prefix.at != NULL) return read_wordpiece(load, &model, vocabulary_size);
  if (gyeot_json_kind_of(model.vocabulary) == GYEOT_JSON_ARRAY)
    return read_unigram(load, &model, vocabulary_size);
  return gyeot_fail(load->error, GYEOT_ERROR_UNSUPPORTED,
                    "tokenizer.json: a model without type is not supported");
}
