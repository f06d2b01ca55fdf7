/* UTF-8 and the character tables of the reference tokenizers: which characters BERT drops, splits
 * or lower-cases, and canonical decomposition. The tables are those of Hugging Face `tokenizers`,
 * which knows several Unicode versions at once; tests/golden/make_unicode_tables.py asks it. */
#ifndef GYEOT_UNICODE_H
#define GYEOT_UNICODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { GYEOT_REPLACEMENT = 0xFFFD };

/* Properties of a code point, as bits. */
enum {
  GYEOT_DROPPED = 1,     /* BERT's clean_text removes it: controls, private use, U+FFFD, ... */
  GYEOT_SPACE = 2,       /* White_Space */
  GYEOT_PUNCTUATION = 4, /* BertPreTokenizer makes it a word of its own */
  GYEOT_CHINESE = 8,     /* tokenize_chinese_chars puts spaces around it */
  GYEOT_ACCENT = 16,     /* Mn: BERT's strip_accents removes it */
  GYEOT_MARK = 32,       /* M: the StripAccents normalizer removes it */
  GYEOT_UPPER = 64,      /* lower-casing changes it */
  GYEOT_COMPOSING = 128, /* decomposes, or has a combining class other than 0 */
  GYEOT_WORD = 256       /* \w of the regular expressions: letters, marks, digits, connectors */
};

extern const uint8_t gyeot_unicode_pages[], gyeot_unicode_records[];
extern const uint16_t gyeot_record_bits[];
extern const uint8_t gyeot_record_clusters[], gyeot_record_classes[];
extern const int32_t gyeot_record_lower[];

/* Which of the fewer than 256 different records holds all that is known of a code point. */
static inline unsigned gyeot_unicode_record(uint32_t c) {
  return gyeot_unicode_records[gyeot_unicode_pages[c >> 8] * 256u + (c & 255)];
}

static inline unsigned gyeot_unicode_properties(uint32_t c) {
  return gyeot_record_bits[gyeot_unicode_record(c)];
}

static inline bool gyeot_unicode_is_word(uint32_t c) {
  return (gyeot_unicode_properties(c) & GYEOT_WORD) != 0;
}

/* What a character does at the edges of an extended grapheme cluster (Hangul apart). */
typedef enum gyeot_cluster_class {
  GYEOT_CLUSTER_OTHER,
  GYEOT_CLUSTER_EXTEND,
  GYEOT_CLUSTER_EXTEND_ONLY, /* extends a cluster but not an Indic conjunct */
  GYEOT_CLUSTER_LINKER,
  GYEOT_CLUSTER_JOINER,
  GYEOT_CLUSTER_SPACING,
  GYEOT_CLUSTER_PREPEND,
  GYEOT_CLUSTER_CONTROL,
  GYEOT_CLUSTER_PICTURE,
  GYEOT_CLUSTER_CONSONANT
} gyeot_cluster_class;
static inline gyeot_cluster_class gyeot_unicode_cluster_class(uint32_t c) {
  return (gyeot_cluster_class)gyeot_record_clusters[gyeot_unicode_record(c)];
}

/* Reads one character of at least one byte; a byte that starts no well-formed character reads as
 * U+FFFD and counts one byte. */
static inline uint32_t gyeot_utf8_read(const uint8_t *at, const uint8_t *end, size_t *size) {
  uint32_t first = at[0];
  *size = 1;
  if (first < 0x80) return first;
  size_t left = (size_t)(end - at);
  if (first >= 0xE1 && first <= 0xEC) { /* most CJK; Hangul syllables begin with EA to ED */
    if (left >= 3 && (at[1] & 0xC0) == 0x80 && (at[2] & 0xC0) == 0x80) {
      *size = 3;
      return (first & 0xF) << 12 | (at[1] & 0x3Fu) << 6 | (at[2] & 0x3Fu);
    }
    return GYEOT_REPLACEMENT;
  }
  if (first < 0xC2) return GYEOT_REPLACEMENT;
  if (first < 0xE0) {
    if (left < 2 || (at[1] & 0xC0) != 0x80) return GYEOT_REPLACEMENT;
    *size = 2;
    return (first & 0x1F) << 6 | (at[1] & 0x3Fu);
  }
  if (first < 0xF0) {
    if (left < 3 || (at[1] & 0xC0) != 0x80 || (at[2] & 0xC0) != 0x80) return GYEOT_REPLACEMENT;
    uint32_t c = (first & 0xF) << 12 | (at[1] & 0x3Fu) << 6 | (at[2] & 0x3Fu);
    if (c < 0x800 || (c >= 0xD800 && c < 0xE000)) return GYEOT_REPLACEMENT;
    *size = 3;
    return c;
  }
  if (first > 0xF4 || left < 4 || (at[1] & 0xC0) != 0x80 || (at[2] & 0xC0) != 0x80 ||
      (at[3] & 0xC0) != 0x80)
    return GYEOT_REPLACEMENT;
  uint32_t c = (first & 0x7) << 18 | (at[1] & 0x3Fu) << 12 | (at[2] & 0x3Fu) << 6 | (at[3] & 0x3Fu);
  if (c < 0x10000 || c > 0x10FFFF) return GYEOT_REPLACEMENT;
  *size = 4;
  return c;
}

/* Writes 1 to 4 bytes and returns how many. */
static inline size_t gyeot_utf8_write(uint32_t c, uint8_t *out) {
  if (c < 0x80) {
    out[0] = (uint8_t)c;
    return 1;
  }
  if (c < 0x800) {
    out[0] = (uint8_t)(0xC0 | c >> 6);
    out[1] = (uint8_t)(0x80 | (c & 0x3F));
    return 2;
  }
  if (c < 0x10000) {
    out[0] = (uint8_t)(0xE0 | c >> 12);
    out[1] = (uint8_t)(0x80 | (c >> 6 & 0x3F));
    out[2] = (uint8_t)(0x80 | (c & 0x3F));
    return 3;
  }
  out[0] = (uint8_t)(0xF0 | c >> 18);
  out[1] = (uint8_t)(0x80 | (c >> 12 & 0x3F));
  out[2] = (uint8_t)(0x80 | (c >> 6 & 0x3F));
  out[3] = (uint8_t)(0x80 | (c & 0x3F));
  return 4;
}

/* True when the bytes are well-formed UTF-8. */
bool gyeot_utf8_is_valid(const uint8_t *bytes, size_t size);

/* The lower-case form of one character: 1 character, or 2 for U+0130. */
size_t gyeot_unicode_lower(uint32_t c, uint32_t out[2]);

/* The full decomposition, canonical or (when `compatible`) compatibility; c itself when there is
 * none. At most GYEOT_DECOMPOSITION_MAX characters; returns how many. */
enum { GYEOT_DECOMPOSITION_MAX = 18 };
size_t gyeot_unicode_decompose(uint32_t c, bool compatible, uint32_t out[GYEOT_DECOMPOSITION_MAX]);

/* Canonical combining class, 0 for starters. */
static inline unsigned gyeot_unicode_class(uint32_t c) {
  return gyeot_record_classes[gyeot_unicode_record(c)];
}

/* The primary composite of two characters, 0 when there is none. */
uint32_t gyeot_unicode_compose(uint32_t first, uint32_t second);

/* The generated tables (unicode_tables.c). Sorted keys are kept as their low bytes; those of page
 * c >> 8 are keys[pages[c >> 8]] up to keys[pages[(c >> 8) + 1]].
 *
 * The values of a mapping are UTF-16: `lengths` units each, the first of them as the difference to
 * the first unit of the value before (modulo 65536; to 0 for each 64th), the others one after
 * another in `rest`, where the 64 values from 64 i on begin at positions[i]. Numbers of 16 bits stand as
 * two arrays of bytes where that compresses better. */
typedef struct gyeot_mapping {
  const uint16_t *pages;
  const uint8_t *keys;
  const uint8_t *lengths;
  const uint16_t *positions;
  const uint8_t *firsts_low, *firsts_high;
  const uint8_t *rest_low, *rest_high;
} gyeot_mapping;
extern const gyeot_mapping gyeot_canonical, gyeot_compatible; /* canonical: single characters */

/* The characters that decompose canonically into two, of the same plane as they: the low 16 bits
 * of the first, and the second's number in gyeot_seconds, with 128 added where composition leaves
 * the two apart. */
extern const uint16_t gyeot_pair_pages[];
extern const uint8_t gyeot_pair_keys[], gyeot_pair_firsts_low[], gyeot_pair_firsts_high[];
extern const uint8_t gyeot_pair_seconds[];
extern const uint32_t gyeot_seconds[];
extern const size_t gyeot_pair_count, gyeot_second_count;

#endif
