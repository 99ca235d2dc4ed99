#include "polyphase.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lac/status.h"

#define PI 3.14159265358979323846
#define BETA 5.0
#define SIDE 10 /* periods of the lower rate on each side of the centre */
#define RATE_MAX (1u << 20)

static unsigned common_divisor(unsigned a, unsigned b)
{
    while (b != 0) {
        unsigned rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* Modified Bessel function of the first kind, order 0, by its power series. */
static double bessel_i0(double x)
{
    double term = 1, sum = 1;
    for (int k = 1; term > sum * 1e-17; k++) {
        term *= (x / (2 * k)) * (x / (2 * k));
        sum += term;
    }
    return sum;
}

/* [2 * side + 1] taps that sum to `gain`; NULL without memory. */
static double *low_pass(size_t side, double cutoff, double gain)
{
    double *h = malloc((2 * side + 1) * sizeof *h);
    if (h == NULL)
        return NULL;
    double sum = 0;
    for (size_t i = 0; i <= 2 * side; i++) {
        double t = (double)i - (double)side, r = t / (double)side;
        double sinc = i == side ? 1 : sin(PI * cutoff * t) / (PI * cutoff * t);
        h[i] = sinc * bessel_i0(BETA * sqrt(1 - r * r));
        sum += h[i];
    }
    for (size_t i = 0; i <= 2 * side; i++)
        h[i] *= gain / sum;
    return h;
}

/* One output: centre is its position on the grid of `up` steps per input sample. */
static double convolved(const double *x, size_t samples, const double *h, size_t side, uint64_t centre, unsigned up)
{
    uint64_t low = centre > side ? (centre - side + up - 1) / up : 0;
    uint64_t high = (centre + side) / up;
    if (high >= samples)
        high = samples - 1;
    double sum = 0;
    for (uint64_t k = low; k <= high; k++)
        sum += x[k] * h[centre + side - k * up];
    return sum;
}

int lac_polyphase(const double *x, size_t samples, unsigned from, unsigned to, double **out, size_t *out_samples)
{
    if (samples == 0 || from == 0 || to == 0 || from > RATE_MAX || to > RATE_MAX)
        return LAC_ERROR_ARGUMENT;
    unsigned divisor = common_divisor(from, to), up = to / divisor, down = from / divisor;
    if ((uint64_t)samples >> 40 != 0) /* so that the products below fit */
        return LAC_ERROR_MEMORY;
    uint64_t total = ((uint64_t)samples * up + down - 1) / down;
    double *y = total > SIZE_MAX / sizeof *y ? NULL : malloc((size_t)total * sizeof *y);
    if (y == NULL)
        return LAC_ERROR_MEMORY;
    if (up == down) {
        memcpy(y, x, samples * sizeof *y);
    } else {
        unsigned longest = up > down ? up : down;
        size_t side = (size_t)SIDE * longest;
        double *h = low_pass(side, 1.0 / longest, up);
        if (h == NULL) {
            free(y);
            return LAC_ERROR_MEMORY;
        }
        for (uint64_t m = 0; m < total; m++)
            y[m] = convolved(x, samples, h, side, m * down, up);
        free(h);
    }
    *out = y;
    *out_samples = (size_t)total;
    return LAC_OK;
}
