#include "index.h"

#include <math.h>
#include <string.h>

#include "gyeot_pooling.h"
#include "kernels.h"

enum { DIMENSION_LIMIT = 16384, CHUNK_ROWS_MIN = 64, CHUNK_ROWS_MAX = 1 << 16 };

gyeot_status gyeot_index_new(size_t dimension, gyeot_index_type type,
                             const gyeot_allocator *allocator, gyeot_index **out) {
  if (dimension == 0 || type < GYEOT_INDEX_F32 || type > GYEOT_INDEX_I8_F32)
    return GYEOT_ERROR_ARGUMENT;
  if (dimension > DIMENSION_LIMIT) return GYEOT_ERROR_LIMIT;
  gyeot_allocator gate = gyeot_allocator_or_default(allocator);
  gyeot_index *index = gyeot_allocate(&gate, 1, sizeof *index);
  if (index == NULL) return GYEOT_ERROR_MEMORY;
  *index = (gyeot_index){.allocator = gate, .type = type, .dimension = dimension};
  index->stride = (dimension + GYEOT_LANE - 1) / GYEOT_LANE * GYEOT_LANE;
  index->bytes = sizeof *index;
  *out = index;
  return GYEOT_OK;
}

static void free_chunk(const gyeot_index *index, gyeot_chunk *chunk) {
  gyeot_deallocate(&index->allocator, chunk->f32);
  gyeot_deallocate(&index->allocator, chunk->i8);
  gyeot_deallocate(&index->allocator, chunk->scales);
  gyeot_deallocate(&index->allocator, chunk->groups);
}

void gyeot_index_free(gyeot_index *index) {
  if (index == NULL) return;
  for (size_t i = 0; i < index->chunk_count; i++) free_chunk(index, &index->chunks[i]);
  gyeot_deallocate(&index->allocator, index->chunks);
  gyeot_allocator gate = index->allocator;
  gyeot_deallocate(&gate, index);
}

static size_t row_bytes(const gyeot_index *index) {
  size_t bytes = sizeof(int32_t);
  if (gyeot_index_has_f32(index)) bytes += index->stride * sizeof(float);
  if (gyeot_index_has_i8(index)) bytes += index->stride + sizeof(float);
  return bytes;
}

static gyeot_status new_chunk(gyeot_index *index, size_t first, size_t capacity) {
  gyeot_status status = gyeot_grow(&index->allocator, (void **)&index->chunks,
                                   &index->chunk_capacity, index->chunk_count + 1,
                                   sizeof *index->chunks);
  if (status != GYEOT_OK) return status;
  gyeot_chunk chunk = {.first = first, .capacity = capacity};
  const gyeot_allocator *gate = &index->allocator;
  bool complete = (chunk.groups = gyeot_allocate(gate, capacity, sizeof *chunk.groups)) != NULL;
  if (complete && gyeot_index_has_f32(index))
    complete = (chunk.f32 = gyeot_allocate(gate, capacity, index->stride * sizeof(float))) != NULL;
  if (complete && gyeot_index_has_i8(index))
    complete = (chunk.i8 = gyeot_allocate(gate, capacity, index->stride)) != NULL &&
               (chunk.scales = gyeot_allocate(gate, capacity, sizeof(float))) != NULL;
  if (!complete) {
    free_chunk(index, &chunk);
    return GYEOT_ERROR_MEMORY;
  }
  index->chunks[index->chunk_count++] = chunk;
  index->bytes += capacity * row_bytes(index) + sizeof chunk;
  return GYEOT_OK;
}

/* Empty chunks at the end are room that was reserved. */
static size_t free_rows(const gyeot_index *index) {
  size_t room = 0;
  for (size_t i = index->chunk_count; i-- > 0;) {
    const gyeot_chunk *chunk = &index->chunks[i];
    room += chunk->capacity - chunk->count;
    if (chunk->count != 0) break;
  }
  return room;
}

gyeot_status gyeot_index_reserve(gyeot_index *index, size_t rows) {
  /* Row numbers are int32 in results. */
  if (rows > INT32_MAX) return GYEOT_ERROR_LIMIT;
  size_t before = index->chunk_count, bytes = index->bytes;
  size_t room = index->rows + free_rows(index);
  while (room < rows) {
    size_t capacity = rows - room;
    if (capacity > CHUNK_ROWS_MAX) capacity = CHUNK_ROWS_MAX;
    gyeot_status status = new_chunk(index, room, capacity);
    if (status != GYEOT_OK) {
      while (index->chunk_count > before) free_chunk(index, &index->chunks[--index->chunk_count]);
      index->bytes = bytes;
      return status;
    }
    room += capacity;
  }
  return GYEOT_OK;
}

/* Room for `count` more rows; a sixteenth on top keeps single additions from making many chunks. */
static gyeot_status make_room(gyeot_index *index, size_t count) {
  if (free_rows(index) >= count) return GYEOT_OK;
  if (count > INT32_MAX - index->rows) return GYEOT_ERROR_LIMIT;
  size_t spare = index->rows / 16;
  size_t wanted = count > spare ? count : spare;
  if (wanted < CHUNK_ROWS_MIN) wanted = CHUNK_ROWS_MIN;
  if (wanted > INT32_MAX - index->rows) wanted = count;
  return gyeot_index_reserve(index, index->rows + wanted);
}

/* The int8 form of a unit vector, and one over its norm. Symmetric: value = round(127 v / max|v|). */
static float quantize(const float *vector, size_t dimension, int8_t *out) {
  float largest = 0;
  for (size_t i = 0; i < dimension; i++) largest = fmaxf(largest, fabsf(vector[i]));
  if (largest == 0) {
    memset(out, 0, dimension);
    return 0;
  }
  int64_t squares = 0;
  for (size_t i = 0; i < dimension; i++) {
    out[i] = (int8_t)lrintf(vector[i] / largest * 127);
    squares += out[i] * out[i];
  }
  return (float)(1 / sqrt((double)squares));
}

static float inverse_norm(const int8_t *vector, size_t dimension) {
  int64_t squares = 0;
  for (size_t i = 0; i < dimension; i++) squares += vector[i] * vector[i];
  return squares == 0 ? 0 : (float)(1 / sqrt((double)squares));
}

/* The next free place; there is one after make_room. */
static gyeot_chunk *chunk_with_room(gyeot_index *index) {
  size_t i = index->chunk_count - 1;
  while (i > 0 && index->chunks[i].count == 0 &&
         index->chunks[i - 1].count < index->chunks[i - 1].capacity)
    i--;
  return &index->chunks[i];
}

static void put_i8(const gyeot_index *index, gyeot_chunk *chunk, size_t at, const int8_t *vector) {
  size_t dimension = index->dimension;
  float scale = inverse_norm(vector, dimension);
  if (gyeot_index_has_i8(index)) {
    int8_t *row = chunk->i8 + at * index->stride;
    memcpy(row, vector, dimension);
    memset(row + dimension, 0, index->stride - dimension);
    chunk->scales[at] = scale;
  }
  if (gyeot_index_has_f32(index)) {
    float *row = chunk->f32 + at * index->stride;
    memset(row, 0, index->stride * sizeof *row);
    for (size_t i = 0; i < dimension; i++) row[i] = vector[i] * scale;
  }
}

/* `unit` is scratch of index->stride numbers, zero past the dimension. */
static void put_f32(const gyeot_index *index, gyeot_chunk *chunk, size_t at, const float *vector,
                    float *unit) {
  size_t dimension = index->dimension;
  memcpy(unit, vector, dimension * sizeof *unit);
  gyeot_normalize_rows(unit, 1, dimension);
  if (gyeot_index_has_f32(index))
    memcpy(chunk->f32 + at * index->stride, unit, index->stride * sizeof *unit);
  if (gyeot_index_has_i8(index)) {
    int8_t *row = chunk->i8 + at * index->stride;
    chunk->scales[at] = quantize(unit, dimension, row);
    memset(row + dimension, 0, index->stride - dimension);
  }
}

static bool groups_are_valid(const int32_t *groups, size_t count) {
  if (groups == NULL) return true;
  for (size_t i = 0; i < count; i++)
    if (groups[i] < 0) return false;
  return true;
}

/* One of `f32` and `i8` holds the rows, already checked; the other is NULL. */
static gyeot_status add(gyeot_index *index, const float *f32, const int8_t *i8,
                        const int32_t *groups, size_t count) {
  float *unit = NULL;
  if (f32 != NULL) {
    unit = gyeot_allocate(&index->allocator, index->stride, sizeof *unit);
    if (unit == NULL) return GYEOT_ERROR_MEMORY;
    memset(unit, 0, index->stride * sizeof *unit);
  }
  gyeot_status status = make_room(index, count);
  for (size_t i = 0; status == GYEOT_OK && i < count; i++) {
    gyeot_chunk *chunk = chunk_with_room(index);
    size_t at = chunk->count++;
    if (f32 != NULL) put_f32(index, chunk, at, f32 + i * index->dimension, unit);
    else put_i8(index, chunk, at, i8 + i * index->dimension);
    chunk->groups[at] = groups == NULL ? 0 : groups[i];
    index->rows++;
  }
  gyeot_deallocate(&index->allocator, unit);
  return status;
}

gyeot_status gyeot_index_add(gyeot_index *index, const float *vectors, const int32_t *groups,
                             size_t count) {
  if (count == 0) return GYEOT_OK;
  if (!groups_are_valid(groups, count)) return GYEOT_ERROR_ARGUMENT;
  for (size_t i = 0; i < count * index->dimension; i++)
    if (!isfinite(vectors[i])) return GYEOT_ERROR_ARGUMENT;
  return add(index, vectors, NULL, groups, count);
}

gyeot_status gyeot_index_add_i8(gyeot_index *index, const int8_t *vectors, const int32_t *groups,
                                size_t count) {
  if (count == 0) return GYEOT_OK;
  if (!groups_are_valid(groups, count)) return GYEOT_ERROR_ARGUMENT;
  for (size_t i = 0; i < count * index->dimension; i++)
    if (vectors[i] == INT8_MIN) return GYEOT_ERROR_ARGUMENT;
  return add(index, NULL, vectors, groups, count);
}

const gyeot_chunk *gyeot_index_chunk_of(const gyeot_index *index, size_t row) {
  size_t low = 0, high = index->chunk_count;
  while (high - low > 1) {
    size_t middle = low + (high - low) / 2;
    if (index->chunks[middle].first <= row) low = middle;
    else high = middle;
  }
  return &index->chunks[low];
}

gyeot_status gyeot_index_remove(gyeot_index *index, size_t row) {
  if (row >= index->rows) return GYEOT_ERROR_ARGUMENT;
  const gyeot_chunk *chunk = gyeot_index_chunk_of(index, row);
  int32_t *group = &chunk->groups[row - chunk->first];
  if (*group != GYEOT_ROW_REMOVED) index->removed++;
  *group = GYEOT_ROW_REMOVED;
  return GYEOT_OK;
}

size_t gyeot_index_rows(const gyeot_index *index) {
  return index->rows;
}

size_t gyeot_index_size(const gyeot_index *index) {
  return index->rows - index->removed;
}

size_t gyeot_index_bytes(const gyeot_index *index) {
  return index->bytes;
}

gyeot_status gyeot_index_row(const gyeot_index *index, size_t row, float *out) {
  if (row >= index->rows) return GYEOT_ERROR_ARGUMENT;
  const gyeot_chunk *chunk = gyeot_index_chunk_of(index, row);
  size_t at = row - chunk->first;
  if (gyeot_index_has_f32(index)) {
    memcpy(out, chunk->f32 + at * index->stride, index->dimension * sizeof *out);
    return GYEOT_OK;
  }
  for (size_t i = 0; i < index->dimension; i++)
    out[i] = chunk->i8[at * index->stride + i] * chunk->scales[at];
  return GYEOT_OK;
}
