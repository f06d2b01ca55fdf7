/* piece_trie.h against a list of pieces that is searched one by one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "counting_allocator.h"
#include "piece_trie.h"

enum { PIECES = 3000, BYTES = 12 };

typedef struct pieces {
  uint8_t text[PIECES][BYTES];
  size_t size[PIECES];
} pieces;

static bool piece_of(const void *context, size_t id, const uint8_t **text, size_t *size) {
  const pieces *from = context;
  *text = from->text[id];
  *size = from->size[id];
  return id % 11 != 10; /* some ids have no place in the trie */
}

/* Few different characters, so that pieces share beginnings and come twice: one to four bytes, and
 * bytes that are not UTF-8. */
static const char *const ALPHABET[] = {"a", "b", "é", "가", "나", "▁", "😂", "\xEA", "\xF0\x9F", "\x80",
                                       "\xFD\x9E\x88", "\xED\x9E\x88", "\xC1\x81", "\xED\xA0\x80"};

static uint32_t next_random(uint32_t *seed) { return (*seed = *seed * 1664525 + 1013904223) >> 8; }

static void generate(pieces *to, uint32_t seed) {
  for (size_t id = 0; id < PIECES; id++) {
    size_t size = 0, parts = 1 + next_random(&seed) % 4;
    while (parts-- != 0) {
      const char *part = ALPHABET[next_random(&seed) % (sizeof ALPHABET / sizeof *ALPHABET)];
      if (size + strlen(part) > BYTES) break;
      memcpy(to->text[id] + size, part, strlen(part));
      size += strlen(part);
    }
    to->size[id] = size;
  }
}

static int32_t find_slowly(const pieces *from, const uint8_t *text, size_t size) {
  for (size_t id = PIECES; id-- > 0;)
    if (id % 11 != 10 && from->size[id] == size && memcmp(from->text[id], text, size) == 0)
      return (int32_t)id;
  return -1;
}

static void test_finds_what_a_list_finds(void **state) {
  (void)state;
  static pieces some, others;
  gyeot_allocator gate = gyeot_allocator_or_default(NULL);
  for (int bytewise = 0; bytewise < 2; bytewise++) {
    generate(&some, 1);
    generate(&others, 2);
    gyeot_piece_source source = {&some, PIECES, piece_of, 0};
    gyeot_piece_trie trie;
    size_t duplicate = SIZE_MAX;
    assert_int_equal(gyeot_piece_trie_build(&trie, &source, bytewise != 0, &gate, &duplicate),
                     GYEOT_OK);
    assert_true(duplicate < PIECES);
    for (size_t id = 0; id < PIECES; id++) {
      assert_int_equal(gyeot_piece_trie_find(&trie, some.text[id], some.size[id]),
                       find_slowly(&some, some.text[id], some.size[id]));
      assert_int_equal(gyeot_piece_trie_find(&trie, others.text[id], others.size[id]),
                       find_slowly(&some, others.text[id], others.size[id]));
    }
    assert_int_equal(gyeot_piece_trie_find(&trie, NULL, 0), -1);
    gyeot_piece_trie_free(&trie);
  }
}

/* Pieces that share no beginning have far more nodes than the usual two each: the table is made again,
 * larger. */
enum { LONG_PIECES = 50, LONG_BYTES = 400 };

static bool long_piece(const void *context, size_t id, const uint8_t **text, size_t *size) {
  *text = (const uint8_t *)context + id * LONG_BYTES;
  *size = LONG_BYTES;
  return true;
}

static void test_grows_when_the_guess_was_small(void **state) {
  (void)state;
  static uint8_t texts[LONG_PIECES * LONG_BYTES];
  uint32_t seed = 3;
  for (size_t i = 0; i < sizeof texts; i++) texts[i] = (uint8_t)('a' + next_random(&seed) % 26);
  gyeot_allocator gate = gyeot_allocator_or_default(NULL);
  gyeot_piece_source source = {texts, LONG_PIECES, long_piece, 0};
  gyeot_piece_trie trie;
  size_t duplicate = SIZE_MAX;
  assert_int_equal(gyeot_piece_trie_build(&trie, &source, false, &gate, &duplicate), GYEOT_OK);
  assert_int_equal(duplicate, SIZE_MAX);
  assert_true(trie.node_count > 15000);
  for (size_t id = 0; id < LONG_PIECES; id++) {
    assert_int_equal(gyeot_piece_trie_find(&trie, texts + id * LONG_BYTES, LONG_BYTES), id);
    assert_int_equal(gyeot_piece_trie_find(&trie, texts + id * LONG_BYTES, LONG_BYTES - 1), -1);
  }
  gyeot_piece_trie_free(&trie);
}

static void test_every_allocation_may_fail(void **state) {
  (void)state;
  static pieces some;
  generate(&some, 4);
  gyeot_piece_source source = {&some, PIECES, piece_of, 0};
  for (size_t fail_at = 1;; fail_at++) {
    counting_allocator counts = {0, fail_at, 0, 0, 0};
    gyeot_allocator gate = counting_gate(&counts);
    gyeot_piece_trie trie;
    gyeot_status status = gyeot_piece_trie_build(&trie, &source, false, &gate, NULL);
    if (status == GYEOT_OK) {
      gyeot_piece_trie_free(&trie);
      assert_int_equal(counts.blocks, 0);
      break;
    }
    assert_int_equal(status, GYEOT_ERROR_MEMORY);
    assert_int_equal(counts.blocks, 0);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_finds_what_a_list_finds),
      cmocka_unit_test(test_grows_when_the_guess_was_small),
      cmocka_unit_test(test_every_allocation_may_fail),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
