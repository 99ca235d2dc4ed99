#include "pool.h"

#include <math.h>
#include <string.h>

#define LEAST 1e-4 /* weight, variance */

void lac_pool_init(lac_pool *p, lac_workspace *w, size_t width)
{
    *p = (lac_pool){.width = width};
    p->sums = lac_workspace_take(w, 1 + 2 * width, sizeof *p->sums);
}

void lac_pool_reset(lac_pool *p)
{
    memset(p->sums, 0, (1 + 2 * p->width) * sizeof *p->sums);
    p->rows = 0;
}

int64_t lac_pool_fixed(float v)
{
    const float most = 17179869184.0f; /* 2^34 */
    float x = v * LAC_POOL_ONE;
    if (!(x < most))
        x = x >= most ? most : 0;
    if (!(x > -most))
        x = -most;
    return (int64_t)(x < 0 ? x - 0.5f : x + 0.5f);
}

void lac_pool_add(lac_pool *p, const float *x, float weight)
{
    if (p->rows == LAC_POOL_ROWS)
        return;
    p->rows++;
    p->sums[0] += lac_pool_fixed(weight);
    for (size_t i = 0; i < p->width; i++) {
        float v = weight * x[i];
        p->sums[1 + i] += lac_pool_fixed(v);
        p->sums[1 + p->width + i] += lac_pool_fixed(v * x[i]);
    }
}

float lac_pool_weight(const lac_pool *p)
{
    return (float)((double)p->sums[0] / (double)LAC_POOL_ONE);
}

void lac_pool_get(const lac_pool *p, float *out)
{
    double one = (double)LAC_POOL_ONE, n = (double)p->sums[0] / one + LEAST;
    for (size_t i = 0; i < p->width; i++) {
        double mean = (double)p->sums[1 + i] / one / n;
        double variance = (double)p->sums[1 + p->width + i] / one / n - mean * mean;
        out[i] = (float)mean;
        out[p->width + i] = sqrtf((float)(variance > LEAST ? variance : LEAST));
    }
}
