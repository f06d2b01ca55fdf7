/* Any bytes as text, through tokenizers of every kind: ids in range, offsets inside the text, the same
 * answer twice, and truncation that keeps the beginning and the closing special token.
 *
 *   byte 0: which tokenizer | byte 1: options | byte 2: max_length | the text */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../c/spm_builder.h"
#include "gyeot_tokenizer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SPM_KINDS = 8, VOCABS = 4, TOKENIZERS = SPM_KINDS + VOCABS };

static const char VOCAB[] =
    "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\nb\nab\n##a\n##b\n가\n##가\n##나\n가나\n한\n##국\ne\n##\xCC\x81\né\n"
    "ㅋ\n##ㅋ\n!\n.\n中\n##中\n1\n##1\nᄀ\n##ᅡ\n";

/* Unigram, BPE, word and char; in the second half with byte fallback and the spaces kept. */
static gyeot_tokenizer *spm(unsigned which) {
  static spm_builder to;
  to.size = 0;
  spm_piece(&to, "<unk>", 0, UNKNOWN);
  spm_piece(&to, "<s>", 0, CONTROL);
  spm_piece(&to, "</s>", 0, CONTROL);
  static const char *const pieces[] = {"▁",  "a",  "b", "ab", "▁a", "aba", "가",   "나",
                                       "가나", "▁가", "ㅋ", "ㅋㅋ", "é",  "e",   "<s", "\xF0\x9F"};
  for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++)
    spm_piece(&to, pieces[i], -1.5f - (float)(i * 7 % 5), i % 6 == 5 ? UNUSED : NORMAL);
  spm_piece(&to, "나나", 0, USER_DEFINED);
  spm_piece(&to, "a b", 0, USER_DEFINED);
  spm_kind(&to, which % 4 + 1);
  if (which >= 4) {
    spm_remove_extra(&to, 0);
    spm_dummy_prefix(&to, (int)which & 1);
    spm_byte_fallback(&to);
    for (unsigned byte = 0; byte < 256; byte++) {
      char name[8];
      snprintf(name, sizeof name, "<0x%02X>", byte);
      spm_piece(&to, name, 0, BYTE);
    }
  }
  gyeot_tokenizer *tokenizer;
  gyeot_sentencepiece_options options = {1, 3};
  if (gyeot_tokenizer_load_sentencepiece(to.bytes, to.size, &options, NULL, &tokenizer, NULL) !=
      GYEOT_OK)
    abort();
  int32_t prefix = 0, suffix = 2;
  gyeot_tokenizer_set_template(tokenizer, &prefix, 1, &suffix, 1);
  return tokenizer;
}

static gyeot_tokenizer *vocab(unsigned which) {
  gyeot_wordpiece_options options = {
      .lowercase = which & 1, .strip_accents = -1, .split_chinese = (which & 2) != 0};
  gyeot_tokenizer *tokenizer;
  if (gyeot_tokenizer_load_vocab((const uint8_t *)VOCAB, sizeof VOCAB - 1, &options, NULL,
                                 &tokenizer, NULL) != GYEOT_OK)
    abort();
  return tokenizer;
}

static void check(const gyeot_tokenizer *tokenizer, const gyeot_encoding *made, size_t size) {
  for (size_t i = 0; i < made->length; i++) {
    if (made->ids[i] < 0 || (size_t)made->ids[i] >= gyeot_tokenizer_size(tokenizer)) abort();
    if (made->offsets[2 * i] > made->offsets[2 * i + 1] || made->offsets[2 * i + 1] > size) abort();
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static gyeot_tokenizer *tokenizers[TOKENIZERS];
  static gyeot_encoding *whole, *part;
  if (whole == NULL) {
    for (unsigned i = 0; i < TOKENIZERS; i++)
      tokenizers[i] = i < SPM_KINDS ? spm(i) : vocab(i - SPM_KINDS);
    if (gyeot_encoding_new(NULL, &whole) != GYEOT_OK || gyeot_encoding_new(NULL, &part) != GYEOT_OK)
      abort();
  }
  if (size < 3) return 0;
  const gyeot_tokenizer *tokenizer = tokenizers[data[0] % TOKENIZERS];
  gyeot_encode_options options = {data[1] & 1, data[1] & 2, 0, true};
  size_t most = data[2];
  data += 3;
  size -= 3;
  if (gyeot_tokenizer_encode(tokenizer, data, size, &options, whole) != GYEOT_OK) abort();
  check(tokenizer, whole, size);
  if (whole->truncated) abort();

  options.max_length = most;
  if (options.add_special_tokens && most == 1) { /* no room for the special tokens themselves */
    if (gyeot_tokenizer_encode(tokenizer, data, size, &options, part) != GYEOT_ERROR_ARGUMENT) abort();
    return 0;
  }
  if (gyeot_tokenizer_encode(tokenizer, data, size, &options, part) != GYEOT_OK) abort();
  check(tokenizer, part, size);
  bool fits = most == 0 || whole->length <= most;
  if (fits && (part->length != whole->length ||
               (whole->length != 0 &&
                memcmp(part->ids, whole->ids, whole->length * sizeof *whole->ids) != 0)))
    abort();
  if (part->truncated == fits) abort();
  if (!fits && options.add_special_tokens && most > 2 &&
      part->ids[part->length - 1] != whole->ids[whole->length - 1])
    abort();

  uint8_t *decoded;
  size_t length;
  if (gyeot_tokenizer_decode(tokenizer, whole->ids, whole->length, false, &decoded, &length) !=
      GYEOT_OK)
    abort();
  gyeot_text_free(tokenizer, decoded);
  return 0;
}
