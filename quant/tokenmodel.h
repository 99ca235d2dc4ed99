/* How likely each token is, learnt while tokens are coded: an adaptive model in integers, the same on every
 * machine.
 *
 * A token is coded as the bits of its leaf in a binary tree, from the top. Each bit's probability is mixed in the
 * logistic domain from counts in several contexts (Mahoney, "Adaptive weighing of context models for lossless data
 * compression", 2005: the mixer of lpaq1): the stage alone; with the class of its token in the frame before, of the
 * stage below, and of stage 0; whether the token is going to be that of the frame before. doc/entropy.md has the
 * arithmetic.
 *
 * Encoder and decoder make the same calls in the same order. A model is one stream's state,
 * used by one thread at a time. Nothing here fails or allocates once the model is laid out. */
#ifndef LAC_QUANT_TOKENMODEL_H
#define LAC_QUANT_TOKENMODEL_H

#include <stdint.h>

#include "rangecoder.h"
#include "workspace.h"

#define LAC_TOKEN_MAX_CODEWORDS 4096
#define LAC_TOKEN_SLOTS 2048  /* counts of a stage in a context that is hashed: enough for pages of 64 frames */
#define LAC_TOKEN_HASHED 4    /* such contexts */
#define LAC_TOKEN_INPUTS 5    /* of a mixer: those, and the frame before's token */
#define LAC_TOKEN_MAX_BITS 12

/* All zeros: nothing seen. */
typedef struct lac_token_count {
    int16_t chance; /* of a 1, in 2^-16, less a half */
    uint8_t seen;   /* times, up to a limit */
    uint8_t tag;    /* which of the nodes that share the place */
} lac_token_count;

/* What a stage has learnt since the last reset. */
typedef struct lac_token_stage {
    lac_token_count hashed[LAC_TOKEN_HASHED][LAC_TOKEN_SLOTS]; /* alone; frame before; stage below; stage 0 */
    lac_token_count same[2][LAC_TOKEN_MAX_BITS][2]; /* stage below: new, as before; depth; bit before */
    int32_t learnt[LAC_TOKEN_MAX_BITS][LAC_TOKEN_INPUTS]; /* weights by depth, less the initial ones, 2^-16 */
    uint32_t last, before; /* leaf + 1 of the newest token, and of the one before; 0: none */
} lac_token_stage;

typedef struct lac_tokenmodel {
    uint32_t stages, codewords, bits;
    const uint16_t *leaf_of; /* [stages][codewords] or NULL */
    uint16_t *token_at;      /* its inverse [stages][codewords], or NULL */
    int16_t *stretch;        /* [4096]: ln(p / (1 - p)) in 2^-8, by the upper 12 bits of p */
    lac_token_stage *stage;  /* [stages] */
} lac_tokenmodel;

/* Take a model's memory from w. stages >= 1, codewords 2 .. LAC_TOKEN_MAX_CODEWORDS. leaf_of: a permutation of 0 ..
 * codewords - 1 for each stage that puts similar codewords near each other, read as long as the model is used; or
 * NULL: each token is its own leaf. */
void lac_tokenmodel_init(lac_tokenmodel *m, lac_workspace *w, uint32_t stages, uint32_t codewords,
                         const uint16_t *leaf_of);

/* Forget everything: the state after init. */
void lac_tokenmodel_reset(lac_tokenmodel *m);

/* Code the next token of a stage and learn from it. Stages of a frame come in order from 0; upper ones may be
 * missing, and count as unchanged. Any bytes decode to tokens below codewords. */
void lac_tokenmodel_encode(lac_tokenmodel *m, lac_range_encoder *e, uint32_t stage, uint32_t token);
uint32_t lac_tokenmodel_decode(lac_tokenmodel *m, lac_range_decoder *d, uint32_t stage);

#endif
