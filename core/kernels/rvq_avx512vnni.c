#include <immintrin.h>
#include <stdint.h>

#define LAC_KERNEL(op) lac_##op##_avx512vnni
#define LANES 16
#define ROWS 8

typedef int32_t sums __attribute__((vector_size(64)));
typedef __m512i weights;

#define weights_load(p) _mm512_loadu_si512(p)
#define sums_dot(s, w, a) (sums)_mm512_dpwssd_epi32((__m512i)(s), w, _mm512_set1_epi32(a))

#include "rvq_body.h"
