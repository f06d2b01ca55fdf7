/* Every single allocation of loading, encoding and decoding fails once: a status, nothing leaked,
 * the tokenizer as it was. And files cut or flipped at every byte end in a status, too. */
#include "counting_allocator.h"
#include "tokenizer_testing.h"

typedef gyeot_status loader(file_bytes file, const gyeot_allocator *allocator,
                            gyeot_tokenizer **out, gyeot_error *error);

static gyeot_status load_vocab(file_bytes file, const gyeot_allocator *allocator,
                               gyeot_tokenizer **out, gyeot_error *error) {
  static const gyeot_wordpiece_options options = {
      .lowercase = true, .strip_accents = -1, .split_chinese = true, .added_tokens = "[new]",
      .added_flags = (const uint8_t *)"", .added_count = 1};
  return gyeot_tokenizer_load_vocab(file.bytes, file.size, &options, allocator, out, error);
}

static gyeot_status load_json(file_bytes file, const gyeot_allocator *allocator,
                              gyeot_tokenizer **out, gyeot_error *error) {
  return gyeot_tokenizer_load_json(file.bytes, file.size, allocator, out, error);
}

typedef struct kind {
  const char *path;
  loader *load;
  size_t most; /* bytes of the file that are used; 0: all */
} kind;

static const kind kinds[] = {
    {"tests/data/wordpiece/vocab.txt", load_vocab, 4096},
    {"tests/data/tokenizer_json/bert.json", load_json, 0},
    {"tests/data/tokenizer_json/nfc_words.json", load_json, 0},
    {"tests/data/tokenizer_json/xlmr.json", load_json, 0},
    {"tests/data/tokenizer_json/albert.json", load_json, 0},
    {"tests/data/tokenizer_json/fallback.json", load_json, 0},
};
enum { KINDS = sizeof kinds / sizeof *kinds };

static file_bytes file_of(const kind *k) {
  file_bytes file = read_test_file(k->path);
  if (k->most != 0 && file.size > k->most) {
    file.size = k->most;
    while (file.bytes[file.size - 1] != '\n') file.size--;
  }
  return file;
}

static const char text[] =
    "오늘 [MASK] <mask> e\xCC\x81\xCC\xA3\xCC\x81u\xCC\x88\xCC\x84 ｶﾞ CAFE\xCC\x81 ``a'' 漢字 "
    "\xF0\x9F\x98\x80 "
    "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz "
    "e\xCC\x81\xCC\x82\xCC\xA3\xCC\x84\xCC\xA4\xCC\x81\xCC\x82\xCC\xA3\xCC\x84\xCC\xA4\xCC\x81\xCC"
    "\x82";

static void test_load_without_memory(void **state) {
  (void)state;
  for (size_t k = 0; k < KINDS; k++) {
    file_bytes file = file_of(&kinds[k]);
    for (size_t fail_at = 1;; fail_at++) {
      counting_allocator counts = {.fail_at = fail_at};
      gyeot_allocator gate = counting_gate(&counts);
      gyeot_tokenizer *tokenizer = NULL;
      gyeot_error error;
      gyeot_status status = kinds[k].load(file, &gate, &tokenizer, &error);
      if (status == GYEOT_OK) {
        gyeot_tokenizer_free(tokenizer);
        assert_int_equal(counts.blocks, 0);
        assert_true(counts.calls < fail_at);
        break;
      }
      assert_int_equal(status, GYEOT_ERROR_MEMORY);
      assert_null(tokenizer);
      assert_string_not_equal(error.message, "");
      if (counts.blocks != 0) fail_msg("%s leaks at %zu", kinds[k].path, fail_at);
    }
    free(file.bytes);
  }
}

static void test_encode_without_memory(void **state) {
  (void)state;
  const gyeot_encode_options options = {.add_special_tokens = true, .want_offsets = true};
  for (size_t k = 0; k < KINDS; k++) {
    file_bytes file = file_of(&kinds[k]);
    gyeot_tokenizer *tokenizer;
    gyeot_encoding *good;
    assert_int_equal(kinds[k].load(file, NULL, &tokenizer, NULL), GYEOT_OK);
    assert_int_equal(gyeot_encoding_new(NULL, &good), GYEOT_OK);
    assert_int_equal(gyeot_tokenizer_encode(tokenizer, (const uint8_t *)text, sizeof text - 1,
                                            &options, good),
                     GYEOT_OK);
    bool failed = true;
    for (size_t fail_at = 1; failed; fail_at++) {
      counting_allocator counts = {.fail_at = fail_at};
      gyeot_allocator gate = counting_gate(&counts);
      gyeot_encoding *encoding = NULL;
      gyeot_status status = gyeot_encoding_new(&gate, &encoding);
      failed = status != GYEOT_OK;
      /* After a failure the same encoding goes on as if nothing had been. */
      for (int attempt = 0; status == GYEOT_OK && attempt < 2; attempt++) {
        gyeot_status encoded = gyeot_tokenizer_encode(tokenizer, (const uint8_t *)text,
                                                      sizeof text - 1, &options, encoding);
        if (encoded != GYEOT_OK) {
          assert_int_equal(encoded, GYEOT_ERROR_MEMORY);
          assert_int_equal(encoding->length, 0);
          failed = true;
        } else {
          assert_int_equal(encoding->length, good->length);
          assert_memory_equal(encoding->ids, good->ids, good->length * sizeof *good->ids);
          assert_memory_equal(encoding->offsets, good->offsets,
                              2 * good->length * sizeof(uint32_t));
        }
      }
      gyeot_encoding_free(encoding);
      assert_int_equal(counts.blocks, 0);
    }
    gyeot_encoding_free(good);
    gyeot_tokenizer_free(tokenizer);
    free(file.bytes);
  }
}

static void test_decode_without_memory(void **state) {
  (void)state;
  const int32_t ids[] = {0, 1, 2, 5, 6, 7, 8, 9, 20, 30, 40};
  for (size_t k = 0; k < KINDS; k++) {
    file_bytes file = file_of(&kinds[k]);
    counting_allocator counts = {0};
    gyeot_allocator gate = counting_gate(&counts);
    gyeot_tokenizer *tokenizer;
    assert_int_equal(kinds[k].load(file, &gate, &tokenizer, NULL), GYEOT_OK);
    size_t alive = counts.blocks;
    gyeot_status status;
    size_t fail_at = 0;
    do {
      counts.calls = 0;
      counts.fail_at = ++fail_at;
      uint8_t *decoded;
      size_t size;
      status = gyeot_tokenizer_decode(tokenizer, ids, sizeof ids / sizeof *ids, false, &decoded,
                                      &size);
      if (status == GYEOT_OK)
        gyeot_text_free(tokenizer, decoded);
      else
        assert_int_equal(status, GYEOT_ERROR_MEMORY);
      assert_int_equal(counts.blocks, alive);
    } while (status != GYEOT_OK);
    gyeot_tokenizer_free(tokenizer);
    assert_int_equal(counts.blocks, 0);
    free(file.bytes);
  }
}

/* A broken file is refused or read as something else; either way nothing is left behind. */
static void try_broken(const kind *k, file_bytes file) {
  counting_allocator counts = {0};
  gyeot_allocator gate = counting_gate(&counts);
  gyeot_tokenizer *tokenizer = NULL;
  gyeot_error error;
  gyeot_status status = k->load(file, &gate, &tokenizer, &error);
  if (status == GYEOT_OK) {
    gyeot_encoding *encoding;
    const gyeot_encode_options options = {.add_special_tokens = true, .want_offsets = true};
    assert_int_equal(gyeot_encoding_new(&gate, &encoding), GYEOT_OK);
    assert_int_equal(gyeot_tokenizer_encode(tokenizer, (const uint8_t *)text, sizeof text - 1,
                                            &options, encoding),
                     GYEOT_OK);
    gyeot_encoding_free(encoding);
    gyeot_tokenizer_free(tokenizer);
  } else {
    assert_null(tokenizer);
    assert_string_not_equal(error.message, "");
  }
  assert_int_equal(counts.blocks, 0);
}

static void test_broken_files(void **state) {
  (void)state;
  for (size_t k = 0; k < KINDS; k++) {
    file_bytes file = file_of(&kinds[k]);
    size_t step = file.size / 150 + 1;
    for (size_t at = 0; at < file.size; at += step) {
      /* Cut, in a block of just that size, so that a sanitizer sees every read beyond. */
      file_bytes cut = {malloc(at + 1), at};
      memcpy(cut.bytes, file.bytes, at);
      cut.bytes = realloc(cut.bytes, at == 0 ? 1 : at);
      try_broken(&kinds[k], cut);
      free(cut.bytes);
      uint8_t kept = file.bytes[at];
      for (int bit = 0; bit < 8; bit += 3) {
        file.bytes[at] = (uint8_t)(kept ^ 1 << bit);
        try_broken(&kinds[k], file);
      }
      file.bytes[at] = kept;
    }
    free(file.bytes);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_load_without_memory),
      cmocka_unit_test(test_encode_without_memory),
      cmocka_unit_test(test_decode_without_memory),
      cmocka_unit_test(test_broken_files),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
