#include "unicode.h"

#include <string.h>

enum {
  HANGUL_FIRST = 0xAC00,
  HANGUL_LAST = 0xD7A3,
  LEAD_FIRST = 0x1100,
  VOWEL_FIRST = 0x1161,
  TAIL_BEFORE = 0x11A7,
  LEADS = 19,
  VOWELS = 21,
  TAILS = 28,
  KEY_PAGES = 0x300, /* of the tables with keys */
  EXCLUDED = 0x80    /* in gyeot_pair_seconds */
};

bool gyeot_utf8_is_valid(const uint8_t *bytes, size_t size) {
  const uint8_t *end = bytes + size;
  while (bytes < end) {
    size_t step;
    if (gyeot_utf8_read(bytes, end, &step) == GYEOT_REPLACEMENT && step == 1) return false;
    bytes += step;
  }
  return true;
}

size_t gyeot_unicode_lower(uint32_t c, uint32_t out[2]) {
  out[0] = c + (uint32_t)gyeot_record_lower[gyeot_unicode_record(c)];
  if (c != 0x130) return 1;
  out[1] = 0x307;
  return 2;
}

/* The place of a key; SIZE_MAX when it is not there. */
static size_t find_key(const uint16_t *pages, const uint8_t *keys, uint32_t c) {
  if (c >> 8 >= KEY_PAGES) return SIZE_MAX;
  size_t low = pages[c >> 8], end = pages[(c >> 8) + 1], high = end;
  uint8_t key = (uint8_t)c;
  while (low < high) {
    size_t middle = (low + high) / 2;
    if (keys[middle] < key)
      low = middle + 1;
    else
      high = middle;
  }
  return low < end && keys[low] == key ? low : SIZE_MAX;
}

static uint32_t two_bytes(const uint8_t *low, const uint8_t *high, size_t i) {
  return (uint32_t)low[i] | (uint32_t)high[i] << 8;
}

static size_t look_up(const gyeot_mapping *mapping, uint32_t c, uint32_t *out) {
  size_t found = find_key(mapping->pages, mapping->keys, c);
  if (found == SIZE_MAX) return 0;
  size_t at = mapping->positions[found / 64];
  uint32_t unit = 0;
  for (size_t i = found / 64 * 64;; i++) {
    unit += two_bytes(mapping->firsts_low, mapping->firsts_high, i);
    if (i == found) break;
    at += mapping->lengths[i] - 1u;
  }
  unit &= 0xFFFF;
  size_t count = 0;
  for (size_t stop = at + mapping->lengths[found];;) {
    if (unit >= 0xD800 && unit < 0xDC00) {
      uint32_t low = two_bytes(mapping->rest_low, mapping->rest_high, at++);
      unit = 0x10000 + ((unit & 0x3FF) << 10) + (low & 0x3FF);
    }
    out[count++] = unit;
    if (++at >= stop) return count;
    unit = two_bytes(mapping->rest_low, mapping->rest_high, at - 1);
  }
}

static uint32_t first_of_pair(size_t pair) {
  return two_bytes(gyeot_pair_firsts_low, gyeot_pair_firsts_high, pair);
}

/* Takes second characters off as long as there are any; returns how many characters there are. */
static size_t take_apart(uint32_t c, uint32_t *out) {
  size_t pair = find_key(gyeot_pair_pages, gyeot_pair_keys, c);
  if (pair == SIZE_MAX) {
    out[0] = c;
    return 1;
  }
  size_t count = take_apart((c & ~UINT32_C(0xFFFF)) | first_of_pair(pair), out);
  out[count] = gyeot_seconds[gyeot_pair_seconds[pair] & ~EXCLUDED];
  return count + 1;
}

size_t gyeot_unicode_decompose(uint32_t c, bool compatible, uint32_t out[GYEOT_DECOMPOSITION_MAX]) {
  if (c >= HANGUL_FIRST && c <= HANGUL_LAST) {
    uint32_t syllable = c - HANGUL_FIRST, tail = syllable % TAILS;
    out[0] = LEAD_FIRST + syllable / (VOWELS * TAILS);
    out[1] = VOWEL_FIRST + syllable / TAILS % VOWELS;
    if (tail == 0) return 2;
    out[2] = TAIL_BEFORE + tail;
    return 3;
  }
  size_t count = compatible ? look_up(&gyeot_compatible, c, out) : 0;
  if (count == 0) count = look_up(&gyeot_canonical, c, out);
  return count != 0 ? count : take_apart(c, out);
}

/* The number of a character that composes with one before it; gyeot_second_count: none. */
static size_t number_of_second(uint32_t c) {
  size_t low = 0, high = gyeot_second_count;
  while (low < high) {
    size_t middle = (low + high) / 2;
    if (gyeot_seconds[middle] < c)
      low = middle + 1;
    else
      high = middle;
  }
  return low < gyeot_second_count && gyeot_seconds[low] == c ? low : gyeot_second_count;
}

static uint32_t key_of_pair(size_t pair) {
  size_t page = 0;
  while (gyeot_pair_pages[page + 1] <= pair) page++;
  return (uint32_t)page << 8 | gyeot_pair_keys[pair];
}

uint32_t gyeot_unicode_compose(uint32_t first, uint32_t second) {
  if (first - LEAD_FIRST < LEADS && second - VOWEL_FIRST < VOWELS)
    return HANGUL_FIRST +
           ((first - LEAD_FIRST) * VOWELS + (second - VOWEL_FIRST)) * (uint32_t)TAILS;
  if (first >= HANGUL_FIRST && first <= HANGUL_LAST && (first - HANGUL_FIRST) % TAILS == 0 &&
      second - TAIL_BEFORE - 1 < TAILS - 1)
    return first + (second - TAIL_BEFORE);
  size_t number = number_of_second(second);
  if (number == gyeot_second_count) return 0;
  const uint8_t *end = gyeot_pair_seconds + gyeot_pair_count;
  for (const uint8_t *at = gyeot_pair_seconds;; at++) {
    at = memchr(at, (int)number, (size_t)(end - at));
    if (at == NULL) return 0;
    size_t pair = (size_t)(at - gyeot_pair_seconds);
    if (first_of_pair(pair) != (first & 0xFFFF)) continue;
    uint32_t whole = key_of_pair(pair);
    if (whole >> 16 == first >> 16) return whole;
  }
}
