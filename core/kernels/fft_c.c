#define LAC_KERNEL(op) lac_##op##_c
#include "fft_body.h"
