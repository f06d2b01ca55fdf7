/* gyeot_weights_*: what each kind of segment becomes, the fast form against the plain one, and files
 * that are cut, flipped or lie about their sizes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gyeot_weights.h"
#include "weights_kernels.h"

typedef struct writer {
  uint8_t bytes[8192];
  size_t size;
} writer;

static void put32(writer *w, uint32_t value) {
  for (int i = 0; i < 4; i++) w->bytes[w->size++] = (uint8_t)(value >> (8 * i));
}

static void put(writer *w, const void *bytes, size_t size) {
  memcpy(w->bytes + w->size, bytes, size);
  w->size += size;
}

static void begin(writer *w, uint32_t segments, uint32_t whole) {
  w->size = 0;
  put(w, "GYWT", 4);
  put32(w, 1);
  put32(w, segments);
  put32(w, whole);
}

static void segment(writer *w, uint32_t kind, uint32_t rows, uint32_t columns) {
  put32(w, kind);
  put32(w, rows);
  put32(w, columns);
}

static const int8_t codes[16] = {-127, -96, -72, -54, -39, -25, -12, 0,
                                 1,    13,  27,  41,  57,  76,  99,  127};

/* A file with a literal, a matrix of each kind, and a literal again; its bytes in `expected`. */
static void whole_file(writer *w, uint8_t *expected) {
  enum { ROWS = 33, COLUMNS = 35 };
  begin(w, 4, 5 + 2 * ROWS * COLUMNS + 1);
  segment(w, 0, 5, 1);
  put(w, "onnx:", 5);
  memcpy(expected, "onnx:", 5);
  expected += 5;
  srand(1);
  for (uint32_t kind = 1; kind <= 2; kind++) {
    uint8_t multipliers[ROWS * COLUMNS];
    size_t count = kind == 1 ? 2 * COLUMNS : ROWS * 2;
    for (size_t i = 0; i < count; i++) multipliers[i] = (uint8_t)(rand() % 128);
    segment(w, kind, ROWS, COLUMNS);
    put(w, codes, 16);
    put(w, multipliers, count);
    for (size_t row = 0; row < ROWS; row++) {
      uint8_t indices[(COLUMNS + 1) / 2] = {0};
      for (size_t column = 0; column < COLUMNS; column++) {
        unsigned index = (unsigned)(rand() % 16);
        indices[column / 2] |= (uint8_t)(column % 2 == 0 ? index : index << 4);
        int by = kind == 1 ? multipliers[row / 32 * COLUMNS + column] : multipliers[row * 2 + column / 32];
        /* Rounded half up, with a division that rounds down. */
        int twice = codes[index] * by + 64 + 128 * 200;
        *expected++ = (uint8_t)(int8_t)(twice / 128 - 200);
      }
      put(w, indices, sizeof indices);
    }
  }
  segment(w, 0, 1, 1);
  put(w, "!", 1);
  *expected = '!';
}

static void test_unpacks_every_kind(void **state) {
  (void)state;
  writer w;
  static uint8_t expected[4096], out[4096];
  whole_file(&w, expected);
  size_t size;
  assert_int_equal(gyeot_weights_size(w.bytes, w.size, &size, NULL), GYEOT_OK);
  assert_int_equal(size, 5 + 2 * 33 * 35 + 1);
  assert_int_equal(gyeot_weights_unpack(w.bytes, w.size, out, size, NULL), GYEOT_OK);
  assert_memory_equal(out, expected, size);
}

static void test_fast_form_equals_the_plain_one(void **state) {
  (void)state;
  enum { MOST = 131 };
  uint8_t indices[(MOST + 1) / 2], multipliers[MOST];
  int8_t table[16], fast[MOST], plain[MOST];
  srand(2);
  for (int round = 0; round < 2000; round++) {
    size_t count = (size_t)rand() % (MOST + 1);
    for (size_t i = 0; i < 16; i++) table[i] = (int8_t)(rand() % 256 - 128);
    for (size_t i = 0; i < sizeof indices; i++) indices[i] = (uint8_t)rand();
    for (size_t i = 0; i < MOST; i++) multipliers[i] = (uint8_t)rand();
    gyeot_unpack_each(table, indices, multipliers, count, fast);
    gyeot_unpack_each_scalar(table, indices, multipliers, count, plain);
    assert_memory_equal(fast, plain, count);
  }
}

static gyeot_status unpack_copy(const uint8_t *bytes, size_t size, gyeot_error *error) {
  /* In blocks of exactly their sizes, so that a sanitizer sees every step outside. */
  uint8_t *copy = malloc(size ? size : 1);
  if (size > 0) memcpy(copy, bytes, size);
  size_t whole;
  gyeot_status status = gyeot_weights_size(copy, size, &whole, error);
  if (status == GYEOT_OK && whole <= 1 << 20) {
    uint8_t *out = malloc(whole ? whole : 1);
    status = gyeot_weights_unpack(copy, size, out, whole, error);
    free(out);
  }
  free(copy);
  return status;
}

static void test_refuses_a_cut_file(void **state) {
  (void)state;
  writer w;
  static uint8_t expected[4096];
  whole_file(&w, expected);
  for (size_t size = 0; size < w.size; size++) {
    gyeot_error error = {GYEOT_OK, ""};
    assert_int_equal(unpack_copy(w.bytes, size, &error), GYEOT_ERROR_FORMAT);
    assert_true(strncmp(error.message, "packed weights: ", 16) == 0);
  }
}

static void test_survives_flipped_bits(void **state) {
  (void)state;
  writer w, flipped;
  static uint8_t expected[4096];
  whole_file(&w, expected);
  for (size_t bit = 0; bit < 8 * w.size; bit++) {
    flipped = w;
    flipped.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    unpack_copy(flipped.bytes, flipped.size, NULL);
  }
}

static void test_refuses_sizes_that_lie(void **state) {
  (void)state;
  static const uint32_t odd[][4] = {
      {1, 0, 0xFFFFFFFF, 4},          /* a literal longer than the file */
      {1, 1, 0xFFFFFFFF, 0xFFFFFFFF}, /* a matrix whose size overflows 32 bits */
      {1, 1, 0xFFFFFFFF, 0},          /* no columns, but rows without end */
      {1, 3, 1, 1},                   /* an unknown kind */
      {0xFFFFFFFF, 0, 0, 1},          /* more segments than bytes */
  };
  for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
    writer w;
    begin(&w, odd[i][0], 4);
    segment(&w, odd[i][1], odd[i][2], odd[i][3]);
    assert_int_equal(unpack_copy(w.bytes, w.size, NULL), GYEOT_ERROR_FORMAT);
  }
}

static void test_refuses_a_newer_version(void **state) {
  (void)state;
  writer w;
  begin(&w, 0, 0);
  w.bytes[4] = 2;
  assert_int_equal(unpack_copy(w.bytes, w.size, NULL), GYEOT_ERROR_UNSUPPORTED);
}

static void test_refuses_another_size(void **state) {
  (void)state;
  writer w;
  static uint8_t expected[4096], out[4096];
  whole_file(&w, expected);
  assert_int_equal(gyeot_weights_unpack(w.bytes, w.size, out, 7, NULL), GYEOT_ERROR_ARGUMENT);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_unpacks_every_kind),
      cmocka_unit_test(test_fast_form_equals_the_plain_one),
      cmocka_unit_test(test_refuses_a_cut_file),
      cmocka_unit_test(test_survives_flipped_bits),
      cmocka_unit_test(test_refuses_sizes_that_lie),
      cmocka_unit_test(test_refuses_a_newer_version),
      cmocka_unit_test(test_refuses_another_size),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
