/* gyeot_pool: the four modes, the edges of the maths, the sizes that are refused. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gyeot_pooling.h"

/* Two texts of three tokens with two dimensions; the second text has one token. */
static const float hidden[] = {1, 2, 3, -4, 5, 6, /**/ -1, 8, 9, 9, 9, 9};
static const int32_t mask[] = {1, 1, 1, /**/ 1, 0, 0};

static void expect(const float *actual, const float *wanted, size_t count) {
  for (size_t i = 0; i < count; i++) assert_float_equal(actual[i], wanted[i], 1e-6);
}

static void test_modes(void **state) {
  (void)state;
  float out[4];
  assert_int_equal(gyeot_pool(GYEOT_POOL_MEAN, hidden, mask, 2, 3, 2, 2, false, out), GYEOT_OK);
  expect(out, (float[]){3, 4.0f / 3, -1, 8}, 4);
  assert_int_equal(gyeot_pool(GYEOT_POOL_CLS, hidden, mask, 2, 3, 2, 2, false, out), GYEOT_OK);
  expect(out, (float[]){1, 2, -1, 8}, 4);
  assert_int_equal(gyeot_pool(GYEOT_POOL_MAX, hidden, mask, 2, 3, 2, 2, false, out), GYEOT_OK);
  expect(out, (float[]){5, 6, -1, 8}, 4);
  assert_int_equal(gyeot_pool(GYEOT_POOL_MEAN_SQRT_LEN, hidden, mask, 2, 3, 2, 2, false, out),
                   GYEOT_OK);
  expect(out, (float[]){9 / sqrtf(3), 4 / sqrtf(3), -1, 8}, 4);
}

static void test_max_of_negative_values(void **state) {
  (void)state;
  const float below[] = {-3, -2, -1, -5};
  float out[2];
  assert_int_equal(gyeot_pool(GYEOT_POOL_MAX, below, (int32_t[]){1, 1}, 1, 2, 2, 2, false, out),
                   GYEOT_OK);
  expect(out, (float[]){-1, -2}, 2);
}

static void test_normalized_after_the_cut(void **state) {
  (void)state;
  float out[2];
  assert_int_equal(gyeot_pool(GYEOT_POOL_MEAN, hidden, mask, 2, 3, 2, 1, true, out), GYEOT_OK);
  expect(out, (float[]){1, -1}, 2);
}

static void test_empty_mask_gives_zeros(void **state) {
  (void)state;
  const int32_t none[] = {0, 0, 0};
  const gyeot_pooling modes[] = {GYEOT_POOL_MEAN, GYEOT_POOL_MAX, GYEOT_POOL_MEAN_SQRT_LEN};
  for (size_t i = 0; i < 3; i++) {
    float out[2] = {7, 7};
    assert_int_equal(gyeot_pool(modes[i], hidden, none, 1, 3, 2, 2, true, out), GYEOT_OK);
    expect(out, (float[]){0, 0}, 2);
  }
}

static void test_refusals(void **state) {
  (void)state;
  float out[2];
  assert_int_equal(gyeot_pool((gyeot_pooling)4, hidden, mask, 1, 3, 2, 2, true, out),
                   GYEOT_ERROR_ARGUMENT);
  assert_int_equal(gyeot_pool(GYEOT_POOL_MEAN, hidden, mask, 1, 3, 2, 0, true, out),
                   GYEOT_ERROR_ARGUMENT);
  assert_int_equal(gyeot_pool(GYEOT_POOL_MEAN, hidden, mask, 1, 3, 2, 3, true, out),
                   GYEOT_ERROR_ARGUMENT);
  assert_int_equal(gyeot_pool(GYEOT_POOL_MEAN, hidden, mask, 1, 0, 2, 2, true, out),
                   GYEOT_ERROR_ARGUMENT);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_modes),
      cmocka_unit_test(test_max_of_negative_values),
      cmocka_unit_test(test_normalized_after_the_cut),
      cmocka_unit_test(test_empty_mask_gives_zeros),
      cmocka_unit_test(test_refusals),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
