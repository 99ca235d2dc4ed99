/* Convolution of whole signals through the frequency domain (overlap-add), by FFTW in double precision. */
#ifndef LAC_ANALYSIS_CONVOLVE_H
#define LAC_ANALYSIS_CONVOLVE_H

#include <stddef.h>

/* x [count] becomes samples delay .. delay + count - 1 of x * h, h [taps], taps >= 1, delay < taps: with a filter's
 * delay, what comes out lies in time where it went in. 0, LAC_ERROR_LIMIT (2^26 taps or more) or LAC_ERROR_MEMORY,
 * with x untouched. Any number of threads. */
int lac_convolve(float *x, size_t count, const float *h, size_t taps, size_t delay);

#endif
