#include <immintrin.h>
#include <stdint.h>

#define LAC_KERNEL(op) lac_##op##_avx2
#define LANES 8
#define ROWS 4

typedef int32_t sums __attribute__((vector_size(32)));
typedef __m256i weights;

#define weights_load(p) _mm256_loadu_si256((const __m256i *)(const void *)(p))
#define sums_dot(s, w, a) ((s) + (sums)_mm256_madd_epi16(w, _mm256_set1_epi32(a)))

#include "rvq_body.h"
