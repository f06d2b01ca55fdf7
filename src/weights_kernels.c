#include "weights_kernels.h"

#include <string.h>

#ifdef __wasm_simd128__
#include <wasm_simd128.h>
#endif

enum { BLOCK = 32, SHIFT = 7, HALF = 1 << (SHIFT - 1) };

/* Multipliers above 127, which no writer makes, count as negative, as in the SIMD form. A shift of a
 * negative number rounds down with every compiler that this is built with. */
static inline int8_t scaled(int8_t code, uint8_t multiplier) {
  int value = (code * (int8_t)multiplier + HALF) >> SHIFT;
  return (int8_t)(value > INT8_MAX ? INT8_MAX : value);
}

void gyeot_unpack_each_scalar(const int8_t codes[16], const uint8_t *indices,
                              const uint8_t *multipliers, size_t count, int8_t *out) {
  for (size_t i = 0; i < count; i++) {
    unsigned index = i % 2 == 0 ? indices[i / 2] & 15u : indices[i / 2] >> 4;
    out[i] = scaled(codes[index], multipliers[i]);
  }
}

#ifdef __wasm_simd128__

/* Sixteen products; each fits into sixteen bits with the half added. */
static inline v128_t scale16(v128_t codes, v128_t multipliers) {
  v128_t half = wasm_i16x8_splat(HALF);
  v128_t low = wasm_i16x8_extmul_low_i8x16(codes, multipliers);
  v128_t high = wasm_i16x8_extmul_high_i8x16(codes, multipliers);
  return wasm_i8x16_narrow_i16x8(wasm_i16x8_shr(wasm_i16x8_add(low, half), SHIFT),
                                 wasm_i16x8_shr(wasm_i16x8_add(high, half), SHIFT));
}

void gyeot_unpack_each(const int8_t codes[16], const uint8_t *indices, const uint8_t *multipliers,
                       size_t count, int8_t *out) {
  v128_t table = wasm_v128_load(codes), mask = wasm_i8x16_splat(15);
  size_t i = 0;
  for (; i + BLOCK <= count; i += BLOCK) {
    v128_t pairs = wasm_v128_load(indices + i / 2);
    v128_t even = wasm_i8x16_swizzle(table, wasm_v128_and(pairs, mask));
    v128_t odd = wasm_i8x16_swizzle(table, wasm_u8x16_shr(pairs, 4));
    v128_t first = wasm_i8x16_shuffle(even, odd, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7,
                                      23);
    v128_t second = wasm_i8x16_shuffle(even, odd, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14,
                                       30, 15, 31);
    wasm_v128_store(out + i, scale16(first, wasm_v128_load(multipliers + i)));
    wasm_v128_store(out + i + 16, scale16(second, wasm_v128_load(multipliers + i + 16)));
  }
  gyeot_unpack_each_scalar(codes, indices + i / 2, multipliers + i, count - i, out + i);
}

#else

void gyeot_unpack_each(const int8_t codes[16], const uint8_t *indices, const uint8_t *multipliers,
                       size_t count, int8_t *out) {
  gyeot_unpack_each_scalar(codes, indices, multipliers, count, out);
}

#endif

void gyeot_unpack_blocks(const int8_t codes[16], const uint8_t *indices, const uint8_t *multipliers,
                         size_t count, int8_t *out) {
  for (size_t i = 0; i < count; i += BLOCK) {
    uint8_t each[BLOCK];
    memset(each, multipliers[i / BLOCK], BLOCK);
    size_t left = count - i < BLOCK ? count - i : BLOCK;
    gyeot_unpack_each(codes, indices + i / 2, each, left, out + i);
  }
}
