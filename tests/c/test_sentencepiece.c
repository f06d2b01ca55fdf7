/* SentencePiece models: golden tables, hand-made models whose ids stand beside them, refusals, and
 * what happens when memory runs out or bytes are wrong. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "counting_allocator.h"
#include "gyeot_tokenizer.h"
#include "sentencepiece.h"
#include "spm_builder.h"

static gyeot_tokenizer *load_ids(const spm_builder *model, int32_t offset, int32_t unknown) {
  gyeot_tokenizer *tokenizer = NULL;
  gyeot_error error;
  gyeot_sentencepiece_options options = {offset, unknown};
  gyeot_status status = gyeot_tokenizer_load_sentencepiece(model->bytes, model->size, &options, NULL,
                                                           &tokenizer, &error);
  if (status != GYEOT_OK) fail_msg("%s", error.message);
  return tokenizer;
}

static gyeot_tokenizer *load(const spm_builder *model) { return load_ids(model, 0, -1); }

static void assert_refused(const spm_builder *model, const char *message) {
  gyeot_tokenizer *tokenizer = NULL;
  gyeot_error error;
  gyeot_status status = gyeot_tokenizer_load_sentencepiece(model->bytes, model->size, NULL, NULL,
                                                           &tokenizer, &error);
  assert_int_equal(status, GYEOT_ERROR_FORMAT);
  assert_null(tokenizer);
  if (strstr(error.message, message) == NULL)
    fail_msg("\"%s\" has no \"%s\"", error.message, message);
}

/* Compares the ids of a text, given in words: "3 4 5". */
static void assert_ids_of(const gyeot_tokenizer *tokenizer, const char *text, size_t size,
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

static void assert_ids(const gyeot_tokenizer *tokenizer, const char *text, const char *expected) {
  assert_ids_of(tokenizer, text, strlen(text), expected);
}

static void assert_decodes(const gyeot_tokenizer *tokenizer, const int32_t *ids, size_t length,
                           bool skip, const char *expected) {
  uint8_t *text;
  size_t size;
  assert_int_equal(gyeot_tokenizer_decode(tokenizer, ids, length, skip, &text, &size), GYEOT_OK);
  assert_int_equal(size, strlen(expected));
  assert_memory_equal(text, expected, size);
  gyeot_text_free(tokenizer, text);
}

/* Golden tables */

static char *read_file(const char *path, size_t *size) {
  FILE *file = fopen(path, "rb");
  if (file == NULL) fail_msg("%s is missing; the tests run from the repository's root", path);
  fseek(file, 0, SEEK_END);
  *size = (size_t)ftell(file);
  rewind(file);
  char *bytes = malloc(*size + 1);
  assert_int_equal(fread(bytes, 1, *size, file), *size);
  bytes[*size] = '\0';
  fclose(file);
  return bytes;
}

static size_t unescape(char *text, size_t size) {
  size_t to = 0;
  for (size_t at = 0; at < size; at++) {
    char c = text[at];
    if (c == '\\') {
      c = text[++at];
      c = c == 'n' ? '\n' : c == 'r' ? '\r' : c == 't' ? '\t' : c == '0' ? '\0' : c;
    }
    text[to++] = c;
  }
  return to;
}

/* One line: ids, begin-end pairs, the text. Returns false and prints when something differs. */
static bool check_line(const gyeot_tokenizer *tokenizer, gyeot_encoding *encoding, char *line,
                       const char *name) {
  char *pairs = strchr(line, '\t') + 1, *text = strchr(pairs, '\t') + 1;
  size_t size = unescape(text, strlen(text));
  gyeot_encode_options options = {false, false, 0, true};
  assert_int_equal(
      gyeot_tokenizer_encode(tokenizer, (const uint8_t *)text, size, &options, encoding), GYEOT_OK);
  bool same = true;
  size_t n = 0;
  char *id = line, *pair = pairs;
  for (; *id != '\t' && same; n++) {
    long want = strtol(id, &id, 10);
    long begin = strtol(pair, &pair, 10), end = strtol(pair + 1, &pair, 10);
    same = n < encoding->length && encoding->ids[n] == want &&
           encoding->offsets[2 * n] == (uint32_t)begin &&
           encoding->offsets[2 * n + 1] == (uint32_t)end;
  }
  same = same && n == encoding->length;
  if (!same) print_error("%s, piece %zu of: %s\n", name, n, text);
  return same;
}

static void check_table(const char *name) {
  char path[256];
  size_t size;
  snprintf(path, sizeof path, "tests/data/sentencepiece/%s.model", name);
  char *model = read_file(path, &size);
  gyeot_tokenizer *tokenizer;
  gyeot_error error;
  if (gyeot_tokenizer_load_sentencepiece((const uint8_t *)model, size, NULL, NULL, &tokenizer,
                                         &error) != GYEOT_OK)
    fail_msg("%s: %s", path, error.message);
  free(model);
  snprintf(path, sizeof path, "tests/data/sentencepiece/%s.tsv", name);
  char *table = read_file(path, &size);
  gyeot_encoding *encoding;
  assert_int_equal(gyeot_encoding_new(NULL, &encoding), GYEOT_OK);
  size_t lines = 0, wrong = 0;
  for (char *line = table, *end; (end = strchr(line, '\n')) != NULL; line = end + 1, lines++) {
    *end = '\0';
    wrong += !check_line(tokenizer, encoding, line, name);
  }
  gyeot_encoding_free(encoding);
  gyeot_tokenizer_free(tokenizer);
  free(table);
  assert_true(lines > 400);
  assert_int_equal(wrong, 0);
}

static void test_golden_tables(void **state) {
  (void)state;
  static const char *const names[] = {
      "unigram-nmt_nfkc", "unigram-identity", "unigram-nfkc_cf-suffix", "unigram-nfkc-bytes",
      "unigram-nmt_nfkc_cf-symbols", "unigram-rules", "unigram-unused", "unigram-ties",
      "unigram-no-escape", "unigram-own-unknown", "bpe-rules-bytes", "bpe-identity-symbols",
      "bpe-unused", "bpe-ties", "word-identity", "word-suffix", "char-symbols", "char-bytes"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) check_table(names[i]);
}

/* Hand-made models */

static void begin(spm_builder *to) {
  to->size = 0;
  spm_piece(to, "<unk>", 0, UNKNOWN); /* 0 */
  spm_piece(to, "<s>", 0, CONTROL);   /* 1 */
  spm_piece(to, "</s>", 0, CONTROL);  /* 2 */
}

static void ten_pieces(spm_builder *to) {
  begin(to);
  spm_piece(to, "▁", -1, NORMAL);    /* 3 */
  spm_piece(to, "가", -2, NORMAL);   /* 4 */
  spm_piece(to, "▁가", -2.5f, NORMAL); /* 5 */
  spm_piece(to, "나", -3, NORMAL);   /* 6 */
  spm_piece(to, "가나", -4, NORMAL); /* 7 */
  spm_piece(to, "a", -5, NORMAL);    /* 8 */
  spm_piece(to, "<", -5, NORMAL);    /* 9 */
}

static void test_unigram_takes_the_best_path(void **state) {
  (void)state;
  spm_builder model;
  ten_pieces(&model);
  gyeot_tokenizer *tokenizer = load(&model);
  assert_ids(tokenizer, "가", "5");          /* ▁가: -2.5, ▁|가: -3 */
  assert_ids(tokenizer, "가나", "3 7");      /* ▁|가나: -5, ▁가|나: -5.5 */
  assert_ids(tokenizer, "가 가", "5 5");
  assert_ids(tokenizer, "  가 \t", "5 3 0"); /* without a map a tab is no space */
  assert_ids(tokenizer, "", "");
  assert_ids(tokenizer, "   ", "");
  gyeot_tokenizer_free(tokenizer);
}

static void test_a_run_of_unknowns_is_one(void **state) {
  (void)state;
  spm_builder model;
  ten_pieces(&model);
  gyeot_tokenizer *tokenizer = load(&model);
  assert_ids(tokenizer, "xyz가xz", "3 0 4 0");
  assert_ids_of(tokenizer, "\xFF\xEA\xB0가", 6, "3 0 4"); /* bytes that are not UTF-8: U+FFFD each */
  gyeot_tokenizer_free(tokenizer);
}

static void test_control_pieces_are_never_read_from_text(void **state) {
  (void)state;
  spm_builder model;
  ten_pieces(&model);
  gyeot_tokenizer *tokenizer = load(&model);
  assert_ids(tokenizer, "<s>a", "3 9 0 8");
  assert_int_equal(gyeot_tokenizer_id(tokenizer, (const uint8_t *)"<s>", 3), 1);
  assert_int_equal(gyeot_tokenizer_id(tokenizer, (const uint8_t *)"nothing", 7), -1);
  gyeot_tokenizer_free(tokenizer);
}

static void test_of_equal_paths_the_earliest_start_stays(void **state) {
  (void)state;
  spm_builder model;
  begin(&model);
  spm_dummy_prefix(&model, 0);
  spm_piece(&model, "a", -1, NORMAL);   /* 3 */
  spm_piece(&model, "aa", -2, NORMAL);  /* 4 */
  spm_piece(&model, "aaa", -3, NORMAL); /* 5 */
  gyeot_tokenizer *tokenizer = load(&model);
  assert_ids(tokenizer, "a", "3");
  assert_ids(tokenizer, "aa", "4");
  assert_ids(tokenizer, "aaa", "5");
  assert_ids(tokenizer, "aaaa", "3 5"); /* all cuts score -4; the last piece that starts first wins */
  gyeot_tokenizer_free(tokenizer);
}

static void test_user_defined_symbols_always_win(void **state) {
  (void)state;
  spm_builder model;
  ten_pieces(&model);
  spm_piece(&model, "가나a", 0, USER_DEFINED); /* 10 */
  spm_piece(&model, "a b", 0, USER_DEFINED);   /* 11: its space becomes a mark, so it is never found */
  gyeot_tokenizer *tokenizer = load(&model);
  assert_ids(tokenizer, "가가나a", "5 10");
  assert_ids(tokenizer, "a b", "3 8 3 0");
  gyeot_tokenizer_free(tokenizer);
}

static void test_unused_pieces_are_not_used(void **state) {
  (void)state;
  spm_builder model;
  ten_pieces(&model);
  spm_piece(&model, "가나a", 10, UNUSED); /* 10 */
  spm_piece(&model, "z", 10, UNUSED);     /* 11 */
  gyeot_tokenizer *tokenizer = load(&model);
  assert_ids(tokenizer, "가나az", "3 7 8 0");
  assert_int_equal(gyeot_tokenizer_id(tokenizer, (const uint8_t *)"z", 1), 11);
  gyeot_tokenizer_free(tokenizer);
}

static void add_bytes(spm_builder *to) {
  spm_byte_fallback(to);
  for (int byte = 0; byte < 256; byte++) {
    char name[8];
    snprintf(name, sizeof name, "<0x%02X>", byte);
    spm_piece(to, name, 0, BYTE);
  }
}

static void test_byte_fallback(void **state) {
  (void)state;
  spm_builder model;
  ten_pieces(&model);
  add_bytes(&model); /* byte b is 10 + b */
  gyeot_tokenizer *tokenizer = load(&model);
  assert_ids(tokenizer, "가é!", "5 205 179 43");
  assert_ids_of(tokenizer, "a\0", 2, "3 8 10");
  assert_ids(tokenizer, "<0x41>", "3 9 58 130 62 59 72"); /* as text it is text */
  int32_t ids[] = {5, 205, 179, 205, 43, 1, 0};
  assert_decodes(tokenizer, ids, 7, true, "가é\xEF\xBF\xBD! \xE2\x81\x87 ");
  assert_decodes(tokenizer, ids, 7, false, "가é\xEF\xBF\xBD!<s> \xE2\x81\x87 ");
  gyeot_tokenizer_free(tokenizer);
}

static void test_spaces_by_every_rule(void **state) {
  (void)state;
  spm_builder model;
  ten_pieces(&model);
  spm_dummy_prefix(&model, 0);
  spm_remove_extra(&model, 0);
  gyeot_tokenizer *tokenizer = load(&model);
  assert_ids(tokenizer, "가  가 ", "4 3 5 3");
  gyeot_tokenizer_free(tokenizer);

  ten_pieces(&model);
  spm_suffix(&model);
  spm_piece(&model, "가▁", -1, NORMAL); /* 10 */
  tokenizer = load(&model);
  assert_ids(tokenizer, " 가 나 ", "10 6 3");
  gyeot_tokenizer_free(tokenizer);

  ten_pieces(&model);
  spm_escape(&model, 0);
  spm_piece(&model, " 가", -1, NORMAL); /* 10 */
  tokenizer = load(&model);
  assert_ids(tokenizer, "가  가▁", "10 10 3");
  gyeot_tokenizer_free(tokenizer);
}

static void test_bpe_merges_the_best_pair_first(void **state) {
  (void)state;
  spm_builder model;
  begin(&model);
  spm_kind(&model, BPE);
  spm_dummy_prefix(&model, 0);
  spm_piece(&model, "a", 0, NORMAL);     /* 3 */
  spm_piece(&model, "b", 0, NORMAL);     /* 4 */
  spm_piece(&model, "ab", -1, NORMAL);   /* 5 */
  spm_piece(&model, "aa", -2, NORMAL);   /* 6 */
  spm_piece(&model, "abab", -3, UNUSED); /* 7 */
  gyeot_tokenizer *tokenizer = load(&model);
  assert_ids(tokenizer, "aab", "3 5");
  assert_ids(tokenizer, "aaa", "6 3");
  assert_ids(tokenizer, "abab", "5 5");   /* put together as 7, and taken apart again */
  assert_ids(tokenizer, "acca", "3 0 3");
  gyeot_tokenizer_free(tokenizer);
}

static void test_word_and_char_models(void **state) {
  (void)state;
  spm_builder model;
  ten_pieces(&model);
  spm_kind(&model, WORD);
  gyeot_tokenizer *tokenizer = load(&model);
  assert_ids(tokenizer, "가 나 가", "5 0 5");
  gyeot_tokenizer_free(tokenizer);
  ten_pieces(&model);
  spm_kind(&model, CHAR);
  spm_piece(&model, "나나", 0, USER_DEFINED); /* 10 */
  tokenizer = load(&model);
  assert_ids(tokenizer, "가 나나나", "3 4 3 10 6");
  gyeot_tokenizer_free(tokenizer);
}

static void test_ids_in_the_layout_of_fairseq(void **state) {
  (void)state;
  spm_builder model;
  ten_pieces(&model);
  gyeot_tokenizer *tokenizer = load_ids(&model, 1, 3);
  assert_ids(tokenizer, "가x", "6 3");
  assert_int_equal(gyeot_tokenizer_size(tokenizer), 11);
  static const char *const names[] = {"<s>", "<pad>", "</s>", "<unk>", "▁", "가"};
  for (int32_t id = 0; id < 6; id++) {
    size_t size;
    const uint8_t *piece = gyeot_tokenizer_piece(tokenizer, id, &size);
    assert_int_equal(size, strlen(names[id]));
    assert_memory_equal(piece, names[id], size);
    assert_int_equal(gyeot_tokenizer_id(tokenizer, piece, size), id);
  }
  size_t size;
  assert_null(gyeot_tokenizer_piece(tokenizer, 11, &size));
  assert_null(gyeot_tokenizer_piece(tokenizer, INT32_MAX, &size));
  int32_t ids[] = {0, 6, 3, 6, 2, 1, -7, 999};
  assert_decodes(tokenizer, ids, 8, true, "가 \xE2\x81\x87  가");
  gyeot_tokenizer_free(tokenizer);
}

static void test_special_ids_and_truncation(void **state) {
  (void)state;
  spm_builder model;
  ten_pieces(&model);
  gyeot_tokenizer *tokenizer = load_ids(&model, 1, 3);
  int32_t prefix = 0, suffix = 2;
  assert_int_equal(gyeot_tokenizer_set_template(tokenizer, &prefix, 1, &suffix, 1), GYEOT_OK);
  gyeot_encoding *encoding;
  assert_int_equal(gyeot_encoding_new(NULL, &encoding), GYEOT_OK);
  gyeot_encode_options options = {true, false, 4, true};
  const char *text = "가 가 가";
  assert_int_equal(gyeot_tokenizer_encode(tokenizer, (const uint8_t *)text, strlen(text), &options,
                                          encoding), GYEOT_OK);
  int32_t ids[] = {0, 6, 6, 2};
  uint32_t offsets[] = {0, 0, 0, 3, 3, 7, 0, 0};
  assert_int_equal(encoding->length, 4);
  assert_true(encoding->truncated);
  assert_memory_equal(encoding->ids, ids, sizeof ids);
  assert_memory_equal(encoding->offsets, offsets, sizeof offsets);
  gyeot_encoding_free(encoding);
  gyeot_tokenizer_free(tokenizer);
}

/* Long repeats: past a sum of 100,000 SentencePiece counts from zero again. Where 8,150 of these are
 * cut in two differs without that (this line once did). */
static void test_sums_start_again_in_long_texts(void **state) {
  (void)state;
  spm_builder model;
  model.size = 0;
  spm_piece(&model, "<unk>", 0, UNKNOWN);
  spm_piece(&model, "a", -33.3f, NORMAL);
  spm_piece(&model, "aa", -35.1f, NORMAL);
  spm_piece(&model, "aaa", -36.9f, NORMAL);
  spm_dummy_prefix(&model, 0);
  gyeot_tokenizer *tokenizer = load(&model);
  char text[8150];
  memset(text, 'a', sizeof text);
  gyeot_encoding *encoding;
  gyeot_encode_options options = {false, false, 0, false};
  assert_int_equal(gyeot_encoding_new(NULL, &encoding), GYEOT_OK);
  assert_int_equal(gyeot_tokenizer_encode(tokenizer, (const uint8_t *)text, sizeof text, &options,
                                          encoding), GYEOT_OK);
  assert_int_equal(encoding->length, 2717);
  for (size_t i = 0; i < encoding->length; i++)
    assert_int_equal(encoding->ids[i], i == 2711 ? 2 : 3);
  gyeot_encoding_free(encoding);
  gyeot_tokenizer_free(tokenizer);
}

/* Refusals */

static void test_refuses_what_sentencepiece_refuses(void **state) {
  (void)state;
  spm_builder model;
  static char long_piece[8001];
  memset(long_piece, 'a', 8000);

  model.size = 0;
  spm_piece(&model, "a", 0, NORMAL);
  assert_refused(&model, "unknown");
  begin(&model);
  assert_refused(&model, "no piece to use");
  ten_pieces(&model);
  spm_piece(&model, "", 0, NORMAL);
  assert_refused(&model, "piece 10 is empty");
  ten_pieces(&model);
  spm_piece(&model, "가", 0, NORMAL);
  assert_refused(&model, "piece 10 is there twice");
  ten_pieces(&model);
  spm_piece(&model, "<s>", 0, CONTROL);
  assert_refused(&model, "piece 10 is there twice");
  ten_pieces(&model);
  spm_piece(&model, "<unk2>", 0, UNKNOWN);
  assert_refused(&model, "pieces 0 and 10 are both unknown");
  ten_pieces(&model);
  spm_piece(&model, "q", NAN, NORMAL);
  assert_refused(&model, "NaN");
  ten_pieces(&model);
  spm_piece(&model, "q", -INFINITY, CONTROL);
  assert_refused(&model, "infinite");
  ten_pieces(&model);
  spm_piece_bytes(&model, "a\0b", 3, 0, NORMAL);
  assert_refused(&model, "NUL");
  ten_pieces(&model);
  spm_piece(&model, long_piece, 0, NORMAL);
  assert_refused(&model, "8000 bytes");
  ten_pieces(&model);
  spm_piece(&model, "<0x00>", 0, BYTE);
  assert_refused(&model, "no byte fallback");
  ten_pieces(&model);
  spm_byte_fallback(&model);
  assert_refused(&model, "byte 0");
  ten_pieces(&model);
  add_bytes(&model);
  spm_piece(&model, "<0xff>", 0, BYTE);
  assert_refused(&model, "stands for no byte");
  ten_pieces(&model);
  spm_bytes(&model, 3, "\x12\x03" "abc", 5);
  assert_refused(&model, "character map");
}

/* The same name may be a control piece and a normal one, but not in a BPE model. */
static void test_one_name_for_two_kinds(void **state) {
  (void)state;
  spm_builder model;
  ten_pieces(&model);
  spm_piece(&model, "<s>", -1, NORMAL); /* 10 */
  gyeot_tokenizer *tokenizer = load(&model);
  assert_ids(tokenizer, "<s>", "3 10");
  gyeot_tokenizer_free(tokenizer);
  spm_kind(&model, BPE);
  assert_refused(&model, "twice");
}

static void test_names_the_wrong_kind_of_file(void **state) {
  (void)state;
  static const struct { const char *bytes, *message; } files[] = {
      {"<!DOCTYPE html><html><body>Not found</body></html>", "HTML"},
      {"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "Git LFS"},
      {"\x1F\x8B\x08 gzip", "gzip"},
      {"[PAD]\n[UNK]\n[CLS]\n", "not a SentencePiece model"},
      {"{\"version\": \"1.0\"}", "JSON"}};
  for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
    spm_builder model;
    model.size = strlen(files[i].bytes);
    memcpy(model.bytes, files[i].bytes, model.size);
    assert_refused(&model, files[i].message);
  }
  spm_builder empty = {.size = 0};
  assert_refused(&empty, "empty");
}

/* Broken on purpose */

static void exercise(const gyeot_tokenizer *tokenizer) {
  static const char text[] = "가나 a  <s>\xFF\xED\xA0\x80 나a\xF0\x9F\x98\x82";
  gyeot_encoding *encoding;
  gyeot_encode_options options = {true, true, 0, true};
  assert_int_equal(gyeot_encoding_new(NULL, &encoding), GYEOT_OK);
  assert_int_equal(gyeot_tokenizer_encode(tokenizer, (const uint8_t *)text, sizeof text, &options,
                                          encoding), GYEOT_OK);
  uint8_t *decoded;
  size_t size;
  assert_int_equal(gyeot_tokenizer_decode(tokenizer, encoding->ids, encoding->length, false,
                                          &decoded, &size), GYEOT_OK);
  gyeot_text_free(tokenizer, decoded);
  gyeot_encoding_free(encoding);
}

/* Loads from a block of exactly this size, so that reading past its end shows. */
static void load_and_exercise(const uint8_t *bytes, size_t size) {
  uint8_t *exact = malloc(size == 0 ? 1 : size);
  memcpy(exact, bytes, size);
  gyeot_tokenizer *tokenizer;
  gyeot_error error;
  gyeot_status status =
      gyeot_tokenizer_load_sentencepiece(exact, size, NULL, NULL, &tokenizer, &error);
  free(exact);
  if (status == GYEOT_OK) {
    exercise(tokenizer);
    gyeot_tokenizer_free(tokenizer);
  } else {
    assert_int_equal(error.status, status);
    assert_true(error.message[0] != '\0');
  }
}

static void test_truncated_and_flipped(void **state) {
  (void)state;
  size_t size;
  uint8_t *model = (uint8_t *)read_file("tests/data/sentencepiece/unigram-rules.model", &size);
  for (size_t cut = 0; cut < size; cut += cut < 300 || cut + 1700 > size ? 1 : 97)
    load_and_exercise(model, cut);
  uint32_t random = 20240304;
  for (int i = 0; i < 2000; i++) {
    random = random * 1664525 + 1013904223;
    size_t at = (i & 1) != 0 ? size - 1 - (random >> 8) % 1500 : (random >> 8) % size;
    uint8_t before = model[at];
    model[at] ^= (uint8_t)(1u << (random >> 29));
    load_and_exercise(model, size);
    model[at] = before;
  }
  free(model);
}

static void mixed_model(spm_builder *to, unsigned kind) {
  ten_pieces(to);
  spm_kind(to, kind);
  spm_piece(to, "나a", -9, UNUSED);
  spm_piece(to, "ㅋㅋ", 0, USER_DEFINED);
  spm_piece(to, "나나", -1, NORMAL);
  spm_piece(to, "\xEA\xB0", -1, NORMAL);
}

static void test_every_allocation_of_load_may_fail(void **state) {
  (void)state;
  for (unsigned kind = UNIGRAM; kind <= CHAR; kind++) {
    spm_builder model;
    mixed_model(&model, kind);
    for (size_t fail_at = 1;; fail_at++) {
      counting_allocator counts = {0, fail_at, 0, 0, 0};
      gyeot_allocator gate = counting_gate(&counts);
      gyeot_tokenizer *tokenizer = NULL;
      gyeot_error error;
      gyeot_status status = gyeot_tokenizer_load_sentencepiece(model.bytes, model.size, NULL, &gate,
                                                               &tokenizer, &error);
      if (status == GYEOT_OK) {
        assert_true(counts.calls < fail_at);
        gyeot_tokenizer_free(tokenizer);
        assert_int_equal(counts.blocks, 0);
        break;
      }
      assert_int_equal(status, GYEOT_ERROR_MEMORY);
      assert_int_equal(error.status, GYEOT_ERROR_MEMORY);
      assert_null(tokenizer);
      assert_int_equal(counts.blocks, 0);
    }
  }
}

static void test_every_allocation_of_encode_and_decode_may_fail(void **state) {
  (void)state;
  static const char text[] = "ㅋㅋ가나 나a나나<s>ㅋxyz 나aㅋㅋ ";
  for (unsigned kind = UNIGRAM; kind <= CHAR; kind++) {
    spm_builder model;
    mixed_model(&model, kind);
    counting_allocator counts = {0, 0, 0, 0, 0};
    gyeot_allocator gate = counting_gate(&counts);
    gyeot_tokenizer *tokenizer = NULL;
    assert_int_equal(gyeot_tokenizer_load_sentencepiece(model.bytes, model.size, NULL, &gate,
                                                        &tokenizer, NULL), GYEOT_OK);
    size_t blocks = counts.blocks;
    gyeot_encode_options options = {true, true, 0, true};
    size_t length = 0;
    for (size_t fail_at = 1; length == 0; fail_at++) {
      gyeot_encoding *encoding;
      counts.fail_at = 0;
      assert_int_equal(gyeot_encoding_new(&gate, &encoding), GYEOT_OK);
      counts.calls = 0;
      counts.fail_at = fail_at;
      gyeot_status status = gyeot_tokenizer_encode(tokenizer, (const uint8_t *)text,
                                                   sizeof text - 1, &options, encoding);
      if (status == GYEOT_OK) {
        length = encoding->length;
        assert_true(length > 0);
      } else {
        assert_int_equal(status, GYEOT_ERROR_MEMORY);
        assert_int_equal(encoding->length, 0);
        counts.fail_at = 0; /* the same encoding serves again */
        assert_int_equal(gyeot_tokenizer_encode(tokenizer, (const uint8_t *)text, sizeof text - 1,
                                                &options, encoding), GYEOT_OK);
      }
      gyeot_encoding_free(encoding);
      assert_int_equal(counts.blocks, blocks);
    }
    int32_t ids[] = {3, 4, 0, 1, 5};
    for (size_t fail_at = 1;; fail_at++) {
      uint8_t *decoded = NULL;
      size_t size;
      counts.calls = 0;
      counts.fail_at = fail_at;
      gyeot_status status = gyeot_tokenizer_decode(tokenizer, ids, 5, false, &decoded, &size);
      if (status == GYEOT_OK) {
        gyeot_text_free(tokenizer, decoded);
        break;
      }
      assert_int_equal(status, GYEOT_ERROR_MEMORY);
      assert_int_equal(counts.blocks, blocks);
    }
    gyeot_tokenizer_free(tokenizer);
    assert_int_equal(counts.blocks, 0);
  }
}

/* 60,000 pieces of 12 bytes, two thirds of what those of large models have. The file itself is kept, so
 * all else must fit into twice its size. */
static void test_a_large_model_takes_less_than_three_times_its_size(void **state) {
  (void)state;
  enum { LARGE = 60000 };
  uint8_t *bytes = malloc(40 * LARGE), *to = bytes;
  spm_builder piece;
  for (uint32_t i = 0; i < LARGE; i++) {
    piece.size = 0;
    char text[16] = "▁";
    size_t size = 3;
    for (uint32_t rest = i, part = 0; part < 3; part++, rest /= 40) {
      uint32_t c = 0xAC00 + rest % 40 * 28;
      text[size++] = (char)(0xE0 | c >> 12);
      text[size++] = (char)(0x80 | (c >> 6 & 0x3F));
      text[size++] = (char)(0x80 | (c & 0x3F));
    }
    spm_piece_bytes(&piece, text, size, -1.0f - (float)i, i == 0 ? UNKNOWN : NORMAL);
    memcpy(to, piece.bytes, piece.size);
    to += piece.size;
  }
  size_t size = (size_t)(to - bytes);
  counting_allocator counts = {0, 0, 0, 0, 0};
  gyeot_allocator gate = counting_gate(&counts);
  uint8_t *adopted = counting_reallocate(&counts, NULL, size);
  memcpy(adopted, bytes, size);
  free(bytes);
  gyeot_tokenizer *tokenizer;
  gyeot_error error;
  if (gyeot_sentencepiece_adopt(adopted, size, NULL, &gate, &tokenizer, &error) != GYEOT_OK)
    fail_msg("%s", error.message);
  assert_true(counts.peak < 3 * size);
  assert_ids(tokenizer, "가개가", "40"); /* 0 + 1 * 40 + 0 * 1600 */
  gyeot_tokenizer_free(tokenizer);
  assert_int_equal(counts.blocks, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_golden_tables),
      cmocka_unit_test(test_unigram_takes_the_best_path),
      cmocka_unit_test(test_a_run_of_unknowns_is_one),
      cmocka_unit_test(test_control_pieces_are_never_read_from_text),
      cmocka_unit_test(test_of_equal_paths_the_earliest_start_stays),
      cmocka_unit_test(test_user_defined_symbols_always_win),
      cmocka_unit_test(test_unused_pieces_are_not_used),
      cmocka_unit_test(test_byte_fallback),
      cmocka_unit_test(test_spaces_by_every_rule),
      cmocka_unit_test(test_bpe_merges_the_best_pair_first),
      cmocka_unit_test(test_word_and_char_models),
      cmocka_unit_test(test_ids_in_the_layout_of_fairseq),
      cmocka_unit_test(test_special_ids_and_truncation),
      cmocka_unit_test(test_sums_start_again_in_long_texts),
      cmocka_unit_test(test_refuses_what_sentencepiece_refuses),
      cmocka_unit_test(test_one_name_for_two_kinds),
      cmocka_unit_test(test_names_the_wrong_kind_of_file),
      cmocka_unit_test(test_truncated_and_flipped),
      cmocka_unit_test(test_a_large_model_takes_less_than_three_times_its_size),
      cmocka_unit_test(test_every_allocation_of_load_may_fail),
      cmocka_unit_test(test_every_allocation_of_encode_and_decode_may_fail),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
