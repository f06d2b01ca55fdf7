/* charsmap.h against a list of rules, and against maps that point outside of themselves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "charsmap.h"

typedef struct rule {
  const char *from, *to;
} rule;

/* Sorted by bytes, as the maker of the trie below needs them. */
static const rule RULES[] = {
    {" \xCC\x88", "-"}, {"a", "b"}, {"a\xCC\x81", "\xC3\xA1"}, {"ab", ""}, {"abc", "x y"},
    {"\xC2\xA0", " "}, {"\xE1\x84\x80\xE1\x85\xA1", "가"}, {"\xEF\xBD\xB6", "カ"},
    {"\xEF\xBD\xB6\xEF\xBE\x9E", "ガ"}, {"\xF0\x9F\x98\x82", "ㅋㅋ"},
};
enum { RULE_COUNT = sizeof RULES / sizeof *RULES, UNITS = 2048 };

typedef struct map_maker {
  uint32_t units[UNITS];
  bool taken[UNITS], used[UNITS]; /* units, and bases: no two units may share one */
  uint8_t blob[4 + 4 * UNITS + 256];
  size_t size;
} map_maker;

/* Places the children of the unit `at`: those of the rules first..last that go on after `depth`
 * bytes. Offsets are tried one by one, so this is slow and plain. */
static void place(map_maker *to, uint32_t at, size_t depth, size_t first, size_t last,
                  const uint32_t *positions) {
  bool leaf = strlen(RULES[first].from) == depth;
  for (uint32_t base = 1;; base++) {
    assert_true(base < UNITS - 256);
    bool free = !to->used[base] && (!leaf || !to->taken[base]);
    for (size_t i = first + leaf; i < last; i++)
      free = free && !to->taken[base ^ (uint8_t)RULES[i].from[depth]];
    if (!free) continue;
    to->used[base] = true;
    to->units[at] |= (base ^ at) << 10 | (uint32_t)leaf << 8;
    if (leaf) to->taken[base] = true, to->units[base] = 1u << 31 | positions[first];
    for (size_t i = first + leaf; i < last; i++) {
      uint8_t byte = (uint8_t)RULES[i].from[depth];
      to->taken[base ^ byte] = true;
      to->units[base ^ byte] = byte;
    }
    for (size_t i = first + leaf, end; i < last; i = end) {
      uint8_t byte = (uint8_t)RULES[i].from[depth];
      for (end = i + 1; end < last && (uint8_t)RULES[end].from[depth] == byte;) end++;
      place(to, base ^ byte, depth + 1, i, end, positions);
    }
    return;
  }
}

static void make(map_maker *to) {
  memset(to, 0, sizeof *to);
  uint32_t positions[RULE_COUNT];
  uint8_t texts[256];
  size_t length = 0;
  for (size_t i = 0; i < RULE_COUNT; i++) {
    positions[i] = (uint32_t)length;
    memcpy(texts + length, RULES[i].to, strlen(RULES[i].to) + 1);
    length += strlen(RULES[i].to) + 1;
  }
  to->taken[0] = true;
  place(to, 0, 0, 0, RULE_COUNT, positions);
  uint32_t bytes = 4 * UNITS;
  memcpy(to->blob, &bytes, 4);
  memcpy(to->blob + 4, to->units, bytes);
  memcpy(to->blob + 4 + bytes, texts, length);
  to->size = 4 + bytes + length;
}

static map_maker maker;
static gyeot_charsmap map;

static void open_map(void) {
  make(&maker);
  gyeot_error error;
  if (gyeot_charsmap_open(&map, maker.blob, maker.size, &error) != GYEOT_OK)
    fail_msg("%s", error.message);
}

/* The longest (or shortest) rule at the start of text, from the list. */
static const rule *find_slowly(const char *text, size_t size, bool longest) {
  const rule *found = NULL;
  for (size_t i = 0; i < RULE_COUNT; i++) {
    size_t length = strlen(RULES[i].from);
    if (length > size || memcmp(text, RULES[i].from, length) != 0) continue;
    if (found == NULL || (longest == (length > strlen(found->from)))) found = &RULES[i];
  }
  return found;
}

static void check(const char *text, size_t size) {
  for (int longest = 0; longest < 2; longest++) {
    const rule *want = find_slowly(text, size, longest != 0);
    const uint8_t *becomes = NULL;
    size_t length = 0;
    size_t taken = (longest ? gyeot_charsmap_longest : gyeot_charsmap_shortest)(
        &map, (const uint8_t *)text, size, &becomes, &length);
    assert_int_equal(taken, want == NULL ? 0 : strlen(want->from));
    if (want == NULL) continue;
    assert_int_equal(length, strlen(want->to));
    assert_memory_equal(becomes, want->to, length);
  }
}

static void test_finds_what_a_list_finds(void **state) {
  (void)state;
  static const char *const parts[] = {
      "a",            "b",            "c",            " ",            "\xCC\x81",
      "\xCC\x88",     "\xC2\xA0",     "\xE1\x84\x80", "\xE1\x85\xA1", "\xEF\xBD\xB6",
      "\xEF\xBE\x9E", "\xF0\x9F\x98\x82", "z"};
  open_map();
  uint32_t seed = 20240305;
  for (int i = 0; i < 20000; i++) {
    char text[64];
    size_t size = 0;
    for (int part = 0; part < 4; part++) {
      seed = seed * 1664525 + 1013904223;
      const char *next = parts[(seed >> 8) % (sizeof parts / sizeof *parts)];
      memcpy(text + size, next, strlen(next));
      size += strlen(next);
    }
    check(text, size);
    check(text, 1 + (seed >> 20) % size); /* cut anywhere */
  }
}

static void test_knows_what_no_rule_begins_with(void **state) {
  (void)state;
  open_map();
  assert_true(gyeot_charsmap_may_begin(&map, (const uint8_t *)"a", 1));
  assert_true(gyeot_charsmap_may_begin(&map, (const uint8_t *)" ", 1));
  assert_true(gyeot_charsmap_may_begin(&map, (const uint8_t *)"\xC2\xA0", 2));
  assert_true(gyeot_charsmap_may_begin(&map, (const uint8_t *)"\xE1\x84\x80", 3));
  assert_true(gyeot_charsmap_may_begin(&map, (const uint8_t *)"\xF0\x9F\x98\x82", 4));
  assert_false(gyeot_charsmap_may_begin(&map, (const uint8_t *)"b", 1));
  assert_false(gyeot_charsmap_may_begin(&map, (const uint8_t *)"\xC2\xA1", 2));
  assert_false(gyeot_charsmap_may_begin(&map, (const uint8_t *)"\xEA\xB0\x80", 3));
}

static void test_a_map_without_rules(void **state) {
  (void)state;
  static gyeot_charsmap empty;
  const uint8_t *becomes;
  size_t length;
  assert_int_equal(gyeot_charsmap_open(&empty, NULL, 0, NULL), GYEOT_OK);
  assert_int_equal(gyeot_charsmap_longest(&empty, (const uint8_t *)"a", 1, &becomes, &length), 0);
  assert_false(gyeot_charsmap_may_begin(&empty, (const uint8_t *)"\xF0\x9F\x98\x82", 4));
}

static void assert_refused(const char *message) {
  static gyeot_charsmap refused;
  gyeot_error error;
  assert_int_equal(gyeot_charsmap_open(&refused, maker.blob, maker.size, &error),
                   GYEOT_ERROR_FORMAT);
  if (strstr(error.message, message) == NULL) fail_msg("%s", error.message);
}

static void set_unit(uint32_t index, uint32_t unit) {
  memcpy(maker.blob + 4 + 4 * index, &unit, 4);
}

static void test_refuses_broken_maps(void **state) {
  (void)state;
  make(&maker);
  maker.size = 4;
  assert_refused("only 4 bytes");
  make(&maker);
  uint32_t bytes = 4 * UNITS + 1;
  memcpy(maker.blob, &bytes, 4);
  assert_refused("multiple of 1024");
  make(&maker);
  bytes = 0xFFFFFC00;
  memcpy(maker.blob, &bytes, 4);
  assert_refused("ends past");
  make(&maker);
  maker.blob[maker.size - 1] = 'x';
  assert_refused("NUL");
  make(&maker);
  set_unit(0, 1u << 31); /* the root is a leaf */
  assert_refused("outside");
  make(&maker);
  set_unit(UNITS - 1, 0xFFFFFC00 & 0x7FFFFFFF); /* an offset past the end, where no rule goes */
  assert_refused("outside");
  make(&maker);
  set_unit(UNITS - 1, 1u << 31 | 256); /* a replacement past the texts */
  assert_refused("outside");
  make(&maker);
  set_unit(UNITS - 1, 1u << 8); /* says that it has a leaf, and has none */
  assert_refused("outside");
}

/* Whatever the bytes, nothing is read outside of them: the sanitizers watch. */
static void test_flipped_maps(void **state) {
  (void)state;
  static gyeot_charsmap flipped;
  make(&maker);
  uint8_t *exact = malloc(maker.size);
  uint32_t seed = 1;
  for (int i = 0; i < 3000; i++) {
    memcpy(exact, maker.blob, maker.size);
    for (int flips = 0; flips < 3; flips++) {
      seed = seed * 1664525 + 1013904223;
      exact[(seed >> 8) % maker.size] ^= (uint8_t)(1u << (seed >> 29));
    }
    if (gyeot_charsmap_open(&flipped, exact, maker.size, NULL) != GYEOT_OK) continue;
    for (uint32_t c = 0; c < 256; c++) {
      uint8_t text[4] = {(uint8_t)c, (uint8_t)(c * 7), 0x84, 0x80};
      const uint8_t *becomes;
      size_t length;
      if (gyeot_charsmap_longest(&flipped, text, 4, &becomes, &length) != 0)
        assert_true(becomes + length < exact + maker.size);
    }
  }
  free(exact);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_finds_what_a_list_finds),
      cmocka_unit_test(test_knows_what_no_rule_begins_with),
      cmocka_unit_test(test_a_map_without_rules),
      cmocka_unit_test(test_refuses_broken_maps),
      cmocka_unit_test(test_flipped_maps),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
