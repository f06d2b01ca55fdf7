/* SentencePiece's precompiled character map: rules "these bytes become those", as a double-array
 * trie over UTF-8 bytes.
 *
 *   u32 trie bytes | trie units, u32 each | replacement texts, each ended by a NUL
 *
 * A unit (all little-endian):
 *   bits 0-7 label | bit 8 has a leaf | bit 9 offset is times 256 | bits 10-31 offset | bit 31 is a
 *   leaf, whose bits 0-30 are the position of the rule's replacement text.
 * From the unit at index i with offset o the child for byte b stands at (i ^ o) ^ b, and the leaf at
 * (i ^ o). */
#ifndef GYEOT_CHARSMAP_H
#define GYEOT_CHARSMAP_H

#include <stdbool.h>

#include "gyeot_status.h"

typedef struct gyeot_charsmap {
  const uint8_t *units; /* [4 * unit_count], not aligned; NULL: a map without rules */
  uint32_t unit_count;
  const uint8_t *texts;
  size_t texts_size;
  /* Bit c is set when some rule may begin with the character c of the Basic Multilingual Plane. */
  uint8_t may_begin[65536 / 8];
} gyeot_charsmap;

/* Reads a map from bytes that must outlive it. size 0 gives the map without rules. Refuses what
 * SentencePiece 0.2.3 refuses; whatever else the bytes hold, no later call reads outside of them. */
gyeot_status gyeot_charsmap_open(gyeot_charsmap *map, const uint8_t *bytes, size_t size,
                                 gyeot_error *error);

/* Bytes of `text` that the longest (shortest) rule at its start takes, 0 when none does. The
 * replacement points into the map and is not NUL-terminated. Hugging Face takes the shortest. */
size_t gyeot_charsmap_longest(const gyeot_charsmap *map, const uint8_t *text, size_t size,
                              const uint8_t **replacement, size_t *replacement_size);
size_t gyeot_charsmap_shortest(const gyeot_charsmap *map, const uint8_t *text, size_t size,
                               const uint8_t **replacement, size_t *replacement_size);

/* False only when no rule begins with this character (length bytes of well-formed UTF-8). */
static inline bool gyeot_charsmap_may_begin(const gyeot_charsmap *map, const uint8_t *text,
                                            size_t length) {
  uint32_t c;
  if (length == 1)
    c = text[0];
  else if (length == 2)
    c = (uint32_t)(text[0] & 0x1F) << 6 | (text[1] & 0x3F);
  else if (length == 3)
    c = (uint32_t)(text[0] & 0x0F) << 12 | (uint32_t)(text[1] & 0x3F) << 6 | (text[2] & 0x3F);
  else
    return map->unit_count != 0;
  return map->may_begin[c >> 3] >> (c & 7) & 1;
}

#endif
