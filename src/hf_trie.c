#include "hf_trie.h"

#include <string.h>

#include "unicode.h"

enum { SMALLEST_SHIFT = 4, LARGEST_SHIFT = 27 };

static gyeot_status allocate(gyeot_trie *trie, uint32_t bits) {
  size_t slots = (size_t)1 << bits;
  gyeot_trie_edge *edges = gyeot_allocate(&trie->allocator, slots, sizeof *edges);
  if (edges == NULL) return GYEOT_ERROR_MEMORY;
  memset(edges, 0, slots * sizeof *edges);
  trie->edges = edges;
  trie->mask = (uint32_t)(slots - 1);
  trie->shift = 32 - bits;
  return GYEOT_OK;
}

gyeot_status gyeot_trie_init(gyeot_trie *trie, const gyeot_allocator *allocator, size_t expected) {
  memset(trie, 0, sizeof *trie);
  trie->allocator = *allocator;
  uint32_t bits = SMALLEST_SHIFT;
  while (bits < LARGEST_SHIFT && (size_t)1 << bits < 2 * expected) bits++;
  return allocate(trie, bits);
}

void gyeot_trie_free(gyeot_trie *trie) { gyeot_deallocate(&trie->allocator, trie->edges); }

static gyeot_trie_edge *free_slot(gyeot_trie *trie, uint32_t node, uint32_t character) {
  uint32_t at = (node * 0x9E3779B1u ^ character * 0x85EBCA6Bu) * 0xC2B2AE35u >> trie->shift;
  while (trie->edges[at].child != 0) at = (at + 1) & trie->mask;
  return &trie->edges[at];
}

static gyeot_status grow(gyeot_trie *trie) {
  if (trie->shift <= 32 - LARGEST_SHIFT) return GYEOT_ERROR_MEMORY;
  gyeot_trie old = *trie;
  gyeot_status status = allocate(trie, 32 - old.shift + 1);
  if (status != GYEOT_OK) return status;
  for (size_t i = 0; i <= old.mask; i++) {
    const gyeot_trie_edge *edge = &old.edges[i];
    if (edge->child != 0) *free_slot(trie, edge->node, edge->character) = *edge;
  }
  gyeot_trie_free(&old);
  return GYEOT_OK;
}

gyeot_status gyeot_trie_put(gyeot_trie *trie, const uint8_t *text, size_t size, int32_t id,
                            int32_t *previous) {
  if (previous != NULL) *previous = -1;
  uint32_t node = 0;
  for (const uint8_t *at = text, *end = text + size; at < end;) {
    size_t step;
    uint32_t c = gyeot_utf8_read(at, end, &step);
    at += step;
    gyeot_trie_edge *edge = (gyeot_trie_edge *)gyeot_trie_step(trie, node, c);
    if (edge == NULL) {
      if (2 * (size_t)trie->count > trie->mask) {
        gyeot_status status = grow(trie);
        if (status != GYEOT_OK) return status;
      }
      edge = free_slot(trie, node, c);
      *edge = (gyeot_trie_edge){node, c, ++trie->count, -1};
    }
    node = edge->child;
    if (at == end) {
      if (previous != NULL) *previous = edge->id;
      edge->id = id;
    }
  }
  return GYEOT_OK;
}

int32_t gyeot_trie_get(const gyeot_trie *trie, const uint8_t *text, size_t size) {
  const gyeot_trie_edge *edge = NULL;
  uint32_t node = 0;
  for (const uint8_t *at = text, *end = text + size; at < end;) {
    size_t step;
    uint32_t c = gyeot_utf8_read(at, end, &step);
    if (c == GYEOT_REPLACEMENT && step == 1) return -1;
    edge = gyeot_trie_step(trie, node, c);
    if (edge == NULL) return -1;
    node = edge->child;
    at += step;
  }
  return edge == NULL ? -1 : edge->id;
}

int64_t gyeot_trie_walk(const gyeot_trie *trie, const uint8_t *text, size_t size) {
  uint32_t node = 0;
  for (const uint8_t *at = text, *end = text + size; at < end;) {
    size_t step;
    const gyeot_trie_edge *edge = gyeot_trie_step(trie, node, gyeot_utf8_read(at, end, &step));
    if (edge == NULL) return -1;
    node = edge->child;
    at += step;
  }
  return node;
}
