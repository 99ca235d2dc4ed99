#include "quantiser.h"

#include <string.h>

#define ROWS 64 /* whose errors are worked out together */

void lac_quantiser_encode(const lac_quantiser *q, uint32_t beam, const int16_t *z, const uint32_t *stages, size_t rows,
                          uint16_t *tokens, int16_t *residual)
{
    const lac_rvq *rvq = q->metric ? &q->measured : &q->rvq;
    if (q->metric) {
        lac_metric_apply(residual, q->metric, z, rows, q->dimension);
        z = residual;
    }
    if (q->kind == LAC_QUANTISER_RFSQ && beam <= 1)
        lac_rfsq_encode(&q->rfsq, z, stages, rows, tokens, residual);
    else if (q->kind == LAC_QUANTISER_RFSQ)
        lac_rfsq_encode_beam(&q->rfsq, beam, z, stages, rows, tokens);
    else if (beam <= 1)
        lac_rvq_encode(rvq, z, stages, rows, tokens, residual);
    else
        lac_rvq_encode_beam(rvq, q->scores, beam, z, stages, rows, tokens);
}

/* left [D] less the word that a stage's token stands for in the search. */
static void take_word(const lac_quantiser *q, uint32_t stage, uint32_t token, int16_t *left)
{
    int32_t word[LAC_RVQ_MAX_D] = {0};
    if (q->metric)
        for (size_t d = 0; d < q->dimension; d++)
            word[d] = q->measured.codes[((size_t)stage * q->codewords + token) * q->dimension + d];
    else
        lac_quantiser_add(q, stage, token, word);
    for (size_t d = 0; d < q->dimension; d++)
        left[d] = lac_rvq_clamp(left[d] - word[d]);
}

static uint32_t squared(const int16_t *left, size_t dimension)
{
    uint32_t sum = 0;
    for (size_t d = 0; d < dimension; d++)
        sum += (uint32_t)(left[d] * left[d]);
    return sum;
}

void lac_quantiser_errors(const lac_quantiser *q, uint32_t stages, const int16_t *z, size_t rows, uint16_t *tokens,
                          int16_t *residual, uint32_t *errors)
{
    uint32_t all[ROWS];
    for (size_t i = 0; i < ROWS; i++)
        all[i] = stages;
    for (size_t i = 0, n; i < rows; i += n) {
        n = rows - i < ROWS ? rows - i : ROWS;
        lac_quantiser_encode(q, 1, z + i * q->dimension, all, n, tokens + i * q->stages, residual + i * q->dimension);
    }
    if (q->metric)
        lac_metric_apply(residual, q->metric, z, rows, q->dimension);
    else
        memcpy(residual, z, rows * q->dimension * sizeof *z);
    for (size_t i = 0; i < rows; i++)
        for (uint32_t s = 0; s < stages; s++) {
            take_word(q, s, tokens[i * q->stages + s], residual + i * q->dimension);
            errors[i * stages + s] = squared(residual + i * q->dimension, q->dimension);
        }
}

void lac_quantiser_decode(const lac_quantiser *q, const uint16_t *tokens, uint32_t stages, int16_t *z)
{
    if (q->kind == LAC_QUANTISER_RFSQ)
        lac_rfsq_decode(&q->rfsq, tokens, stages, z);
    else
        lac_rvq_decode(&q->rvq, tokens, stages, z);
}

void lac_quantiser_add(const lac_quantiser *q, uint32_t stage, uint32_t token, int32_t *sum)
{
    if (q->kind == LAC_QUANTISER_RFSQ) {
        lac_rfsq_add(&q->rfsq, stage, token, sum);
        return;
    }
    const int16_t *word = q->rvq.codes + ((size_t)stage * q->codewords + token) * q->dimension;
    for (size_t i = 0; i < q->dimension; i++)
        sum[i] += word[i];
}
