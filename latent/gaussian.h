/* Counter-based normal noise: a number is a function of its index alone (Box, Muller 1958). */
#ifndef LAC_LATENT_GAUSSIAN_H
#define LAC_LATENT_GAUSSIAN_H

#include <math.h>

#include "fmath.h"
#include "rng.h"

/* What sets one seed's numbers apart from another's. */
static inline uint64_t lac_gaussian_key(uint64_t seed)
{
    return (uint64_t)lac_hash32(seed) << 32 | lac_hash32(~seed);
}

/* Of mean 0 and variance 1, at most 5.8 in magnitude. Two neighbours, of which the first is even, share a radius. */
static inline float lac_gaussian(uint64_t key, uint64_t index)
{
    uint64_t pair = key + (index & ~UINT64_C(1));
    float u = (float)((lac_hash32(pair) >> 8) + 1) * (1.0f / 16777216.0f);
    uint32_t turn = lac_hash32(pair + 1);
    return sqrtf(-2 * lac_logf(u)) * (index & 1 ? lac_sin_turn(turn) : lac_cos_turn(turn));
}

#endif
