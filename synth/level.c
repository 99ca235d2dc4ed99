#include "level.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "filters.h"
#include "lac/status.h"

#define LOWEST_HZ 100
#define ACTIVE    0.0031622776601683794 /* -25 dB */

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The 95th percentile of power [n], which is sorted. */
static double loud(double *power, size_t n)
{
    qsort(power, n, sizeof *power, by_size);
    return power[(n - 1) * 95 / 100];
}

static double frame_power(lac_biquad *f, const float *pcm, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        double y = lac_biquad_step(f, (double)pcm[i]);
        sum += y * y;
    }
    lac_biquad_settle(f);
    return sum / (double)count;
}

int lac_level_measure(lac_level *level, const float *pcm, size_t count, uint32_t rate)
{
    size_t frame = rate / 50, n = (count - 1) / frame + 1;
    double *power = malloc(n * sizeof *power);
    lac_biquad f = lac_biquad_high_pass(LOWEST_HZ, rate, LAC_BUTTERWORTH_Q);
    double sum = 0, active = 0;
    size_t first = n;
    if (power == NULL)
        return LAC_ERROR_MEMORY;
    for (size_t t = 0; t < n; t++) {
        size_t length = t + 1 < n ? frame : count - t * frame;
        power[t] = frame_power(&f, pcm + t * frame, length);
        sum += power[t] * (double)length;
    }
    double threshold = loud(power, n) * ACTIVE;
    while (first > 0 && power[first - 1] > threshold)
        active += power[--first];
    level->active = first < n ? active / (double)(n - first) : 0;
    level->mean = sum / (double)count;
    free(power);
    return LAC_OK;
}

float lac_level_peak(const float *pcm, size_t count)
{
    float peak = 0;
    for (size_t i = 0; i < count; i++)
        peak = fmaxf(peak, fabsf(pcm[i]));
    return peak;
}

void lac_level_scale(float *pcm, size_t count, double gain)
{
    for (size_t i = 0; i < count; i++)
        pcm[i] = (float)((double)pcm[i] * gain);
}
