/* gyeot_status.h and the allocation gate: names, messages, overflow, growth. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "alloc.h"

static void *refuse(void *context, void *block, size_t size) {
  (void)context;
  (void)block;
  (void)size;
  return NULL;
}

static void test_status_names(void **state) {
  (void)state;
  assert_string_equal(gyeot_status_name(GYEOT_OK), "ok");
  assert_string_equal(gyeot_status_name(GYEOT_ERROR_UNSUPPORTED), "unsupported");
  assert_string_equal(gyeot_status_name((gyeot_status)99), "unknown");
}

static void test_fail_formats(void **state) {
  (void)state;
  gyeot_error error;
  gyeot_status status = gyeot_fail(&error, GYEOT_ERROR_FORMAT, "line %u of %zu: %s is %d, 100%%", 7u,
                                   (size_t)12, "score", -3);
  assert_int_equal(status, GYEOT_ERROR_FORMAT);
  assert_int_equal(error.status, GYEOT_ERROR_FORMAT);
  assert_string_equal(error.message, "line 7 of 12: score is -3, 100%");
  assert_int_equal(gyeot_fail(NULL, GYEOT_ERROR_LIMIT, "nobody listens"), GYEOT_ERROR_LIMIT);
}

static void test_fail_cuts_long_messages(void **state) {
  (void)state;
  char text[400];
  memset(text, 'x', sizeof text - 1);
  text[sizeof text - 1] = '\0';
  gyeot_error error;
  gyeot_fail(&error, GYEOT_ERROR_FORMAT, "%s", text);
  assert_int_equal(strlen(error.message), sizeof error.message - 1);
}

static void test_allocate_refuses_overflow(void **state) {
  (void)state;
  gyeot_allocator allocator = gyeot_allocator_or_default(NULL);
  /* Read at run time, so that the compiler does not see a size that no object can have. */
  volatile size_t count = SIZE_MAX / 2;
  assert_null(gyeot_allocate(&allocator, count, 3));
}

static void test_grow_keeps_the_block_on_failure(void **state) {
  (void)state;
  gyeot_allocator allocator = gyeot_allocator_or_default(NULL);
  void *block = NULL;
  size_t capacity = 0;
  assert_int_equal(gyeot_grow(&allocator, &block, &capacity, 3, sizeof(int)), GYEOT_OK);
  assert_int_equal(capacity, 8);
  ((int *)block)[2] = 42;

  gyeot_allocator refusing = {refuse, NULL};
  void *before = block;
  assert_int_equal(gyeot_grow(&refusing, &block, &capacity, 9, sizeof(int)), GYEOT_ERROR_MEMORY);
  assert_ptr_equal(block, before);
  assert_int_equal(capacity, 8);

  assert_int_equal(gyeot_grow(&allocator, &block, &capacity, 100, sizeof(int)), GYEOT_OK);
  assert_int_equal(capacity, 128);
  assert_int_equal(((int *)block)[2], 42);
  gyeot_deallocate(&allocator, block);
  gyeot_deallocate(&allocator, NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_status_names),
      cmocka_unit_test(test_fail_formats),
      cmocka_unit_test(test_fail_cuts_long_messages),
      cmocka_unit_test(test_allocate_refuses_overflow),
      cmocka_unit_test(test_grow_keeps_the_block_on_failure),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
