/* gyeot_index: random operations against a search that cannot be wrong, every type, dimensions that
 * meet each path of the kernels and their tail, the edges, and memory that runs out. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "counting_allocator.h"
#include "gyeot_index.h"
#include "kernels.h"

static uint64_t seed = 20260101;

static float random_value(void) {
  seed = seed * 6364136223846793005u + 1442695040888963407u;
  return (float)((double)(seed >> 40) / (1 << 23) - 1);
}

static void fill(float *out, size_t count) {
  for (size_t i = 0; i < count; i++) out[i] = random_value();
}

/* Cosine in double precision; 0 for a zero vector. */
static double cosine(const float *a, const float *b, size_t dimension) {
  double ab = 0, aa = 0, bb = 0;
  for (size_t i = 0; i < dimension; i++) {
    ab += (double)a[i] * b[i];
    aa += (double)a[i] * a[i];
    bb += (double)b[i] * b[i];
  }
  return aa == 0 || bb == 0 ? 0 : ab / sqrt(aa * bb);
}

/* How many of the rows that may be found score more than `score` by over `slack`. */
static size_t count_better(const float *rows, const int32_t *groups, const uint8_t *gone,
                           size_t count, size_t dimension, const float *query,
                           const uint8_t *filter, double score, double slack) {
  size_t better = 0;
  for (size_t row = 0; row < count; row++) {
    if (gone[row] || (filter != NULL && !filter[groups[row]])) continue;
    if (cosine(rows + row * dimension, query, dimension) > score + slack) better++;
  }
  return better;
}

static void check_against_naive(gyeot_index_type type, size_t dimension, double slack) {
  enum { ROWS = 150, K = 7 };
  float *rows = malloc(ROWS * dimension * sizeof *rows);
  int32_t groups[ROWS];
  uint8_t gone[ROWS] = {0}, filter[3] = {1, 0, 1};
  fill(rows, ROWS * dimension);
  for (size_t i = 0; i < ROWS; i++) groups[i] = (int32_t)(i % 3);

  gyeot_index *index;
  assert_int_equal(gyeot_index_new(dimension, type, NULL, &index), GYEOT_OK);
  for (size_t from = 0; from < ROWS; from += 50)
    assert_int_equal(gyeot_index_add(index, rows + from * dimension, groups + from, 50), GYEOT_OK);
  for (size_t row = 5; row < ROWS; row += 11) {
    assert_int_equal(gyeot_index_remove(index, row), GYEOT_OK);
    assert_int_equal(gyeot_index_remove(index, row), GYEOT_OK);
    gone[row] = 1;
  }
  assert_int_equal(gyeot_index_rows(index), ROWS);
  assert_int_equal(gyeot_index_size(index), ROWS - 14);

  float *queries = malloc(2 * dimension * sizeof *queries);
  fill(queries, 2 * dimension);
  for (int filtered = 0; filtered < 2; filtered++) {
    const uint8_t *allowed = filtered ? filter : NULL;
    int32_t found_rows[2 * K];
    float scores[2 * K];
    size_t found[2];
    assert_int_equal(gyeot_index_search(index, queries, 2, K, allowed, sizeof filter, found_rows,
                                        scores, found),
                     GYEOT_OK);
    for (size_t q = 0; q < 2; q++) {
      const float *query = queries + q * dimension;
      assert_int_equal(found[q], K);
      for (size_t i = 0; i < K; i++) {
        size_t row = (size_t)found_rows[q * K + i];
        double exact = cosine(rows + row * dimension, query, dimension);
        assert_false(gone[row]);
        if (filtered) assert_int_not_equal(groups[row], 1);
        assert_float_equal(scores[q * K + i], exact, slack);
        /* No row is better than this one but those before it. */
        assert_true(count_better(rows, groups, gone, ROWS, dimension, query, allowed, exact,
                                 2 * slack) <= i);
      }
    }
  }
  gyeot_index_free(index);
  free(queries);
  free(rows);
}

static void test_search_equals_naive(void **state) {
  (void)state;
  const size_t dimensions[] = {1, 3, 15, 16, 17, 31, 64, 100, 384};
  for (size_t i = 0; i < sizeof dimensions / sizeof *dimensions; i++) {
    check_against_naive(GYEOT_INDEX_F32, dimensions[i], 1e-5);
    check_against_naive(GYEOT_INDEX_I8, dimensions[i], 0.02);
  }
  check_against_naive(GYEOT_INDEX_I8_F32, 384, 1e-5);
}

static void test_kernels_agree(void **state) {
  (void)state;
  for (size_t stride = GYEOT_LANE; stride <= 8 * GYEOT_LANE; stride += GYEOT_LANE) {
    float rows[5 * 8 * GYEOT_LANE], query[8 * GYEOT_LANE], fast[5], slow[5];
    int8_t small[5 * 8 * GYEOT_LANE];
    int16_t wide[8 * GYEOT_LANE];
    int32_t fast_sums[5], slow_sums[5];
    fill(rows, 5 * stride);
    fill(query, stride);
    for (size_t i = 0; i < 5 * stride; i++) small[i] = (int8_t)(rows[i] * 127);
    for (size_t i = 0; i < stride; i++) wide[i] = (int16_t)(query[i] * 8191);
    gyeot_dots_f32(rows, 5, stride, query, fast);
    gyeot_dots_f32_scalar(rows, 5, stride, query, slow);
    gyeot_dots_i8(small, 5, stride, wide, fast_sums);
    gyeot_dots_i8_scalar(small, 5, stride, wide, slow_sums);
    for (size_t i = 0; i < 5; i++) assert_float_equal(fast[i], slow[i], 1e-4);
    assert_memory_equal(fast_sums, slow_sums, sizeof fast_sums);
  }
}

static void test_int8_rows_have_no_scale(void **state) {
  (void)state;
  const int8_t rows[] = {3, 4, /**/ 30, 40, /**/ 0, 0};
  for (gyeot_index_type type = GYEOT_INDEX_F32; type <= GYEOT_INDEX_I8_F32; type++) {
    gyeot_index *index;
    assert_int_equal(gyeot_index_new(2, type, NULL, &index), GYEOT_OK);
    assert_int_equal(gyeot_index_add_i8(index, rows, NULL, 3), GYEOT_OK);
    assert_int_equal(gyeot_index_add_i8(index, (int8_t[]){1, -128}, NULL, 1), GYEOT_ERROR_ARGUMENT);
    float row[2];
    assert_int_equal(gyeot_index_row(index, 1, row), GYEOT_OK);
    assert_float_equal(row[0], 0.6, 1e-6);
    assert_float_equal(row[1], 0.8, 1e-6);
    assert_int_equal(gyeot_index_row(index, 2, row), GYEOT_OK);
    assert_float_equal(row[0], 0, 0);
    gyeot_index_free(index);
  }
}

/* Equal scores come in order of row number, and a k above the rows gives all rows. */
static void test_ties_and_large_k(void **state) {
  (void)state;
  gyeot_index *index;
  assert_int_equal(gyeot_index_new(2, GYEOT_INDEX_F32, NULL, &index), GYEOT_OK);
  const float rows[] = {0, 1, /**/ 1, 0, /**/ 2, 0, /**/ 0, 0, /**/ 3, 0};
  assert_int_equal(gyeot_index_add(index, rows, NULL, 5), GYEOT_OK);
  int32_t found_rows[9];
  float scores[9];
  size_t found;
  assert_int_equal(
      gyeot_index_search(index, (float[]){5, 0}, 1, 9, NULL, 0, found_rows, scores, &found),
      GYEOT_OK);
  assert_int_equal(found, 5);
  const int32_t wanted[] = {1, 2, 4, 0, 3, -1, -1, -1, -1};
  assert_memory_equal(found_rows, wanted, sizeof wanted);
  /* A zero query scores 0 with everything. */
  assert_int_equal(
      gyeot_index_search(index, (float[]){0, 0}, 1, 2, NULL, 0, found_rows, scores, &found),
      GYEOT_OK);
  assert_int_equal(found_rows[0], 0);
  assert_int_equal(found_rows[1], 1);
  assert_float_equal(scores[0], 0, 0);
  gyeot_index_free(index);
}

static void test_refusals(void **state) {
  (void)state;
  gyeot_index *index;
  assert_int_equal(gyeot_index_new(0, GYEOT_INDEX_F32, NULL, &index), GYEOT_ERROR_ARGUMENT);
  assert_int_equal(gyeot_index_new(2, (gyeot_index_type)3, NULL, &index), GYEOT_ERROR_ARGUMENT);
  assert_int_equal(gyeot_index_new(16385, GYEOT_INDEX_F32, NULL, &index), GYEOT_ERROR_LIMIT);
  assert_int_equal(gyeot_index_new(2, GYEOT_INDEX_F32, NULL, &index), GYEOT_OK);
  const float bad[] = {1, 2, NAN, 1}, endless[] = {INFINITY, 0};
  assert_int_equal(gyeot_index_add(index, bad, NULL, 2), GYEOT_ERROR_ARGUMENT);
  assert_int_equal(gyeot_index_add(index, endless, NULL, 1), GYEOT_ERROR_ARGUMENT);
  assert_int_equal(gyeot_index_add(index, bad, (int32_t[]){-1}, 1), GYEOT_ERROR_ARGUMENT);
  assert_int_equal(gyeot_index_rows(index), 0);
  int32_t rows[1];
  float scores[1];
  size_t found;
  assert_int_equal(gyeot_index_search(index, bad, 1, 1, NULL, 0, rows, scores, &found), GYEOT_OK);
  assert_int_equal(found, 0);
  assert_int_equal(gyeot_index_search(index, bad + 2, 1, 1, NULL, 0, rows, scores, &found),
                   GYEOT_ERROR_ARGUMENT);
  assert_int_equal(gyeot_index_search(index, bad, 1, 0, NULL, 0, rows, scores, &found),
                   GYEOT_ERROR_ARGUMENT);
  assert_int_equal(gyeot_index_remove(index, 0), GYEOT_ERROR_ARGUMENT);
  assert_int_equal(gyeot_index_row(index, 0, scores), GYEOT_ERROR_ARGUMENT);
  gyeot_index_free(index);
  gyeot_index_free(NULL);
}

/* Each allocation of add and search fails in turn: a status, no leak, the rows as they were. */
static void test_out_of_memory(void **state) {
  (void)state;
  float rows[200 * 20];
  fill(rows, 200 * 20);
  counting_allocator counts = {0};
  gyeot_allocator gate = counting_gate(&counts);
  for (size_t fail = 1;; fail++) {
    counts = (counting_allocator){.fail_at = fail};
    gyeot_index *index = NULL;
    int32_t found_rows[3];
    float scores[3];
    size_t found;
    gyeot_status status = gyeot_index_new(20, GYEOT_INDEX_I8_F32, &gate, &index);
    if (status == GYEOT_OK) status = gyeot_index_add(index, rows, NULL, 70);
    if (status == GYEOT_OK) {
      status = gyeot_index_add(index, rows + 70 * 20, NULL, 130);
      size_t held = gyeot_index_rows(index);
      assert_int_equal(held, status == GYEOT_OK ? 200 : 70);
      if (status == GYEOT_OK)
        status = gyeot_index_search(index, rows, 1, 3, NULL, 0, found_rows, scores, &found);
      if (status == GYEOT_OK) assert_int_equal(found_rows[0], 0);
    }
    gyeot_index_free(index);
    assert_int_equal(counts.blocks, 0);
    if (counts.calls < fail) break;
    assert_int_equal(status, GYEOT_ERROR_MEMORY);
  }
}

static void test_memory_is_the_vectors(void **state) {
  (void)state;
  enum { ROWS = 20000, DIMENSION = 384 };
  float *rows = malloc((size_t)ROWS * DIMENSION * sizeof *rows);
  fill(rows, (size_t)ROWS * DIMENSION);
  counting_allocator counts = {0};
  gyeot_allocator gate = counting_gate(&counts);
  gyeot_index *index;
  assert_int_equal(gyeot_index_new(DIMENSION, GYEOT_INDEX_F32, &gate, &index), GYEOT_OK);
  for (size_t from = 0; from < ROWS; from += 500)
    assert_int_equal(gyeot_index_add(index, rows + from * DIMENSION, NULL, 500), GYEOT_OK);
  assert_true((double)counts.peak <= 1.1 * ROWS * DIMENSION * sizeof *rows);
  assert_true(gyeot_index_bytes(index) <= counts.peak);
  gyeot_index_free(index);
  free(rows);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_search_equals_naive),
      cmocka_unit_test(test_kernels_agree),
      cmocka_unit_test(test_int8_rows_have_no_scale),
      cmocka_unit_test(test_ties_and_large_k),
      cmocka_unit_test(test_refusals),
      cmocka_unit_test(test_out_of_memory),
      cmocka_unit_test(test_memory_is_the_vectors),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
