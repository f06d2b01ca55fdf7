/* The texts of ids: one pool of bytes, and for each id where its text lies in it. */
#ifndef GYEOT_HF_PIECES_H
#define GYEOT_HF_PIECES_H

#include <stdbool.h>

#include "alloc.h"

typedef struct gyeot_piece_place {
  uint32_t at, size; /* at UINT32_MAX: the id has no text */
} gyeot_piece_place;

typedef struct gyeot_pieces {
  gyeot_allocator allocator;
  uint8_t *pool;
  size_t pool_size, pool_capacity;
  gyeot_piece_place *places; /* by id */
  size_t count, capacity;
} gyeot_pieces;

void gyeot_pieces_init(gyeot_pieces *pieces, const gyeot_allocator *allocator);
void gyeot_pieces_free(gyeot_pieces *pieces);

/* Makes room for so many ids and bytes of text at once, which is faster than growing on the way. */
gyeot_status gyeot_pieces_reserve(gyeot_pieces *pieces, size_t count, size_t bytes);

/* Gives an id its text; a text that it had before is forgotten. Ids between are left without.
 * GYEOT_ERROR_LIMIT: id of 2^24 or more, or 4 GiB of text. */
gyeot_status gyeot_pieces_set(gyeot_pieces *pieces, int32_t id, const uint8_t *text, size_t size);

void gyeot_pieces_forget(gyeot_pieces *pieces, int32_t id);

/* NULL and 0 for an id without text. */
const uint8_t *gyeot_pieces_get(const gyeot_pieces *pieces, int32_t id, size_t *size);

#endif
