#include "rvq.h"

#include <string.h>

static inline int32_t dot(const int16_t *a, const int16_t *b, size_t n)
{
    int32_t s = 0;
    for (size_t i = 0; i < n; i++)
        s += a[i] * b[i];
    return s;
}

static inline int16_t clamp(int32_t v)
{
    v = v > LAC_RVQ_MAX ? LAC_RVQ_MAX : v;
    return (int16_t)(v < -LAC_RVQ_MAX ? -LAC_RVQ_MAX : v);
}

void lac_rvq_half_norms(int32_t *half_norm, const int16_t *codes, size_t count, size_t dimension)
{
    for (size_t k = 0; k < count; k++)
        half_norm[k] = dot(codes + k * dimension, codes + k * dimension, dimension) >> 1;
}

static inline size_t search(const int16_t *r, const int16_t *codes, const int32_t *half_norm, size_t count,
                            size_t dimension)
{
    size_t best = 0;
    int32_t best_score = INT32_MIN;
    for (size_t k = 0; k < count; k++) {
        int32_t score = dot(r, codes + k * dimension, dimension) - half_norm[k];
        if (score > best_score) {
            best_score = score;
            best = k;
        }
    }
    return best;
}

/* The usual dimension as a constant, which lets the compiler unroll the dot products. */
static size_t nearest(const int16_t *r, const int16_t *codes, const int32_t *half_norm, size_t count, size_t dimension)
{
    return dimension == LAC_RVQ_MAX_D ? search(r, codes, half_norm, count, LAC_RVQ_MAX_D)
                                      : search(r, codes, half_norm, count, dimension);
}

void lac_rvq_encode(const lac_rvq *q, const int16_t *z, uint32_t stages, uint16_t *tokens, int16_t *residual)
{
    size_t K = q->codewords, D = q->dimension;
    memcpy(residual, z, D * sizeof(*z));
    for (uint32_t s = 0; s < stages; s++) {
        const int16_t *codes = q->codes + s * K * D;
        size_t k = nearest(residual, codes, q->half_norm + s * K, K, D);
        tokens[s] = (uint16_t)k;
        for (size_t i = 0; i < D; i++)
            residual[i] = clamp(residual[i] - codes[k * D + i]);
    }
}

void lac_rvq_decode(const lac_rvq *q, const uint16_t *tokens, uint32_t stages, int16_t *z)
{
    int32_t sums[LAC_RVQ_MAX_D] = {0};
    size_t K = q->codewords, D = q->dimension;
    for (uint32_t s = 0; s < stages; s++) {
        const int16_t *code = q->codes + (s * K + tokens[s]) * D;
        for (size_t i = 0; i < D; i++)
            sums[i] += code[i];
    }
    for (size_t i = 0; i < D; i++)
        z[i] = clamp(sums[i]);
}
