#define LAC_KERNEL(op) lac_##op##_avx2
#define LANES 8
#include "fft_body.h"
