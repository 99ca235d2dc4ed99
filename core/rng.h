/* Counter-based noise: a sample is a function of its index alone. */
#ifndef LAC_CORE_RNG_H
#define LAC_CORE_RNG_H

#include <stdint.h>

/* 32 random bits of a 64-bit counter: SplitMix64's finaliser (Steele, Lea, Flood 2014), upper half. */
static inline uint32_t lac_hash32(uint64_t counter)
{
    uint64_t z = (counter + 1) * UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (uint32_t)((z ^ (z >> 31)) >> 32);
}

/* Uniform noise of unit variance, -sqrt(3) .. sqrt(3), from the upper 24 bits. */
static inline float lac_noise(uint64_t counter)
{
    return (float)((int32_t)(lac_hash32(counter) >> 8) - (1 << 23)) * (1.7320508f / 8388608.0f);
}

#endif
