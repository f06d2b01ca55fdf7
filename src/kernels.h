/* The inner loops of search. Each has a scalar form that is always compiled and, where the machine
 * has one, a SIMD form of the same signature; gyeot_dots_* are the forms that search uses. */
#ifndef GYEOT_KERNELS_H
#define GYEOT_KERNELS_H

#include <stddef.h>
#include <stdint.h>

/* Rows are padded with zeros to a multiple of this many numbers and aligned to 16 bytes. */
enum { GYEOT_LANE = 16 };

/* scores[r] = sum over i < stride of rows[r * stride + i] * query[i], for r < count; `stride` is a
 * multiple of GYEOT_LANE. */
void gyeot_dots_f32_scalar(const float *rows, size_t count, size_t stride, const float *query,
                           float *scores);
void gyeot_dots_f32(const float *rows, size_t count, size_t stride, const float *query,
                    float *scores);

/* The same, exactly, for int8 rows and a query of int8 values widened to int16. |value| <= 127, so
 * that 16,384 products fit an int32. */
void gyeot_dots_i8_scalar(const int8_t *rows, size_t count, size_t stride, const int16_t *query,
                          int32_t *scores);
void gyeot_dots_i8(const int8_t *rows, size_t count, size_t stride, const int16_t *query,
                   int32_t *scores);

#endif
