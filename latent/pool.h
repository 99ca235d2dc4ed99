/* A stream's weighted mean and deviation, in sums of integers: neither order nor number loses anything. */
#ifndef LAC_LATENT_POOL_H
#define LAC_LATENT_POOL_H

#include <stdint.h>

#include "workspace.h"

/* Values are in units of 2^-24, and are kept within 2^34 of them: squares of a norm of up to
 * 1024 numbers are. int64 holds 2^29 rows, four months; rows behind are not counted. */
#define LAC_POOL_ONE 16777216.0f
#define LAC_POOL_ROWS (UINT64_C(1) << 29)

typedef struct lac_pool {
    int64_t *sums; /* weights; weighted values [width]; weighted squares [width] */
    size_t width;
    uint64_t rows;
} lac_pool;

void lac_pool_init(lac_pool *p, lac_workspace *w, size_t width);
void lac_pool_reset(lac_pool *p);

/* x [width] with a weight, 0 .. 1. */
void lac_pool_add(lac_pool *p, const float *x, float weight);

/* Mean, then deviation: out [2][width]. */
void lac_pool_get(const lac_pool *p, float *out);

/* Sum of weights. */
float lac_pool_weight(const lac_pool *p);

/* v in units of 2^-24, halves away from zero; kept within +-2^34 of them, and 0 for what is not a number. */
int64_t lac_pool_fixed(float v);

#endif
