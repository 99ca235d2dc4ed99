/* What a codec needs of its quantiser, whichever it is.
 *
 * Latents z [D] are int16 in -4095 .. 4095. A quantiser has stages, each of which turns what those before it left of a
 * latent into a token below `codewords`; every token stands for a word, and a latent is the sum of the words of its
 * first stages. All of it is exact in integers. */
#ifndef LAC_QUANT_QUANTISER_H
#define LAC_QUANT_QUANTISER_H

#include <stddef.h>
#include <stdint.h>

#include "metric.h"
#include "rfsq.h"
#include "rvq.h"

enum lac_quantiser_kind { LAC_QUANTISER_RVQ = 1, LAC_QUANTISER_RFSQ = 2 }; /* as in model files */

typedef struct lac_quantiser {
    enum lac_quantiser_kind kind;
    uint32_t stages, codewords, dimension; /* Q, K, D */
    lac_rvq rvq;                           /* of its kind, else zeros */
    lac_scores_fn *scores;                 /* for a beam, as lac_rvq_encode_beam takes it */
    lac_rfsq rfsq;                         /* of its kind, else zeros */
    const int16_t *metric;                 /* of an RVQ's search [D][D], or NULL */
    lac_rvq measured;                      /* with it: rvq, its codes after the metric */
} lac_quantiser;

/* z [rows][D] -> tokens [rows][Q]: of row i the first stages[i], zeros behind.
 *   beam      candidates that the search keeps, 1 (greedy) .. LAC_RVQ_MAX_BEAM; never further from z than greedy,
 *             by the metric if there is one
 *   residual  [rows][D], scratch */
void lac_quantiser_encode(const lac_quantiser *q, uint32_t beam, const int16_t *z, const uint32_t *stages, size_t rows,
                          uint16_t *tokens, int16_t *residual);

/* What greedy search leaves of z [rows][D] with 1, 2, .. `stages` codebooks: errors [rows][stages], squared distances,
 * by the metric if there is one. tokens [rows][Q]: those it takes, zeros behind. residual [rows][D], scratch. */
void lac_quantiser_errors(const lac_quantiser *q, uint32_t stages, const int16_t *z, size_t rows, uint16_t *tokens,
                          int16_t *residual, uint32_t *errors);

/* tokens [stages], each below K -> z [D]: the sum of their words, clamped once at the end. */
void lac_quantiser_decode(const lac_quantiser *q, const uint16_t *tokens, uint32_t stages, int16_t *z);

/* sum [D] grows by the word of a stage's token. */
void lac_quantiser_add(const lac_quantiser *q, uint32_t stage, uint32_t token, int32_t *sum);

#endif
