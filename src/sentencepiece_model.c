#include "sentencepiece_model.h"

#include <math.h>
#include <string.h>

#include "protobuf.h"
#include "tokenizer_engine.h"

/* SentencePiece 0.2.3 refuses pieces of this many bytes and more. */
enum { PIECE_BYTES_MAX = 8000 };

const uint8_t *gyeot_spm_model_piece(const gyeot_spm_model *model, size_t id, size_t *size) {
  const uint8_t *at = model->bytes + model->piece_at[id];
  if (*at < 0x80) {
    *size = *at;
    return at + 1;
  }
  gyeot_protobuf reader = {model->bytes + model->piece_at[id], model->bytes + model->size, false};
  uint64_t length = 0;
  gyeot_protobuf_varint(&reader, &length);
  *size = (size_t)length;
  return reader.at;
}

int gyeot_spm_piece_byte(const uint8_t *text, size_t size) {
  if (size != 6 || memcmp(text, "<0x", 3) != 0 || text[5] != '>') return -1;
  int byte = 0;
  for (size_t i = 3; i < 5; i++) {
    if (text[i] >= '0' && text[i] <= '9')
      byte = byte * 16 + text[i] - '0';
    else if (text[i] >= 'A' && text[i] <= 'F')
      byte = byte * 16 + text[i] - 'A' + 10;
    else
      return -1;
  }
  return byte;
}

static bool is_reserved(uint8_t type) {
  return type == GYEOT_SPM_CONTROL || type == GYEOT_SPM_UNKNOWN || type == GYEOT_SPM_BYTE;
}

int32_t gyeot_spm_model_reserved(const gyeot_spm_model *model, const uint8_t *text, size_t size) {
  for (size_t id = 0; id < model->reserved_end; id++) {
    size_t length;
    if (!is_reserved(model->types[id])) continue;
    const uint8_t *piece = gyeot_spm_model_piece(model, id, &length);
    if (length == size && memcmp(piece, text, size) == 0) return (int32_t)id;
  }
  return -1;
}

/* The reading. Of a field that comes twice the last one counts, and a message that comes twice is
 * merged; a known field of another wire type and an enum value outside its enum are skipped. */

/* The bit of a type, while the file is read, whose piece needs no look of check_piece any more. */
enum { CHECKED = 0x80 };

/* Not 0 when one of eight bytes is 0 (Alan Mycroft's test). */
static uint64_t zero_among(const uint8_t *eight) {
  uint64_t word;
  memcpy(&word, eight, sizeof word);
  return (word - UINT64_C(0x0101010101010101)) & ~word & UINT64_C(0x8080808080808080);
}

/* The form in which every trainer writes a piece: text under 128 bytes, score, and perhaps a type. A
 * third of the time that the general reader takes, which of 250,000 pieces are 6 ms. */
static bool read_usual_piece(gyeot_spm_model *model, const gyeot_field *message, size_t id) {
  const uint8_t *at = message->bytes;
  size_t size = (size_t)message->value;
  if (size < 2 || at[0] != 0x0A || at[1] >= 0x80) return false;
  size_t rest = 2 + (size_t)at[1]; /* where the score's tag should be */
  if (size != rest + 5 && size != rest + 7) return false;
  if (at[rest] != 0x15) return false;
  uint8_t type = GYEOT_SPM_NORMAL;
  if (size == rest + 7) {
    type = at[rest + 6];
    if (at[rest + 5] != 0x18 || type < GYEOT_SPM_NORMAL || type > GYEOT_SPM_BYTE) return false;
  }
  uint32_t bits = (uint32_t)at[rest + 1] | (uint32_t)at[rest + 2] << 8 |
                  (uint32_t)at[rest + 3] << 16 | (uint32_t)at[rest + 4] << 24;
  memcpy(&model->scores[id], &bits, sizeof bits);
  model->piece_at[id] = (uint32_t)(at + 1 - model->bytes);
  if (type == GYEOT_SPM_NORMAL && rest != 2 && (~bits & 0x7F800000) != 0) {
    /* Words from the tag to the text's end; of a short text also bytes behind it, where a 0 costs no
     * more than the look. */
    uint64_t zero = zero_among(rest < 8 ? at : at + rest - 8);
    for (size_t i = 0; i + 8 < rest; i += 8) zero |= zero_among(at + i);
    if (zero == 0) type |= CHECKED;
  }
  model->types[id] = type;
  return true;
}

GYEOT_NOINLINE static bool read_piece(gyeot_spm_model *model, const gyeot_field *message,
                                      size_t id) {
  if (read_usual_piece(model, message, id)) return true;
  gyeot_protobuf reader = gyeot_protobuf_inside(message);
  gyeot_field field;
  model->piece_at[id] = 0;
  model->scores[id] = 0;
  model->types[id] = GYEOT_SPM_NORMAL;
  for (const uint8_t *start = reader.at; gyeot_protobuf_next(&reader, &field); start = reader.at) {
    if (field.number == 1 && field.wire == GYEOT_WIRE_BYTES) {
      /* The tag is one varint, however long; the length follows it. */
      gyeot_protobuf tag = {start, reader.end, false};
      uint64_t ignored;
      gyeot_protobuf_varint(&tag, &ignored);
      model->piece_at[id] = (uint32_t)(tag.at - model->bytes);
    } else if (field.number == 2 && field.wire == GYEOT_WIRE_FIXED32) {
      uint32_t bits = (uint32_t)field.value;
      memcpy(&model->scores[id], &bits, sizeof bits);
    } else if (field.number == 3 && field.wire == GYEOT_WIRE_VARINT) {
      uint32_t type = (uint32_t)field.value;
      if (type >= GYEOT_SPM_NORMAL && type <= GYEOT_SPM_BYTE) model->types[id] = (uint8_t)type;
    }
  }
  return !reader.broken;
}

static bool read_trainer(gyeot_spm_model *model, const gyeot_field *message) {
  gyeot_protobuf reader = gyeot_protobuf_inside(message);
  gyeot_field field;
  while (gyeot_protobuf_next(&reader, &field)) {
    if (field.number == 44 && field.wire == GYEOT_WIRE_BYTES) {
      model->unknown_surface = field.bytes;
      model->unknown_surface_size = (size_t)field.value;
    }
    if (field.wire != GYEOT_WIRE_VARINT) continue;
    uint32_t kind = (uint32_t)field.value;
    if (field.number == 3 && kind >= GYEOT_SPM_UNIGRAM && kind <= GYEOT_SPM_CHAR)
      model->kind = (gyeot_spm_kind)kind;
    else if (field.number == 24)
      model->whitespace_as_suffix = field.value != 0;
    else if (field.number == 35)
      model->byte_fallback = field.value != 0;
  }
  return !reader.broken;
}

static bool read_rules(gyeot_spm_rules *rules, const gyeot_field *message) {
  gyeot_protobuf reader = gyeot_protobuf_inside(message);
  gyeot_field field;
  rules->present = true;
  while (gyeot_protobuf_next(&reader, &field)) {
    if (field.number == 2 && field.wire == GYEOT_WIRE_BYTES) {
      rules->charsmap = field.bytes;
      rules->charsmap_size = (size_t)field.value;
    }
    if (field.wire != GYEOT_WIRE_VARINT) continue;
    if (field.number == 3) rules->add_dummy_prefix = field.value != 0;
    if (field.number == 4) rules->remove_extra_whitespaces = field.value != 0;
    if (field.number == 5) rules->escape_whitespaces = field.value != 0;
  }
  return !reader.broken;
}

static bool is_piece(const gyeot_field *field) {
  return field->number == 1 && field->wire == GYEOT_WIRE_BYTES;
}

/* gyeot_protobuf_next, with the usual field at hand: a piece of fewer than 128 bytes. */
static inline bool next_field(gyeot_protobuf *reader, gyeot_field *field) {
  const uint8_t *at = reader->at;
  if (reader->end - at < 2 || at[0] != 0x0A || at[1] > 0x7F || at[1] > reader->end - at - 2)
    return gyeot_protobuf_next(reader, field);
  *field = (gyeot_field){1, GYEOT_WIRE_BYTES, at[1], at + 2};
  reader->at = at + 2 + at[1];
  return true;
}

static gyeot_status refuse_file(const gyeot_spm_model *model, const gyeot_protobuf *reader,
                                gyeot_error *error) {
  const char *kind = gyeot_sniff(model->bytes, model->size);
  if (kind == NULL)
    return gyeot_fail(error, GYEOT_ERROR_FORMAT, "this is not a SentencePiece model");
  if (strcmp(kind, "a SentencePiece model") != 0)
    return gyeot_fail(error, GYEOT_ERROR_FORMAT, "this is %s, not a SentencePiece model", kind);
  return gyeot_fail(error, GYEOT_ERROR_FORMAT,
                    "the SentencePiece model is cut short or damaged: byte %zu of %zu",
                    (size_t)(reader->at - model->bytes), model->size);
}

static gyeot_status read_file(gyeot_spm_model *model, gyeot_error *error) {
  gyeot_protobuf reader = {model->bytes, model->bytes + model->size, false};
  gyeot_field field;
  size_t count = 0;
  while (next_field(&reader, &field)) count += is_piece(&field);
  if (reader.broken || count == 0) return refuse_file(model, &reader, error);
  model->piece_at = gyeot_allocate(&model->allocator, count, sizeof *model->piece_at);
  model->scores = gyeot_allocate(&model->allocator, count, sizeof *model->scores);
  model->types = gyeot_allocate(&model->allocator, count, sizeof *model->types);
  if (model->piece_at == NULL || model->scores == NULL || model->types == NULL)
    return gyeot_fail(error, GYEOT_ERROR_MEMORY, "out of memory for the pieces");

  reader = (gyeot_protobuf){model->bytes, model->bytes + model->size, false};
  while (next_field(&reader, &field)) {
    bool good = true;
    if (is_piece(&field))
      good = read_piece(model, &field, model->count++);
    else if (field.wire != GYEOT_WIRE_BYTES)
      continue;
    else if (field.number == 2)
      good = read_trainer(model, &field);
    else if (field.number == 3)
      good = read_rules(&model->normalizer, &field);
    else if (field.number == 5)
      good = read_rules(&model->denormalizer, &field);
    if (!good)
      return gyeot_fail(error, GYEOT_ERROR_FORMAT,
                        "the SentencePiece model is damaged before byte %zu",
                        (size_t)(reader.at - model->bytes));
  }
  return GYEOT_OK;
}

GYEOT_NOINLINE static gyeot_status check_piece(gyeot_spm_model *model, size_t id,
                                               bool byte_found[256], gyeot_error *error) {
  size_t size = 0;
  const uint8_t *text =
      model->piece_at[id] == 0 ? NULL : gyeot_spm_model_piece(model, id, &size);
  if (size == 0) return gyeot_fail(error, GYEOT_ERROR_FORMAT, "piece %zu is empty", id);
  if (size >= PIECE_BYTES_MAX)
    return gyeot_fail(error, GYEOT_ERROR_FORMAT, "piece %zu has %zu bytes, the most is 7999", id,
                      size);
  /* Models with byte fallback may carry a lone NUL, which is never used. */
  if (size == 1 && text[0] == 0 && model->byte_fallback)
    model->types[id] = GYEOT_SPM_UNUSED;
  else if (memchr(text, 0, size) != NULL)
    return gyeot_fail(error, GYEOT_ERROR_FORMAT, "piece %zu holds a NUL", id);
  /* SentencePiece looks at this in unigram models only, but orders merges by NaN at random. */
  if (!isfinite(model->scores[id]) &&
      (model->kind == GYEOT_SPM_UNIGRAM ||
       (model->kind == GYEOT_SPM_BPE && isnan(model->scores[id]))))
    return gyeot_fail(error, GYEOT_ERROR_FORMAT, "the score of piece %zu is NaN or infinite", id);
  if (is_reserved(model->types[id])) model->reserved_end = id + 1;
  if (model->types[id] == GYEOT_SPM_USER_DEFINED) model->symbols_end = id + 1;
  if (model->types[id] == GYEOT_SPM_UNKNOWN) {
    if (model->unknown_id >= 0)
      return gyeot_fail(error, GYEOT_ERROR_FORMAT, "pieces %zu and %zu are both unknown",
                        (size_t)model->unknown_id, id);
    model->unknown_id = (int32_t)id;
  }
  if (model->types[id] == GYEOT_SPM_BYTE) {
    int byte = gyeot_spm_piece_byte(text, size);
    if (!model->byte_fallback)
      return gyeot_fail(error, GYEOT_ERROR_FORMAT,
                        "piece %zu stands for a byte, but the model has no byte fallback", id);
    if (byte < 0)
      return gyeot_fail(error, GYEOT_ERROR_FORMAT, "piece %zu stands for no byte", id);
    byte_found[byte] = true;
    model->byte_ids[byte] = (int32_t)id;
  }
  return GYEOT_OK;
}

static gyeot_status check_pieces(gyeot_spm_model *model, gyeot_error *error) {
  bool byte_found[256] = {false};
  if (model->count >= INT32_MAX)
    return gyeot_fail(error, GYEOT_ERROR_LIMIT, "%zu pieces are too many", model->count);
  for (size_t id = 0; id < model->count; id++) {
    if ((model->types[id] & CHECKED) != 0) {
      model->types[id] &= (uint8_t)~CHECKED;
      continue;
    }
    gyeot_status status = check_piece(model, id, byte_found, error);
    if (status != GYEOT_OK) return status;
  }
  if (model->unknown_id < 0)
    return gyeot_fail(error, GYEOT_ERROR_FORMAT, "no piece is the unknown one");
  for (size_t byte = 0; byte < 256 && model->byte_fallback; byte++)
    if (!byte_found[byte])
      return gyeot_fail(error, GYEOT_ERROR_FORMAT,
                        "the model has byte fallback, but no piece for byte %zu", byte);
  return GYEOT_OK;
}

/* What goes into the tries: the vocabulary; the reserved pieces, in one that only finds duplicates;
 * the user-defined symbols. */
static bool vocabulary_piece(const void *context, size_t id, const uint8_t **text, size_t *size) {
  const gyeot_spm_model *model = context;
  if (is_reserved(model->types[id])) return false;
  *text = gyeot_spm_model_piece(model, id, size);
  return true;
}

static bool reserved_piece(const void *context, size_t id, const uint8_t **text, size_t *size) {
  const gyeot_spm_model *model = context;
  if (!is_reserved(model->types[id])) return false;
  *text = gyeot_spm_model_piece(model, id, size);
  return true;
}

/* User-defined symbols are looked for in the raw text, byte by byte. */
static bool symbol_piece(const void *context, size_t id, const uint8_t **text, size_t *size) {
  const gyeot_spm_model *model = context;
  if (model->types[id] != GYEOT_SPM_USER_DEFINED) return false;
  *text = gyeot_spm_model_piece(model, id, size);
  return true;
}

static gyeot_status build_trie(gyeot_spm_model *model, gyeot_piece_trie *trie, bool bytewise,
                               bool (*piece)(const void *, size_t, const uint8_t **, size_t *),
                               gyeot_error *error) {
  gyeot_piece_source source = {model, model->count, piece, model->count};
  /* These are few, and mostly among the first. */
  if (piece == reserved_piece) source.count = model->reserved_end;
  if (piece == symbol_piece) source.count = model->symbols_end;
  if (piece != vocabulary_piece) source.expected = 0;
  size_t duplicate = SIZE_MAX;
  gyeot_status status =
      gyeot_piece_trie_build(trie, &source, bytewise, &model->allocator, &duplicate);
  if (status == GYEOT_ERROR_LIMIT)
    return gyeot_fail(error, status, "%zu pieces are too many", model->count);
  if (status != GYEOT_OK) return gyeot_fail(error, status, "out of memory for the pieces");
  if (duplicate != SIZE_MAX)
    return gyeot_fail(error, GYEOT_ERROR_FORMAT, "piece %zu is there twice", duplicate);
  return GYEOT_OK;
}

static gyeot_status build_tries(gyeot_spm_model *model, gyeot_error *error) {
  gyeot_status status = build_trie(model, &model->trie, false, vocabulary_piece, error);
  if (status == GYEOT_OK) status = build_trie(model, &model->symbols, true, symbol_piece, error);
  if (status != GYEOT_OK) return status;
  if (model->kind == GYEOT_SPM_UNIGRAM && model->trie.node_count == 0)
    return gyeot_fail(error, GYEOT_ERROR_FORMAT, "the model has no piece to use");
  gyeot_piece_trie reserved;
  status = build_trie(model, &reserved, false, reserved_piece, error);
  gyeot_piece_trie_free(&reserved);
  if (status != GYEOT_OK || model->kind != GYEOT_SPM_BPE) return status;
  /* Only in BPE models must the reserved pieces have names of their own. */
  for (size_t id = 0; id < model->reserved_end; id++) {
    const uint8_t *text;
    size_t size;
    if (reserved_piece(model, id, &text, &size) &&
        gyeot_piece_trie_find(&model->trie, text, size) >= 0)
      return gyeot_fail(error, GYEOT_ERROR_FORMAT, "piece %zu is there twice", id);
  }
  return GYEOT_OK;
}

static gyeot_status list_unused(gyeot_spm_model *model, gyeot_error *error) {
  size_t count = 0;
  if (model->kind == GYEOT_SPM_BPE)
    for (size_t id = 0; id < model->count; id++) count += model->types[id] == GYEOT_SPM_UNUSED;
  if (count == 0) return GYEOT_OK;
  model->unused = gyeot_allocate(&model->allocator, count, sizeof *model->unused);
  if (model->unused == NULL)
    return gyeot_fail(error, GYEOT_ERROR_MEMORY, "out of memory for the pieces");
  for (size_t id = 0; id < model->count; id++)
    if (model->types[id] == GYEOT_SPM_UNUSED) model->unused[model->unused_count++] = (int32_t)id;
  return GYEOT_OK;
}

gyeot_status gyeot_spm_model_open(gyeot_spm_model *model, uint8_t *bytes, size_t size,
                                  const gyeot_allocator *allocator, gyeot_error *error) {
  memset(model, 0, sizeof *model);
  model->allocator = *allocator;
  model->bytes = bytes;
  model->size = size;
  model->kind = GYEOT_SPM_UNIGRAM;
  model->unknown_id = -1;
  model->normalizer = model->denormalizer = (gyeot_spm_rules){false, NULL, 0, true, true, true};
  gyeot_status status = GYEOT_OK;
  if (size > INT32_MAX)
    status = gyeot_fail(error, GYEOT_ERROR_LIMIT, "a SentencePiece model of more than 2 GiB");
  if (status == GYEOT_OK) status = read_file(model, error);
  if (status == GYEOT_OK) status = check_pieces(model, error);
  if (status == GYEOT_OK) status = list_unused(model, error);
  if (status == GYEOT_OK) status = build_tries(model, error);
  if (status != GYEOT_OK) gyeot_spm_model_close(model);
  return status;
}

void gyeot_spm_model_close(gyeot_spm_model *model) {
  gyeot_piece_trie_free(&model->symbols);
  gyeot_piece_trie_free(&model->trie);
  gyeot_deallocate(&model->allocator, model->unused);
  gyeot_deallocate(&model->allocator, model->types);
  gyeot_deallocate(&model->allocator, model->scores);
  gyeot_deallocate(&model->allocator, model->piece_at);
  gyeot_deallocate(&model->allocator, model->bytes);
  memset(model, 0, sizeof *model);
}
