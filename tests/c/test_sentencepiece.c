/* SentencePiece models: golden tables, and hand-made models whose ids stand beside them. */
#include "sentencepiece_testing.h"

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
  snprintf(path, sizeof path, "tests/data/sentencepiece/%s.model", name);
  file_bytes model = read_test_file(path);
  gyeot_tokenizer *tokenizer;
  gyeot_error error;
  if (gyeot_tokenizer_load_sentencepiece(model.bytes, model.size, NULL, NULL, &tokenizer, &error) !=
      GYEOT_OK)
    fail_msg("%s: %s", path, error.message);
  free(model.bytes);
  snprintf(path, sizeof path, "tests/data/sentencepiece/%s.tsv", name);
  file_bytes table = read_test_file(path);
  gyeot_encoding *encoding;
  assert_int_equal(gyeot_encoding_new(NULL, &encoding), GYEOT_OK);
  size_t lines = 0, wrong = 0;
  char *line = (char *)table.bytes;
  for (char *end; (end = strchr(line, '\n')) != NULL; line = end + 1, lines++) {
    *end = '\0';
    wrong += !check_line(tokenizer, encoding, line, name);
  }
  gyeot_encoding_free(encoding);
  gyeot_tokenizer_free(tokenizer);
  free(table.bytes);
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
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
