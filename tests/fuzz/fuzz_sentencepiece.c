/* Any bytes as a SentencePiece model: loaded or refused, and what loads encodes, decodes and answers
 * for its pieces without reading or writing out of bounds. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "gyeot_tokenizer.h"

static const char *const TEXTS[] = {
    "", " ", "가나다 abc  \t\n", "<s>▁▁가</s><unk>", "\xFF\xC0\x80\xED\xA0\x80\xF4\x90\x80\x80", "ㅋㅋㅋㅋㅋㅋㅋㅋㅋㅋ",
    "😂👩‍👩‍👧‍👦 é é ｶﾞ ＜ﬁ", "ababababaabbaab", "\xEA\xB0"};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use(const gyeot_tokenizer *tokenizer, gyeot_encoding *encoding, const uint8_t *text,
                size_t size) {
  gyeot_encode_options options = {true, false, 0, true};
  gyeot_status status = gyeot_tokenizer_encode(tokenizer, text, size, &options, encoding);
  if (status != GYEOT_OK) {
    if (status != GYEOT_ERROR_MEMORY) abort();
    return;
  }
  for (size_t i = 0; i < encoding->length; i++) {
    if (encoding->ids[i] < 0 || (size_t)encoding->ids[i] >= gyeot_tokenizer_size(tokenizer)) abort();
    if (encoding->offsets[2 * i] > encoding->offsets[2 * i + 1]) abort();
    if (encoding->offsets[2 * i + 1] > size) abort();
    size_t length;
    const uint8_t *piece = gyeot_tokenizer_piece(tokenizer, encoding->ids[i], &length);
    if (piece == NULL || length == 0) abort();
    gyeot_tokenizer_id(tokenizer, piece, length);
  }
  uint8_t *decoded;
  size_t length;
  if (gyeot_tokenizer_decode(tokenizer, encoding->ids, encoding->length, size % 2 == 0, &decoded,
                             &length) == GYEOT_OK)
    gyeot_text_free(tokenizer, decoded);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  gyeot_tokenizer *tokenizer = NULL;
  gyeot_error error;
  gyeot_sentencepiece_options options = {size % 3 == 0, size % 3 == 0 ? 3 : -1};
  gyeot_status status =
      gyeot_tokenizer_load_sentencepiece(data, size, &options, NULL, &tokenizer, &error);
  if (status != GYEOT_OK) {
    if (tokenizer != NULL || error.status != status || error.message[0] == '\0') abort();
    return 0;
  }
  gyeot_encoding *encoding;
  if (gyeot_encoding_new(NULL, &encoding) == GYEOT_OK) {
    for (size_t i = 0; i < sizeof TEXTS / sizeof *TEXTS; i++)
      use(tokenizer, encoding, (const uint8_t *)TEXTS[i], strlen(TEXTS[i]));
    use(tokenizer, encoding, data, size < 2000 ? size : 2000);
    gyeot_encoding_free(encoding);
  }
  gyeot_tokenizer_free(tokenizer);
  return 0;
}
