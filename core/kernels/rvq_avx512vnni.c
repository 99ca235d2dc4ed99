#define LAC_KERNEL(op) lac_##op##_avx512vnni
#define sums_dot(s, w, a) (sums)_mm512_dpwssd_epi32((__m512i)(s), w, _mm512_set1_epi32(a))
#include "rvq_avx512_body.h"
