/* Pooling: the hidden states of a text's tokens become its one vector. */
#ifndef GYEOT_POOLING_H
#define GYEOT_POOLING_H

#include <stdbool.h>

#include "gyeot_status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The pooling modes of sentence-transformers (models/Pooling.py). */
typedef enum gyeot_pooling {
  GYEOT_POOL_MEAN = 0,         /* sum / max(tokens, 1e-9) */
  GYEOT_POOL_CLS = 1,          /* the first token, whatever its mask */
  GYEOT_POOL_MAX = 2,          /* largest value of each dimension over the tokens */
  GYEOT_POOL_MEAN_SQRT_LEN = 3 /* sum / sqrt(max(tokens, 1e-9)) */
} gyeot_pooling;

/* Pools a batch of texts.
 *
 *   hidden  [texts, length, width], row-major
 *   mask    [texts, length]; a token counts where it is not 0
 *   keep    dimensions kept, from the first (Matryoshka); 1 to width
 *   out     [texts, keep], the caller's; must not overlap `hidden`
 *
 * With `normalize` each row is divided by its L2 norm (at least 1e-12, as torch's normalize), after
 * the cut. A text whose mask is all 0 gives zeros. Sums are float32 in token order; NaN and infinity
 * in, NaN or infinity out.
 * Fails with GYEOT_ERROR_ARGUMENT for an unknown mode, keep 0 or above width, or length 0. */
gyeot_status gyeot_pool(gyeot_pooling mode, const float *hidden, const int32_t *mask, size_t texts,
                        size_t length, size_t width, size_t keep, bool normalize, float *out);

/* Divides each of `rows` vectors of `width` numbers by its L2 norm, in place; zeros stay zeros. */
void gyeot_normalize_rows(float *vectors, size_t rows, size_t width);

#ifdef __cplusplus
}
#endif
#endif
