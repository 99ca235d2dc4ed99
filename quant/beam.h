/* What M-best searches have in common. A child is a candidate of the next stage as one number, larger if better: its
 * gain times 2^32, less its order, parent and token. */
#ifndef LAC_QUANT_BEAM_H
#define LAC_QUANT_BEAM_H

#include <stddef.h>
#include <stdint.h>

#define LAC_CHILD_NONE INT64_MIN /* below every child */

static inline int64_t lac_child_of(int32_t gain, size_t parent, size_t token)
{
    return gain * (INT64_C(1) << 32) - (int64_t)(parent << 16 | token);
}

static inline int32_t lac_child_gain(int64_t child)
{
    return (int32_t)((child + UINT32_MAX) >> 32);
}

static inline uint32_t lac_child_order(int64_t child)
{
    return (uint32_t)0 - (uint32_t)child;
}

static inline size_t lac_child_parent(int64_t child)
{
    return lac_child_order(child) >> 16;
}

static inline uint16_t lac_child_token(int64_t child)
{
    return (uint16_t)lac_child_order(child);
}

/* best [width]: children, the best first, then LAC_CHILD_NONE. A child that is worse than all is left out. */
static inline void lac_child_insert(int64_t *best, size_t width, int64_t child)
{
    size_t i = width - 1;
    if (child <= best[i])
        return;
    for (; i > 0 && best[i - 1] < child; i--)
        best[i] = best[i - 1];
    best[i] = child;
}

/* The children of best [width] that become candidates, by ascending tokens: how many. `greedy`, the child of greedy
 * search, is made one of them, in place of the last. */
size_t lac_beam_keep(int64_t *best, size_t width, int64_t greedy);

/* At most 8190^2 * 64. */
static inline uint32_t lac_beam_distance(const int16_t *a, const int16_t *b, size_t n)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (uint32_t)((a[i] - b[i]) * (a[i] - b[i]));
    return sum;
}

#endif
