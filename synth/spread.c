#include "spread.h"

#include "rng.h"

uint64_t lac_key(uint64_t key, uint64_t what)
{
    uint64_t mixed = ((uint64_t)lac_hash32(key) << 32 | lac_hash32(~key)) ^ what;

    return (uint64_t)lac_hash32(mixed) << 32 | lac_hash32(~mixed);
}

double lac_key_share(uint64_t key)
{
    return (double)(key >> 11) / 9007199254740992.0;
}

static double bell(uint64_t key)
{
    double sum = 0;

    for (uint64_t i = 0; i < 12; i++)
        sum += lac_key_share(lac_key(key, i));
    return sum - 6;
}

static double within(const lac_spread *s, double value)
{
    return value < s->low ? s->low : value > s->high ? s->high : value;
}

double lac_spread_draw(const lac_spread *s, uint64_t key)
{
    switch (s->kind) {
    case LAC_SPREAD_UNIFORM:
        return s->value[0] + (s->value[1] - s->value[0]) * lac_key_share(key);
    case LAC_SPREAD_NORMAL:
        return within(s, s->value[0] + s->value[1] * bell(key));
    case LAC_SPREAD_CHOICE:
        return s->value[(uint32_t)(lac_key_share(key) * s->count)];
    default:
        return s->value[0];
    }
}

double lac_spread_least(const lac_spread *s)
{
    double least = s->value[0];

    if (s->kind == LAC_SPREAD_NORMAL)
        return within(s, s->value[0] - 6 * s->value[1]);
    for (uint32_t i = 1; i < s->count; i++)
        least = s->value[i] < least ? s->value[i] : least;
    return least;
}

double lac_spread_most(const lac_spread *s)
{
    double most = s->value[0];

    if (s->kind == LAC_SPREAD_NORMAL)
        return within(s, s->value[0] + 6 * s->value[1]);
    for (uint32_t i = 1; i < s->count; i++)
        most = s->value[i] > most ? s->value[i] : most;
    return most;
}
