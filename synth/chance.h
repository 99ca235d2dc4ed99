/* Numbers drawn one after the other, from a seed and the part that draws: no part disturbs another's. */
#ifndef LAC_SYNTH_CHANCE_H
#define LAC_SYNTH_CHANCE_H

#include <math.h>
#include <stdint.h>

#include "rng.h"

enum lac_chance_part {
    LAC_CHANCE_ROOM,
    LAC_CHANCE_MICROPHONE,
    LAC_CHANCE_NOISE,
    LAC_CHANCE_BABBLE,
    LAC_CHANCE_LOSS
};

typedef struct lac_chance {
    uint64_t next; /* counter of lac_hash32 */
} lac_chance;

static inline lac_chance lac_chance_open(uint64_t seed, enum lac_chance_part part)
{
    uint64_t key = (uint64_t)lac_hash32(seed) << 32 | lac_hash32(~seed);
    key += (uint64_t)part;
    return (lac_chance){(uint64_t)lac_hash32(key) << 32 | lac_hash32(~key)};
}

/* low <= x < high, in steps of 2^-32 of their distance. */
static inline double lac_chance_real(lac_chance *c, double low, double high)
{
    return low + (high - low) * (lac_hash32(c->next++) * (1.0 / 4294967296.0));
}

/* 0 .. n - 1; 0 for n = 0. */
static inline size_t lac_chance_index(lac_chance *c, size_t n)
{
    return (size_t)lac_chance_real(c, 0, (double)n);
}

/* Mean 0, variance 1 (Box and Muller 1958). */
static inline double lac_chance_normal(lac_chance *c)
{
    double radius = sqrt(-2 * log(1 - lac_chance_real(c, 0, 1)));
    return radius * cos(lac_chance_real(c, 0, 6.283185307179586));
}

#endif
