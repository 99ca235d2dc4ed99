/* What the bodies of kernels share. */
#ifndef LAC_CORE_INLINE_H
#define LAC_CORE_INLINE_H

#include <stdint.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

/* Two neighbours as one value, as sums_dot takes them. */
INLINE int32_t pair_at(const int16_t *a)
{
    int32_t pair;
    memcpy(&pair, a, sizeof pair);
    return pair;
}

#endif
