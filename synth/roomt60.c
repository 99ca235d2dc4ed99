#include <math.h>
#include <stdlib.h>

#include "filters.h"
#include "lac/status.h"
#include "room.h"

/* Sums of a straight line's fit. */
typedef struct line {
    double n, t, l, tt, tl;
} line;

/* Energy of the octaves of 500 and 1000 Hz from each sample on. */
static void integrate(double *energy, const float *response, size_t taps, double rate)
{
    lac_biquad high = lac_biquad_high_pass(354, rate, LAC_BUTTERWORTH_Q);
    lac_biquad low = lac_biquad_low_pass(1414, rate, LAC_BUTTERWORTH_Q);
    for (size_t i = 0; i < taps; i++) {
        double y = lac_biquad_step(&low, lac_biquad_step(&high, (double)response[i]));
        energy[i] = y * y;
    }
    for (size_t i = taps; i-- > 1;)
        energy[i - 1] += energy[i];
}

int lac_room_t60(const float *response, size_t taps, double rate, double *t60_s)
{
    double *energy = malloc((taps ? taps : 1) * sizeof *energy);
    line s = {0};
    if (energy == NULL)
        return LAC_ERROR_MEMORY;
    integrate(energy, response, taps, rate);
    for (size_t i = 0; i < taps && energy[0] > 0; i++) {
        double t = (double)i / rate, level = 10 * log10(energy[i] / energy[0] + 1e-30);
        if (level >= -5 || level <= -25)
            continue;
        s.n++;
        s.t += t;
        s.l += level;
        s.tt += t * t;
        s.tl += t * level;
    }
    free(energy);
    double slope = s.n > 1 ? (s.n * s.tl - s.t * s.l) / (s.n * s.tt - s.t * s.t) : 0;
    *t60_s = slope < 0 ? -60 / slope : 0;
    return LAC_OK;
}
