#define LAC_KERNEL(op) lac_##op##_c
#include "float_body.h"
