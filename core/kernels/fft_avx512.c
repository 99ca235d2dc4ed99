#define LAC_KERNEL(op) lac_##op##_avx512
#define LANES 16
#include "fft_body.h"
