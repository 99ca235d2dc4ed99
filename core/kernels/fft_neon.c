#define LAC_KERNEL(op) lac_##op##_neon
#define LANES 4
#include "fft_body.h"
