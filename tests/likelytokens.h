/* Tokens that a model's prior thinks likely. Coded by a prior of random numbers, others only get longer. */
#ifndef LAC_TESTS_LIKELYTOKENS_H
#define LAC_TESTS_LIKELYTOKENS_H

#include "weights.h"

/* The cheapest token of a stage; the state goes on with it. */
static inline uint16_t likely_token(lac_prior_state *s, uint32_t stage)
{
    uint64_t least = UINT64_MAX;
    uint16_t best = 0;
    lac_prior_state start = *s;
    for (uint32_t token = 0; token < s->prior->weights.sizes.codewords; token++) {
        lac_range_encoder e;
        lac_range_encoder_init(&e, NULL, 0);
        *s = start;
        lac_prior_encode(s, &e, stage, token);
        if (lac_range_encoder_cost(&e) < least) {
            least = lac_range_encoder_cost(&e);
            best = (uint16_t)token;
        }
    }
    *s = start;
    lac_prior_known(s, stage, best);
    return best;
}

/* rows [frames][Q]: likely in packets of `together` frames whose layers have `layer` codebooks. */
static inline void likely_tokens(const lac_model *m, uint16_t *rows, size_t frames, size_t together, uint32_t layer)
{
    uint32_t Q = m->info.codebooks;
    lac_prior_state s;
    for (uint32_t first = 0; first < Q; first += layer) {
        uint32_t end = first + layer < Q ? first + layer : Q;
        for (size_t i = 0; i < frames; i++) {
            if (i % together == 0)
                lac_prior_state_init(&s, m->prior, &m->quantiser);
            lac_prior_frame(&s, end);
            for (uint32_t q = 0; q < first; q++)
                lac_prior_known(&s, q, rows[i * Q + q]);
            for (uint32_t q = first; q < end; q++)
                rows[i * Q + q] = likely_token(&s, q);
            lac_prior_done(&s);
        }
    }
}

#endif
