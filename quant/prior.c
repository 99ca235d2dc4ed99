#include "prior.h"

#include <string.h>

#define ONE 4096          /* of states and gates */
#define PRE_MAX 2048      /* 8.0 in 1/256: what the tables hold */
#define LOGIT_MAX 32768
#define DECAY 0.99610136947011749 /* exp(-1 / 256) */

/* The nearest integers: no exact value is so near a half that the order of these operations could tell. */
static void fill_tables(lac_prior *p)
{
    double e = 1;
    for (int32_t d = 0; d < LAC_PRIOR_POWERS; d++, e *= DECAY) {
        p->power[d] = (uint16_t)(65535 * e + 0.5);
        if (d > PRE_MAX)
            continue;
        int32_t tanh = (int32_t)(ONE * (1 - e * e) / (1 + e * e) + 0.5);
        tanh = tanh < ONE ? tanh : ONE - 1;
        p->sigmoid[PRE_MAX - d] = (int16_t)(ONE * e / (1 + e) + 0.5);
        p->tanh[PRE_MAX - d] = (int16_t)-tanh;
        if (d == PRE_MAX)
            continue;
        p->sigmoid[PRE_MAX + d] = (int16_t)(ONE / (1 + e) + 0.5);
        p->tanh[PRE_MAX + d] = (int16_t)tanh;
    }
}

static void pack(lac_linear *l, lac_workspace *w)
{
    uint8_t *to = lac_workspace_take(w, lac_linear_packed_bytes(l), 1);
    if (to != NULL)
        lac_linear_pack(l, to);
}

/* The members of a class. */
static lac_prior_logits members_of(const lac_prior *p, const lac_prior_logits *all, uint32_t class)
{
    const lac_prior_sizes *z = &p->weights.sizes;
    uint32_t first = class * z->members, left = z->codewords - first;
    lac_linear rows = {.in = z->width, .out = z->members, .weight = all->product.weight + (size_t)first * z->width};
    if (all->product.packed != NULL)
        rows.packed = all->product.packed + class * lac_linear_packed_bytes(&rows);
    rows.out = left < z->members ? left : z->members;
    return (lac_prior_logits){rows, all->multiplier + first, all->bias + first};
}

/* A class begins at a panel of its own. */
static void pack_members(const lac_prior *p, lac_prior_logits *all, lac_workspace *w)
{
    const lac_prior_sizes *z = &p->weights.sizes;
    size_t bytes = lac_linear_packed_bytes(&(lac_linear){.in = z->width, .out = z->members});
    uint8_t *to = lac_workspace_take(w, bytes, z->classes);
    for (uint32_t class = 0; to != NULL && class < z->classes; class++) {
        lac_prior_logits part = members_of(p, all, class);
        lac_linear_pack(&part.product, to + class * bytes);
    }
    all->product.packed = to;
}

static void pack_all(lac_prior *p, lac_workspace *w)
{
    pack(&p->weights.cell.first, w);
    pack(&p->weights.cell.second, w);
    for (uint32_t i = 0; i < p->weights.sizes.stages; i++) {
        lac_prior_stage *stage = &p->weights.stage[i];
        pack(&stage->hidden.first, w);
        pack(&stage->hidden.second, w);
        pack(&stage->classes.product, w);
        pack_members(p, &stage->members, w);
    }
}

void lac_prior_init(lac_prior *p, lac_workspace *w, const lac_prior_weights *weights, const lac_kernels *kernels)
{
    *p = (lac_prior){.weights = *weights, .dot = kernels->dot_s16s8, .scale = kernels->scale_sums};
    const lac_prior_sizes *z = &weights->sizes;
    p->sigmoid = lac_workspace_take(w, LAC_PRIOR_POWERS, sizeof *p->sigmoid);
    p->tanh = lac_workspace_take(w, LAC_PRIOR_POWERS, sizeof *p->tanh);
    p->power = lac_workspace_take(w, LAC_PRIOR_POWERS, sizeof *p->power);
    p->token_at = lac_workspace_take(w, (size_t)z->stages * z->codewords, sizeof *p->token_at);
    if (kernels->packed)
        pack_all(p, w);
    if (p->token_at == NULL)
        return;
    fill_tables(p);
    for (uint32_t i = 0; i < z->stages; i++)
        for (uint32_t token = 0; token < z->codewords; token++)
            p->token_at[i * z->codewords + weights->stage[i].leaf_of[token]] = (uint16_t)token;
}

uint64_t lac_prior_macs(const lac_prior_weights *weights)
{
    const lac_prior_sizes *z = &weights->sizes;
    uint64_t stage = z->state + z->latent + z->classes + z->members;
    return (uint64_t)2 * z->state * (z->latent + z->state) + z->stages * stage * z->width;
}

void lac_prior_state_init(lac_prior_state *s, const lac_prior *prior, const lac_quantiser *quantiser)
{
    *s = (lac_prior_state){.prior = prior, .quantiser = quantiser};
}

void lac_prior_reset(lac_prior_state *s)
{
    memset(&s->memory, 0, sizeof s->memory);
}

/* Places in the tables, from their middle, for each output of two products. */
static void add_products(const lac_prior *p, const lac_prior_pair *l, const int32_t *bias, const int16_t *a,
                         const int16_t *b, int32_t *places)
{
    int32_t sums[4 * LAC_PRIOR_MAX_WIDTH];
    uint32_t n = l->first.out;
    p->dot(sums, a, &l->first);
    p->dot(sums + n, b, &l->second);
    p->scale(places, sums, l->multiplier, bias, n, 2, PRE_MAX);
}

/* The sum of words, as the quantiser clamps it. */
static void clamp_sum(const lac_prior_state *s, int16_t *z)
{
    for (uint32_t i = 0; i < s->prior->weights.sizes.latent; i++) {
        int32_t v = s->memory.sum[i];
        z[i] = (int16_t)(v > LAC_RVQ_MAX ? LAC_RVQ_MAX : v < -LAC_RVQ_MAX ? -LAC_RVQ_MAX : v);
    }
}

void lac_prior_frame(lac_prior_state *s, uint32_t codebooks)
{
    const lac_prior *p = s->prior;
    const lac_prior_pair *cell = &p->weights.cell;
    const int16_t *sigmoid = p->sigmoid + PRE_MAX, *tanh = p->tanh + PRE_MAX;
    int32_t gates[2 * LAC_PRIOR_MAX_WIDTH];
    uint32_t H = p->weights.sizes.state;
    int16_t *h = s->memory.state;
    memset(s->memory.sum, 0, sizeof s->memory.sum);
    if (codebooks == 0)
        return;
    add_products(p, cell, cell->bias + (codebooks - 1) * 2 * H, s->memory.latent, h, gates);
    for (uint32_t i = 0; i < H; i++)
        h[i] = (int16_t)(h[i] + ((sigmoid[gates[i]] * (tanh[gates[H + i]] - h[i]) + ONE / 2) >> 12));
}

void lac_prior_known(lac_prior_state *s, uint32_t stage, uint32_t token)
{
    lac_quantiser_add(s->quantiser, stage, token, s->memory.sum);
}

void lac_prior_done(lac_prior_state *s)
{
    clamp_sum(s, s->memory.latent);
}

void lac_prior_frequencies(const lac_prior *p, const int32_t *logits, uint32_t n, uint16_t *frequencies)
{
    uint32_t best = 0, sum = 0, left = UINT32_C(1) << LAC_PRIOR_BITS, weights[LAC_PRIOR_MAX_SYMBOLS];
    int32_t most = logits[0];
    for (uint32_t i = 1; i < n; i++)
        most = logits[i] > most ? logits[i] : most;
    while (logits[best] < most)
        best++;
    for (uint32_t i = 0; i < n; i++) {
        int32_t below = most - logits[i];
        weights[i] = p->power[below < LAC_PRIOR_POWERS ? below : LAC_PRIOR_POWERS - 1];
        sum += weights[i];
    }
    uint64_t share = ((uint64_t)(left - n) << 32) / sum;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t frequency = 1 + (uint32_t)(weights[i] * share >> 32);
        frequencies[i] = (uint16_t)frequency;
        left -= frequency;
    }
    frequencies[best] = (uint16_t)(frequencies[best] + left);
}

/* Which output it is: given, or read. */
static uint32_t code_symbol(const lac_prior *p, const lac_prior_logits *l, const int16_t *hidden,
                            lac_range_encoder *e, lac_range_decoder *d, uint32_t symbol)
{
    int32_t sums[LAC_PRIOR_MAX_SYMBOLS], logits[LAC_PRIOR_MAX_SYMBOLS];
    uint16_t frequencies[LAC_PRIOR_MAX_SYMBOLS];
    uint32_t cum = 0, i = 0;
    p->dot(sums, hidden, &l->product);
    p->scale(logits, sums, l->multiplier, l->bias, l->product.out, 1, LOGIT_MAX);
    lac_prior_frequencies(p, logits, l->product.out, frequencies);
    if (e != NULL) {
        while (i < symbol)
            cum += frequencies[i++];
        lac_range_encode(e, cum, frequencies[i], LAC_PRIOR_BITS);
    } else {
        uint32_t at = lac_range_decode(d, LAC_PRIOR_BITS);
        while (at - cum >= frequencies[i])
            cum += frequencies[i++];
        lac_range_decode_take(d, cum, frequencies[i], LAC_PRIOR_BITS);
    }
    return i;
}

static uint32_t code_token(lac_prior_state *s, uint32_t stage, uint32_t token, lac_range_encoder *e,
                           lac_range_decoder *d)
{
    const lac_prior *p = s->prior;
    const lac_prior_stage *w = &p->weights.stage[stage];
    uint32_t M = p->weights.sizes.members, leaf = e != NULL ? w->leaf_of[token] : 0;
    const int16_t *tanh = p->tanh + PRE_MAX;
    int32_t places[LAC_PRIOR_MAX_WIDTH];
    int16_t partial[LAC_RVQ_MAX_D], hidden[LAC_PRIOR_MAX_WIDTH];
    clamp_sum(s, partial);
    add_products(p, &w->hidden, w->hidden.bias, s->memory.state, partial, places);
    for (uint32_t i = 0; i < w->hidden.first.out; i++)
        hidden[i] = tanh[places[i]];
    uint32_t class = code_symbol(p, &w->classes, hidden, e, d, leaf / M);
    lac_prior_logits members = members_of(p, &w->members, class);
    leaf = class * M + code_symbol(p, &members, hidden, e, d, leaf % M);
    token = p->token_at[stage * p->weights.sizes.codewords + leaf];
    lac_prior_known(s, stage, token);
    return token;
}

void lac_prior_encode(lac_prior_state *s, lac_range_encoder *e, uint32_t stage, uint32_t token)
{
    (void)code_token(s, stage, token, e, NULL);
}

uint32_t lac_prior_decode(lac_prior_state *s, lac_range_decoder *d, uint32_t stage)
{
    return code_token(s, stage, 0, NULL, d);
}
