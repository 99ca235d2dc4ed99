/* Included by rvq_avx512.c and rvq_avx512vnni.c, which differ in sums_dot. */
#ifndef LAC_CORE_RVQ_AVX512_BODY_H
#define LAC_CORE_RVQ_AVX512_BODY_H

#include <immintrin.h>
#include <stdint.h>

#define LANES 16
#define ROWS 8

typedef int32_t sums __attribute__((vector_size(64)));
typedef __m512i weights;

#define weights_load(p) _mm512_loadu_si512(p)

#include "rvq_body.h"

#endif
