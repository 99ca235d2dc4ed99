#define LAC_KERNEL(op) lac_##op##_c
#include "spectrum_body.h"
