/* Residual vector quantiser in integers (SoundStream, arXiv 2107.03312, section III-C).
 *
 * Latents, codewords and residuals are int16 in -4095 .. 4095 (fixed point; the caller knows the scale). A stage takes
 * the codeword with the largest  sum(r * c) - half_norm(c), the lowest index among equals; sums are exact in int32 for
 * D <= 64. The residual is clamped to -4095 .. 4095 after each stage. */
#ifndef LAC_QUANT_RVQ_H
#define LAC_QUANT_RVQ_H

#include <stddef.h>
#include <stdint.h>

#include "kernels.h"

#define LAC_RVQ_MAX 4095
#define LAC_RVQ_MAX_D 64
#define LAC_RVQ_MAX_STAGES 32
#define LAC_RVQ_MAX_BEAM 16

typedef struct lac_rvq {
    uint32_t stages, codewords, dimension; /* Q, K, D */
    const int16_t *codes;                  /* [Q][K][D] */
    const int32_t *half_norm;              /* [Q][K] */
    const uint8_t *packed;                 /* [Q] books by lac_codebook_pack for `nearest`, or NULL: then it is */
    lac_nearest_fn *nearest;               /* lac_nearest_c */
} lac_rvq;

static inline int16_t lac_rvq_clamp(int32_t v)
{
    v = v > LAC_RVQ_MAX ? LAC_RVQ_MAX : v;
    return (int16_t)(v < -LAC_RVQ_MAX ? -LAC_RVQ_MAX : v);
}

/* half_norm[k] = sum(code[k]^2) >> 1.  codes [count][D]. */
void lac_rvq_half_norms(int32_t *half_norm, const int16_t *codes, size_t count, size_t dimension);

/* `count` codewords of a stage from `first` on, a multiple of LAC_CODE_PANEL. */
lac_codebook lac_rvq_book(const lac_rvq *q, size_t stage, size_t first, size_t count);

/* z [rows][D] -> tokens [rows][q->stages], greedy: of row i the first stages[i], zeros behind. residual [rows][D] is
 * scratch, or z itself, and ends as what is left. Codewords are read once for many rows. */
void lac_rvq_encode(const lac_rvq *q, const int16_t *z, const uint32_t *stages, size_t rows, uint16_t *tokens,
                    int16_t *residual);

/* M-best search: z [rows][D] -> tokens [rows][q->stages], of row i the first stages[i], zeros behind.
 *
 * Each stage tries every codeword on every candidate and keeps the best `width` of all, 2 .. LAC_RVQ_MAX_BEAM:
 * those with the largest  sum(r * c) - half_norm(c) - floor(sum(r^2) / 2),  minus half the squared distance that
 * would be left, among equals the lexically lower tokens. What greedy search would choose always stays, in place of
 * the last if need be. Of the last stage's candidates the one wins whose decoded values have the least squared
 * distance from z, among equals the lexically lowest tokens; so a row is never further from z than greedy search
 * leaves it. That is said of all its stages: decoded from fewer, it may be.
 *   scores  for q->packed, or NULL with it: then it is lac_scores_c */
void lac_rvq_encode_beam(const lac_rvq *q, lac_scores_fn *scores, uint32_t width, const int16_t *z,
                         const uint32_t *stages, size_t rows, uint16_t *tokens);

/* tokens [stages], each below K -> z [D]: the sum of the codewords, clamped once at the end. */
void lac_rvq_decode(const lac_rvq *q, const uint16_t *tokens, uint32_t stages, int16_t *z);

#endif
