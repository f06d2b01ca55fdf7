/* Inside of gyeot_index, shared by the part that keeps rows (index.c) and the part that searches
 * them (search.c).
 *
 * Rows lie in chunks, so that adding never copies what is there and no block need be huge:
 *
 *   chunks ──▶ [ chunk 0 | chunk 1 | … ]        a row number finds its chunk by bisection of `first`
 *                  │
 *                  ├── f32     [capacity, stride] rows of unit length, zero-padded   (F32, I8_F32)
 *                  ├── i8      [capacity, stride] their int8 form                    (I8, I8_F32)
 *                  ├── scales  [capacity]         1 / norm of the int8 row, 0 for a zero row
 *                  └── groups  [capacity]         the row's group; REMOVED once taken out
 */
#ifndef GYEOT_INDEX_INTERNAL_H
#define GYEOT_INDEX_INTERNAL_H

#include <stdbool.h>

#include "alloc.h"
#include "gyeot_index.h"

enum { GYEOT_ROW_REMOVED = -1 };

typedef struct gyeot_chunk {
  size_t first, count, capacity; /* in rows */
  float *f32;
  int8_t *i8;
  float *scales;
  int32_t *groups;
} gyeot_chunk;

struct gyeot_index {
  gyeot_allocator allocator;
  gyeot_index_type type;
  size_t dimension, stride;
  size_t rows, removed, bytes;
  gyeot_chunk *chunks;
  size_t chunk_count, chunk_capacity;
};

static inline bool gyeot_index_has_f32(const gyeot_index *index) {
  return index->type != GYEOT_INDEX_I8;
}

static inline bool gyeot_index_has_i8(const gyeot_index *index) {
  return index->type != GYEOT_INDEX_F32;
}

/* The chunk that holds a row; the row must exist. */
const gyeot_chunk *gyeot_index_chunk_of(const gyeot_index *index, size_t row);

#endif
