/* Unit vectors, such as the speakers': sums run one after the other, so that they are the same everywhere. */
#ifndef LAC_LATENT_UNITVECTOR_H
#define LAC_LATENT_UNITVECTOR_H

#include <math.h>
#include <stddef.h>

#include "trunk.h"

/* What is too short to have a direction becomes zeros. */
static inline void lac_unit_make(float *x, size_t n)
{
    float power = 0;
    for (size_t i = 0; i < n; i++) {
        x[i] = lac_bounded(x[i], 1e9f);
        power += x[i] * x[i];
    }
    float factor = power > 1e-20f ? 1 / sqrtf(power) : 0;
    for (size_t i = 0; i < n; i++)
        x[i] *= factor;
}

static inline float lac_unit_cosine(const float *a, const float *b, size_t n)
{
    float sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum > -1 ? sum < 1 ? sum : 1 : -1;
}

#endif
