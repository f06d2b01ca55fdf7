/* The JSON reader: what it takes, what it refuses, and numbers as serde_json reads them. */
#include "tokenizer_testing.h"

static gyeot_status open_text(const char *text, gyeot_json *document, gyeot_error *error) {
  return gyeot_json_open((const uint8_t *)text, strlen(text), document, error);
}

static void test_documents(void **state) {
  (void)state;
  static const char *const good[] = {"0",
                                     " [ ] ",
                                     "{}",
                                     "[1,[2,{\"a\":null}],-0.5e+3]",
                                     "\"\\u00e9\"",
                                     "\"\\ud83d\\ude00\"",
                                     "{\"a\":{\"b\":[true,false]}}"};
  static const char *const bad[] = {"",
                                    " ",
                                    "[",
                                    "[1,]",
                                    "{\"a\"}",
                                    "{\"a\":}",
                                    "{a:1}",
                                    "01",
                                    "1.",
                                    "-",
                                    "1e",
                                    "tru",
                                    "\"",
                                    "\"\\x\"",
                                    "\"\\ud83d\"",
                                    "\"\\ude00\"",
                                    "\"\n\"",
                                    "[1}",
                                    "[1]]",
                                    "1 2",
                                    "{\"a\":1,}",
                                    "\xEF\xBB\xBF{}",
                                    "nan",
                                    "\"\xFF\"",
                                    "\"\\u12\"",
                                    "[1 2]"};
  for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
    gyeot_json document;
    if (open_text(good[i], &document, NULL) != GYEOT_OK) fail_msg("refused: %s", good[i]);
  }
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    gyeot_json document;
    gyeot_error error = {GYEOT_OK, ""};
    if (open_text(bad[i], &document, &error) != GYEOT_ERROR_FORMAT) fail_msg("taken: %s", bad[i]);
    assert_string_not_equal(error.message, "");
  }
}

static void test_depth(void **state) {
  (void)state;
  char text[600];
  gyeot_json document;
  for (size_t depth = 127; depth <= 129; depth++) {
    memset(text, '[', depth);
    memset(text + depth, ']', depth);
    gyeot_status status = gyeot_json_open((const uint8_t *)text, 2 * depth, &document, NULL);
    assert_int_equal(status, depth <= 128 ? GYEOT_OK : GYEOT_ERROR_FORMAT);
  }
}

static void test_every_cut_is_refused(void **state) {
  (void)state;
  static const char text[] = "{\"a\": [1, -2.5e3, \"\\ud83d\\ude00\\n\"], \"b\": {\"c\": null}}";
  for (size_t size = 0; size < strlen(text); size++) {
    uint8_t *cut = malloc(size + 1); /* of just this size, so that a sanitizer sees overruns */
    memcpy(cut, text, size);
    gyeot_json document;
    assert_int_equal(gyeot_json_open(cut, size, &document, NULL), GYEOT_ERROR_FORMAT);
    free(cut);
  }
}

static void test_walking(void **state) {
  (void)state;
  gyeot_json document;
  assert_int_equal(
      open_text("{\"a\" : [1, [2, \"]\"], {\"}\":0} ], \"b\":7, \"a\":3}", &document, NULL),
      GYEOT_OK);
  int32_t number;
  assert_true(gyeot_json_integer(gyeot_json_member(document, "a"), &number)); /* the last counts */
  assert_int_equal(number, 3);
  assert_int_equal(gyeot_json_kind_of(gyeot_json_member(document, "c")), GYEOT_JSON_NONE);
  gyeot_json_walk walk = gyeot_json_begin(document);
  assert_true(gyeot_json_next(&walk));
  assert_true(gyeot_json_is(walk.key, "a"));
  size_t count = 0;
  for (gyeot_json_walk inner = gyeot_json_begin(walk.value); gyeot_json_next(&inner);) count++;
  assert_int_equal(count, 3);
}

static void test_strings(void **state) {
  (void)state;
  gyeot_json document;
  gyeot_allocator allocator = gyeot_allocator_or_default(NULL);
  gyeot_json_text text = {0};
  assert_int_equal(
      open_text("\"a\\u0000\\\"\\\\\\/\\b\\f\\n\\r\\t\\ud55c\\uD83D\\uDE00\"", &document, NULL),
      GYEOT_OK);
  assert_int_equal(gyeot_json_string(document, &allocator, &text), GYEOT_OK);
  static const char wanted[] = "a\0\"\\/\b\f\n\r\t\xED\x95\x9C\xF0\x9F\x98\x80";
  assert_int_equal(text.size, sizeof wanted - 1);
  assert_memory_equal(text.bytes, wanted, text.size);
  free(text.bytes);
  assert_int_equal(open_text("\"ty\\u0070e\"", &document, NULL), GYEOT_OK);
  assert_true(gyeot_json_is(document, "type"));
  assert_false(gyeot_json_is(document, "typ"));
  assert_false(gyeot_json_is(document, "types"));
}

static void test_numbers(void **state) {
  (void)state;
  static const struct {
    const char *text;
    double value;
  } numbers[] = {{"0", 0},
                 {"-1", -1},
                 {"-11.283700942993164", -11.283700942993164},
                 {"1e3", 1000},
                 {"2.5E-2", 0.025},
                 {"123456789012345678901234567890", 1.2345678901234568e29},
                 {"1e-400", 0},
                 /* Not the nearest doubles, but what one division makes of the digits. */
                 {"-8.995173693189681", -89951736931896810e-16},
                 {"0.1234567890123456789", 1234567890123456789.0 / 1e19}};
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
    gyeot_json document;
    double value;
    assert_int_equal(open_text(numbers[i].text, &document, NULL), GYEOT_OK);
    assert_true(gyeot_json_double(document, &value));
    if (value != numbers[i].value) fail_msg("%s reads as %.17g", numbers[i].text, value);
  }
  gyeot_json document;
  double value;
  int32_t integer;
  assert_int_equal(open_text("1e309", &document, NULL), GYEOT_OK);
  assert_false(gyeot_json_double(document, &value));
  assert_int_equal(open_text("2147483648", &document, NULL), GYEOT_OK);
  assert_false(gyeot_json_integer(document, &integer));
  assert_int_equal(open_text("1.0", &document, NULL), GYEOT_OK);
  assert_false(gyeot_json_integer(document, &integer));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_documents), cmocka_unit_test(test_depth),
      cmocka_unit_test(test_every_cut_is_refused), cmocka_unit_test(test_walking),
      cmocka_unit_test(test_strings), cmocka_unit_test(test_numbers),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
