#include "charsmap.h"

#include <string.h>

#include "alloc.h"

/* SentencePiece collects at most this many matching rules, shortest first. */
enum { RULES_MAX = 32 };

static uint32_t load_u32(const uint8_t *at) {
  return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static uint32_t unit_at(const gyeot_charsmap *map, uint32_t index) {
  return load_u32(map->units + 4 * (size_t)index);
}

static bool is_leaf(uint32_t unit) { return unit >> 31 != 0; }
static bool has_leaf(uint32_t unit) { return (unit >> 8 & 1) != 0; }
static uint32_t unit_offset(uint32_t unit) { return (unit >> 10) << ((unit & 1u << 9) >> 6); }

/* Takes one byte from the position *at (a node's index ^ its offset). False when no rule goes on
 * so; otherwise *at is the new position and *unit the unit passed. */
static bool descend(const gyeot_charsmap *map, uint8_t byte, uint32_t *at, uint32_t *unit) {
  uint32_t next = *at ^ byte;
  if (next >= map->unit_count) return false;
  *unit = unit_at(map, next);
  if ((*unit & (1u << 31 | 0xFF)) != byte) return false;
  *at = next ^ unit_offset(*unit);
  return true;
}

static uint32_t start_of(const gyeot_charsmap *map) { return unit_offset(unit_at(map, 0)); }

/* How many bytes of the text lead on from the start, size + 1 when a rule may begin with it. */
GYEOT_NOINLINE static size_t bytes_known(const gyeot_charsmap *map, const uint8_t *text,
                                         size_t size) {
  uint32_t at = start_of(map), unit;
  for (size_t i = 0; i < size; i++) {
    if (!descend(map, text[i], &at, &unit)) return i;
    if (has_leaf(unit)) break;
  }
  return size + 1;
}

static void fill_may_begin(gyeot_charsmap *map) {
  for (uint32_t c = 0; c < 65536; c++) {
    uint8_t text[3];
    size_t size = 1;
    if (c < 0x80) {
      text[0] = (uint8_t)c;
    } else if (c < 0x800) {
      text[0] = (uint8_t)(0xC0 | c >> 6);
      text[1] = (uint8_t)(0x80 | (c & 0x3F));
      size = 2;
    } else {
      text[0] = (uint8_t)(0xE0 | c >> 12);
      text[1] = (uint8_t)(0x80 | (c >> 6 & 0x3F));
      text[2] = (uint8_t)(0x80 | (c & 0x3F));
      size = 3;
    }
    size_t known = bytes_known(map, text, size);
    if (known > size)
      map->may_begin[c >> 3] |= (uint8_t)(1u << (c & 7));
    else
      c |= (1u << 6 * (size - 1 - known)) - 1; /* all that begin with the byte that leads nowhere */
  }
}

/* What SentencePiece 0.2.3 asks of every unit, also of those that no rule reaches. */
static bool units_are_sound(const gyeot_charsmap *map) {
  if ((unit_at(map, 0) & (1u << 31 | 0xFF)) != 0) return false;
  for (uint32_t i = 0; i < map->unit_count; i++) {
    uint32_t unit = unit_at(map, i), target = i ^ unit_offset(unit);
    if (is_leaf(unit)) {
      if ((unit & 0x7FFFFFFF) >= map->texts_size) return false;
    } else if (target >= map->unit_count || (has_leaf(unit) && !is_leaf(unit_at(map, target)))) {
      return false;
    }
  }
  return true;
}

gyeot_status gyeot_charsmap_open(gyeot_charsmap *map, const uint8_t *bytes, size_t size,
                                 gyeot_error *error) {
  gyeot_charsmap made;
  memset(&made, 0, sizeof made);
  if (size != 0) {
    if (size <= 4)
      return gyeot_fail(error, GYEOT_ERROR_FORMAT, "the character map is only %zu bytes long", size);
    uint32_t trie_size = load_u32(bytes);
    if (trie_size >= size - 4)
      return gyeot_fail(error, GYEOT_ERROR_FORMAT,
                        "the trie of the character map ends past the map");
    if (trie_size == 0 || trie_size % 1024 != 0)
      return gyeot_fail(error, GYEOT_ERROR_FORMAT,
                        "the trie of the character map has %zu bytes, not a multiple of 1024",
                        (size_t)trie_size);
    if (bytes[size - 1] != 0)
      return gyeot_fail(error, GYEOT_ERROR_FORMAT,
                        "the texts of the character map do not end with a NUL");
    made.units = bytes + 4;
    made.unit_count = trie_size / 4;
    made.texts = bytes + 4 + trie_size;
    made.texts_size = size - 4 - trie_size;
    if (!units_are_sound(&made))
      return gyeot_fail(error, GYEOT_ERROR_FORMAT,
                        "the trie of the character map points outside of itself");
    fill_may_begin(&made);
  }
  *map = made;
  return GYEOT_OK;
}

static size_t find(const gyeot_charsmap *map, const uint8_t *text, size_t size, size_t most,
                   const uint8_t **replacement, size_t *replacement_size) {
  if (map->unit_count == 0) return 0;
  uint32_t at = start_of(map), unit, position = 0;
  size_t taken = 0, found = 0;
  for (size_t i = 0; i < size && found < most; i++) {
    if (!descend(map, text[i], &at, &unit)) break;
    if (!has_leaf(unit) || at >= map->unit_count) continue;
    position = unit_at(map, at) & 0x7FFFFFFF;
    taken = i + 1;
    found++;
  }
  if (taken == 0 || position >= map->texts_size) return 0;
  *replacement = map->texts + position;
  /* The last text ends with a NUL, so there always is one. */
  *replacement_size = strlen((const char *)*replacement);
  return taken;
}

size_t gyeot_charsmap_longest(const gyeot_charsmap *map, const uint8_t *text, size_t size,
                              const uint8_t **replacement, size_t *replacement_size) {
  return find(map, text, size, RULES_MAX, replacement, replacement_size);
}

size_t gyeot_charsmap_shortest(const gyeot_charsmap *map, const uint8_t *text, size_t size,
                               const uint8_t **replacement, size_t *replacement_size) {
  return find(map, text, size, 1, replacement, replacement_size);
}
