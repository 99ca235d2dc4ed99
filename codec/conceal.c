#include "conceal.h"

#include <string.h>

#include "divide.h"

lac_gain lac_conceal_received(lac_conceal *c, const int16_t *z, size_t d)
{
    uint8_t from = c->begun || c->lost > 0 ? c->gain : LAC_GAIN_ONE;
    memcpy(c->latent, z, d * sizeof *z);
    c->lost = 0;
    c->gain = LAC_GAIN_ONE;
    c->begun = true;
    return (lac_gain){{from, (uint8_t)((from + LAC_GAIN_ONE) / 2), LAC_GAIN_ONE}};
}

/* z [d] = weight [d][d] x + bias, rounded to the nearest, halves upwards. */
static void predict(const int16_t *weight, const int16_t *bias, const int16_t *x, int16_t *z, size_t d)
{
    for (size_t i = 0; i < d; i++) {
        int64_t sum = (int64_t)bias[i] * LAC_PREDICTOR_ONE + LAC_PREDICTOR_ONE / 2;
        for (size_t j = 0; j < d; j++)
            sum += (int32_t)weight[i * d + j] * x[j];
        sum = lac_floor_divide(sum, LAC_PREDICTOR_ONE);
        z[i] = (int16_t)(sum > LAC_RVQ_MAX ? LAC_RVQ_MAX : sum < -LAC_RVQ_MAX ? -LAC_RVQ_MAX : sum);
    }
}

lac_gain lac_conceal_lost(lac_conceal *c, const lac_predictor *p, int16_t *z, size_t d)
{
    bool faded = c->lost == LAC_CONCEAL_FRAMES;
    if (c->begun && !faded && p->weight)
        predict(p->weight + c->lost * d * d, p->bias + c->lost * d, c->latent, z, d);
    else if (!faded)
        memcpy(z, c->latent, d * sizeof *z);
    else
        memset(z, 0, d * sizeof *z);
    c->lost += !faded;
    if (!c->begun)
        return (lac_gain){{0, 0, 0}};
    uint8_t from = c->gain;
    c->gain = (uint8_t)(LAC_GAIN_ONE * (LAC_CONCEAL_FRAMES - c->lost) / LAC_CONCEAL_FRAMES);
    return (lac_gain){{from, (uint8_t)((from + c->gain) / 2), c->gain}};
}

static void apply_hop(int from, int to, float *pcm)
{
    if (from == LAC_GAIN_ONE && to == LAC_GAIN_ONE)
        return;
    for (int n = 0; n < LAC_HOP; n++)
        pcm[n] *= (float)(from * LAC_HOP + (to - from) * (n + 1)) * (1.0f / (LAC_GAIN_ONE * LAC_HOP));
}

void lac_gain_apply(lac_gain g, float *pcm)
{
    apply_hop(g.at[0], g.at[1], pcm);
    apply_hop(g.at[1], g.at[2], pcm + LAC_HOP);
}
