#define LAC_KERNEL(op) lac_##op##_avx2
#include "spectrum_body.h"
