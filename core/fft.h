/* The codec's own real transform in fixed order: mixed radix 2, 3, 4, 5, float32 data, tables from double.
 *
 * Sizes are even products of 2, 3 and 5 up to 4096. A plan is immutable and shared; scratch is the caller's. */
#ifndef LAC_CORE_FFT_H
#define LAC_CORE_FFT_H

#include <stddef.h>

#include "workspace.h"

typedef struct lac_fft lac_fft;

/* Takes all of the plan's memory from w: 0, LAC_ERROR_ARGUMENT for an unsupported n, LAC_ERROR_MEMORY. While w only
 * measures, *plan is NULL. */
int lac_fft_init(const lac_fft **plan, lac_workspace *w, size_t n);

/* Floats of scratch that a call needs. */
size_t lac_fft_scratch(size_t n);

/* in [n] real -> out [n / 2 + 1][2] (re, im), unscaled: out[k] = sum in[t] exp(-2 pi i k t / n). */
void lac_fft_forward(const lac_fft *plan, const float *in, float *out, float *scratch);

/* in [n / 2 + 1][2] -> out [n] real, scaled by 1 / n: undoes forward. The imaginary parts of in[0] and in[n / 2] count
 * as 0. */
void lac_fft_inverse(const lac_fft *plan, const float *in, float *out, float *scratch);

#endif
