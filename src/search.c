/* Exact top-k:
 *
 *   1  queries are normalised (and, for int8 rows, quantised to int16)
 *   2  rows pass once, in blocks small enough for the cache; each block meets every query
 *   3  a heap for each query keeps the best `keep` rows, the worst on top
 *   4  I8_F32: the heap keeps more than k, whose scores are then computed again from the f32 rows
 *   5  the heap is sorted: larger score first, equal scores by row number
 */
#include <math.h>
#include <string.h>

#include "gyeot_pooling.h"
#include "index.h"
#include "kernels.h"

enum {
  BLOCK_ROWS = 64,        /* 64 rows of 384 f32 are 96 KiB: they stay in the second-level cache */
  RESCORE_FACTOR = 4,     /* candidates for each wanted row; recall@10 of int8 alone is the reason */
  RESCORE_EXTRA = 16,
  QUERY_LARGEST = 8191    /* int16 values of a query; lowered where the sums would pass int32 */
};

typedef struct hit {
  float score;
  int32_t row;
} hit;

/* One query: its padded f32 form, its int16 form with the scale that undoes it, its heap. */
typedef struct search_query {
  float *f32;
  int16_t *i16;
  float scale;
  hit *heap;
  size_t held;
} search_query;

static bool better(hit a, hit b) {
  return a.score > b.score || (a.score == b.score && a.row < b.row);
}

/* Restores the heap below `at`: no parent is better than its children. */
static void sift_down(hit *heap, size_t held, size_t at) {
  for (;;) {
    size_t worst = at, left = 2 * at + 1, right = left + 1;
    if (left < held && better(heap[worst], heap[left])) worst = left;
    if (right < held && better(heap[worst], heap[right])) worst = right;
    if (worst == at) return;
    hit swap = heap[at];
    heap[at] = heap[worst];
    heap[worst] = swap;
    at = worst;
  }
}

static void offer(search_query *probe, size_t keep, hit candidate) {
  hit *heap = probe->heap;
  if (probe->held == keep) {
    if (!better(candidate, heap[0])) return;
    heap[0] = candidate;
    sift_down(heap, keep, 0);
    return;
  }
  size_t at = probe->held++;
  heap[at] = candidate;
  while (at > 0 && better(heap[(at - 1) / 2], heap[at])) {
    size_t parent = (at - 1) / 2;
    hit swap = heap[at];
    heap[at] = heap[parent];
    heap[parent] = swap;
    at = parent;
  }
}

/* Best first, in place: the worst goes to the end, again and again. */
static void sort_hits(hit *heap, size_t held) {
  for (size_t i = held / 2; i-- > 0;) sift_down(heap, held, i);
  while (held > 1) {
    hit worst = heap[0];
    heap[0] = heap[--held];
    heap[held] = worst;
    sift_down(heap, held, 0);
  }
}

static float quantize_query(const float *unit, size_t stride, int16_t *out) {
  int64_t limit = INT32_MAX / (127 * (int64_t)stride);
  float top = (float)(limit < QUERY_LARGEST ? limit : QUERY_LARGEST);
  float largest = 0;
  for (size_t i = 0; i < stride; i++) largest = fmaxf(largest, fabsf(unit[i]));
  for (size_t i = 0; i < stride; i++)
    out[i] = largest == 0 ? 0 : (int16_t)lrintf(unit[i] / largest * top);
  return largest / top;
}

static bool passes(int32_t group, const uint8_t *filter, size_t filter_length) {
  if (group < 0) return false;
  return filter == NULL || ((size_t)group < filter_length && filter[group] != 0);
}

static void search_block(const gyeot_index *index, const gyeot_chunk *chunk, size_t from,
                         size_t count, search_query *probe, size_t keep, const uint8_t *filter,
                         size_t filter_length) {
  float scores[BLOCK_ROWS];
  if (gyeot_index_has_i8(index)) {
    int32_t sums[BLOCK_ROWS];
    gyeot_dots_i8(chunk->i8 + from * index->stride, count, index->stride, probe->i16, sums);
    for (size_t i = 0; i < count; i++)
      scores[i] = (float)sums[i] * (chunk->scales[from + i] * probe->scale);
  } else {
    gyeot_dots_f32(chunk->f32 + from * index->stride, count, index->stride, probe->f32, scores);
  }
  for (size_t i = 0; i < count; i++) {
    if (probe->held == keep && scores[i] < probe->heap[0].score) continue;
    if (!passes(chunk->groups[from + i], filter, filter_length)) continue;
    offer(probe, keep, (hit){scores[i], (int32_t)(chunk->first + from + i)});
  }
}

static void rescore(const gyeot_index *index, search_query *probe) {
  for (size_t i = 0; i < probe->held; i++) {
    size_t row = (size_t)probe->heap[i].row;
    const gyeot_chunk *chunk = gyeot_index_chunk_of(index, row);
    gyeot_dots_f32(chunk->f32 + (row - chunk->first) * index->stride, 1, index->stride, probe->f32,
                   &probe->heap[i].score);
  }
}

gyeot_status gyeot_index_search(const gyeot_index *index, const float *queries, size_t count,
                                size_t k, const uint8_t *filter, size_t filter_length,
                                int32_t *rows, float *scores, size_t *found) {
  size_t dimension = index->dimension, stride = index->stride;
  if (k == 0) return GYEOT_ERROR_ARGUMENT;
  for (size_t i = 0; i < count * dimension; i++)
    if (!isfinite(queries[i])) return GYEOT_ERROR_ARGUMENT;
  if (count == 0) return GYEOT_OK;

  size_t size = gyeot_index_size(index), keep = k;
  if (index->type == GYEOT_INDEX_I8_F32)
    keep = k > SIZE_MAX / 8 ? k : RESCORE_FACTOR * k + RESCORE_EXTRA;
  if (keep > size) keep = size > 0 ? size : 1;

  const gyeot_allocator *gate = &index->allocator;
  size_t probe_bytes = stride * (sizeof(float) + sizeof(int16_t)) + keep * sizeof(hit);
  search_query *probes = gyeot_allocate(gate, count, sizeof *probes);
  char *space = gyeot_allocate(gate, count, probe_bytes);
  if (probes == NULL || space == NULL) {
    gyeot_deallocate(gate, probes);
    gyeot_deallocate(gate, space);
    return GYEOT_ERROR_MEMORY;
  }

  for (size_t q = 0; q < count; q++) {
    char *at = space + q * probe_bytes;
    search_query *probe = &probes[q];
    probe->f32 = (float *)(void *)at;
    probe->i16 = (int16_t *)(void *)(at + stride * sizeof(float));
    probe->heap = (hit *)(void *)(at + stride * (sizeof(float) + sizeof(int16_t)));
    probe->held = 0;
    memset(probe->f32, 0, stride * sizeof(float));
    memcpy(probe->f32, queries + q * dimension, dimension * sizeof(float));
    gyeot_normalize_rows(probe->f32, 1, dimension);
    probe->scale = quantize_query(probe->f32, stride, probe->i16);
  }

  for (size_t c = 0; c < index->chunk_count; c++) {
    const gyeot_chunk *chunk = &index->chunks[c];
    for (size_t from = 0; from < chunk->count; from += BLOCK_ROWS) {
      size_t block = chunk->count - from < BLOCK_ROWS ? chunk->count - from : BLOCK_ROWS;
      for (size_t q = 0; q < count; q++)
        search_block(index, chunk, from, block, &probes[q], keep, filter, filter_length);
    }
  }

  for (size_t q = 0; q < count; q++) {
    search_query *probe = &probes[q];
    if (index->type == GYEOT_INDEX_I8_F32) rescore(index, probe);
    sort_hits(probe->heap, probe->held);
    size_t given = probe->held < k ? probe->held : k;
    for (size_t i = 0; i < k; i++) {
      rows[q * k + i] = i < given ? probe->heap[i].row : -1;
      scores[q * k + i] = i < given ? probe->heap[i].score : 0;
    }
    found[q] = given;
  }
  gyeot_deallocate(gate, probes);
  gyeot_deallocate(gate, space);
  return GYEOT_OK;
}
