/* tokenizer.json: golden lines of five kinds of file, and what is refused. */
#include "tokenizer_testing.h"

static const char *const names[] = {"bert", "nfc_words", "xlmr", "albert", "fallback"};

static file_bytes read_golden(const char *name, const char *ending) {
  char path[100];
  snprintf(path, sizeof path, "tests/data/tokenizer_json/%s.%s", name, ending);
  return read_test_file(path);
}

typedef struct given {
  gyeot_tokenizer *tokenizer;
  gyeot_encoding *encoding;
  gyeot_encode_options options;
} given;

static int compare_decoded(given *g, gyeot_json text, const gyeot_json_text *wanted) {
  uint8_t *decoded;
  size_t size;
  assert_int_equal(gyeot_tokenizer_decode(g->tokenizer, g->encoding->ids, g->encoding->length, true,
                                          &decoded, &size),
                   GYEOT_OK);
  int different = size != wanted->size || memcmp(decoded, wanted->bytes, size) != 0;
  if (different)
    print_error("decoded texts differ: %.*s\n  got %.*s\n", 60, (const char *)text.at, (int)size,
                (const char *)decoded);
  gyeot_text_free(g->tokenizer, decoded);
  return different;
}

static int compare_line(given *g, const uint8_t *at, size_t size) {
  gyeot_allocator allocator = gyeot_allocator_or_default(NULL);
  gyeot_json line;
  gyeot_json_text text = {0};
  assert_int_equal(gyeot_json_open(at, size, &line, NULL), GYEOT_OK);
  line.end++; /* the newline, at which messages end */
  gyeot_json_walk walk = gyeot_json_begin(line);
  assert_true(gyeot_json_next(&walk));
  gyeot_json written = walk.value;
  assert_int_equal(gyeot_json_string(written, &allocator, &text), GYEOT_OK);
  assert_int_equal(
      gyeot_tokenizer_encode(g->tokenizer, text.bytes, text.size, &g->options, g->encoding),
      GYEOT_OK);
  assert_true(gyeot_json_next(&walk));
  int differences = differs("ids", written, walk.value, g->encoding->ids, g->encoding->length);
  assert_true(gyeot_json_next(&walk));
  differences += differs("offsets", written, walk.value, (int32_t *)g->encoding->offsets,
                         2 * g->encoding->length);
  assert_true(gyeot_json_next(&walk));
  assert_int_equal(gyeot_json_string(walk.value, &allocator, &text), GYEOT_OK);
  differences += compare_decoded(g, written, &text);
  free(text.bytes);
  return differences;
}

static void test_golden_lines(void **state) {
  (void)state;
  int differences = 0;
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    file_bytes json = read_golden(names[i], "json"), golden = read_golden(names[i], "jsonl");
    given g = {NULL, NULL, {.add_special_tokens = true, .want_offsets = true}};
    gyeot_error error;
    if (gyeot_tokenizer_load_json(json.bytes, json.size, NULL, &g.tokenizer, &error) != GYEOT_OK)
      fail_msg("%s: %s", names[i], error.message);
    assert_int_equal(gyeot_encoding_new(NULL, &g.encoding), GYEOT_OK);
    for (const uint8_t *at = golden.bytes, *end = at + golden.size; at < end;) {
      const uint8_t *stop = memchr(at, '\n', (size_t)(end - at));
      differences += compare_line(&g, at, (size_t)(stop - at));
      at = stop + 1;
    }
    gyeot_encoding_free(g.encoding);
    gyeot_tokenizer_free(g.tokenizer);
    free(json.bytes);
    free(golden.bytes);
  }
  assert_int_equal(differences, 0);
}

/* One encoding serves tokenizers of all kinds in turn. */
static void test_an_encoding_goes_from_one_to_another(void **state) {
  (void)state;
  gyeot_encoding *encoding;
  assert_int_equal(gyeot_encoding_new(NULL, &encoding), GYEOT_OK);
  const gyeot_encode_options options = {.add_special_tokens = true, .want_offsets = true};
  for (size_t round = 0; round < 3; round++) {
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
      file_bytes json = read_golden(names[i], "json");
      gyeot_tokenizer *tokenizer;
      assert_int_equal(gyeot_tokenizer_load_json(json.bytes, json.size, NULL, &tokenizer, NULL),
                       GYEOT_OK);
      char text[900];
      for (size_t at = 0; at + 9 <= sizeof text; at += 9) memcpy(text + at, "e\xCC\x81 가 A ", 9);
      size_t size = 9 * (10 + 45 * round);
      assert_int_equal(gyeot_tokenizer_encode(tokenizer, (uint8_t *)text, size, &options, encoding),
                       GYEOT_OK);
      assert_true(encoding->length > 30);
      gyeot_tokenizer_free(tokenizer);
      free(json.bytes);
    }
  }
  gyeot_encoding_free(encoding);
}

#define MODEL                                                                                    \
  "\"model\":{\"type\":\"WordPiece\",\"unk_token\":\"[UNK]\",\"continuing_subword_prefix\":\"##" \
  "\","                                                                                          \
  "\"max_input_chars_per_word\":100,\"vocab\":{\"[UNK]\":0,\"a\":1,\"##b\":2,\"<s>\":3}}"
#define UNIGRAM \
  "\"model\":{\"type\":\"Unigram\",\"unk_id\":0,\"vocab\":[[\"<unk>\",0],[\"<s>\",0],[\"a\",-1]]}"

static gyeot_status load(const char *text, gyeot_tokenizer **out, gyeot_error *error) {
  return gyeot_tokenizer_load_json((const uint8_t *)text, strlen(text), NULL, out, error);
}

static void test_refusals(void **state) {
  (void)state;
  static const struct {
    const char *text, *said;
    gyeot_status status;
  } files[] = {
      {"", "an empty file", GYEOT_ERROR_FORMAT},
      {"<html>", "an HTML page", GYEOT_ERROR_FORMAT},
      {"[PAD]\n[UNK]\n", "broken at byte", GYEOT_ERROR_FORMAT},
      {"[]", "one JSON object", GYEOT_ERROR_FORMAT},
      {"{\"model\":{", "ends too early", GYEOT_ERROR_FORMAT},
      {"{}", "model: it is missing", GYEOT_ERROR_FORMAT},
      {"{\"model\":{\"type\":\"BPE\",\"vocab\":{}}}", "the model \"BPE\" is not supported",
       GYEOT_ERROR_UNSUPPORTED},
      {"{\"model\":{\"vocab\":{},\"merges\":[]}}", "\"BPE\"", GYEOT_ERROR_UNSUPPORTED},
      {"{\"model\":{\"type\":\"WordPiece\"}}", "max_input_chars_per_word", GYEOT_ERROR_FORMAT},
      {"{\"model\":{\"type\":\"Unigram\",\"vocab\":[[\"a\",-1]]}}", "without unk_id",
       GYEOT_ERROR_UNSUPPORTED},
      {"{\"model\":{\"type\":\"Unigram\",\"unk_id\":1,\"vocab\":[[\"a\",-1]]}}", "unk_id",
       GYEOT_ERROR_FORMAT},
      {"{\"model\":{\"type\":\"Unigram\",\"unk_id\":0,\"vocab\":[[\"a\"]]}}", "a piece and a score",
       GYEOT_ERROR_FORMAT},
      {"{" MODEL ",\"normalizer\":{\"type\":\"ByteLevel\"}}",
       "the normalizer \"ByteLevel\" is not supported", GYEOT_ERROR_UNSUPPORTED},
      {"{" MODEL ",\"normalizer\":{\"type\":\"Replace\",\"pattern\":{\"Regex\":\"\\\\d+\"},"
       "\"content\":\"\"}}",
       "the expression \"\\d+\"", GYEOT_ERROR_UNSUPPORTED},
      {"{" MODEL ",\"normalizer\":{\"type\":\"Precompiled\",\"precompiled_charsmap\":\"AAA\"}}",
       "base64", GYEOT_ERROR_FORMAT},
      {"{" MODEL
       ",\"pre_tokenizer\":{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"Split\"}]}}",
       "the pre_tokenizer \"Split\" is not supported", GYEOT_ERROR_UNSUPPORTED},
      {"{" MODEL ",\"pre_tokenizer\":{\"type\":\"Metaspace\",\"replacement\":\"ab\"}}",
       "a single character", GYEOT_ERROR_FORMAT},
      {"{" MODEL ",\"post_processor\":{\"type\":\"ByteLevel\"}}",
       "the post_processor \"ByteLevel\" is not supported", GYEOT_ERROR_UNSUPPORTED},
      {"{" MODEL ",\"decoder\":{\"type\":\"CTC\"}}", "the decoder \"CTC\" is not supported",
       GYEOT_ERROR_UNSUPPORTED},
      {"{" MODEL ",\"added_tokens\":[{\"content\":\"x\"}]}", "\"special\" is not a boolean",
       GYEOT_ERROR_FORMAT},
  };
  for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
    gyeot_tokenizer *tokenizer = NULL;
    gyeot_error error;
    gyeot_status status = load(files[i].text, &tokenizer, &error);
    if (status != files[i].status || strstr(error.message, files[i].said) == NULL)
      fail_msg("%s: status %d, \"%s\" does not say \"%s\"", files[i].text, status, error.message,
               files[i].said);
    assert_null(tokenizer);
  }
}

/* The reference makes "<s>" special again when the model knows the piece, even in text that is to
 * be taken literally; here what users type stays text. */
static void test_special_pieces_stay_text(void **state) {
  (void)state;
  static const char added[] =
      ",\"added_tokens\":[{\"id\":1,\"content\":\"<s>\",\"special\":true,\"normalized\":false,"
      "\"single_word\":false,\"lstrip\":false,\"rstrip\":false}]}";
  for (int unigram = 0; unigram < 2; unigram++) {
    char text[600];
    snprintf(text, sizeof text, "{%s%s", unigram ? UNIGRAM : MODEL, added);
    gyeot_tokenizer *tokenizer;
    gyeot_encoding *encoding;
    assert_int_equal(load(text, &tokenizer, NULL), GYEOT_OK);
    assert_int_equal(gyeot_encoding_new(NULL, &encoding), GYEOT_OK);
    gyeot_encode_options options = {0};
    const int32_t special = unigram ? 1 : 3;
    assert_int_equal(
        gyeot_tokenizer_encode(tokenizer, (const uint8_t *)"<s>", 3, &options, encoding), GYEOT_OK);
    assert_int_equal(encoding->length, 1);
    assert_int_equal(encoding->ids[0], special);
    options.special_tokens_as_text = true;
    assert_int_equal(
        gyeot_tokenizer_encode(tokenizer, (const uint8_t *)"<s>", 3, &options, encoding), GYEOT_OK);
    assert_int_equal(encoding->length, 1);
    assert_int_equal(encoding->ids[0], 0);
    gyeot_encoding_free(encoding);
    gyeot_tokenizer_free(tokenizer);
  }
}

static void test_templates(void **state) {
  (void)state;
  static const struct {
    const char *processor;
    int32_t ids[6];
    size_t count;
  } cases[] = {
      {"{\"type\":\"BertProcessing\",\"sep\":[\"y\",8],\"cls\":[\"x\",7]}", {7, 1, 8}, 3},
      {"{\"type\":\"RobertaProcessing\",\"sep\":[\"y\",8],\"cls\":[\"x\",7],\"trim_offsets\":true,"
       "\"add_prefix_space\":true}",
       {7, 1, 8},
       3},
      {"{\"type\":\"Sequence\",\"processors\":[{\"type\":\"BertProcessing\",\"sep\":[\"y\",8],"
       "\"cls\":[\"x\",7]},{\"type\":\"BertProcessing\",\"sep\":[\"w\",6],\"cls\":[\"v\",5]}]}",
       {5, 7, 1, 8, 6},
       5},
      {"{\"type\":\"TemplateProcessing\",\"single\":[{\"Sequence\":{\"id\":\"A\",\"type_id\":0}},"
       "{\"SpecialToken\":{\"id\":\"z\",\"type_id\":0}}],\"special_tokens\":{\"z\":{\"id\":\"z\","
       "\"ids\":[9,4],\"tokens\":[\"z\",\"z\"]}}}",
       {1, 9, 4},
       3},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char text[900];
    snprintf(text, sizeof text,
             "{" MODEL ",\"truncation\":{\"max_length\":12},\"post_processor\":%s}",
             cases[i].processor);
    gyeot_tokenizer *tokenizer;
    gyeot_encoding *encoding;
    assert_int_equal(load(text, &tokenizer, NULL), GYEOT_OK);
    assert_int_equal(gyeot_tokenizer_max_length(tokenizer), 12);
    assert_int_equal(gyeot_encoding_new(NULL, &encoding), GYEOT_OK);
    gyeot_encode_options options = {.add_special_tokens = true};
    assert_int_equal(gyeot_tokenizer_encode(tokenizer, (const uint8_t *)"a", 1, &options, encoding),
                     GYEOT_OK);
    assert_int_equal(encoding->length, cases[i].count);
    assert_memory_equal(encoding->ids, cases[i].ids, cases[i].count * sizeof(int32_t));
    gyeot_encoding_free(encoding);
    gyeot_tokenizer_free(tokenizer);
  }
}

/* Found by fuzzing: the piece is all that Strip takes off, so nothing at all is decoded. */
static void test_decoding_to_nothing(void **state) {
  (void)state;
  gyeot_tokenizer *tokenizer;
  assert_int_equal(
      load("{\"model\":{\"type\":\"Unigram\",\"unk_id\":0,\"vocab\":[[\"\",0],[\" \",0]]},"
           "\"decoder\":{\"type\":\"Sequence\",\"decoders\":[{\"type\":\"Fuse\"},"
           "{\"type\":\"Strip\",\"content\":\" \",\"start\":1,\"stop\":1},"
           "{\"type\":\"Fuse\"},{\"type\":\"ByteFallback\"}]}}",
           &tokenizer, NULL),
      GYEOT_OK);
  for (int32_t id = 0; id < 2; id++) {
    uint8_t *text;
    size_t size;
    assert_int_equal(gyeot_tokenizer_decode(tokenizer, &id, 1, false, &text, &size), GYEOT_OK);
    assert_int_equal(size, 0);
    assert_non_null(text);
    gyeot_text_free(tokenizer, text);
  }
  gyeot_tokenizer_free(tokenizer);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_golden_lines),
      cmocka_unit_test(test_an_encoding_goes_from_one_to_another),
      cmocka_unit_test(test_refusals),
      cmocka_unit_test(test_special_pieces_stay_text),
      cmocka_unit_test(test_templates),
      cmocka_unit_test(test_decoding_to_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
