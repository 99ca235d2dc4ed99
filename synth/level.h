/* How loud speech and noise are: mean power above 100 Hz, by frames of 20 ms. */
#ifndef LAC_SYNTH_LEVEL_H
#define LAC_SYNTH_LEVEL_H

#include <stddef.h>
#include <stdint.h>

typedef struct lac_level {
    double active; /* of frames within 25 dB of their 95th percentile; 0: silence */
    double mean;   /* of all */
} lac_level;

/* pcm [count], count >= 1, rate >= 8000 Hz. 0 or LAC_ERROR_MEMORY. */
int lac_level_measure(lac_level *level, const float *pcm, size_t count, uint32_t rate);

/* The largest magnitude, 0 of none. */
float lac_level_peak(const float *pcm, size_t count);

void lac_level_scale(float *pcm, size_t count, double gain);

#endif
