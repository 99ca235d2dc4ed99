/* Resampling of whole signals by a rational factor, as scipy.signal.resample_poly does with its defaults.
 *
 * For measurements that must agree with the Python ones; playback and the codec's input go through soxr. */
#ifndef LAC_ANALYSIS_POLYPHASE_H
#define LAC_ANALYSIS_POLYPHASE_H

#include <stddef.h>

/* x [samples] at `from` Hz -> *out [*out_samples] at `to` Hz, ceil(samples * to / from) of them, without delay: a
 * Kaiser (beta 5) low-pass at the lower Nyquist frequency, 10 periods of the lower rate to each side. *out is freed
 * with free. 0, LAC_ERROR_ARGUMENT (a rate of 0 or above 2^20) or LAC_ERROR_MEMORY. */
int lac_polyphase(const double *x, size_t samples, unsigned from, unsigned to, double **out, size_t *out_samples);

#endif
