#include "timescale.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "fmath.h"

#define COARSE 4     /* samples: the step of the first search. Divides LAC_TIMESCALE_MOST and LAC_TIMESCALE_FADE */
#define LEAST 60     /* samples: 2.5 ms */
#define SOFT 3e-5f   /* power below which any place will do: -45 dB of full scale */
#define FADE LAC_TIMESCALE_FADE
#define MOST LAC_TIMESCALE_MOST

static float product(const float *a, const float *b, size_t n)
{
    float lanes[LAC_LANES] = {0};
    for (size_t at = 0; at < n; at += LAC_LANES)
        for (size_t i = 0; i < LAC_LANES && at + i < n; i++)
            lanes[i] += a[at + i] * b[at + i];
    return lac_reduce16(lanes);
}

/* The lag from `from` to `to` at which x [n] is most like what lies that far away, in `direction`. *best: how
 * much, as a normalised correlation. */
static ptrdiff_t search(const float *x, size_t n, ptrdiff_t direction, ptrdiff_t from, ptrdiff_t to, float *best)
{
    float power = product(x, x, n);
    ptrdiff_t lag = from;
    *best = -2.0f;
    for (ptrdiff_t i = from; i <= to; i++) {
        const float *y = x + direction * i;
        float like = product(x, y, n) / sqrtf(power * product(y, y, n) + 1e-20f);
        if (like > *best) {
            *best = like;
            lag = i;
        }
    }
    return lag;
}

/* Find it in sums of a few samples first. */
static ptrdiff_t search_coarse(const float *x, ptrdiff_t direction)
{
    float sums[(MOST + FADE) / COARSE], best;
    const float *from = direction < 0 ? x - MOST : x;
    for (size_t i = 0; i < (MOST + FADE) / COARSE; i++)
        sums[i] = from[COARSE * i] + from[COARSE * i + 1] + from[COARSE * i + 2] + from[COARSE * i + 3];
    const float *start = direction < 0 ? sums + MOST / COARSE : sums;
    return COARSE * search(start, FADE / COARSE, direction, LEAST / COARSE, MOST / COARSE, &best);
}

/* 0 if there is no good place. */
static size_t find_lag(const float *x, ptrdiff_t direction, float likeness)
{
    float best;
    ptrdiff_t lag = search_coarse(x, direction);
    ptrdiff_t from = lag - COARSE > LEAST ? lag - COARSE : LEAST, to = lag + COARSE < MOST ? lag + COARSE : MOST;
    lag = search(x, FADE, direction, from, to, &best);
    const float *other = x + direction * lag;
    bool soft = product(x, x, FADE) < SOFT * FADE && product(other, other, FADE) < SOFT * FADE;
    return soft || best >= likeness ? (size_t)lag : 0;
}

/* to [FADE] = from x over into `other`. */
static void fade(float *to, const float *x, const float *other)
{
    for (size_t n = 0; n < FADE; n++) {
        float w = (float)(n + 1) * (1.0f / (FADE + 1));
        to[n] = x[n] + w * (other[n] - x[n]);
    }
}

size_t lac_timescale_stretch(float *x, size_t n, float likeness)
{
    float faded[FADE];
    size_t lag = find_lag(x, -1, likeness);
    if (lag == 0)
        return 0;
    fade(faded, x, x - lag);
    memmove(x + FADE, x + FADE - lag, (n - FADE + lag) * sizeof *x);
    memcpy(x, faded, sizeof faded);
    return lag;
}

size_t lac_timescale_compress(float *x, size_t n, float likeness)
{
    float faded[FADE];
    size_t lag = find_lag(x, 1, likeness);
    if (lag == 0)
        return 0;
    fade(faded, x, x + lag);
    memmove(x, x + lag, (n - lag) * sizeof *x);
    memcpy(x, faded, sizeof faded);
    return lag;
}
