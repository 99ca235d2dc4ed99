#define LAC_KERNEL(op) lac_##op##_avx512
#include "float_body.h"
