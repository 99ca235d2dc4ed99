#include "tokenmodel.h"

#include <string.h>

#define ONE 65536         /* of probabilities and weights */
#define STRETCH_MAX 2047  /* 8.0 in the logistic domain */
#define SEEN_MAX 30       /* how slowly a count may learn */
#define WEIGHT_MAX (8 * ONE)
#define LEARN_DIVISOR (1 << 14) /* the larger, the slower weights learn */
#define CLASS_BITS 5

enum input { ALONE, BEFORE, BELOW, FIRST, SAME };

/* 65536 / (1 + exp(-x / 4)), x = 0 .. 32. */
static const uint16_t logistic[33] = {
    32768, 36843, 40793, 44511, 47911, 50941, 53581, 55834, 57724, 59287, 60565, 61598, 62428, 63090, 63615, 64030,
    64357, 64614, 64816, 64974, 65097, 65194, 65269, 65328, 65374, 65410, 65438, 65459, 65476, 65489, 65500, 65508,
    65514};

/* Initial weights, in 2^-6, by levels left below a bit: what training speech taught, of stage 0 and of the
 * others. */
static const uint8_t initial[2][10][LAC_TOKEN_INPUTS] = {
    {{60, 9, 0, 0, 26}, {54, 15, 0, 0, 24}, {42, 16, 0, 0, 25}, {40, 14, 0, 0, 24},
     {29, 17, 0, 0, 23}, {25, 23, 0, 0, 17}, {18, 26, 0, 0, 23}, {18, 24, 0, 0, 20},
     {6, 24, 0, 0, 30}, {0, 18, 0, 0, 42}},
    {{16, 21, 31, 52, 19}, {10, 21, 31, 48, 19}, {5, 19, 28, 38, 16}, {4, 17, 26, 32, 15},
     {4, 15, 20, 23, 10}, {4, 11, 15, 19, 6}, {6, 8, 11, 15, 5}, {8, 6, 6, 9, 3},
     {8, 5, 6, 8, 3}, {4, 1, 5, 4, 3}}};

static int32_t clamp(int64_t v, int32_t limit)
{
    return v > limit ? limit : v < -limit ? -limit : (int32_t)v;
}

/* x in -STRETCH_MAX .. STRETCH_MAX -> probability in 2^-16. */
static uint32_t squash(int32_t x)
{
    uint32_t up = (uint32_t)(x < 0 ? -x : x), at = up >> 6, part = up & 63;
    uint32_t p = (logistic[at] * (64 - part) + logistic[at + 1] * part) >> 6;
    return x < 0 ? ONE - p : p;
}

void lac_tokenmodel_init(lac_tokenmodel *m, lac_workspace *w, uint32_t stages, uint32_t codewords,
                         const uint16_t *leaf_of)
{
    *m = (lac_tokenmodel){.stages = stages, .codewords = codewords, .leaf_of = leaf_of};
    while (UINT32_C(1) << m->bits < codewords)
        m->bits++;
    m->token_at = leaf_of ? lac_workspace_take(w, (size_t)stages * codewords, sizeof *m->token_at) : NULL;
    m->stretch = lac_workspace_take(w, 4096, sizeof *m->stretch);
    m->stage = lac_workspace_take(w, stages, sizeof *m->stage);
    if (m->stage == NULL)
        return;
    for (uint32_t i = 0; m->token_at != NULL && i < stages * codewords; i++)
        m->token_at[i - i % codewords + leaf_of[i]] = (uint16_t)(i % codewords);
    uint32_t at = 0;
    for (int32_t x = -STRETCH_MAX; x <= STRETCH_MAX; x++)
        while (at <= squash(x) >> 4)
            m->stretch[at++] = (int16_t)x;
    while (at < 4096)
        m->stretch[at++] = STRETCH_MAX;
}

void lac_tokenmodel_reset(lac_tokenmodel *m)
{
    memset(m->stage, 0, m->stages * sizeof *m->stage);
}

/* A leaf + 1, 0 for none, -> 1 .. 32, 0 for none. */
static uint32_t class_of(const lac_tokenmodel *m, uint32_t leaf)
{
    return leaf == 0 ? 0 : 1 + ((leaf - 1) >> (m->bits > CLASS_BITS ? m->bits - CLASS_BITS : 0));
}

/* What is there of another node makes room. */
static lac_token_count *slot(lac_token_count counts[LAC_TOKEN_SLOTS], uint32_t class, uint32_t node)
{
    uint32_t hash = (class * LAC_TOKEN_MAX_CODEWORDS + node) * UINT32_C(0x9e3779b1);
    lac_token_count *c = counts + (hash >> 16) % LAC_TOKEN_SLOTS;
    uint8_t tag = (uint8_t)(hash >> 8);
    if (c->tag != tag)
        *c = (lac_token_count){.tag = tag};
    return c;
}

/* A token on its way: what its bits' contexts need. */
typedef struct coded_token {
    lac_token_stage *stage;
    uint32_t hashed, class[LAC_TOKEN_HASHED]; /* contexts that this stage has, and their classes */
    uint32_t before, below_same;
    const uint8_t (*initial)[LAC_TOKEN_INPUTS];
} coded_token;

static coded_token token_start(const lac_tokenmodel *m, uint32_t stage)
{
    lac_token_stage *s = &m->stage[stage];
    coded_token t = {.stage = s, .before = s->last, .initial = initial[stage > 0]};
    t.hashed = stage > 0 ? SAME : BELOW;
    t.class[BEFORE] = class_of(m, s->last);
    if (stage > 0) {
        t.class[BELOW] = class_of(m, s[-1].last);
        t.below_same = s[-1].last == s[-1].before;
    }
    if (stage > 1)
        t.class[FIRST] = class_of(m, m->stage[0].last);
    return t;
}

/* The counts that tell of the bit below `node`, by input; NULL where there is none. */
static void find_counts(const lac_tokenmodel *m, const coded_token *t, uint32_t node, uint32_t depth,
                        lac_token_count *counts[LAC_TOKEN_INPUTS])
{
    lac_token_stage *s = t->stage;
    memset(counts, 0, LAC_TOKEN_INPUTS * sizeof *counts);
    for (uint32_t i = 0; i < t->hashed; i++)
        counts[i] = slot(s->hashed[i], t->class[i], node);
    uint32_t path = t->before + (UINT32_C(1) << m->bits) - 1;
    bool on_path = t->before > 0 && path >> (m->bits - depth) == node;
    if (on_path)
        counts[SAME] = &s->same[t->below_same][depth][path >> (m->bits - depth - 1) & 1];
}

/* The state of one bit's mixer. */
typedef struct mixed_bit {
    lac_token_count *counts[LAC_TOKEN_INPUTS];
    int32_t x[LAC_TOKEN_INPUTS], chance; /* of a 1 */
} mixed_bit;

static void mix(const lac_tokenmodel *m, const coded_token *t, uint32_t node, uint32_t depth, mixed_bit *b)
{
    uint32_t left = m->bits - 1 - depth;
    const uint8_t *first = t->initial[left < 9 ? left : 9];
    const int32_t *learnt = t->stage->learnt[depth];
    int64_t sum = 0;
    find_counts(m, t, node, depth, b->counts);
    for (uint32_t i = 0; i < LAC_TOKEN_INPUTS; i++) {
        b->x[i] = b->counts[i] ? m->stretch[(b->counts[i]->chance + ONE / 2) >> 4] : 0;
        sum += (int64_t)(first[i] * (ONE / 64) + learnt[i]) * b->x[i];
    }
    b->chance = (int32_t)squash(clamp(sum / ONE, STRETCH_MAX));
}

static void learn(int32_t *learnt, mixed_bit *b, uint32_t bit)
{
    int32_t error = (bit ? ONE : 0) - b->chance;
    for (uint32_t i = 0; i < LAC_TOKEN_INPUTS; i++) {
        learnt[i] = clamp((int64_t)learnt[i] + b->x[i] * error / LEARN_DIVISOR, WEIGHT_MAX);
        lac_token_count *c = b->counts[i];
        if (c == NULL)
            continue;
        int32_t target = bit ? ONE / 2 : -ONE / 2;
        c->chance = (int16_t)(c->chance + (target - c->chance) * 5 / (5 * c->seen + 8));
        c->seen += c->seen < SEEN_MAX;
    }
}

/* One bit below `node` by encoder or decoder, whichever is there. Where only a 0 leads to tokens there is no
 * bit. */
static uint32_t code_bit(const lac_tokenmodel *m, const coded_token *t, uint32_t node, uint32_t depth, uint32_t bit,
                         lac_range_encoder *e, lac_range_decoder *d)
{
    mixed_bit b;
    uint32_t half = UINT32_C(1) << (m->bits - 1 - depth), right = (2 * node + 1) * half - (UINT32_C(1) << m->bits);
    if (right >= m->codewords)
        return 0;
    mix(m, t, node, depth, &b);
    if (e != NULL)
        lac_range_encode_bit(e, bit, (uint32_t)b.chance);
    else
        bit = lac_range_decode_bit(d, (uint32_t)b.chance);
    learn(t->stage->learnt[depth], &b, bit);
    return bit;
}

static uint32_t code_leaf(lac_tokenmodel *m, uint32_t stage, uint32_t leaf, lac_range_encoder *e,
                          lac_range_decoder *d)
{
    coded_token t = token_start(m, stage);
    uint32_t node = 1;
    for (uint32_t depth = 0; depth < m->bits; depth++)
        node = 2 * node + code_bit(m, &t, node, depth, leaf >> (m->bits - 1 - depth) & 1, e, d);
    leaf = node - (UINT32_C(1) << m->bits);
    t.stage->before = t.stage->last;
    t.stage->last = leaf + 1;
    return leaf;
}

void lac_tokenmodel_encode(lac_tokenmodel *m, lac_range_encoder *e, uint32_t stage, uint32_t token)
{
    uint32_t leaf = m->leaf_of ? m->leaf_of[(size_t)stage * m->codewords + token] : token;
    (void)code_leaf(m, stage, leaf, e, NULL);
}

uint32_t lac_tokenmodel_decode(lac_tokenmodel *m, lac_range_decoder *d, uint32_t stage)
{
    uint32_t leaf = code_leaf(m, stage, 0, NULL, d);
    return m->token_at ? m->token_at[(size_t)stage * m->codewords + leaf] : leaf;
}
