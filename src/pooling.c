#include "gyeot_pooling.h"

#include <math.h>
#include <string.h>

static void add_token(float *out, const float *token, size_t keep) {
  for (size_t i = 0; i < keep; i++) out[i] += token[i];
}

static void max_token(float *out, const float *token, size_t keep) {
  for (size_t i = 0; i < keep; i++)
    if (!(out[i] >= token[i])) out[i] = token[i];
}

static void divide(float *out, size_t keep, float divisor) {
  for (size_t i = 0; i < keep; i++) out[i] /= divisor;
}

static void pool_text(gyeot_pooling mode, const float *hidden, const int32_t *mask, size_t length,
                      size_t width, size_t keep, float *out) {
  if (mode == GYEOT_POOL_CLS) {
    memcpy(out, hidden, keep * sizeof *out);
    return;
  }
  memset(out, 0, keep * sizeof *out);
  size_t tokens = 0;
  for (size_t at = 0; at < length; at++) {
    if (mask[at] == 0) continue;
    const float *token = hidden + at * width;
    if (mode == GYEOT_POOL_MAX && tokens > 0) max_token(out, token, keep);
    else add_token(out, token, keep);
    tokens++;
  }
  /* With no token the sums are 0, so the 1e-9 only keeps 0 / 0 away. */
  float count = tokens > 0 ? (float)tokens : 1e-9f;
  if (mode == GYEOT_POOL_MEAN) divide(out, keep, count);
  if (mode == GYEOT_POOL_MEAN_SQRT_LEN) divide(out, keep, sqrtf(count));
}

void gyeot_normalize_rows(float *vectors, size_t rows, size_t width) {
  for (size_t row = 0; row < rows; row++) {
    float *vector = vectors + row * width;
    double squares = 0;
    for (size_t i = 0; i < width; i++) squares += (double)vector[i] * vector[i];
    double norm = sqrt(squares);
    divide(vector, width, norm > 1e-12 ? (float)norm : 1e-12f);
  }
}

gyeot_status gyeot_pool(gyeot_pooling mode, const float *hidden, const int32_t *mask, size_t texts,
                        size_t length, size_t width, size_t keep, bool normalize, float *out) {
  if (mode < GYEOT_POOL_MEAN || mode > GYEOT_POOL_MEAN_SQRT_LEN) return GYEOT_ERROR_ARGUMENT;
  if (keep == 0 || keep > width || length == 0) return GYEOT_ERROR_ARGUMENT;
  for (size_t text = 0; text < texts; text++)
    pool_text(mode, hidden + text * length * width, mask + text * length, length, width, keep,
              out + text * keep);
  if (normalize) gyeot_normalize_rows(out, texts, keep);
  return GYEOT_OK;
}
