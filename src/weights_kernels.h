/* One row of a packed matrix at a time, by SIMD where there is any; both forms give the same bytes. */
#ifndef GYEOT_WEIGHTS_KERNELS_H
#define GYEOT_WEIGHTS_KERNELS_H

#include <stddef.h>
#include <stdint.h>

/* out[i] = (codes[index i] * multipliers[i] + 64) >> 7; indices hold two a byte, the low one first. */
void gyeot_unpack_each(const int8_t codes[16], const uint8_t *indices, const uint8_t *multipliers,
                       size_t count, int8_t *out);
void gyeot_unpack_each_scalar(const int8_t codes[16], const uint8_t *indices,
                              const uint8_t *multipliers, size_t count, int8_t *out);

/* The same with one multiplier for each 32 elements. */
void gyeot_unpack_blocks(const int8_t codes[16], const uint8_t *indices, const uint8_t *multipliers,
                         size_t count, int8_t *out);

#endif
