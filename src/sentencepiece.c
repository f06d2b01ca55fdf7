#include <math.h>
#include <string.h>

#include "bpe.h"
#include "sentencepiece.h"
#include "sentencepiece_model.h"
#include "sentencepiece_normalizer.h"
#include "unigram.h"

/* The sink's scratch blocks. */
enum { NORMALIZED = 0, ORIGINS = 1, SEARCH = 2, DECODED = 6 };

typedef struct spm_engine {
  gyeot_engine base;
  gyeot_spm_model model;
  gyeot_spm_normalizer normalizer, denormalizer;
  bool denormalizes, denormalizer_broken;
  gyeot_unigram_f32 unigram;
  int32_t id_offset, unknown_id; /* as the caller numbers */
  bool fairseq;
} spm_engine;

/* fairseq's layout puts its own four tokens first: their names, by id. */
static const char *const FAIRSEQ[] = {"<s>", "<pad>", "</s>", "<unk>"};
enum { FAIRSEQ_COUNT = 4 };

static int32_t outer_id(const spm_engine *engine, int32_t id) {
  return id == engine->model.unknown_id ? engine->unknown_id : id + engine->id_offset;
}

/* The model's own id, or -1. */
static int32_t inner_id(const spm_engine *engine, int32_t id) {
  if (id == engine->unknown_id) return engine->model.unknown_id;
  if (id < engine->id_offset || (engine->fairseq && id < FAIRSEQ_COUNT)) return -1;
  id -= engine->id_offset;
  return (size_t)id < engine->model.count && id != engine->model.unknown_id ? id : -1;
}

/* Word and char models: each word, or each character or user-defined symbol, is looked up whole. */
static gyeot_status split_whole(const spm_engine *engine, const uint8_t *text, size_t size,
                                gyeot_sink *sink, const gyeot_span **spans, size_t *count) {
  static const uint8_t space_mark[] = {0xE2, 0x96, 0x81};
  void **block = &sink->scratch[SEARCH].block;
  size_t *capacity = &sink->scratch[SEARCH].capacity;
  if (size > SIZE_MAX / 2 / sizeof(gyeot_span)) return GYEOT_ERROR_MEMORY;
  gyeot_status status =
      gyeot_grow(&sink->allocator, block, capacity, size * sizeof(gyeot_span), 1);
  if (status != GYEOT_OK) return status;
  gyeot_span *out = *block;
  size_t n = 0;
  for (size_t at = 0, length; at < size; at += length) {
    length = gyeot_utf8_step(text + at, size - at);
    if (engine->model.kind == GYEOT_SPM_CHAR) {
      size_t symbol = gyeot_spm_symbol(&engine->normalizer, text + at, size - at);
      if (symbol != 0) length = symbol;
    }
    bool begins = engine->model.kind == GYEOT_SPM_CHAR || at == 0 ||
                  (length == sizeof space_mark && memcmp(text + at, space_mark, length) == 0);
    if (begins) out[n++] = (gyeot_span){0, (uint32_t)at, (uint32_t)at};
    out[n - 1].end = (uint32_t)(at + length);
  }
  for (size_t i = 0; i < n; i++) {
    int32_t id = gyeot_piece_trie_find(&engine->model.trie, text + out[i].begin,
                                       out[i].end - out[i].begin);
    bool usable = id >= 0 && engine->model.types[id] != GYEOT_SPM_UNUSED;
    out[i].id = usable ? id : engine->model.unknown_id;
  }
  *spans = out;
  *count = n;
  return GYEOT_OK;
}

static gyeot_status segment(const spm_engine *engine, const uint8_t *text, size_t size,
                            gyeot_sink *sink, const gyeot_span **spans, size_t *count) {
  switch (engine->model.kind) {
    case GYEOT_SPM_UNIGRAM:
      return gyeot_unigram_f32_encode(&engine->unigram, text, size, sink, SEARCH, spans, count);
    case GYEOT_SPM_BPE:
      return gyeot_bpe_encode(&engine->model, &engine->normalizer, text, size, sink, SEARCH, spans,
                              count);
    default: return split_whole(engine, text, size, sink, spans, count);
  }
}

/* An unknown piece becomes its bytes, the last of which stands for the text it came from. */
static gyeot_status push_bytes(const spm_engine *engine, const uint8_t *text, gyeot_span span,
                               const uint32_t *origins, gyeot_sink *sink) {
  gyeot_status status = GYEOT_OK;
  for (uint32_t i = span.begin; i < span.end && status == GYEOT_OK; i++) {
    int32_t id = outer_id(engine, engine->model.byte_ids[text[i]]);
    size_t begin = origins == NULL ? 0 : origins[span.begin];
    size_t end = origins == NULL ? 0 : origins[span.end];
    status = gyeot_sink_push(sink, id, begin, i + 1 == span.end ? end : begin);
  }
  return status;
}

static gyeot_status encode(const gyeot_engine *base, const uint8_t *text, size_t size,
                           bool special_tokens_as_text, gyeot_sink *sink) {
  (void)special_tokens_as_text; /* SentencePiece never reads a control piece from the text */
  const spm_engine *engine = (const spm_engine *)base;
  const uint8_t *normalized;
  const uint32_t *origins;
  size_t length;
  if (size >= UINT32_MAX / 4) return GYEOT_ERROR_ARGUMENT;
  gyeot_status status = gyeot_spm_normalize(&engine->normalizer, text, size, sink, NORMALIZED,
                                            &normalized, &length, &origins);
  if (status != GYEOT_OK || length == 0) return status;
  const gyeot_span *spans;
  size_t count;
  status = segment(engine, normalized, length, sink, &spans, &count);
  bool after_unknown = false;
  for (size_t i = 0; i < count && status == GYEOT_OK; i++) {
    gyeot_span span = spans[i];
    bool unknown = span.id == engine->model.unknown_id;
    size_t begin = origins == NULL ? 0 : origins[span.begin];
    size_t end = origins == NULL ? 0 : origins[span.end];
    if (unknown && engine->model.byte_fallback) {
      status = push_bytes(engine, normalized, span, origins, sink);
    } else if (unknown && after_unknown) {
      if (sink->want_offsets) sink->offsets[2 * sink->length - 1] = (uint32_t)end;
    } else {
      status = gyeot_sink_push(sink, outer_id(engine, span.id), begin, end);
    }
    after_unknown = unknown;
  }
  return status;
}

/* Decoding */

typedef struct text_buffer {
  const gyeot_allocator *allocator;
  void *bytes;
  size_t length, capacity;
} text_buffer;

static gyeot_status append(text_buffer *to, const uint8_t *bytes, size_t size) {
  gyeot_status status =
      gyeot_grow(to->allocator, &to->bytes, &to->capacity, to->length + size + 1, 1);
  if (status != GYEOT_OK) return status;
  if (size != 0) memcpy((uint8_t *)to->bytes + to->length, bytes, size);
  to->length += size;
  return GYEOT_OK;
}

static gyeot_status append_replacing_marks(text_buffer *to, const uint8_t *piece, size_t size) {
  gyeot_status status = GYEOT_OK;
  for (size_t at = 0, next; at < size && status == GYEOT_OK; at = next) {
    bool mark = size - at >= 3 && memcmp(piece + at, "\xE2\x96\x81", 3) == 0;
    next = at + (mark ? 3 : 1);
    status = append(to, mark ? (const uint8_t *)" " : piece + at, 1);
  }
  return status;
}

/* The bytes of a run of byte pieces, from `from` on, were appended raw: what is not UTF-8 among them
 * becomes U+FFFD. */
static gyeot_status mend_bytes(text_buffer *to, size_t from) {
  text_buffer run = {to->allocator, NULL, 0, 0};
  gyeot_status status = append(&run, (uint8_t *)to->bytes + from, to->length - from);
  const uint8_t *bytes = run.bytes;
  to->length = from;
  for (size_t at = 0; at < run.length && status == GYEOT_OK;) {
    size_t valid = gyeot_utf8_valid(bytes + at, run.length - at);
    status = valid == 0 ? append(to, (const uint8_t *)"\xEF\xBF\xBD", 3)
                        : append(to, bytes + at, valid);
    at += valid == 0 ? 1 : valid;
  }
  gyeot_deallocate(to->allocator, run.bytes);
  return status;
}

static gyeot_status decode_piece(const spm_engine *engine, int32_t id, bool skip_special,
                                 bool at_start, bool *mark_seen, text_buffer *to) {
  const gyeot_spm_model *model = &engine->model;
  size_t size;
  const uint8_t *piece = gyeot_spm_model_piece(model, (size_t)id, &size);
  *mark_seen = false;
  if (model->types[id] == GYEOT_SPM_CONTROL)
    return skip_special ? GYEOT_OK : append(to, piece, size);
  if (id == model->unknown_id) {
    if (model->unknown_surface == NULL) return append(to, (const uint8_t *)" \xE2\x81\x87 ", 5);
    return append(to, model->unknown_surface, model->unknown_surface_size);
  }
  const gyeot_spm_rules *rules = &model->normalizer;
  if (at_start && (rules->add_dummy_prefix || rules->remove_extra_whitespaces) && size >= 3 &&
      memcmp(piece, "\xE2\x96\x81", 3) == 0) {
    piece += 3;
    size -= 3;
    *mark_seen = !rules->remove_extra_whitespaces;
  }
  return append_replacing_marks(to, piece, size);
}

static gyeot_status decode_pieces(const spm_engine *engine, const int32_t *ids, size_t length,
                                  bool skip_special, text_buffer *to) {
  gyeot_status status = append(to, NULL, 0);
  bool at_start = true, mark_seen = false;
  size_t bytes_from = SIZE_MAX;
  for (size_t i = 0; i < length && status == GYEOT_OK; i++) {
    int32_t id = inner_id(engine, ids[i]);
    bool outer_special = id < 0 && engine->fairseq && ids[i] >= 0 && ids[i] < FAIRSEQ_COUNT;
    if (id < 0 && !outer_special) continue;
    if (id >= 0 && engine->model.types[id] == GYEOT_SPM_BYTE) {
      size_t size;
      const uint8_t *piece = gyeot_spm_model_piece(&engine->model, (size_t)id, &size);
      uint8_t byte = (uint8_t)gyeot_spm_piece_byte(piece, size);
      if (bytes_from == SIZE_MAX) bytes_from = to->length;
      status = append(to, &byte, 1);
      continue;
    }
    if (bytes_from != SIZE_MAX) status = mend_bytes(to, bytes_from);
    bytes_from = SIZE_MAX;
    if (status != GYEOT_OK) return status;
    if (mark_seen || to->length != 0) at_start = false;
    if (outer_special) {
      const char *name = FAIRSEQ[ids[i]];
      if (!skip_special) status = append(to, (const uint8_t *)name, strlen(name));
      mark_seen = false;
    } else {
      status = decode_piece(engine, id, skip_special, at_start, &mark_seen, to);
    }
  }
  if (status == GYEOT_OK && bytes_from != SIZE_MAX) status = mend_bytes(to, bytes_from);
  return status;
}

/* Sends the text through the denormaliser, which needs a sink of its own for a moment. */
static gyeot_status denormalize(const spm_engine *engine, text_buffer *text) {
  gyeot_sink sink;
  memset(&sink, 0, sizeof sink);
  sink.allocator = engine->base.allocator;
  const uint8_t *result;
  const uint32_t *origins;
  size_t length;
  gyeot_status status = gyeot_spm_normalize(&engine->denormalizer, text->bytes, text->length, &sink,
                                            NORMALIZED, &result, &length, &origins);
  if (status == GYEOT_OK) {
    text->length = 0;
    status = append(text, result, length);
  }
  for (size_t i = 0; i < GYEOT_SCRATCH_BLOCKS; i++)
    gyeot_deallocate(&sink.allocator, sink.scratch[i].block);
  return status;
}

static gyeot_status decode(const gyeot_engine *base, const int32_t *ids, size_t length,
                           bool skip_special_tokens, uint8_t **out_text, size_t *out_size) {
  const spm_engine *engine = (const spm_engine *)base;
  text_buffer text = {&base->allocator, NULL, 0, 0};
  gyeot_status status = decode_pieces(engine, ids, length, skip_special_tokens, &text);
  if (status == GYEOT_OK && engine->denormalizer_broken) text.length = 0;
  if (status == GYEOT_OK && engine->denormalizes) status = denormalize(engine, &text);
  if (status != GYEOT_OK) {
    gyeot_deallocate(&base->allocator, text.bytes);
    return status;
  }
  *out_text = text.bytes;
  *out_size = text.length;
  return GYEOT_OK;
}

/* The vocabulary */

static const uint8_t *piece(const gyeot_engine *base, int32_t id, size_t *size) {
  const spm_engine *engine = (const spm_engine *)base;
  *size = 0;
  if (engine->fairseq && id >= 0 && id < FAIRSEQ_COUNT) {
    *size = strlen(FAIRSEQ[id]);
    return (const uint8_t *)FAIRSEQ[id];
  }
  int32_t inner = inner_id(engine, id);
  return inner < 0 ? NULL : gyeot_spm_model_piece(&engine->model, (size_t)inner, size);
}

static int32_t id(const gyeot_engine *base, const uint8_t *text, size_t size) {
  const spm_engine *engine = (const spm_engine *)base;
  if (size == 0) return -1;
  for (int32_t i = 0; engine->fairseq && i < FAIRSEQ_COUNT; i++)
    if (strlen(FAIRSEQ[i]) == size && memcmp(FAIRSEQ[i], text, size) == 0) return i;
  int32_t inner = gyeot_spm_model_reserved(&engine->model, text, size);
  if (inner < 0) inner = gyeot_piece_trie_find(&engine->model.trie, text, size);
  return inner < 0 ? -1 : outer_id(engine, inner);
}

static size_t vocabulary_size(const gyeot_engine *base) {
  const spm_engine *engine = (const spm_engine *)base;
  size_t size = engine->model.count + (size_t)engine->id_offset;
  return (size_t)engine->unknown_id >= size ? (size_t)engine->unknown_id + 1 : size;
}

static void release(gyeot_engine *base) {
  spm_engine *engine = (spm_engine *)base;
  gyeot_allocator allocator = base->allocator;
  gyeot_spm_model_close(&engine->model);
  gyeot_deallocate(&allocator, engine);
}

static const gyeot_engine_class ENGINE_CLASS = {encode, decode, piece, id, vocabulary_size, release};

/* The search's scores: the lowest normal piece sets the unknown's, unused pieces are out, and a
 * user-defined symbol of n bytes scores 0.1 n - 0.1, so that it always wins. */
static void prepare_scores(spm_engine *engine) {
  gyeot_spm_model *model = &engine->model;
  float lowest = 3.402823466e+38f;
  for (size_t i = 0; i < model->count; i++) {
    size_t size;
    if (model->types[i] == GYEOT_SPM_NORMAL && model->scores[i] < lowest)
      lowest = model->scores[i];
    if (model->types[i] == GYEOT_SPM_UNUSED) model->scores[i] = NAN;
    if (model->types[i] == GYEOT_SPM_USER_DEFINED) {
      gyeot_spm_model_piece(model, i, &size);
      model->scores[i] = (float)(0.1 * (double)size - 0.1);
    }
  }
  engine->unigram =
      (gyeot_unigram_f32){&model->trie, model->scores, lowest - 10.0f, model->unknown_id};
}

static gyeot_status prepare(spm_engine *engine, gyeot_error *error) {
  gyeot_spm_model *model = &engine->model;
  gyeot_status status =
      gyeot_spm_normalizer_open(&engine->normalizer, &model->normalizer,
                                model->whitespace_as_suffix, &model->symbols, error);
  if (status != GYEOT_OK) return status;
  /* A denormaliser that cannot be read makes SentencePiece decode everything to nothing. */
  engine->denormalizes = model->denormalizer.present && model->denormalizer.charsmap_size != 0;
  if (engine->denormalizes && gyeot_spm_normalizer_open(&engine->denormalizer, &model->denormalizer,
                                                        false, NULL, NULL) != GYEOT_OK) {
    engine->denormalizes = false;
    engine->denormalizer_broken = true;
  }
  if (model->kind == GYEOT_SPM_UNIGRAM) prepare_scores(engine);
  return GYEOT_OK;
}

gyeot_status gyeot_sentencepiece_adopt(uint8_t *bytes, size_t size,
                                       const gyeot_sentencepiece_options *options,
                                       const gyeot_allocator *given, gyeot_tokenizer **out,
                                       gyeot_error *error) {
  gyeot_sentencepiece_options ids = {0, -1};
  if (options != NULL) ids = *options;
  gyeot_allocator allocator = gyeot_allocator_or_default(given);
  spm_engine *engine = NULL;
  gyeot_status status = GYEOT_OK;
  if (ids.id_offset < 0 || ids.id_offset > 1000000 || ids.unk_id < -1 || ids.unk_id == INT32_MAX)
    status = gyeot_fail(error, GYEOT_ERROR_ARGUMENT, "an id offset or unknown id out of range");
  if (status == GYEOT_OK && (engine = gyeot_allocate(&allocator, 1, sizeof *engine)) == NULL)
    status = gyeot_fail(error, GYEOT_ERROR_MEMORY, "out of memory for the tokenizer");
  if (status != GYEOT_OK) {
    gyeot_deallocate(&allocator, bytes);
    return status;
  }
  memset(engine, 0, sizeof *engine);
  engine->base = (gyeot_engine){&ENGINE_CLASS, allocator};
  engine->id_offset = ids.id_offset;
  engine->fairseq = ids.id_offset == 1 && ids.unk_id == 3;
  status = gyeot_spm_model_open(&engine->model, bytes, size, &allocator, error);
  if (status != GYEOT_OK) {
    gyeot_deallocate(&allocator, engine);
    return status;
  }
  engine->unknown_id = ids.unk_id >= 0 ? ids.unk_id : engine->model.unknown_id + ids.id_offset;
  status = prepare(engine, error);
  if (status != GYEOT_OK) {
    release(&engine->base);
    return status;
  }
  status = gyeot_tokenizer_wrap(&engine->base, out);
  if (status != GYEOT_OK) return gyeot_fail(error, status, "out of memory for the tokenizer");
  if (error != NULL) *error = (gyeot_error){GYEOT_OK, ""};
  return GYEOT_OK;
}

gyeot_status gyeot_tokenizer_load_sentencepiece(const uint8_t *bytes, size_t size,
                                                const gyeot_sentencepiece_options *options,
                                                const gyeot_allocator *given,
                                                gyeot_tokenizer **out, gyeot_error *error) {
  if ((bytes == NULL && size != 0) || out == NULL)
    return gyeot_fail(error, GYEOT_ERROR_ARGUMENT, "no bytes, or nowhere to put the tokenizer");
  if (size == 0) return gyeot_fail(error, GYEOT_ERROR_FORMAT, "the file is empty");
  gyeot_allocator allocator = gyeot_allocator_or_default(given);
  uint8_t *copy = gyeot_allocate(&allocator, size, 1);
  if (copy == NULL) return gyeot_fail(error, GYEOT_ERROR_MEMORY, "out of memory for the file");
  memcpy(copy, bytes, size);
  return gyeot_sentencepiece_adopt(copy, size, options, &allocator, out, error);
}
