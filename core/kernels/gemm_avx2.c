#include <immintrin.h>

#define LAC_KERNEL(op) lac_##op##_avx2
#define LANES 8
#define TILE_ROWS 4
#define TILE_PANELS 1
#define DEPTH 2

typedef __m256i sums;
typedef __m256i weights;

#define sums_zero() _mm256_setzero_si256()
#define sums_add(a, b) _mm256_add_epi32(a, b)
#define weights_load(p) _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)(const void *)(p)))
#define sums_put(out, s) _mm256_storeu_si256((__m256i *)(void *)(out), s)
#define sums_dot(s, w, a) _mm256_add_epi32(s, _mm256_madd_epi16(w, _mm256_set1_epi32(a)))

static inline void sums_store(float *out, sums s, float a_scale, const float *scales)
{
    __m256 x = _mm256_mul_ps(_mm256_cvtepi32_ps(s), _mm256_set1_ps(a_scale));
    x = _mm256_mul_ps(x, _mm256_loadu_ps(scales));
    _mm256_storeu_ps(out, _mm256_add_ps(x, _mm256_loadu_ps(scales + 16)));
}

#include "gemm_body.h"
#include "sums_body.h"
