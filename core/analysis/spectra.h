/* Magnitude spectra of real signals, by FFTW in double precision.
 *
 * A plan holds its own buffers, so one plan serves one thread. */
#ifndef LAC_ANALYSIS_SPECTRA_H
#define LAC_ANALYSIS_SPECTRA_H

#include <stddef.h>

/* Frames of `window` samples, Hann (periodic), in the middle of `fft` samples, every `hop` samples. Frame t is centred
 * on sample t * hop; the signal continues by reflection about its first and last sample (numpy.pad, mode "reflect"). */
typedef struct lac_stft lac_stft;

/* 0, LAC_ERROR_ARGUMENT (fft odd, window above fft, a zero) or LAC_ERROR_MEMORY. Free with lac_stft_close. */
int lac_stft_open(lac_stft **stft, size_t fft, size_t hop, size_t window);

/* Frees and nulls *stft; NULL is allowed. */
void lac_stft_close(lac_stft **stft);

/* Frames of a signal of `samples` samples: samples / hop + 1. */
size_t lac_stft_frames(const lac_stft *stft, size_t samples);

/* fft / 2 + 1 */
size_t lac_stft_bins(const lac_stft *stft);

/* Magnitudes [bins] of frame `frame` of x [samples], samples >= 1. The result lives in the plan until the next call. */
const double *lac_stft_frame(lac_stft *stft, const double *x, size_t samples, size_t frame);

/* Power |X|^2 of the transform of all of x [samples] at bins from `low` to below `high` Hz, and of all bins:
 * 0, LAC_ERROR_LIMIT (2^31 samples or more) or LAC_ERROR_MEMORY. */
int lac_band_power(const double *x, size_t samples, double rate, double low, double high, double *band, double *all);

/* Circular cross-correlation out[l] = sum over t of a[t] * b[t + l], by way of the frequency domain. Sums over as many
 * signals as are added. Lags outside the size wrap round. */
typedef struct lac_correlator lac_correlator;

/* For signals whose lengths add up to at most `size`. 0, LAC_ERROR_LIMIT (a size of 2^30 or more) or LAC_ERROR_MEMORY;
 * free with lac_correlator_close. */
int lac_correlator_open(lac_correlator **correlator, size_t size);
void lac_correlator_close(lac_correlator **correlator);
void lac_correlator_add(lac_correlator *correlator, const double *a, size_t a_samples, const double *b,
                        size_t b_samples);

/* out [2 * lag + 1]: lags -lag .. lag of the sum so far, which is then lost. lag < size / 2. */
void lac_correlator_finish(lac_correlator *correlator, size_t lag, double *out);

#endif
