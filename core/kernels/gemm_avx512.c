#define LAC_KERNEL(op) lac_##op##_avx512
#define dot(s, w, a) _mm512_add_epi32(s, _mm512_madd_epi16(w, a))
#include "gemm_avx512_body.h"
