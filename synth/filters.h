/* Filters of whole sounds: sections of second order, and linear-phase responses to be convolved. */
#ifndef LAC_SYNTH_FILTERS_H
#define LAC_SYNTH_FILTERS_H

#include <stddef.h>

#define LAC_BUTTERWORTH_Q 0.70710678118654752 /* of a section that stands alone */

typedef struct lac_biquad {
    double b0, b1, b2, a1, a2;
    double s1, s2; /* state; transposed direct form II */
} lac_biquad;

/* 12 dB an octave; 0 < hz < rate / 2. By the bilinear transform. State zero. */
lac_biquad lac_biquad_high_pass(double hz, double rate, double q);
lac_biquad lac_biquad_low_pass(double hz, double rate, double q);

static inline double lac_biquad_step(lac_biquad *f, double x)
{
    double y = f->b0 * x + f->s1;
    f->s1 = f->b1 * x - f->a1 * y + f->s2;
    f->s2 = f->b2 * x - f->a2 * y;
    return y;
}

/* Every few hundred samples: what is left of a sound that has ended does not linger in denormal numbers, which are
 * slow. */
void lac_biquad_settle(lac_biquad *f);

/* x [count] in place. */
void lac_biquad_run(lac_biquad *f, float *x, size_t count);

/* h [2 * side + 1]: -6 dB at hz, Hamming window; gain 1 at 0 Hz; delay `side`. */
void lac_fir_low_pass(float *h, size_t side, double hz, double rate);

/* h [2 * side + 1] of gains [points + 1] at equal steps from 0 Hz to half the rate, points >= side; Hamming window.
 * 0 or LAC_ERROR_MEMORY. */
int lac_fir_curve(float *h, size_t side, const double *gains, size_t points);

#endif
