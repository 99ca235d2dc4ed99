/* What becomes of integer sums, compiled again for each set of instructions that makes vectors of it. */
#ifndef LAC_CORE_SUMS_BODY_H
#define LAC_CORE_SUMS_BODY_H

#include "inline.h"
#include "kernels.h"

/* An arithmetic shift would be right too, but has no vector instruction everywhere. */
INLINE int32_t upper_half(int64_t x)
{
    return (int32_t)((uint64_t)x >> 32);
}

INLINE int32_t bounded(int32_t x, int32_t limit)
{
    x = x < -limit ? -limit : x;
    return x > limit - 1 ? limit - 1 : x;
}

void LAC_KERNEL(scale_sums)(int32_t *restrict out, const int32_t *restrict first,
                            const int32_t *restrict multipliers, const int32_t *restrict biases, size_t n,
                            size_t terms, int32_t limit)
{
    const int32_t *second = first + n, *others = multipliers + n;
    for (size_t i = 0; terms == 1 && i < n; i++)
        out[i] = bounded(upper_half((int64_t)first[i] * multipliers[i]) + biases[i], limit);
    for (size_t i = 0; terms == 2 && i < n; i++) {
        int64_t sum = (int64_t)first[i] * multipliers[i] + (int64_t)second[i] * others[i];
        out[i] = bounded(upper_half(sum) + biases[i], limit);
    }
}

#endif
