#include "periods.h"

#include "fmath.h"
#include "lac/pitch.h"

#define THIN 3                  /* of the first, coarse look: every third sample, 8 kHz */
#define THIN_SPAN (LAC_PERIODS_SPAN / THIN)
#define WINDOW 624              /* samples, 26 ms: 39 times LAC_LANES, 13 times when thinned */
#define LAG_MIN 40              /* samples, 600 Hz */
#define LAG_MAX 480             /* 50 Hz */
#define COARSE_MIN (LAG_MIN / THIN)
#define COARSE_MAX (LAG_MAX / THIN)
#define SILENCE 2e-8f           /* of a difference of two samples: power at -80 dB has no period */
#define HOPELESS 0.8f           /* normalised difference beyond which no minimum counts */
#define STEPS 3                 /* samples that a coarse minimum may be off */
#define LEAST 0.01f             /* share of the thresholds below the deepest minimum that take it all the same */

/* Sum over the window of (x[n] - x[n + lag])^2, both centred on x[centre]. */
static float difference(const float *x, size_t centre, size_t window, size_t lag)
{
    const float *a = x + centre - window / 2 - lag / 2, *b = a + lag;
    float lanes[LAC_LANES] = {0};
    for (size_t n = 0; n < window; n += LAC_LANES)
        for (size_t i = 0; i < LAC_LANES; i++) {
            float d = a[n + i] - b[n + i];
            lanes[i] += d * d;
        }
    return lac_reduce16(lanes);
}

/* thin [THIN_SPAN] -> normalised difference at lags 1 .. COARSE_MAX + 1, and the mean difference up to each. */
static void measure_coarse(const float *thin, float *normal, float *mean)
{
    float sum = 0;
    for (size_t lag = 1; lag <= COARSE_MAX + 1; lag++) {
        float d = difference(thin, LAC_PERIODS_CENTRE / THIN, WINDOW / THIN, lag) + SILENCE * (WINDOW / THIN);
        sum += d;
        mean[lag] = sum / (float)lag;
        normal[lag] = d / mean[lag];
    }
}

/* Vertex of the parabola through three equally spaced points with the least in the middle: where, -0.5 .. 0.5. */
static float vertex(float left, float middle, float right, float *least)
{
    float bend = left - 2 * middle + right;
    float at = bend > 0 ? 0.5f * (left - right) / bend : 0;
    *least = middle - 0.25f * (left - right) * at;
    return at;
}

/* The minimum near `lag`, sought among all samples: its period in samples and its difference. */
static float refine(const float *low, size_t lag, float *least)
{
    float d[3];
    for (size_t i = 0; i < 3; i++)
        d[i] = difference(low, LAC_PERIODS_CENTRE, WINDOW, lag - 1 + i);
    for (size_t step = 0; step < STEPS && d[0] < d[1]; step++, lag--) {
        d[2] = d[1];
        d[1] = d[0];
        d[0] = difference(low, LAC_PERIODS_CENTRE, WINDOW, lag - 2);
    }
    for (size_t step = 0; step < STEPS && d[2] < d[1]; step++, lag++) {
        d[0] = d[1];
        d[1] = d[2];
        d[2] = difference(low, LAC_PERIODS_CENTRE, WINDOW, lag + 2);
    }
    return (float)lag + vertex(d[0], d[1], d[2], least);
}

/* Share of the thresholds above x, 0 .. 1, of beta distributions with parameters 2 and 18: which period. */
static float thresholds_above(float x)
{
    float y = 1 - x, y2 = y * y, y4 = y2 * y2, y8 = y4 * y4;
    return y8 * y8 * y2 * (1 + 18 * x);
}

/* With parameters 2 and 8: whether any. */
static float voiced_below(float x)
{
    float y = 1 - x, y2 = y * y, y4 = y2 * y2;
    return y4 * y4 * (1 + 8 * x);
}

/* Put a period behind the others; if there is no room, in place of the lightest if that is lighter. */
static size_t keep(lac_period *periods, size_t count, lac_period p)
{
    if (count == LAC_PERIODS_MAX) {
        size_t lightest = 0;
        for (size_t i = 1; i < count; i++)
            if (periods[i].weight < periods[lightest].weight)
                lightest = i;
        if (periods[lightest].weight >= p.weight)
            return count;
        for (size_t i = lightest; i + 1 < count; i++)
            periods[i] = periods[i + 1];
        count--;
    }
    periods[count] = p;
    return count + 1;
}

size_t lac_periods_find(const float *low, lac_period *periods)
{
    float thin[THIN_SPAN], normal[COARSE_MAX + 2], mean[COARSE_MAX + 2];
    for (size_t n = 0; n < THIN_SPAN; n++)
        thin[n] = low[THIN * n];
    measure_coarse(thin, normal, mean);
    size_t count = 0;
    float deepest = 1;
    for (size_t lag = COARSE_MIN; lag <= COARSE_MAX; lag++) {
        if (normal[lag] > HOPELESS || normal[lag] > normal[lag - 1] || normal[lag] >= normal[lag + 1])
            continue;
        float d, at = vertex(normal[lag - 1], normal[lag], normal[lag + 1], &d);
        float period = refine(low, (size_t)(THIN * ((float)lag + at) + 0.5f), &d);
        d = (d + SILENCE * WINDOW) / (THIN * mean[lag]);
        d = d > 0 ? d : 0;
        if (d >= deepest || period < LAG_MIN || period > LAG_MAX)
            continue;
        float hz = LAC_PITCH_RATE / period;
        float weight = thresholds_above(d) - thresholds_above(deepest);
        count = keep(periods, count, (lac_period){hz, lac_logf(hz) * 1.44269504f, weight});
        deepest = d;
    }
    if (count == 0)
        return 0;
    periods[count - 1].weight += LEAST * (1 - thresholds_above(deepest));
    float sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += periods[i].weight;
    for (size_t i = 0; i < count; i++)
        periods[i].weight *= voiced_below(deepest) / sum;
    return count;
}
