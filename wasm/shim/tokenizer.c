/* Tokenizers for JavaScript: loading from memory that is handed over, and encoding many texts in one
 * call, because a call and a string's conversion cost more than a short sentence. */
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "gyeot_tokenizer.h"
#include "sentencepiece.h"

/* The options of gyeot_wasm_batch_encode. */
enum { ADD_SPECIAL_TOKENS = 1, SPECIAL_TOKENS_AS_TEXT = 2, WANT_OFFSETS = 4 };

/* Texts in, ids out. JavaScript writes the texts behind one another into `text` and tells where each
 * ends in UTF-16 units, which spares it to ask for every length in bytes. */
typedef struct gyeot_batch {
  gyeot_allocator allocator;
  gyeot_encoding *encoding;
  void *text, *ends, *ids, *offsets, *id_ends, *truncated, *padded, *units;
  size_t text_capacity, ends_capacity, ids_capacity, offsets_capacity, id_ends_capacity,
      truncated_capacity, padded_capacity, units_capacity;
  size_t id_count;
} gyeot_batch;

gyeot_status gyeot_wasm_load_vocab(uint8_t *bytes, size_t size, int lowercase, int strip_accents,
                                   int split_chinese, const char *unk, const char *cls,
                                   const char *sep, const char *pad, const char *mask,
                                   const char *added, const uint8_t *added_flags,
                                   size_t added_count, gyeot_tokenizer **out, gyeot_error *error);
gyeot_status gyeot_wasm_load_sentencepiece(uint8_t *bytes, size_t size, int32_t id_offset,
                                           int32_t unk_id, gyeot_tokenizer **out,
                                           gyeot_error *error);
gyeot_status gyeot_wasm_load_json(uint8_t *bytes, size_t size, gyeot_tokenizer **out,
                                  gyeot_error *error);
gyeot_status gyeot_wasm_decode(const gyeot_tokenizer *tokenizer, const int32_t *ids, size_t length,
                               int skip_special_tokens, uint8_t **out_text, size_t *out_size);
gyeot_batch *gyeot_wasm_batch_new(void);
void gyeot_wasm_batch_free(gyeot_batch *batch);
uint8_t *gyeot_wasm_batch_text(gyeot_batch *batch, size_t bytes);
uint32_t *gyeot_wasm_batch_ends(gyeot_batch *batch, size_t count);
gyeot_status gyeot_wasm_batch_encode(gyeot_batch *batch, const gyeot_tokenizer *tokenizer,
                                     size_t size, size_t count, int options, size_t max_length);
int32_t *gyeot_wasm_batch_ids(const gyeot_batch *batch);
uint32_t *gyeot_wasm_batch_offsets(const gyeot_batch *batch);
uint32_t *gyeot_wasm_batch_id_ends(const gyeot_batch *batch);
uint8_t *gyeot_wasm_batch_truncated(const gyeot_batch *batch);
int32_t *gyeot_wasm_batch_pad(gyeot_batch *batch, size_t count, size_t length, int32_t pad_id);

/* The loaders take over `bytes`, which came from malloc: JavaScript must not free them. */

gyeot_status gyeot_wasm_load_vocab(uint8_t *bytes, size_t size, int lowercase, int strip_accents,
                                   int split_chinese, const char *unk, const char *cls,
                                   const char *sep, const char *pad, const char *mask,
                                   const char *added, const uint8_t *added_flags,
                                   size_t added_count, gyeot_tokenizer **out, gyeot_error *error) {
  gyeot_wordpiece_options options = {lowercase != 0, strip_accents, split_chinese != 0,
                                     unk, cls, sep, pad, mask, added, added_flags, added_count};
  gyeot_status status = gyeot_tokenizer_load_vocab(bytes, size, &options, NULL, out, error);
  free(bytes);
  return status;
}

gyeot_status gyeot_wasm_load_sentencepiece(uint8_t *bytes, size_t size, int32_t id_offset,
                                           int32_t unk_id, gyeot_tokenizer **out,
                                           gyeot_error *error) {
  gyeot_sentencepiece_options options = {id_offset, unk_id};
  if (size == 0) {
    free(bytes);
    return gyeot_tokenizer_load_sentencepiece(NULL, 0, &options, NULL, out, error);
  }
  return gyeot_sentencepiece_adopt(bytes, size, &options, NULL, out, error);
}

gyeot_status gyeot_wasm_load_json(uint8_t *bytes, size_t size, gyeot_tokenizer **out,
                                  gyeot_error *error) {
  gyeot_status status = gyeot_tokenizer_load_json(bytes, size, NULL, out, error);
  free(bytes);
  return status;
}

gyeot_status gyeot_wasm_decode(const gyeot_tokenizer *tokenizer, const int32_t *ids, size_t length,
                               int skip_special_tokens, uint8_t **out_text, size_t *out_size) {
  return gyeot_tokenizer_decode(tokenizer, ids, length, skip_special_tokens != 0, out_text,
                                out_size);
}

gyeot_batch *gyeot_wasm_batch_new(void) {
  gyeot_batch *batch = calloc(1, sizeof *batch);
  if (batch == NULL) return NULL;
  batch->allocator = gyeot_allocator_or_default(NULL);
  if (gyeot_encoding_new(NULL, &batch->encoding) != GYEOT_OK) {
    free(batch);
    return NULL;
  }
  return batch;
}

void gyeot_wasm_batch_free(gyeot_batch *batch) {
  if (batch == NULL) return;
  gyeot_encoding_free(batch->encoding);
  free(batch->text);
  free(batch->ends);
  free(batch->ids);
  free(batch->offsets);
  free(batch->id_ends);
  free(batch->truncated);
  free(batch->padded);
  free(batch->units);
  free(batch);
}

static bool room(gyeot_batch *batch, void **block, size_t *capacity, size_t count, size_t size) {
  if (count > SIZE_MAX / 4 / size) return false;
  return gyeot_grow(&batch->allocator, block, capacity, count * size + 1, 1) == GYEOT_OK;
}

/* Room for the texts, and for where they end; NULL when out of memory. */
uint8_t *gyeot_wasm_batch_text(gyeot_batch *batch, size_t bytes) {
  return room(batch, &batch->text, &batch->text_capacity, bytes, 1) ? batch->text : NULL;
}

uint32_t *gyeot_wasm_batch_ends(gyeot_batch *batch, size_t count) {
  return room(batch, &batch->ends, &batch->ends_capacity, count, 4) ? batch->ends : NULL;
}

/* Bytes of the next `units` UTF-16 units of well-formed UTF-8. */
static size_t bytes_of_units(const uint8_t *text, size_t left, uint32_t units) {
  size_t at = 0;
  while (units != 0 && at < left) {
    uint8_t lead = text[at];
    at += lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    units -= lead >= 0xF0 && units > 1 ? 2 : 1;
  }
  return at < left ? at : left;
}

/* Turns byte positions in a text into UTF-16 ones. */
static bool put_offsets(gyeot_batch *batch, const uint8_t *text, size_t size) {
  const gyeot_encoding *made = batch->encoding;
  if (!room(batch, &batch->offsets, &batch->offsets_capacity, batch->id_count + made->length, 8) ||
      !room(batch, &batch->units, &batch->units_capacity, size + 1, 4))
    return false;
  uint32_t *units = batch->units, unit = 0;
  for (size_t at = 0; at < size; at++) {
    bool begins = (text[at] & 0xC0) != 0x80;
    units[at] = unit;
    if (begins) unit += text[at] >= 0xF0 ? 2 : 1;
  }
  units[size] = unit;
  uint32_t *out = (uint32_t *)batch->offsets + 2 * batch->id_count;
  for (size_t i = 0; i < 2 * made->length; i++) out[i] = units[made->offsets[i]];
  return true;
}

/* Encodes `count` texts of `size` bytes together. The ids of text i are those from id_ends[i - 1]
 * (0 for the first) up to id_ends[i]. */
gyeot_status gyeot_wasm_batch_encode(gyeot_batch *batch, const gyeot_tokenizer *tokenizer,
                                     size_t size, size_t count, int options, size_t max_length) {
  gyeot_encode_options encode = {(options & ADD_SPECIAL_TOKENS) != 0,
                                 (options & SPECIAL_TOKENS_AS_TEXT) != 0, max_length,
                                 (options & WANT_OFFSETS) != 0};
  const gyeot_encoding *made = batch->encoding;
  batch->id_count = 0;
  if (!room(batch, &batch->id_ends, &batch->id_ends_capacity, count, 4) ||
      !room(batch, &batch->truncated, &batch->truncated_capacity, count, 1))
    return GYEOT_ERROR_MEMORY;
  const uint32_t *ends = batch->ends;
  size_t at = 0;
  uint32_t unit = 0;
  for (size_t i = 0; i < count; i++) {
    const uint8_t *text = (const uint8_t *)batch->text + at;
    size_t length = bytes_of_units(text, size - at, ends[i] - unit);
    gyeot_status status =
        gyeot_tokenizer_encode(tokenizer, text, length, &encode, batch->encoding);
    if (status != GYEOT_OK) return status;
    if (!room(batch, &batch->ids, &batch->ids_capacity, batch->id_count + made->length, 4))
      return GYEOT_ERROR_MEMORY;
    if (made->length != 0)
      memcpy((int32_t *)batch->ids + batch->id_count, made->ids, made->length * sizeof *made->ids);
    if (encode.want_offsets && !put_offsets(batch, text, length)) return GYEOT_ERROR_MEMORY;
    batch->id_count += made->length;
    ((uint32_t *)batch->id_ends)[i] = (uint32_t)batch->id_count;
    ((uint8_t *)batch->truncated)[i] = made->truncated;
    at += length;
    unit = ends[i];
  }
  return GYEOT_OK;
}

int32_t *gyeot_wasm_batch_ids(const gyeot_batch *batch) { return batch->ids; }
uint32_t *gyeot_wasm_batch_offsets(const gyeot_batch *batch) { return batch->offsets; }
uint32_t *gyeot_wasm_batch_id_ends(const gyeot_batch *batch) { return batch->id_ends; }
uint8_t *gyeot_wasm_batch_truncated(const gyeot_batch *batch) { return batch->truncated; }

/* The ids of the last encode as rows of `length`, padded right, and behind them the mask of the same
 * shape; NULL when out of memory. */
int32_t *gyeot_wasm_batch_pad(gyeot_batch *batch, size_t count, size_t length, int32_t pad_id) {
  if (length != 0 && count > SIZE_MAX / 16 / length) return NULL;
  if (!room(batch, &batch->padded, &batch->padded_capacity, 2 * count * length, 4)) return NULL;
  int32_t *ids = batch->padded, *mask = ids + count * length;
  const int32_t *from = batch->ids;
  const uint32_t *id_ends = batch->id_ends;
  for (size_t i = 0, begin = 0; i < count; begin = id_ends[i++]) {
    size_t row = id_ends[i] - begin;
    for (size_t j = 0; j < length; j++) {
      *ids++ = j < row ? from[begin + j] : pad_id;
      *mask++ = j < row;
    }
  }
  return batch->padded;
}
