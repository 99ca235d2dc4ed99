#include "rvq.h"

#include <string.h>

#define ROWS 64 /* searched for together */
#define PART 64 /* codewords that the first cache holds beside the rows */

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

typedef struct nearest {
    int32_t score;
    uint32_t index;
} nearest;

/* Codewords first .. end - 1 against row r. */
static inline nearest search(nearest best, const int16_t *r, const int16_t *codes, const int32_t *half_norm,
                             size_t first, size_t end, size_t dimension)
{
    for (size_t k = first; k < end; k++) {
        int32_t score = dot(r, codes + k * dimension, dimension) - half_norm[k];
        if (score > best.score)
            best = (nearest){score, (uint32_t)k};
    }
    return best;
}

/* One stage of `count` rows: those of r [rows][D] that `which` names. Part by part, so that the codewords of a part
 * stay in the cache for all rows; the usual dimension as a constant, which lets the compiler unroll. */
static void search_rows(const lac_rvq *q, size_t stage, const int16_t *r, const uint8_t *which, size_t count,
                        nearest *best)
{
    size_t K = q->codewords, D = q->dimension;
    const int16_t *codes = q->codes + stage * K * D;
    const int32_t *half_norm = q->half_norm + stage * K;
    for (size_t i = 0; i < count; i++)
        best[i] = (nearest){INT32_MIN, 0};
    for (size_t first = 0; first < K; first += PART) {
        size_t end = first + PART < K ? first + PART : K;
        for (size_t i = 0; i < count; i++)
            best[i] = D == LAC_RVQ_MAX_D ? search(best[i], r + which[i] * D, codes, half_norm, first, end, LAC_RVQ_MAX_D)
                                         : search(best[i], r + which[i] * D, codes, half_norm, first, end, D);
    }
}

/* At most ROWS rows. */
static void encode_rows(const lac_rvq *q, const uint32_t *stages, size_t rows, uint16_t *tokens, int16_t *residual)
{
    size_t D = q->dimension;
    for (uint32_t s = 0; s < q->stages; s++) {
        uint8_t which[ROWS];
        nearest best[ROWS];
        size_t count = 0;
        for (size_t i = 0; i < rows; i++)
            if (s < stages[i])
                which[count++] = (uint8_t)i;
        search_rows(q, s, residual, which, count, best);
        for (size_t i = 0; i < count; i++) {
            const int16_t *code = q->codes + (s * (size_t)q->codewords + best[i].index) * D;
            int16_t *r = residual + which[i] * D;
            tokens[which[i] * q->stages + s] = (uint16_t)best[i].index;
            for (size_t d = 0; d < D; d++)
                r[d] = clamp(r[d] - code[d]);
        }
    }
}

void lac_rvq_encode(const lac_rvq *q, const int16_t *z, const uint32_t *stages, size_t rows, uint16_t *tokens,
                    int16_t *residual)
{
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
        const int16_t *code = q->codes + (s * K + tokens[s]) * D;
        for (size_t i = 0; i < D; i++)
            sums[i] += code[i];
    }
    for (size_t i = 0; i < D; i++)
        z[i] = clamp(sums[i]);
}
