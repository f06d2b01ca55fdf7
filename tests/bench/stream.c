/* The memory's limit for search: a SIMD sum over bytes of another module's memory, four sums at once
 * as the search's own loop has. Built by tests/bench/search.js. */
#include <stddef.h>
#include <wasm_simd128.h>

float sum_f32(const float *at, size_t count) {
  v128_t a = wasm_f32x4_splat(0), b = a, c = a, d = a;
  for (size_t i = 0; i + 16 <= count; i += 16) {
    a = wasm_f32x4_add(a, wasm_v128_load(at + i));
    b = wasm_f32x4_add(b, wasm_v128_load(at + i + 4));
    c = wasm_f32x4_add(c, wasm_v128_load(at + i + 8));
    d = wasm_f32x4_add(d, wasm_v128_load(at + i + 12));
  }
  v128_t sum = wasm_f32x4_add(wasm_f32x4_add(a, b), wasm_f32x4_add(c, d));
  return wasm_f32x4_extract_lane(sum, 0) + wasm_f32x4_extract_lane(sum, 1) +
         wasm_f32x4_extract_lane(sum, 2) + wasm_f32x4_extract_lane(sum, 3);
}
