/* vocab.txt tokenizers: by hand on a vocabulary of a few pieces, then line by line against what
 * BertTokenizerFast gave. */
#include "tokenizer_testing.h"

/* ids:                                0      1      2      3      4       5   6     7   8    9  10
 */
static const char small_vocabulary[] =
    "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n마\n##음\n##이\nab\n##c\n.\n"
    /*                                     11   12     13    14   15 */
    "ca\n##fe\ncafé\n漢\n##\n";

static const gyeot_wordpiece_options cased = {.strip_accents = -1, .split_chinese = true};
static const gyeot_wordpiece_options lower = {
    .lowercase = true, .strip_accents = -1, .split_chinese = true};

static gyeot_tokenizer *load(const char *vocabulary, const gyeot_wordpiece_options *options) {
  gyeot_tokenizer *tokenizer = NULL;
  gyeot_error error;
  gyeot_status status = gyeot_tokenizer_load_vocab(
      (const uint8_t *)vocabulary, strlen(vocabulary), options, NULL, &tokenizer, &error);
  if (status != GYEOT_OK) fail_msg("%s", error.message);
  assert_string_equal(error.message, "");
  return tokenizer;
}

typedef struct given {
  gyeot_tokenizer *tokenizer;
  gyeot_encoding *encoding;
  gyeot_encode_options options;
} given;

static given with(const char *vocabulary, const gyeot_wordpiece_options *options) {
  given g = {load(vocabulary, options), NULL, {.add_special_tokens = true, .want_offsets = true}};
  assert_int_equal(gyeot_encoding_new(NULL, &g.encoding), GYEOT_OK);
  return g;
}

static void done(given *g) {
  gyeot_encoding_free(g->encoding);
  gyeot_tokenizer_free(g->tokenizer);
}

static void encode_bytes(given *g, const char *text, size_t size) {
  assert_int_equal(gyeot_tokenizer_encode(g->tokenizer, (const uint8_t *)text, size, &g->options,
                                          g->encoding),
                   GYEOT_OK);
}

#define assert_ids(g, text, ...)                                                          \
  do {                                                                                    \
    const int32_t wanted[] = {__VA_ARGS__};                                               \
    encode_bytes(&(g), text, strlen(text));                                               \
    assert_int_equal((g).encoding->length, sizeof wanted / sizeof *wanted);               \
    assert_memory_equal((g).encoding->ids, wanted, sizeof wanted);                        \
  } while (0)

static void test_longest_match(void **state) {
  (void)state;
  given g = with(small_vocabulary, &cased);
  assert_ids(g, "", 2, 3);
  assert_ids(g, "마음이 abc.", 2, 5, 6, 7, 8, 9, 10, 3);
  assert_ids(g, "마음을", 2, 1, 3);      /* one part unknown, the whole word is */
  assert_ids(g, "abcc ab", 2, 8, 9, 9, 8, 3);
  assert_ids(g, "café", 2, 13, 3);
  assert_ids(g, "ca漢fe", 2, 11, 14, 1, 3);
  assert_ids(g, "a\xC3", 2, 1, 3);       /* a bad byte is U+FFFD, which BERT drops */
  done(&g);
}

static void test_lowercase_strips_accents(void **state) {
  (void)state;
  given g = with(small_vocabulary, &lower);
  assert_ids(g, "CAFÉ", 2, 11, 12, 3);
  assert_ids(g, "ABC", 2, 8, 9, 3);
  assert_ids(g, "마음이", 2, 1, 3); /* NFD takes syllables apart, and these pieces are syllables */
  done(&g);
  gyeot_wordpiece_options keeping = lower;
  keeping.strip_accents = 0;
  g = with(small_vocabulary, &keeping);
  assert_ids(g, "CAFÉ 마음이", 2, 13, 5, 6, 7, 3);
  done(&g);
}

static void test_chinese_spacing(void **state) {
  (void)state;
  gyeot_wordpiece_options together = cased;
  together.split_chinese = false;
  given g = with(small_vocabulary, &together);
  assert_ids(g, "漢ab", 2, 1, 3);
  done(&g);
}

static void test_special_tokens_in_text(void **state) {
  (void)state;
  given g = with(small_vocabulary, &cased);
  assert_ids(g, "ab[SEP]ab[sep] [MASK]", 2, 8, 3, 8, 1, 1, 1, 4, 3);
  g.options.special_tokens_as_text = true;
  assert_ids(g, "ab[SEP]ab", 2, 8, 1, 1, 1, 8, 3);
  done(&g);
  /* Without brackets a special token is a word that the vocabulary holds. */
  gyeot_wordpiece_options bare = cased;
  bare.sep_token = "end";
  bare.cls_token = "begin";
  g = with("[UNK]\nbegin\nend\nen\n##d\n[PAD]\n[MASK]\n", &bare);
  assert_ids(g, "the end", 1, 0, 2, 2);
  g.options.special_tokens_as_text = true;
  assert_ids(g, "the end", 1, 0, 3, 4, 2);
  done(&g);
}

static void test_added_tokens(void **state) {
  (void)state;
  static const uint8_t flags[] = {GYEOT_TOKEN_LSTRIP | GYEOT_TOKEN_RSTRIP, GYEOT_TOKEN_SINGLE_WORD};
  gyeot_wordpiece_options options = cased;
  options.added_tokens = "[two]\0a";
  options.added_flags = flags;
  options.added_count = 2;
  /* a is 4; [two] is the seventh token, [MASK] the eighth. */
  given g = with("[PAD]\n[UNK]\n[CLS]\n[SEP]\na\n##b\n", &options);
  assert_ids(g, "ab [two]  a[MASK]", 2, 4, 5, 6, 4, 7, 3);
  assert_int_equal(g.encoding->offsets[2 * 3], 2);
  assert_int_equal(g.encoding->offsets[2 * 3 + 1], 10);
  g.options.special_tokens_as_text = true;
  assert_ids(g, "[two]", 2, 1, 1, 1, 3);
  done(&g);
}

static void test_offsets(void **state) {
  (void)state;
  given g = with(small_vocabulary, &lower);
  static const char text[] = "x CAFE\xCC\x81.";
  static const uint32_t wanted[] = {0, 0, 0, 1, 2, 4, 4, 6, 8, 9, 0, 0};
  encode_bytes(&g, text, strlen(text));
  assert_int_equal(g.encoding->length, 6);
  assert_memory_equal(g.encoding->offsets, wanted, sizeof wanted);
  g.options.want_offsets = false;
  encode_bytes(&g, text, strlen(text));
  assert_null(g.encoding->offsets);
  done(&g);
}

static void test_hundred_characters(void **state) {
  (void)state;
  given g = with("[UNK]\na\n##a\n", &cased);
  char text[4096];
  memset(text, 'a', sizeof text);
  encode_bytes(&g, text, 100);
  assert_int_equal(g.encoding->length, 102);
  encode_bytes(&g, text, 101);
  assert_int_equal(g.encoding->length, 3);
  assert_int_equal(g.encoding->ids[1], 0);
  assert_int_equal(g.encoding->offsets[3], 101);
  done(&g);
}

static void test_truncation_keeps_the_closing_token(void **state) {
  (void)state;
  given g = with(small_vocabulary, &cased);
  g.options.max_length = 4;
  assert_ids(g, "ab ab ab", 2, 8, 8, 3);
  assert_true(g.encoding->truncated);
  assert_ids(g, "ab ab", 2, 8, 8, 3);
  assert_false(g.encoding->truncated);
  g.options.max_length = 2;
  assert_ids(g, "ab ab", 2, 3);
  assert_true(g.encoding->truncated);
  g.options.max_length = 1;
  assert_int_equal(gyeot_tokenizer_encode(g.tokenizer, (const uint8_t *)"ab", 2, &g.options,
                                          g.encoding),
                   GYEOT_ERROR_ARGUMENT);
  assert_int_equal(g.encoding->length, 0);
  g.options.add_special_tokens = false;
  assert_ids(g, "ab.", 8);
  done(&g);
}

static void test_template(void **state) {
  (void)state;
  given g = with(small_vocabulary, &cased);
  const int32_t two[] = {4, 0}, nine[9] = {0};
  assert_int_equal(gyeot_tokenizer_set_template(g.tokenizer, two, 2, NULL, 0), GYEOT_OK);
  assert_ids(g, "ab", 4, 0, 8);
  assert_int_equal(gyeot_tokenizer_set_template(g.tokenizer, nine, 9, NULL, 0),
                   GYEOT_ERROR_ARGUMENT);
  assert_ids(g, "ab", 4, 0, 8);
  done(&g);
}

static void test_pieces_and_ids(void **state) {
  (void)state;
  given g = with("a  \r\nb\n\na\n[UNK]\nc", &cased);
  size_t size;
  /* The last of equal lines counts; [SEP], [PAD], [CLS] and [MASK] follow the five pieces. */
  assert_int_equal(gyeot_tokenizer_id(g.tokenizer, (const uint8_t *)"a", 1), 3);
  assert_null(gyeot_tokenizer_piece(g.tokenizer, 0, &size));
  assert_int_equal(gyeot_tokenizer_id(g.tokenizer, (const uint8_t *)"c", 1), 5);
  assert_int_equal(gyeot_tokenizer_id(g.tokenizer, (const uint8_t *)"[SEP]", 5), 5);
  assert_int_equal(gyeot_tokenizer_id(g.tokenizer, (const uint8_t *)"[MASK]", 6), 8);
  assert_int_equal(gyeot_tokenizer_size(g.tokenizer), 9);
  assert_int_equal(gyeot_tokenizer_id(g.tokenizer, (const uint8_t *)"nowhere", 7), -1);
  assert_memory_equal(gyeot_tokenizer_piece(g.tokenizer, 1, &size), "b", 1);
  assert_int_equal(size, 1);
  assert_null(gyeot_tokenizer_piece(g.tokenizer, -1, &size));
  assert_null(gyeot_tokenizer_piece(g.tokenizer, 9, &size));
  done(&g);
}

/* Found by comparing odd vocabularies: blank lines count once towards the ids of missing special
 * tokens, and of two special tokens with one id only the later is looked for in the text. */
static void test_odd_vocabularies(void **state) {
  (void)state;
  given g = with("a\n\n \n[UNK]\n", &cased);
  assert_int_equal(gyeot_tokenizer_id(g.tokenizer, (const uint8_t *)"[SEP]", 5), 3);
  assert_int_equal(gyeot_tokenizer_id(g.tokenizer, (const uint8_t *)"[MASK]", 6), 6);
  assert_ids(g, "[UNK]a[MASK]", 5, 3, 3, 3, 0, 6, 3); /* [SEP] took the id of [UNK] */
  done(&g);
}

static void test_decode(void **state) {
  (void)state;
  given g = with("[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\n##b\n.\ndo\nnot\n", &cased);
  const int32_t ids[] = {2, 5, 6, 7, 999, -1, 8, 9, 3};
  uint8_t *text;
  size_t size;
  assert_int_equal(gyeot_tokenizer_decode(g.tokenizer, ids, 9, false, &text, &size), GYEOT_OK);
  assert_int_equal(size, strlen("[CLS] ab. do not [SEP]"));
  assert_memory_equal(text, "[CLS] ab. do not [SEP]", size);
  gyeot_text_free(g.tokenizer, text);
  assert_int_equal(gyeot_tokenizer_decode(g.tokenizer, ids, 9, true, &text, &size), GYEOT_OK);
  assert_memory_equal(text, "ab. do not", size);
  gyeot_text_free(g.tokenizer, text);
  assert_int_equal(gyeot_tokenizer_decode(g.tokenizer, NULL, 0, true, &text, &size), GYEOT_OK);
  assert_int_equal(size, 0);
  gyeot_text_free(g.tokenizer, text);
  done(&g);
}

static void test_wrong_files(void **state) {
  (void)state;
  static const struct {
    const char *bytes;
    size_t size;
    const char *said;
  } files[] = {
      {"", 0, "an empty file"},
      {"\n<!DOCTYPE html><p>", 19, "an HTML page"},
      {"version https://git-lfs.github.com/spec/v1\noid sha256:12\n", 57, "a Git LFS pointer"},
      {"\x1F\x8B\x08\x00\x00", 5, "a gzip file"},
      {"\x0A\x0E\x0A\x05<unk>\x15\x00\x00\x00\x00\x18\x02", 16, "a SentencePiece model"},
      {"{\n \"version\": \"1.0\"}", 20, "JSON"},
      {"\xFF\xFEu\0", 4, "UTF-16"},
      {"a\nb\n\xED\xA0\x80\n", 8, "not UTF-8"},
      {"a\nb\n", 4, "no line with the unknown token [UNK]"},
  };
  for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
    gyeot_tokenizer *tokenizer = NULL;
    gyeot_error error;
    gyeot_status status = gyeot_tokenizer_load_vocab((const uint8_t *)files[i].bytes, files[i].size,
                                                     &cased, NULL, &tokenizer, &error);
    assert_int_equal(status, GYEOT_ERROR_FORMAT);
    assert_null(tokenizer);
    if (strstr(error.message, files[i].said) == NULL)
      fail_msg("\"%s\" does not say \"%s\"", error.message, files[i].said);
  }
}

/* A megabyte without a space, and as many combining marks in a row: one word each. */
static void test_long_words(void **state) {
  (void)state;
  enum { SIZE = 1 << 20 };
  given g = with(small_vocabulary, &lower);
  char *text = malloc(SIZE);
  for (size_t i = 0; i + 3 <= SIZE; i += 3) memcpy(text + i, "마", 3);
  text[SIZE - 1] = 'a';
  encode_bytes(&g, text, SIZE);
  assert_int_equal(g.encoding->length, 3);
  for (size_t i = 0; i < SIZE; i += 4) memcpy(text + i, "\xCC\x81\xCC\xA3", 4);
  encode_bytes(&g, text, SIZE);
  assert_int_equal(g.encoding->length, 2);
  for (size_t i = 0; i < SIZE; i++) text[i] = i % 2 == 0 ? '[' : '.';
  encode_bytes(&g, text, SIZE);
  assert_int_equal(g.encoding->length, SIZE + 2);
  free(text);
  done(&g);
}

static void test_golden_lines(void **state) {
  (void)state;
  file_bytes vocabulary = read_test_file("tests/data/wordpiece/vocab.txt");
  file_bytes golden = read_test_file("tests/data/wordpiece/golden.jsonl");
  gyeot_wordpiece_options forms[4] = {cased, lower, lower, cased};
  forms[2].strip_accents = 0;
  forms[3].strip_accents = 1;
  forms[3].split_chinese = false;
  gyeot_allocator allocator = gyeot_allocator_or_default(NULL);
  gyeot_json_text text = {0};
  int differences = 0;
  for (size_t form = 0; form < 4; form++) {
    given g = {NULL, NULL, {.add_special_tokens = true, .want_offsets = form == 0}};
    assert_int_equal(gyeot_tokenizer_load_vocab(vocabulary.bytes, vocabulary.size, &forms[form],
                                                NULL, &g.tokenizer, NULL),
                     GYEOT_OK);
    assert_int_equal(gyeot_encoding_new(NULL, &g.encoding), GYEOT_OK);
    for (const uint8_t *at = golden.bytes, *end = at + golden.size; at < end;) {
      const uint8_t *stop = memchr(at, '\n', (size_t)(end - at));
      gyeot_json line;
      assert_int_equal(gyeot_json_open(at, (size_t)(stop - at), &line, NULL), GYEOT_OK);
      line.end = stop + 1;
      gyeot_json_walk walk = gyeot_json_begin(line);
      assert_true(gyeot_json_next(&walk));
      gyeot_json written = walk.value;
      assert_int_equal(gyeot_json_string(written, &allocator, &text), GYEOT_OK);
      for (size_t i = 0; i <= form; i++) assert_true(gyeot_json_next(&walk));
      encode_bytes(&g, (const char *)text.bytes, text.size);
      differences += differs("ids", written, walk.value, g.encoding->ids, g.encoding->length);
      if (form == 0) {
        for (size_t i = 0; i < 4; i++) assert_true(gyeot_json_next(&walk));
        differences += differs("offsets", written, walk.value, (int32_t *)g.encoding->offsets,
                               2 * g.encoding->length);
      }
      at = stop + 1;
    }
    done(&g);
  }
  free(text.bytes);
  free(golden.bytes);
  free(vocabulary.bytes);
  assert_int_equal(differences, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_longest_match),
      cmocka_unit_test(test_lowercase_strips_accents),
      cmocka_unit_test(test_chinese_spacing),
      cmocka_unit_test(test_special_tokens_in_text),
      cmocka_unit_test(test_added_tokens),
      cmocka_unit_test(test_offsets),
      cmocka_unit_test(test_hundred_characters),
      cmocka_unit_test(test_truncation_keeps_the_closing_token),
      cmocka_unit_test(test_template),
      cmocka_unit_test(test_pieces_and_ids),
      cmocka_unit_test(test_odd_vocabularies),
      cmocka_unit_test(test_decode),
      cmocka_unit_test(test_wrong_files),
      cmocka_unit_test(test_long_words),
      cmocka_unit_test(test_golden_lines),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
