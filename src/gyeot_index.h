/* The vector index: exact cosine search over rows in memory.
 *
 * Rows are numbered from 0 in the order in which they were added and keep their number: a removed
 * row's number is not used again. Vectors are L2-normalised once, when they are added, so that a
 * search is one dot product a row.
 */
#ifndef GYEOT_INDEX_H
#define GYEOT_INDEX_H

#include "gyeot_status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct gyeot_index gyeot_index;

/* How rows are kept. Bytes a row, with d dimensions (rounded up to 16): */
typedef enum gyeot_index_type {
  GYEOT_INDEX_F32 = 0,   /* 4d + 4 */
  GYEOT_INDEX_I8 = 1,    /* d + 8: symmetric int8 with one scale a row */
  GYEOT_INDEX_I8_F32 = 2 /* 5d + 8: int8 finds the candidates, f32 scores and orders them */
} gyeot_index_type;

/* Fails with GYEOT_ERROR_ARGUMENT for dimension 0, GYEOT_ERROR_LIMIT above 16,384. */
gyeot_status gyeot_index_new(size_t dimension, gyeot_index_type type,
                             const gyeot_allocator *allocator, gyeot_index **out);
void gyeot_index_free(gyeot_index *index);

/* Makes room for `rows` rows in all, so that adding up to that many takes no more memory. */
gyeot_status gyeot_index_reserve(gyeot_index *index, size_t rows);

/* Adds `count` rows [count, dimension]; `groups` [count] are their groups, 0 or above, or NULL for
 * group 0. A zero vector is allowed and scores 0 with everything. All or nothing: fails with
 * GYEOT_ERROR_ARGUMENT when a number is NaN or infinite, a group is negative. */
gyeot_status gyeot_index_add(gyeot_index *index, const float *vectors, const int32_t *groups,
                             size_t count);

/* Adds rows that are int8 already [count, dimension]. A cosine does not depend on a row's scale, so
 * none is asked for. For every type: with f32 rows, those are made from the int8 values. Fails as
 * gyeot_index_add, and with GYEOT_ERROR_ARGUMENT when a value is -128. */
gyeot_status gyeot_index_add_i8(gyeot_index *index, const int8_t *vectors, const int32_t *groups,
                                size_t count);

/* Takes a row out of every later search. Removing it twice is fine; a number past the last row
 * fails with GYEOT_ERROR_ARGUMENT. */
gyeot_status gyeot_index_remove(gyeot_index *index, size_t row);

/* Rows ever added: one more than the largest row number. */
size_t gyeot_index_rows(const gyeot_index *index);
/* Rows that a search can find. */
size_t gyeot_index_size(const gyeot_index *index);
/* Bytes that the index holds. */
size_t gyeot_index_bytes(const gyeot_index *index);

/* Copies a row's normalised vector to out [dimension]; for int8 rows, their values times scale. */
gyeot_status gyeot_index_row(const gyeot_index *index, size_t row, float *out);

/* The `k` rows of largest cosine for each query, best first; equal scores in order of row number.
 *
 *   queries  [count, dimension]; need not be normalised; a zero query scores 0 with everything
 *   filter   [filter_length], indexed by group: only rows of groups with a value other than 0 are
 *            searched, groups past its end are not; NULL searches all
 *   rows     [count, k] and scores [count, k], the caller's; places past `found` hold -1 and 0
 *   found    [count]: how many rows were found, at most k
 *
 * The queries share one pass over the rows. Fails with GYEOT_ERROR_ARGUMENT when k is 0 or a query
 * holds NaN or infinity, GYEOT_ERROR_MEMORY. */
gyeot_status gyeot_index_search(const gyeot_index *index, const float *queries, size_t count,
                                size_t k, const uint8_t *filter, size_t filter_length,
                                int32_t *rows, float *scores, size_t *found);

#ifdef __cplusplus
}
#endif
#endif
