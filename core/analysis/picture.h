/* Mel spectrograms of two signals and their difference, one above the other. */
#ifndef LAC_ANALYSIS_PICTURE_H
#define LAC_ANALYSIS_PICTURE_H

#include <stddef.h>
#include <stdint.h>

/* Draw ref and test [samples], finite, aligned, at `rate` Hz, as a PNG file of *size bytes in *png, freed with free.
 * Levels are mel magnitudes (128 Slaney bands to half the rate, 40 ms window) in dB below the reference's highest; the
 * difference is test - reference. Columns average all frames they cover. titles: of the three parts, ASCII; long ones
 * are cut. 0, LAC_ERROR_ARGUMENT or LAC_ERROR_MEMORY. */
int lac_picture_compare(const double *ref, const double *test, size_t samples, unsigned rate,
                        const char *const titles[3], uint8_t **png, size_t *size);

#endif
