#include "hf_pieces.h"

#include <string.h>

enum { NOWHERE = -1, MOST_IDS = 1 << 24 };

void gyeot_pieces_init(gyeot_pieces *pieces, const gyeot_allocator *allocator) {
  memset(pieces, 0, sizeof *pieces);
  pieces->allocator = *allocator;
}

void gyeot_pieces_free(gyeot_pieces *pieces) {
  gyeot_deallocate(&pieces->allocator, pieces->pool);
  gyeot_deallocate(&pieces->allocator, pieces->places);
}

gyeot_status gyeot_pieces_reserve(gyeot_pieces *pieces, size_t count, size_t bytes) {
  void *pool = pieces->pool, *places = pieces->places;
  gyeot_status status = gyeot_grow(&pieces->allocator, &pool, &pieces->pool_capacity, bytes, 1);
  pieces->pool = pool;
  if (status != GYEOT_OK) return status;
  status = gyeot_grow(&pieces->allocator, &places, &pieces->capacity, count, sizeof *pieces->places);
  pieces->places = places;
  return status;
}

gyeot_status gyeot_pieces_set(gyeot_pieces *pieces, int32_t id, const uint8_t *text, size_t size) {
  if (id < 0 || id >= MOST_IDS || size >= UINT32_MAX - pieces->pool_size) return GYEOT_ERROR_LIMIT;
  void *pool = pieces->pool, *places = pieces->places;
  /* One byte more, so that there is a pool even when all texts are empty. */
  if (gyeot_grow(&pieces->allocator, &pool, &pieces->pool_capacity, pieces->pool_size + size + 1,
                 1) != GYEOT_OK)
    return GYEOT_ERROR_MEMORY;
  pieces->pool = pool;
  if (gyeot_grow(&pieces->allocator, &places, &pieces->capacity, (size_t)id + 1,
                 sizeof *pieces->places) != GYEOT_OK)
    return GYEOT_ERROR_MEMORY;
  pieces->places = places;
  while (pieces->count <= (size_t)id)
    pieces->places[pieces->count++] = (gyeot_piece_place){(uint32_t)NOWHERE, 0};
  if (size != 0) memcpy(pieces->pool + pieces->pool_size, text, size);
  pieces->places[id] = (gyeot_piece_place){(uint32_t)pieces->pool_size, (uint32_t)size};
  pieces->pool_size += size;
  return GYEOT_OK;
}

void gyeot_pieces_forget(gyeot_pieces *pieces, int32_t id) {
  if (id >= 0 && (size_t)id < pieces->count)
    pieces->places[id] = (gyeot_piece_place){(uint32_t)NOWHERE, 0};
}

const uint8_t *gyeot_pieces_get(const gyeot_pieces *pieces, int32_t id, size_t *size) {
  *size = 0;
  if (id < 0 || (size_t)id >= pieces->count) return NULL;
  gyeot_piece_place place = pieces->places[id];
  if (place.at == (uint32_t)NOWHERE) return NULL;
  *size = place.size;
  return pieces->pool + place.at;
}
