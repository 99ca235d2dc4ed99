/* The codec's own real transform in fixed order: mixed radix 2, 3, 4, 5, float32 data, tables from double.
 *
 * Sizes are even products of 2, 3 and 5 up to 4096. A plan is immutable and shared; scratch is the caller's. The
 * transforms themselves are kernels: fft_forward and fft_inverse (kernels.h). */
#ifndef LAC_CORE_FFT_H
#define LAC_CORE_FFT_H

#include <stddef.h>

#include "workspace.h"

typedef struct lac_fft lac_fft;

/* Takes all of the plan's memory from w: 0, LAC_ERROR_ARGUMENT for an unsupported n, LAC_ERROR_MEMORY. While w only
 * measures, *plan is NULL. */
int lac_fft_init(const lac_fft **plan, lac_workspace *w, size_t n);

/* Floats of scratch that a transform needs. */
size_t lac_fft_scratch(size_t n);

#endif
