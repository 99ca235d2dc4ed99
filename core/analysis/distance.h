/* Distances between a reference and a test signal of the same rate and length, aligned beforehand. */
#ifndef LAC_ANALYSIS_DISTANCE_H
#define LAC_ANALYSIS_DISTANCE_H

#include <stddef.h>

typedef struct lac_distances {
    /* Mean |ln| difference of 80 Slaney mel bands, magnitudes floored at 1e-5, 40 ms window, 10 ms hop, to 12 kHz
     * (mel24) and 8 kHz (mel16). mel24 is NaN unless the reference holds content above 8.5 kHz: rate 22050 Hz or more,
     * and more than 1e-6 of its energy between 8.5 and 11.5 kHz. */
    double mel24, mel16;
    /* Scale-invariant signal-to-distortion ratio, dB (Le Roux et al. 2019), means removed. */
    double si_sdr_db;
    /* Level of the test over that of the reference, dB of RMS; RMS counts as 1e-6 or more. */
    double level_db;
    /* Multi-resolution STFT (Yamamoto, Song, Kim 2020, "Parallel WaveGAN"): spectral convergence ||R - T|| / ||R|| and
     * mean |ln R / T|, each averaged over (FFT, hop, window) = (1024, 120, 600), (2048, 240, 1200), (512, 50, 240) at
     * 24 kHz; magnitudes floored at 1e-4; bins below the reference's own Nyquist frequency. */
    double stft_sc, stft_mag;
} lac_distances;

/* Fewest samples that can be compared: one 40 ms window. */
size_t lac_distances_shortest(unsigned rate);

/* ref and test [samples], finite, at `rate` Hz: 0, LAC_ERROR_ARGUMENT (too short, or a rate lac_polyphase refuses),
 * LAC_ERROR_LIMIT (2^31 samples or more) or LAC_ERROR_MEMORY. */
int lac_distances_measure(lac_distances *d, const double *ref, const double *test, size_t samples, unsigned rate);

#endif
