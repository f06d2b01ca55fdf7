/* Any bytes as vocab.txt, and a text through what it gives: ids in range, offsets inside the text,
 * the same answer twice.
 *
 *   byte 0: options | the vocabulary, up to the first NUL | the text */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "gyeot_tokenizer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const gyeot_tokenizer *tokenizer, const gyeot_encoding *made, size_t size) {
  for (size_t i = 0; i < made->length; i++) {
    size_t length;
    if (made->ids[i] < 0 || (size_t)made->ids[i] >= gyeot_tokenizer_size(tokenizer)) abort();
    if (gyeot_tokenizer_piece(tokenizer, made->ids[i], &length) == NULL) abort();
    if (made->offsets[2 * i] > made->offsets[2 * i + 1] || made->offsets[2 * i + 1] > size) abort();
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size == 0) return 0;
  uint8_t bits = *data++;
  size--;
  const uint8_t *end = memchr(data, 0, size);
  size_t vocabulary_size = end == NULL ? size : (size_t)(end - data);
  const uint8_t *text = end == NULL ? data : end + 1;
  size_t text_size = end == NULL ? size : size - vocabulary_size - 1;

  gyeot_wordpiece_options options = {.lowercase = bits & 1,
                                     .strip_accents = (bits >> 1 & 3) % 3 - 1,
                                     .split_chinese = (bits & 8) != 0};
  if (bits & 16) options.unk_token = "a";
  if (bits & 128) {
    options.added_tokens = "[new]\0[MASK]\0b c";
    options.added_flags = (const uint8_t *)"\1\2\7";
    options.added_count = 3;
  }
  gyeot_tokenizer *tokenizer;
  gyeot_error error;
  gyeot_status status =
      gyeot_tokenizer_load_vocab(data, vocabulary_size, &options, NULL, &tokenizer, &error);
  if (status != GYEOT_OK) {
    if (error.message[0] == '\0' || error.status != status) abort();
    return 0;
  }
  gyeot_encode_options encode = {bits & 32, bits & 64, 0, true};
  gyeot_encoding *first, *second;
  if (gyeot_encoding_new(NULL, &first) != GYEOT_OK || gyeot_encoding_new(NULL, &second) != GYEOT_OK)
    abort();
  if (gyeot_tokenizer_encode(tokenizer, text, text_size, &encode, first) != GYEOT_OK) abort();
  check(tokenizer, first, text_size);
  if (gyeot_tokenizer_encode(tokenizer, text, text_size, &encode, second) != GYEOT_OK) abort();
  if (first->length != second->length) abort();

  uint8_t *decoded;
  size_t length;
  if (gyeot_tokenizer_decode(tokenizer, first->ids, first->length, bits & 128, &decoded, &length) !=
      GYEOT_OK)
    abort();
  gyeot_text_free(tokenizer, decoded);
  gyeot_encoding_free(first);
  gyeot_encoding_free(second);
  gyeot_tokenizer_free(tokenizer);
  return 0;
}
