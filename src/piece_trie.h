/* The trie of a vocabulary's pieces, one step a character.
 *
 * A node is a slot of one hash table; the key of a slot is (parent's slot, character's code), so a
 * step is one probe and the children of a node need no list. For the pieces ▁, ▁a and ▁ab:
 *
 *   root (slot = capacity) --▁--> slot 71 {root, code 1, id of "▁", has children}
 *                                    └--a--> slot 12 {71, code 2, id of "▁a", has children}
 *                                               └--b--> slot 40 {12, code 3, id of "▁ab"}
 *
 *   slot, 64 bits:  parent's slot | code | id + 1, or 0 | has children     (all zero: empty)
 *
 * Measured with 250,000 pieces (505,000 nodes): 6.8 MB, where plain fields of 32 bits take 12 bytes
 * a node.
 *
 * Bytes that are not UTF-8 are welcome: a "character" is what gyeot_utf8_step says. As pieces and
 * texts are cut in the same way, a walk finds exactly the pieces that a walk over bytes would find
 * to end at a character of the text. */
#ifndef GYEOT_PIECE_TRIE_H
#define GYEOT_PIECE_TRIE_H

#include <stdbool.h>

#include "alloc.h"
#include "utf8_step.h"

#define GYEOT_TRIE_NONE UINT32_MAX

/* A character's code: its code point, but one past all code points for U+0000 and more than that for
 * what is not UTF-8. 0: no piece has the character. */
enum { GYEOT_TRIE_CODE_BITS = 21, GYEOT_TRIE_NUL = 0x110000 };

typedef struct gyeot_rare_code {
  uint32_t bytes;  /* the character's bytes, first byte lowest */
  uint32_t length; /* 0: empty */
  uint32_t code;
} gyeot_rare_code;

typedef struct gyeot_piece_trie {
  gyeot_allocator allocator;
  bool bytewise;   /* every byte is a character of its own */
  uint64_t *slots; /* [capacity] */
  uint32_t capacity;
  uint32_t node_count;
  unsigned value_bits; /* of id + 1 and the children bit */
  /* Two small tables that spare most visits to the large one, which waits for memory: where the
   * characters of the Basic Multilingual Plane lead from the root, in pages of 256, and a bit for
   * each range of hashes, set when a node has a hash there. Measured with 250,000 pieces on Korean
   * sentences: 54 MB/s without, 64 MB/s with them, for 0.6 MB. */
  uint16_t page_of[256]; /* 0: the empty page */
  uint64_t *pages;       /* slot + 1 << 32 | id + 1 | has children; 0: none */
  size_t page_count, page_capacity;
  uint64_t *filter;
  unsigned filter_shift; /* of a hash, for its bit's number */
  gyeot_rare_code *rare; /* [rare_capacity], a power of two: characters that are not UTF-8 */
  size_t rare_count, rare_capacity;
} gyeot_piece_trie;

/* Where the pieces come from: `piece` gives the text of an id below `count`, or false for an id that
 * has no place in the trie. It is asked several times and must answer the same. */
typedef struct gyeot_piece_source {
  const void *context;
  size_t count;
  bool (*piece)(const void *context, size_t id, const uint8_t **text, size_t *size);
  size_t expected; /* about how many have a place; 0: to be counted */
} gyeot_piece_source;

/* Bytes of the character that the trie sees at the start of `text`; left must not be 0. */
static inline size_t gyeot_piece_trie_cut(const gyeot_piece_trie *trie, const uint8_t *text,
                                          size_t left) {
  return trie->bytewise ? 1 : gyeot_utf8_step(text, left);
}

/* Builds the trie, over characters or over bytes; free it with gyeot_piece_trie_free, which also takes
 * a zeroed one. Empty pieces are left out. When two ids have the same piece the last one wins, and
 * *duplicate, if not NULL, is set to one of the later ids (it is left alone otherwise).
 * GYEOT_ERROR_LIMIT: more than about a million pieces. */
gyeot_status gyeot_piece_trie_build(gyeot_piece_trie *trie, const gyeot_piece_source *source,
                                    bool bytewise, const gyeot_allocator *allocator,
                                    size_t *duplicate);
void gyeot_piece_trie_free(gyeot_piece_trie *trie);

/* The id of exactly this piece, or -1. */
int32_t gyeot_piece_trie_find(const gyeot_piece_trie *trie, const uint8_t *text, size_t size);

/* gyeot_piece_trie_code for what is neither ASCII nor three well-formed bytes. */
uint32_t gyeot_piece_trie_other_code(const gyeot_piece_trie *trie, const uint8_t *text,
                                     size_t length);

/* The code of the character of `length` bytes (as gyeot_piece_trie_cut gives it) at `text`. */
static inline uint32_t gyeot_piece_trie_code(const gyeot_piece_trie *trie, const uint8_t *text,
                                             size_t length) {
  uint32_t a = text[0];
  if (a < 0x80) return a != 0 ? a : GYEOT_TRIE_NUL;
  if (length == 3 && (text[1] & 0xC0) == 0x80 && (text[2] & 0xC0) == 0x80) {
    uint32_t c = (a & 0x0F) << 12 | (text[1] & 0x3Fu) << 6 | (text[2] & 0x3Fu);
    if (c >= 0x800 && a < 0xF0) return c;
  }
  return gyeot_piece_trie_other_code(trie, text, length);
}

static inline uint32_t gyeot_piece_trie_root(const gyeot_piece_trie *trie) {
  return trie->capacity;
}

static inline uint64_t gyeot_piece_trie_hash(uint64_t key) {
  return key * UINT64_C(0x9E3779B97F4A7C15);
}

static inline uint32_t gyeot_piece_trie_home(const gyeot_piece_trie *trie, uint64_t key) {
  return (uint32_t)((gyeot_piece_trie_hash(key) >> 32) * trie->capacity >> 32);
}

static inline uint64_t gyeot_piece_trie_key(uint32_t node, uint32_t code) {
  return (uint64_t)node << GYEOT_TRIE_CODE_BITS | code;
}

/* The slot of a key, looked for from its home on, whose content `held` was loaded before. */
static inline uint32_t gyeot_piece_trie_probe(const gyeot_piece_trie *trie, uint64_t key,
                                              uint32_t slot, uint64_t held) {
  for (;;) {
    if (held >> trie->value_bits == key) return slot;
    if (held == 0) return GYEOT_TRIE_NONE;
    if (++slot == trie->capacity) slot = 0;
    held = trie->slots[slot];
  }
}

/* The child of a node by a code that is not 0; GYEOT_TRIE_NONE when there is none. */
static inline uint32_t gyeot_piece_trie_step(const gyeot_piece_trie *trie, uint32_t node,
                                             uint32_t code) {
  uint64_t key = gyeot_piece_trie_key(node, code);
  uint32_t slot = gyeot_piece_trie_home(trie, key);
  for (;;) {
    uint64_t held = trie->slots[slot];
    if (held >> trie->value_bits == key) return slot;
    if (held == 0) return GYEOT_TRIE_NONE;
    if (++slot == trie->capacity) slot = 0;
  }
}

/* The id of the piece that ends at a node (not the root), or -1. */
static inline int32_t gyeot_piece_trie_id(const gyeot_piece_trie *trie, uint32_t node) {
  uint64_t value = trie->slots[node] & ((UINT64_C(1) << trie->value_bits) - 1);
  return (int32_t)(value >> 1) - 1;
}

/* False when no piece is longer than the one at this node (not the root). */
static inline bool gyeot_piece_trie_goes_on(const gyeot_piece_trie *trie, uint32_t node) {
  return trie->slots[node] & 1;
}

/* A node with what is to be known of it. */
typedef struct gyeot_piece_trie_place {
  uint32_t node;
  int32_t id;   /* of the piece that ends here; -1: none */
  bool goes_on; /* some piece is longer */
} gyeot_piece_trie_place;

static inline gyeot_piece_trie_place gyeot_piece_trie_at(uint32_t node, uint64_t value) {
  return (gyeot_piece_trie_place){node, (int32_t)(value >> 1) - 1, value & 1};
}

/* The place that one character leads to; without piece and children when no piece begins so. */
static inline gyeot_piece_trie_place gyeot_piece_trie_start(const gyeot_piece_trie *trie,
                                                            uint32_t code) {
  if (code < 0x10000) {
    uint64_t entry = trie->pages[(size_t)trie->page_of[code >> 8] << 8 | (code & 0xFF)];
    return gyeot_piece_trie_at((uint32_t)(entry >> 32) - 1, (uint32_t)entry);
  }
  uint32_t node = gyeot_piece_trie_step(trie, gyeot_piece_trie_root(trie), code);
  if (node == GYEOT_TRIE_NONE) return gyeot_piece_trie_at(node, 0);
  uint64_t value = trie->slots[node] & ((UINT64_C(1) << trie->value_bits) - 1);
  return gyeot_piece_trie_at(node, value);
}

/* Goes one character on from a place that goes on; false when no piece does so. */
static inline bool gyeot_piece_trie_next(const gyeot_piece_trie *trie,
                                         gyeot_piece_trie_place *place, uint32_t code) {
  uint64_t key = gyeot_piece_trie_key(place->node, code);
  uint64_t hash = gyeot_piece_trie_hash(key), bit = hash >> trie->filter_shift;
  if ((trie->filter[bit >> 6] >> (bit & 63) & 1) == 0) return false;
  uint32_t slot = (uint32_t)((hash >> 32) * trie->capacity >> 32);
  for (;;) {
    uint64_t held = trie->slots[slot];
    if (held >> trie->value_bits == key) {
      *place = gyeot_piece_trie_at(slot, held & ((UINT64_C(1) << trie->value_bits) - 1));
      return true;
    }
    if (held == 0) return false;
    if (++slot == trie->capacity) slot = 0;
  }
}

#endif
