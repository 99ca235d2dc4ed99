#include "rvq.h"

#include <string.h>

#define ROWS 64 /* searched for together */

static inline int32_t dot(const int16_t *a, const int16_t *b, size_t n)
{
    int32_t s = 0;
    for (size_t i = 0; i < n; i++)
        s += a[i] * b[i];
    return s;
}

void lac_rvq_half_norms(int32_t *half_norm, const int16_t *codes, size_t count, size_t dimension)
{
    for (size_t k = 0; k < count; k++)
        half_norm[k] = dot(codes + k * dimension, codes + k * dimension, dimension) >> 1;
}

lac_codebook lac_rvq_book(const lac_rvq *q, size_t stage, size_t first, size_t count)
{
    size_t K = q->codewords, D = q->dimension, at = stage * K + first;
    size_t panels = (K + LAC_CODE_PANEL - 1) / LAC_CODE_PANEL * stage + first / LAC_CODE_PANEL;
    lac_codebook book = {(uint32_t)count, q->dimension, q->codes + at * D, q->half_norm + at, q->packed};
    if (q->packed)
        book.packed += panels * lac_codebook_panel_bytes(D);
    return book;
}

/* At most ROWS rows. */
static void encode_rows(const lac_rvq *q, const uint32_t *stages, size_t rows, uint16_t *tokens, int16_t *residual)
{
    size_t D = q->dimension;
    for (uint32_t s = 0; s < q->stages; s++) {
        size_t which[ROWS], count = 0;
        const int16_t *r[ROWS];
        uint16_t nearest[ROWS];
        for (size_t i = 0; i < rows; i++)
            if (s < stages[i]) {
                r[count] = residual + i * D;
                which[count++] = i;
            }
        lac_codebook book = lac_rvq_book(q, s, 0, q->codewords);
        (q->packed ? q->nearest : lac_nearest_c)(nearest, r, count, &book);
        for (size_t i = 0; i < count; i++) {
            const int16_t *code = q->codes + (s * (size_t)q->codewords + nearest[i]) * D;
            int16_t *left = residual + which[i] * D;
            tokens[which[i] * q->stages + s] = nearest[i];
            for (size_t d = 0; d < D; d++)
                left[d] = lac_rvq_clamp(left[d] - code[d]);
        }
    }
}

void lac_rvq_encode(const lac_rvq *q, const int16_t *z, const uint32_t *stages, size_t rows, uint16_t *tokens,
                    int16_t *residual)
{
    if (residual != z)
        memcpy(residual, z, rows * q->dimension * sizeof *z);
    memset(tokens, 0, rows * q->stages * sizeof *tokens);
    for (size_t i = 0, n; i < rows; i += n) {
        n = rows - i < ROWS ? rows - i : ROWS;
        encode_rows(q, stages + i, n, tokens + i * q->stages, residual + i * q->dimension);
    }
}

void lac_rvq_decode(const lac_rvq *q, const uint16_t *tokens, uint32_t stages, int16_t *z)
{
    int32_t sums[LAC_RVQ_MAX_D] = {0};
    size_t K = q->codewords, D = q->dimension;
    for (uint32_t s = 0; s < stages; s++) {
        int16_t code[LAC_RVQ_MAX_D] = {0}; /* of constant length: faster */
        memcpy(code, q->codes + (s * K + tokens[s]) * D, D * sizeof *code);
        for (size_t i = 0; i < LAC_RVQ_MAX_D; i++)
            sums[i] += code[i];
    }
    for (size_t i = 0; i < D; i++)
        z[i] = lac_rvq_clamp(sums[i]);
}
