#include "metric.h"

#include "rvq.h"

static int16_t apply_row(const int16_t *a, const int16_t *z, size_t n)
{
    int32_t sum = LAC_METRIC_ONE / 2;
    for (size_t i = 0; i < n; i++)
        sum += a[i] * z[i];
    return lac_rvq_clamp(sum >= 0 ? sum / LAC_METRIC_ONE : -((LAC_METRIC_ONE - 1 - sum) / LAC_METRIC_ONE));
}

void lac_metric_apply(int16_t *out, const int16_t *metric, const int16_t *z, size_t rows, size_t dimension)
{
    for (size_t i = 0; i < rows; i++)
        for (size_t d = 0; d < dimension; d++)
            out[i * dimension + d] = apply_row(metric + d * dimension, z + i * dimension, dimension);
}
