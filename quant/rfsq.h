/* Residual finite scalar quantiser in integers: each stage projects what is left of a latent to a few numbers,
 * quantises each to a few levels (fsq.h) by thresholds, and subtracts what these stand for. No codebook is stored.
 *
 * Latents and residuals are int16 in -4095 .. 4095, as in rvq.h. Of dimension j of a stage:
 *   projection  p_j = sum(into[j] * residual), exact in int32
 *   level       how many of the L_j - 1 thresholds are not above p_j
 * The token is the index of the levels (lac_fsq_index). Its word is bias + sum_j(level_j * back[j]); the residual less
 * the word is clamped to -4095 .. 4095. */
#ifndef LAC_QUANT_RFSQ_H
#define LAC_QUANT_RFSQ_H

#include <stddef.h>
#include <stdint.h>

#include "fsq.h"
#include "rvq.h"

#define LAC_RFSQ_MAX_CODEWORDS 4096 /* so at most 12 dimensions */
#define LAC_RFSQ_MAX_DIMENSIONS 12
#define LAC_RFSQ_THRESHOLD_ONE 1048576.0f

typedef struct lac_rfsq {
    uint32_t stages, dimension; /* Q, D */
    lac_fsq fsq;                /* d and the levels, of every stage */
    uint32_t slots;             /* the largest L - 1 */
    const int16_t *into;        /* [Q][d][D], -4095 .. 4095 as the other int16 */
    const int32_t *thresholds;  /* [Q][d][slots]: L - 1 of them, never descending */
    const int16_t *back;        /* [Q][d][D]: a level's step */
    const int16_t *bias;        /* [Q][D]: the word of token 0 */
} lac_rfsq;

/* A threshold from a model file or a fit, |value| <= 1000, in LAC_RFSQ_THRESHOLD_ONE; cut towards 0. */
static inline int32_t lac_rfsq_threshold(float value)
{
    return (int32_t)(value * LAC_RFSQ_THRESHOLD_ONE);
}

/* z [rows][D] -> tokens [rows][Q], greedy: of row i the first stages[i], zeros behind. residual [rows][D] is scratch
 * and ends as what is left. */
void lac_rfsq_encode(const lac_rfsq *q, const int16_t *z, const uint32_t *stages, size_t rows, uint16_t *tokens,
                     int16_t *residual);

/* M-best search: z [rows][D] -> tokens [rows][Q], of row i the first stages[i], zeros behind.
 *
 * Each stage tries, for every candidate, both of the two levels nearest to each projection, the greedy one and that
 * beyond the nearer threshold (the lower among equally near ones), in all combinations. It keeps the best `width` of
 * all, 2 .. LAC_RVQ_MAX_BEAM: those with the least squared residual, among equals the lexically lower tokens. What
 * follows is as in lac_rvq_encode_beam: what greedy search would choose always stays, and of the last stage's
 * candidates the one wins that decodes nearest to z, among equals the lexically lowest; so a row is never further from
 * z than greedy search leaves it, all its stages counted. */
void lac_rfsq_encode_beam(const lac_rfsq *q, uint32_t width, const int16_t *z, const uint32_t *stages, size_t rows,
                          uint16_t *tokens);

/* tokens [stages], each below K -> z [D]: the sum of the words, clamped once at the end. */
void lac_rfsq_decode(const lac_rfsq *q, const uint16_t *tokens, uint32_t stages, int16_t *z);

/* sum [D] grows by the word of a stage's token, each element by at most 4095 * (1 + d * (L - 1)). */
void lac_rfsq_add(const lac_rfsq *q, uint32_t stage, uint32_t token, int32_t *sum);

#endif
