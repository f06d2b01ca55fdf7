/* What the SentencePiece tests share: loading, comparing ids, and models made by hand. */
#ifndef SENTENCEPIECE_TESTING_H
#define SENTENCEPIECE_TESTING_H

#include "spm_builder.h"
#include "tokenizer_testing.h"

static inline gyeot_tokenizer *load_ids(const spm_builder *model, int32_t offset, int32_t unknown) {
  gyeot_tokenizer *tokenizer = NULL;
  gyeot_error error;
  gyeot_sentencepiece_options options = {offset, unknown};
  gyeot_status status = gyeot_tokenizer_load_sentencepiece(model->bytes, model->size, &options, NULL,
                                                           &tokenizer, &error);
  if (status != GYEOT_OK) fail_msg("%s", error.message);
  return tokenizer;
}

static inline gyeot_tokenizer *load(const spm_builder *model) { return load_ids(model, 0, -1); }

/* Compares the ids of a text, given in words: "3 4 5". */
static inline void assert_ids_of(const gyeot_tokenizer *tokenizer, const char *text, size_t size,
                          const char *expected) {
  gyeot_encoding *encoding;
  gyeot_encode_options options = {false, false, 0, false};
  assert_int_equal(gyeot_encoding_new(NULL, &encoding), GYEOT_OK);
  assert_int_equal(
      gyeot_tokenizer_encode(tokenizer, (const uint8_t *)text, size, &options, encoding), GYEOT_OK);
  char got[1024] = "";
  for (size_t i = 0, at = 0; i < encoding->length; i++)
    at += (size_t)snprintf(got + at, sizeof got - at, i == 0 ? "%d" : " %d", encoding->ids[i]);
  assert_string_equal(got, expected);
  gyeot_encoding_free(encoding);
}

static inline void assert_ids(const gyeot_tokenizer *tokenizer, const char *text, const char *expected) {
  assert_ids_of(tokenizer, text, strlen(text), expected);
}

static inline void begin(spm_builder *to) {
  to->size = 0;
  spm_piece(to, "<unk>", 0, UNKNOWN); /* 0 */
  spm_piece(to, "<s>", 0, CONTROL);   /* 1 */
  spm_piece(to, "</s>", 0, CONTROL);  /* 2 */
}

static inline void ten_pieces(spm_builder *to) {
  begin(to);
  spm_piece(to, "▁", -1, NORMAL);    /* 3 */
  spm_piece(to, "가", -2, NORMAL);   /* 4 */
  spm_piece(to, "▁가", -2.5f, NORMAL); /* 5 */
  spm_piece(to, "나", -3, NORMAL);   /* 6 */
  spm_piece(to, "가나", -4, NORMAL); /* 7 */
  spm_piece(to, "a", -5, NORMAL);    /* 8 */
  spm_piece(to, "<", -5, NORMAL);    /* 9 */
}

static inline void add_bytes(spm_builder *to) {
  spm_byte_fallback(to);
  for (int byte = 0; byte < 256; byte++) {
    char name[8];
    snprintf(name, sizeof name, "<0x%02X>", byte);
    spm_piece(to, name, 0, BYTE);
  }
}

#endif
