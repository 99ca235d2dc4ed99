#define LAC_KERNEL(op) lac_##op##_avx512vnni
#define dot(s, w, a) _mm512_dpwssd_epi32(s, w, a)
#include "gemm_avx512_body.h"
