#include "quantiser.h"

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
