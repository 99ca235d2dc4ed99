#define LAC_KERNEL(op) lac_##op##_avx512
#define sums_dot(s, w, a) ((s) + (sums)_mm512_madd_epi16(w, _mm512_set1_epi32(a)))
#include "rvq_avx512_body.h"
