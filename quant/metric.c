#include "metric.h"

#include "divide.h"
#include "rvq.h"

#define USUAL_DIMENSION 64 /* as a constant, which lets the compiler use vectors */

static inline int16_t apply_row(const int16_t *a, const int16_t *z, size_t n)
{
    int32_t sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += a[i] * z[i];
    return lac_rvq_clamp((int32_t)lac_floor_divide(sum + LAC_METRIC_ONE / 2, LAC_METRIC_ONE));
}

void lac_metric_apply(int16_t *restrict out, const int16_t *metric, const int16_t *z, size_t rows, size_t dimension)
{
    for (size_t i = 0; i < rows; i++, out += dimension, z += dimension)
        for (size_t d = 0; d < dimension; d++)
            out[d] = dimension == USUAL_DIMENSION ? apply_row(metric + d * USUAL_DIMENSION, z, USUAL_DIMENSION)
                                                  : apply_row(metric + d * dimension, z, dimension);
}
