/* How likely each token is, by a small recurrent network that comes with a model: integers from tokens to
 * frequencies, so the same on every machine. doc/entropy.md, "The prior", has the arithmetic.
 *
 * Once a frame a gated unit (Ravanelli et al., "Light gated recurrent units for speech recognition", 2018) takes in
 * the last frame's latent. A token of a stage is coded as two symbols, given that state and the sum of the frame's
 * words below: the class of its leaf, and which member of the class it is. So it takes 2 sqrt(K) outputs, not K.
 *
 * Encoder and decoder make the same calls in the same order. A prior is constant and may be shared by threads; a
 * state is one channel's, used by one thread at a time. Nothing here allocates once a prior is laid out. */
#ifndef LAC_QUANT_PRIOR_H
#define LAC_QUANT_PRIOR_H

#include <stdint.h>

#include "kernels.h"
#include "quantiser.h"
#include "rangecoder.h"
#include "workspace.h"

#define LAC_PRIOR_BITS 15         /* of the frequencies' total */
#define LAC_PRIOR_MAX_WIDTH 512   /* H, E */
#define LAC_PRIOR_MAX_SYMBOLS 128 /* C, M */
#define LAC_PRIOR_POWERS 4096     /* entries of the tables */

typedef struct lac_prior_sizes {
    uint32_t latent, stages, codewords; /* D, Q, K: the quantiser's */
    uint32_t state, width;              /* H, E: 1 .. LAC_PRIOR_MAX_WIDTH */
    uint32_t classes, members;          /* C = ceil(K / M), M: 1 .. LAC_PRIOR_MAX_SYMBOLS */
} lac_prior_sizes;

/* Two matrices [N][..] of int8 whose products add, in 2^-32 of 1/256. */
typedef struct lac_prior_pair {
    lac_linear first, second;
    const int32_t *multiplier; /* [2][N], >= 0 */
    const int32_t *bias;       /* [N], within +-2^20 */
} lac_prior_pair;

/* A matrix whose products are logits. */
typedef struct lac_prior_logits {
    lac_linear product;
    const int32_t *multiplier, *bias; /* [N] */
} lac_prior_logits;

typedef struct lac_prior_stage {
    const uint16_t *leaf_of;  /* [K], a permutation: leaf = class * M + member */
    lac_prior_pair hidden;    /* of state and partial sum; N = E */
    lac_prior_logits classes; /* N = C */
    lac_prior_logits members; /* N = K, by leaf */
} lac_prior_stage;

/* What a model file holds; pointers lead into it. */
typedef struct lac_prior_weights {
    lac_prior_sizes sizes;
    lac_prior_pair cell; /* of latent and state; N = 2H: gates, then candidates; bias [Q][2H] by codebooks - 1 */
    lac_prior_stage stage[LAC_RVQ_MAX_STAGES];
} lac_prior_weights;

typedef struct lac_prior {
    lac_prior_weights weights; /* with what the kernels read packed */
    lac_dot_s16s8_fn *dot;
    lac_scale_sums_fn *scale;
    uint16_t *token_at;        /* [Q][K]: the token of a leaf */
    int16_t *sigmoid, *tanh;   /* [LAC_PRIOR_POWERS], of -8 .. 8 in 1/256, one = 4096 */
    uint16_t *power;           /* [LAC_PRIOR_POWERS]: 65535 exp(-d / 256) */
} lac_prior;

/* Take a prior's memory from w and fill it; it keeps the pointers in `weights`, which were checked. */
void lac_prior_init(lac_prior *p, lac_workspace *w, const lac_prior_weights *weights, const lac_kernels *kernels);

/* Multiply-accumulates of a frame of all Q codebooks. */
uint64_t lac_prior_macs(const lac_prior_weights *weights);

/* What one channel's frames so far have come to. */
typedef struct lac_prior_state {
    const lac_prior *prior;
    const lac_quantiser *quantiser;
    struct lac_prior_memory {
        int16_t state[LAC_PRIOR_MAX_WIDTH]; /* one = 4096 */
        int16_t latent[LAC_RVQ_MAX_D];      /* of the last frame */
        int32_t sum[LAC_RVQ_MAX_D];         /* of this frame's words so far */
    } memory;
} lac_prior_state;

/* A state that has seen nothing. Prior and quantiser are kept. */
void lac_prior_state_init(lac_prior_state *s, const lac_prior *prior, const lac_quantiser *quantiser);

/* Forget everything: the state after init. */
void lac_prior_reset(lac_prior_state *s);

/* Before a frame's tokens: how many codebooks it has, 0 (a lost frame: the state stays) .. Q. */
void lac_prior_frame(lac_prior_state *s, uint32_t codebooks);

/* The frame's tokens, stages in order from 0 to codebooks - 1. Any bytes decode to tokens below K. */
void lac_prior_encode(lac_prior_state *s, lac_range_encoder *e, uint32_t stage, uint32_t token);
uint32_t lac_prior_decode(lac_prior_state *s, lac_range_decoder *d, uint32_t stage);

/* A stage that is not coded here: both sides know its token. */
void lac_prior_known(lac_prior_state *s, uint32_t stage, uint32_t token);

/* After a frame's tokens. */
void lac_prior_done(lac_prior_state *s);

/* logits [n] in 1/256, n in 1 .. LAC_PRIOR_MAX_SYMBOLS -> frequencies, each at least 1, which add up to
 * 2^LAC_PRIOR_BITS. */
void lac_prior_frequencies(const lac_prior *p, const int32_t *logits, uint32_t n, uint16_t *frequencies);

#endif
