#include "costs.h"

static void tell(const lac_profile *profile, const char *layer, uint64_t macs, uint64_t weight_bytes)
{
    if (profile->layer_done)
        profile->layer_done(profile->user, layer, macs, weight_bytes);
}

static uint64_t linear_macs(const lac_linear *l)
{
    return (uint64_t)l->in * l->out;
}

/* Weights of one byte; scale and bias. */
static uint64_t linear_bytes(const lac_linear *l)
{
    return linear_macs(l) + 2 * sizeof(float) * (uint64_t)l->out;
}

void lac_profile_plain(const lac_profile *profile, const char *layer)
{
    tell(profile, layer, 0, 0);
}

void lac_profile_linear(const lac_profile *profile, const char *layer, const lac_linear *l, size_t rows)
{
    tell(profile, layer, rows * linear_macs(l), linear_bytes(l));
}

void lac_profile_stack(const lac_profile *profile, const char *layer, const lac_stack *s, size_t rows)
{
    uint64_t macs = 0, bytes = 0;
    for (const lac_block *b = s->blocks; b < s->blocks + s->count; b++) {
        uint64_t taps = (uint64_t)b->kernel * b->width;
        macs += taps + linear_macs(&b->up) + linear_macs(&b->down);
        bytes += (taps + b->width) * sizeof(float) + linear_bytes(&b->up) + linear_bytes(&b->down);
    }
    tell(profile, layer, rows * macs, bytes);
}

void lac_profile_search(const lac_profile *profile, const lac_quantiser *q, size_t stages, size_t beam, size_t rows)
{
    uint64_t codes = (uint64_t)stages * q->codewords;
    uint64_t searched = (1 + (stages - 1) * beam) * (uint64_t)q->codewords; /* the first stage has one candidate */
    tell(profile, "search", rows * searched * q->dimension,
         codes * (q->dimension * sizeof(int16_t) + sizeof(int32_t)));
}
