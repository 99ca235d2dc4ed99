#define LAC_KERNEL(op) lac_##op##_simd128
#include "spectrum_body.h"
