/* SentencePiece files that are refused, broken on purpose, or met by an allocator that fails. */
#include <math.h>

#include "counting_allocator.h"
#include "sentencepiece.h"
#include "sentencepiece_testing.h"

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
  file_bytes file = read_test_file("tests/data/sentencepiece/unigram-rules.model");
  uint8_t *model = file.bytes;
  size_t size = file.size;
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
