#include "unicode.h"

enum {
  HANGUL_FIRST = 0xAC00,
  HANGUL_LAST = 0xD7A3,
  LEAD_FIRST = 0x1100,
  VOWEL_FIRST = 0x1161,
  TAIL_BEFORE = 0x11A7,
  LEADS = 19,
  VOWELS = 21,
  TAILS = 28
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

/* Index of the last element that is not above c, or `count` when all are. */
static size_t last_not_above(const uint32_t *firsts, size_t count, uint32_t c) {
  size_t low = 0, high = count;
  while (low < high) {
    size_t middle = (low + high) / 2;
    if (firsts[middle] <= c)
      low = middle + 1;
    else
      high = middle;
  }
  return low == 0 ? count : low - 1;
}

size_t gyeot_unicode_lower(uint32_t c, uint32_t out[2]) {
  out[0] = c;
  if (c < 0x80) {
    if (c >= 'A' && c <= 'Z') out[0] = c + 32;
    return 1;
  }
  if (c == 0x130) {
    out[0] = 'i';
    out[1] = 0x307;
    return 2;
  }
  size_t i = last_not_above(gyeot_case_firsts, gyeot_case_count, c);
  if (i == gyeot_case_count) return 1;
  uint32_t from_first = c - gyeot_case_firsts[i];
  if (from_first < gyeot_case_lengths[i] && from_first % gyeot_case_steps[i] == 0)
    out[0] = c + (uint32_t)gyeot_case_differences[i];
  return 1;
}

unsigned gyeot_unicode_class(uint32_t c) {
  size_t i = last_not_above(gyeot_class_firsts, gyeot_class_count, c);
  if (i == gyeot_class_count || c - gyeot_class_firsts[i] >= gyeot_class_lengths[i]) return 0;
  return gyeot_class_values[i];
}

static uint32_t unit_at(const gyeot_mapping *mapping, size_t i) {
  return (uint32_t)mapping->pool_low[i] | (uint32_t)mapping->pool_high[i] << 8;
}

static size_t look_up(const gyeot_mapping *mapping, uint32_t c, uint32_t *out) {
  if (c >= 0x30000) return 0;
  size_t low = mapping->pages[c >> 8], end = mapping->pages[(c >> 8) + 1], high = end;
  uint8_t key = (uint8_t)c;
  while (low < high) {
    size_t middle = (low + high) / 2;
    if (mapping->keys[middle] < key)
      low = middle + 1;
    else
      high = middle;
  }
  if (low == end || mapping->keys[low] != key) return 0;
  size_t at = mapping->positions[low / 64], count = 0;
  for (size_t i = low / 64 * 64; i < low; i++) at += mapping->lengths[i];
  for (size_t stop = at + mapping->lengths[low]; at < stop; at++) {
    uint32_t unit = unit_at(mapping, at);
    if (unit >= 0xD800 && unit < 0xDC00)
      unit = 0x10000 + ((unit & 0x3FF) << 10) + (unit_at(mapping, ++at) & 0x3FF);
    out[count++] = unit;
  }
  return count;
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
  if (count != 0) return count;
  out[0] = c;
  return 1;
}

uint32_t gyeot_unicode_compose(uint32_t first, uint32_t second) {
  if (first - LEAD_FIRST < LEADS && second - VOWEL_FIRST < VOWELS)
    return HANGUL_FIRST +
           ((first - LEAD_FIRST) * VOWELS + (second - VOWEL_FIRST)) * (uint32_t)TAILS;
  if (first >= HANGUL_FIRST && first <= HANGUL_LAST && (first - HANGUL_FIRST) % TAILS == 0 &&
      second - TAIL_BEFORE - 1 < TAILS - 1)
    return first + (second - TAIL_BEFORE);
  if (first >= 0x10000) {
    for (size_t i = 0; i < gyeot_high_pair_count; i++)
      if (gyeot_high_pairs[3 * i] == second && gyeot_high_pairs[3 * i + 1] == first)
        return gyeot_high_pairs[3 * i + 2];
    return 0;
  }
  if (second < 0x300 || second >= 0x10000) return 0;
  uint32_t wanted = second << 16 | first;
  size_t low = 0, high = gyeot_pair_count;
  while (low < high) {
    size_t middle = (low + high) / 2;
    uint32_t pair = (uint32_t)gyeot_pair_seconds[middle] << 16 |
                    (uint32_t)gyeot_pair_firsts_high[middle] << 8 | gyeot_pair_firsts_low[middle];
    if (pair == wanted)
      return (uint32_t)gyeot_pair_results_high[middle] << 8 | gyeot_pair_results_low[middle];
    if (pair < wanted)
      low = middle + 1;
    else
      high = middle;
  }
  return 0;
}
