/* Periods that a stretch of sound may have, each with a weight: YIN's difference function and pYIN's thresholds. */
#ifndef LAC_LATENT_PERIODS_H
#define LAC_LATENT_PERIODS_H

#include <stddef.h>

#define LAC_PERIODS_SPAN 1440   /* samples looked at, 24 kHz */
#define LAC_PERIODS_CENTRE 744  /* the sample among them that the periods are those of */
#define LAC_PERIODS_MAX 8

typedef struct lac_period {
    float hz;
    float octave; /* log2(hz) */
    float weight; /* share of thresholds at which YIN takes this period */
} lac_period;

/* low [LAC_PERIODS_SPAN]: sound without anything above 4 kHz. Returns how many periods [LAC_PERIODS_MAX] were found,
 * shortest first; weights sum to at most 1, the rest is that of no period at all. */
size_t lac_periods_find(const float *low, lac_period *periods);

#endif
