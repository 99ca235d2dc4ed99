/* Included by gemm_avx512.c and gemm_avx512vnni.c, which differ in sums_dot. */
#ifndef LAC_CORE_GEMM_AVX512_BODY_H
#define LAC_CORE_GEMM_AVX512_BODY_H

#include <immintrin.h>

#define LANES 16
#define TILE_ROWS 8
#define TILE_PANELS 2
#define DEPTH 4

typedef __m512i sums;
typedef __m512i weights;

#define sums_zero() _mm512_setzero_si512()
#define sums_add(a, b) _mm512_add_epi32(a, b)
#define weights_load(p) _mm512_cvtepi8_epi16(_mm256_loadu_si256((const __m256i *)(const void *)(p)))
#define sums_put(out, s) _mm512_storeu_si512(out, s)
#define sums_dot(s, w, a) dot(s, w, _mm512_set1_epi32(a))

static inline void sums_store(float *out, sums s, float a_scale, const float *scales)
{
    __m512 x = _mm512_mul_ps(_mm512_cvtepi32_ps(s), _mm512_set1_ps(a_scale));
    x = _mm512_mul_ps(x, _mm512_loadu_ps(scales));
    _mm512_storeu_ps(out, _mm512_add_ps(x, _mm512_loadu_ps(scales + 16)));
}

#include "gemm_body.h"

#endif
