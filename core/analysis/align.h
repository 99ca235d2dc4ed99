/* The delay of one recording against another, found from the waveform and from band envelopes.
 *
 * A codec delays every file alike, so the curves of several pairs are averaged before the lag is chosen. The method and
 * its constants are those of ../shared/eval/metrics.py (lag_curves, best_lag). */
#ifndef LAC_ANALYSIS_ALIGN_H
#define LAC_ANALYSIS_ALIGN_H

#include <stddef.h>

#define LAC_ALIGN_RATE 16000 /* Hz, of the signals compared */
#define LAC_ALIGN_MAX 4800   /* samples: 300 ms either way */

/* Sums over pairs; starts zeroed. Index LAC_ALIGN_MAX + l holds lag l; positive where `test` is late. */
typedef struct lac_alignment {
    size_t pairs;
    double waveform[2 * LAC_ALIGN_MAX + 1];
    double envelope[2 * LAC_ALIGN_MAX + 1];
} lac_alignment;

/* Adds one pair, both at LAC_ALIGN_RATE: 0, LAC_ERROR_LIMIT (18 hours or more together) or LAC_ERROR_MEMORY. */
int lac_alignment_add(lac_alignment *a, const double *ref, size_t ref_samples, const double *test, size_t test_samples);

/* The common lag in samples at LAC_ALIGN_RATE; 0 before the first pair. */
int lac_alignment_lag(const lac_alignment *a);

/* out [samples] = test advanced by `lag` samples (delayed where negative), cut or continued with zeros. */
void lac_shift(const double *test, size_t test_samples, long lag, double *out, size_t samples);

#endif
