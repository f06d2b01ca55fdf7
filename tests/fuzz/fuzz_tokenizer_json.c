/* Any bytes as tokenizer.json. What loads encodes a text made of everything, and the file itself:
 * ids that are ids, offsets inside the text, the same answer twice. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "gyeot_tokenizer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char everything[] =
    " 오늘  [MASK] <mask> <s>ab e\xCC\x81\xCC\xA3 u\xCC\x88\xCC\x84 \xEF\xBD\xB6\xEF\xBE\x9E "
    "\xE1\x84\x80\xE1\x85\xA1"
    "\xE1\x86\xA8 "
    "CAFE\xCC\x81``a''\t\xC2\xA0\xE3\x80\x80漢字\r\n\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x91\xA9 "
    "\xC4\xB0"
    "\xED\xA0\x80\xFF\xC3 \xE0\xA4\x95\xE0\xA5\x8D\xE0\xA4\x95\xCC\x81 \xE2\x96\x81x \xEF\xB7\xBA "
    "\0 \xEF\xBF\xBD";

/* How much of the file is encoded as text, so that slow inputs stay fast enough. */
enum { MOST_TEXT = 4000 };

static void try_text(const gyeot_tokenizer *tokenizer, gyeot_encoding *made, const uint8_t *text,
                     size_t size, bool special_tokens_as_text) {
  gyeot_encode_options options = {true, special_tokens_as_text, 0, true};
  if (gyeot_tokenizer_encode(tokenizer, text, size, &options, made) != GYEOT_OK) abort();
  for (size_t i = 0; i < made->length; i++) {
    if (made->ids[i] < 0) abort();
    if (made->offsets[2 * i] > made->offsets[2 * i + 1] || made->offsets[2 * i + 1] > size) abort();
  }
  uint8_t *decoded;
  size_t length, before = made->length;
  if (gyeot_tokenizer_decode(tokenizer, made->ids, made->length, special_tokens_as_text, &decoded,
                             &length) != GYEOT_OK)
    abort();
  gyeot_text_free(tokenizer, decoded);
  if (gyeot_tokenizer_encode(tokenizer, text, size, &options, made) != GYEOT_OK) abort();
  if (made->length != before) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  gyeot_tokenizer *tokenizer;
  gyeot_error error;
  gyeot_status status = gyeot_tokenizer_load_json(data, size, NULL, &tokenizer, &error);
  if (status != GYEOT_OK) {
    if (error.message[0] == '\0' || error.status != status) abort();
    return 0;
  }
  gyeot_encoding *made;
  if (gyeot_encoding_new(NULL, &made) != GYEOT_OK) abort();
  try_text(tokenizer, made, (const uint8_t *)everything, sizeof everything - 1, false);
  try_text(tokenizer, made, (const uint8_t *)everything, sizeof everything - 1, true);
  try_text(tokenizer, made, data, size < MOST_TEXT ? size : MOST_TEXT, false);
  gyeot_encoding_free(made);
  gyeot_tokenizer_free(tokenizer);
  return 0;
}
