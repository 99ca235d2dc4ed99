/* Division of integers towards minus infinity. */
#ifndef LAC_CORE_DIVIDE_H
#define LAC_CORE_DIVIDE_H

#include <stdint.h>

/* b > 0. With half of b added to a: to the nearest, halves upwards. */
static inline int64_t lac_floor_divide(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

#endif
