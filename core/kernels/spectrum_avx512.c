#define LAC_KERNEL(op) lac_##op##_avx512
#include "spectrum_body.h"
