#include <stdint.h>
#include <wasm_simd128.h>

#define LAC_KERNEL(op) lac_##op##_simd128
#define LANES 4
#define ROWS 2

typedef int32_t sums __attribute__((vector_size(16)));
typedef v128_t weights;

#define weights_load(p) wasm_v128_load(p)
#define sums_dot(s, w, a) ((s) + (sums)wasm_i32x4_dot_i16x8(w, wasm_i32x4_splat(a)))

#include "rvq_body.h"
