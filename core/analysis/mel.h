/* Triangular filter banks over magnitude spectra, the Slaney mel bank among them. */
#ifndef LAC_ANALYSIS_MEL_H
#define LAC_ANALYSIS_MEL_H

#include <stddef.h>

/* Slaney's mel scale (Auditory Toolbox, 1998): linear to 1000 Hz (15 mel), then logarithmic. */
double lac_mel_from_hz(double hz);
double lac_mel_to_hz(double mel);

/* Immutable once open; shared by any number of threads. */
typedef struct lac_bank lac_bank;

/* Triangles of area 1 Hz: band b rises from edges[b] to its peak at edges[b + 1] and falls to edges[b + 2]. edges are
 * in Hz, strictly ascending, bands + 2 of them. Over the bins of an `fft`-point transform at `rate` Hz. 0,
 * LAC_ERROR_ARGUMENT or LAC_ERROR_MEMORY; free with lac_bank_close. */
int lac_bank_open(lac_bank **bank, double rate, size_t fft, const double *edges, size_t bands);

/* The same with edges equally spaced in mel from low to high Hz: librosa's filters.mel with its defaults. */
int lac_bank_open_mel(lac_bank **bank, double rate, size_t fft, size_t bands, double low, double high);

/* Frees and nulls *bank; NULL is allowed. */
void lac_bank_close(lac_bank **bank);

size_t lac_bank_bands(const lac_bank *bank);

/* spectrum [fft / 2 + 1] -> out [bands], the weighted sums. */
void lac_bank_apply(const lac_bank *bank, const double *spectrum, double *out);

#endif
