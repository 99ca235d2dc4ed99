#include "filters.h"

#include <math.h>
#include <stdlib.h>

#include "lac/status.h"

#define PI    3.14159265358979323846
#define SLICE 256

static lac_biquad section(double hz, double rate, double q, double sign)
{
    double w = 2 * PI * hz / rate, c = cos(w), alpha = sin(w) / (2 * q), scale = 1 / (1 + alpha);
    double side = (1 + sign * c) / 2 * scale;
    return (lac_biquad){
        .b0 = side, .b1 = -sign * 2 * side, .b2 = side, .a1 = -2 * c * scale, .a2 = (1 - alpha) * scale};
}

lac_biquad lac_biquad_high_pass(double hz, double rate, double q)
{
    return section(hz, rate, q, 1);
}

lac_biquad lac_biquad_low_pass(double hz, double rate, double q)
{
    return section(hz, rate, q, -1);
}

void lac_biquad_settle(lac_biquad *f)
{
    if (fabs(f->s1) + fabs(f->s2) < 1e-150)
        f->s1 = f->s2 = 0;
}

void lac_biquad_run(lac_biquad *f, float *x, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        x[i] = (float)lac_biquad_step(f, (double)x[i]);
        if (i % SLICE == 0)
            lac_biquad_settle(f);
    }
}

static double hamming(size_t i, size_t side)
{
    return 0.54 - 0.46 * cos(PI * (double)i / (double)side);
}

void lac_fir_low_pass(float *h, size_t side, double hz, double rate)
{
    double sum = 0;
    for (size_t i = 0; i <= 2 * side; i++) {
        double t = (double)i - (double)side;
        double sinc = i == side ? 1 : sin(2 * PI * hz / rate * t) / (2 * PI * hz / rate * t);
        h[i] = (float)(sinc * hamming(i, side));
        sum += (double)h[i];
    }
    for (size_t i = 0; i <= 2 * side; i++)
        h[i] = (float)((double)h[i] / sum);
}

int lac_fir_curve(float *h, size_t side, const double *gains, size_t points)
{
    size_t period = 2 * points;
    double *cosine = malloc(period * sizeof *cosine);
    if (cosine == NULL)
        return LAC_ERROR_MEMORY;
    for (size_t i = 0; i < period; i++)
        cosine[i] = cos(2 * PI * (double)i / (double)period);
    for (size_t t = 0; t <= side; t++) {
        double sum = gains[0] + gains[points] * cosine[points * t % period];
        for (size_t k = 1; k < points; k++)
            sum += 2 * gains[k] * cosine[k * t % period];
        h[side + t] = h[side - t] = (float)(sum / (double)period * hamming(side + t, side));
    }
    free(cosine);
    return LAC_OK;
}
