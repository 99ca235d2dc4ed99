#include <wasm_simd128.h>

#define LAC_KERNEL(op) lac_##op##_simd128
#define LANES 4
#define TILE_ROWS 2
#define TILE_PANELS 1
#define DEPTH 2

typedef v128_t sums;
typedef v128_t weights;

#define sums_zero() wasm_i32x4_splat(0)
#define sums_add(a, b) wasm_i32x4_add(a, b)
#define weights_load(p) wasm_i16x8_load8x8(p)
#define sums_put(out, s) wasm_v128_store(out, s)
#define sums_dot(s, w, a) wasm_i32x4_add(s, wasm_i32x4_dot_i16x8(w, wasm_i32x4_splat(a)))

static inline void sums_store(float *out, sums s, float a_scale, const float *scales)
{
    v128_t x = wasm_f32x4_mul(wasm_f32x4_convert_i32x4(s), wasm_f32x4_splat(a_scale));
    x = wasm_f32x4_mul(x, wasm_v128_load(scales));
    wasm_v128_store(out, wasm_f32x4_add(x, wasm_v128_load(scales + 16)));
}

#include "gemm_body.h"
