#define LAC_KERNEL(op) lac_##op##_simd128
#define LANES 4
#include "fft_body.h"
