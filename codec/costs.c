#include "costs.h"

static void tell(const lac_profile *profile, const char *layer, uint64_t macs, uint64_t weight_bytes)
{
    if (profile->layer_done)
        profile->layer_done(profile->user, layer, macs, weight_bytes);
}

/* Weights of one byte; scale and bias. */
static uint64_t linear_bytes(const lac_linear *l)
{
    return lac_linear_macs(l) + 2 * sizeof(float) * (uint64_t)l->out;
}

void lac_profile_plain(const lac_profile *profile, const char *layer)
{
    tell(profile, layer, 0, 0);
}

void lac_profile_linear(const lac_profile *profile, const char *layer, const lac_linear *l, size_t rows)
{
    tell(profile, layer, rows * lac_linear_macs(l), linear_bytes(l));
}

void lac_profile_stack(const lac_profile *profile, const char *layer, const lac_stack *s, size_t rows)
{
    uint64_t bytes = 0;
    for (const lac_block *b = s->blocks; b < s->blocks + s->count; b++) {
        uint64_t taps = (uint64_t)b->kernel * b->width;
        bytes += (taps + b->width) * sizeof(float) + linear_bytes(&b->up) + linear_bytes(&b->down);
    }
    tell(profile, layer, rows * lac_blocks_macs(s->blocks, s->count), bytes);
}

/* Of one candidate in one stage. */
static uint64_t candidate_macs(const lac_quantiser *q, size_t beam)
{
    uint64_t d = q->rfsq.fsq.dimensions, children = beam > 1 ? UINT64_C(1) << d : 0;
    return (q->kind == LAC_QUANTISER_RFSQ ? 2 * d + 2 * children : q->codewords) * q->dimension;
}

uint64_t lac_search_macs(const lac_quantiser *q, size_t stages, size_t beam)
{
    uint64_t metric = q->metric ? (uint64_t)q->dimension * q->dimension : 0;
    return metric + (1 + (stages - 1) * beam) * candidate_macs(q, beam); /* the first stage has one candidate */
}

static uint64_t stage_bytes(const lac_quantiser *q)
{
    uint64_t row = q->dimension * sizeof(int16_t);
    uint64_t fsq = (2 * (uint64_t)q->rfsq.fsq.dimensions + 1) * row;
    return q->kind == LAC_QUANTISER_RFSQ ? fsq : q->codewords * (row + sizeof(int32_t));
}

void lac_profile_search(const lac_profile *profile, const lac_quantiser *q, size_t stages, size_t beam, size_t rows)
{
    tell(profile, "search", rows * lac_search_macs(q, stages, beam), stages * stage_bytes(q));
}
