/* The residual scalar quantiser against its definition. */
#include <string.h>

#include "fixture.h"
#include "quantiser.h"

typedef struct quantiser {
    lac_rfsq q;
    int16_t *into, *back, *bias;
    int32_t *thresholds;
} quantiser;

static int16_t random_value(random_source *r, int32_t most)
{
    return (int16_t)((int32_t)random_below(r, 2 * (uint32_t)most + 1) - most);
}

static int ascending(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

/* Of D dimensions and any levels, whose words shrink from stage to stage. */
static quantiser make(random_source *r, uint32_t Q, uint32_t D, uint32_t d, uint32_t most)
{
    quantiser m = {.q = {.stages = Q, .dimension = D, .fsq.dimensions = d}};
    for (uint32_t j = 0; j < d; j++) {
        m.q.fsq.levels[j] = (uint8_t)(2 + random_below(r, most - 1));
        m.q.slots = m.q.fsq.levels[j] - 1u > m.q.slots ? m.q.fsq.levels[j] - 1u : m.q.slots;
    }
    m.into = test_alloc((size_t)Q * d * D, sizeof *m.into);
    m.back = test_alloc((size_t)Q * d * D, sizeof *m.back);
    m.bias = test_alloc((size_t)Q * D, sizeof *m.bias);
    m.thresholds = test_alloc((size_t)Q * d * m.q.slots, sizeof *m.thresholds);
    for (size_t i = 0; i < (size_t)Q * d * D; i++) {
        m.into[i] = random_value(r, 4095);
        m.back[i] = random_value(r, 2000 >> (i / D / d));
    }
    for (size_t i = 0; i < (size_t)Q * D; i++)
        m.bias[i] = random_value(r, 500);
    for (size_t i = 0; i < (size_t)Q * d; i++) {
        int32_t *t = m.thresholds + i * m.q.slots;
        for (size_t k = 0; k < m.q.slots; k++)
            t[k] = random_value(r, 4095) * (int32_t)random_below(r, 8192);
        qsort(t, m.q.fsq.levels[i % d] - 1u, sizeof *t, ascending);
    }
    m.q.into = m.into;
    m.q.back = m.back;
    m.q.bias = m.bias;
    m.q.thresholds = m.thresholds;
    return m;
}

static void release(quantiser *m)
{
    free(m->into);
    free(m->back);
    free(m->bias);
    free(m->thresholds);
}

static void fill(random_source *r, int16_t *z, size_t n)
{
    for (size_t i = 0; i < n; i++)
        z[i] = random_value(r, 4095);
}

/* ---- the definition ---- */

static int64_t word_at(const lac_rfsq *q, uint32_t stage, uint32_t token, uint32_t i)
{
    int64_t sum = q->bias[stage * q->dimension + i];
    for (uint32_t j = 0; j < q->fsq.dimensions; token /= q->fsq.levels[j], j++)
        sum += (int64_t)(token % q->fsq.levels[j]) * q->back[(stage * q->fsq.dimensions + j) * q->dimension + i];
    return sum;
}

static int16_t clamped(int64_t v)
{
    return (int16_t)(v > 4095 ? 4095 : v < -4095 ? -4095 : v);
}

static int64_t projection(const lac_rfsq *q, uint32_t stage, uint32_t j, const int16_t *r)
{
    int64_t p = 0;
    for (uint32_t i = 0; i < q->dimension; i++)
        p += (int64_t)q->into[(stage * q->fsq.dimensions + j) * q->dimension + i] * r[i];
    return p;
}

static uint32_t level_of(const lac_rfsq *q, uint32_t stage, uint32_t j, int64_t p)
{
    uint32_t level = 0;
    for (uint32_t k = 0; k + 1 < q->fsq.levels[j]; k++)
        level += q->thresholds[(stage * q->fsq.dimensions + j) * q->slots + k] <= p;
    return level;
}

/* The level nearest to p but its own. */
static uint32_t second_level(const lac_rfsq *q, uint32_t stage, uint32_t j, int64_t p)
{
    const int32_t *t = q->thresholds + (stage * q->fsq.dimensions + j) * q->slots;
    uint32_t level = level_of(q, stage, j, p);
    if (level == 0)
        return 1;
    if (level == q->fsq.levels[j] - 1u || p - t[level - 1] <= t[level] - p)
        return level - 1;
    return level + 1;
}

typedef struct path {
    int16_t left[LAC_RVQ_MAX_D];
    uint16_t tokens[LAC_RVQ_MAX_STAGES];
    int64_t squared;
    bool greedy;
} path;

static path step(const lac_rfsq *q, const path *from, uint32_t stage, uint32_t token)
{
    path to = *from;
    to.tokens[stage] = (uint16_t)token;
    to.squared = 0;
    for (uint32_t i = 0; i < q->dimension; i++) {
        to.left[i] = clamped(from->left[i] - word_at(q, stage, token, i));
        to.squared += to.left[i] * to.left[i];
    }
    return to;
}

/* Of the children of a path: bit j of `which` takes dimension j's second level. */
static path child(const lac_rfsq *q, const path *from, uint32_t stage, uint32_t which)
{
    uint32_t token = 0, weight = 1;
    for (uint32_t j = 0; j < q->fsq.dimensions; weight *= q->fsq.levels[j], j++) {
        int64_t p = projection(q, stage, j, from->left);
        token += weight * (which >> j & 1 ? second_level(q, stage, j, p) : level_of(q, stage, j, p));
    }
    path to = step(q, from, stage, token);
    to.greedy = from->greedy && which == 0;
    return to;
}

static bool lower(const path *a, const path *b)
{
    for (size_t s = 0; s < LAC_RVQ_MAX_STAGES; s++)
        if (a->tokens[s] != b->tokens[s])
            return a->tokens[s] < b->tokens[s];
    return false;
}

static bool better(const path *a, const path *b)
{
    return a->squared != b->squared ? a->squared < b->squared : lower(a, b);
}

static size_t keep(path *all, size_t count, size_t width, path *kept)
{
    size_t n = 0, greedy = 0;
    while (n < width && n < count) {
        path *best = NULL;
        for (path *p = all; p < all + count; p++)
            if (p->squared >= 0 && (!best || better(p, best)))
                best = p;
        kept[n] = *best;
        greedy += best->greedy;
        n++;
        best->squared = -1;
    }
    for (path *p = all; greedy == 0 && p < all + count; p++)
        if (p->greedy)
            kept[n - 1] = *p;
    return n;
}

static int64_t distance_of(const lac_rfsq *q, const int16_t *z, const uint16_t *tokens, uint32_t stages)
{
    int64_t sum = 0;
    for (uint32_t i = 0; i < q->dimension; i++) {
        int64_t v = 0;
        for (uint32_t s = 0; s < stages; s++)
            v += word_at(q, s, tokens[s], i);
        sum += (z[i] - clamped(v)) * (z[i] - clamped(v));
    }
    return sum;
}

static path search(const lac_rfsq *q, const int16_t *z, uint32_t stages, size_t width)
{
    static path kept[LAC_RVQ_MAX_BEAM], all[LAC_RVQ_MAX_BEAM << 5];
    size_t count = 1;
    kept[0] = (path){.greedy = true};
    memcpy(kept[0].left, z, q->dimension * sizeof *z);
    for (uint32_t s = 0; s < stages; s++) {
        size_t n = 0;
        for (size_t c = 0; c < count; c++)
            for (uint32_t which = 0; which < 1u << (width == 1 ? 0 : q->fsq.dimensions); which++)
                all[n++] = child(q, &kept[c], s, which);
        count = keep(all, n, width, kept);
    }
    for (size_t c = 0; c < count; c++)
        kept[c].squared = distance_of(q, z, kept[c].tokens, stages);
    const path *best = kept;
    for (size_t c = 1; c < count; c++)
        best = better(&kept[c], best) ? &kept[c] : best;
    return *best;
}

/* ---- tests ---- */

Test(rfsq, search_by_definition)
{
    random_source r = random_start();
    for (int n = 0; n < rounds(150); n++) {
        uint32_t Q = 1 + random_below(&r, 5), D = 1 + random_below(&r, LAC_RVQ_MAX_D), d = 1 + random_below(&r, 5);
        quantiser m = make(&r, Q, D, d, 2 + random_below(&r, 5));
        int16_t z[LAC_RVQ_MAX_D], residual[LAC_RVQ_MAX_D];
        uint16_t tokens[LAC_RVQ_MAX_STAGES];
        fill(&r, z, D);
        for (uint32_t width = 1; width <= LAC_RVQ_MAX_BEAM; width += 1 + random_below(&r, 4)) {
            uint32_t stages = random_below(&r, Q + 1);
            path want = search(&m.q, z, stages, width);
            if (width == 1)
                lac_rfsq_encode(&m.q, z, &stages, 1, tokens, residual);
            else
                lac_rfsq_encode_beam(&m.q, width, z, &stages, 1, tokens);
            for (uint32_t s = 0; s < Q; s++)
                cr_assert_eq(tokens[s], s < stages ? want.tokens[s] : 0, "width %u stage %u", width, s);
            if (width == 1)
                cr_assert_arr_eq(residual, want.left, D * sizeof *residual);
        }
        release(&m);
    }
}

Test(rfsq, beam_is_never_further_than_greedy_search)
{
    random_source r = random_start();
    for (int n = 0; n < rounds(300); n++) {
        uint32_t Q = 1 + random_below(&r, 8), D = 1 + random_below(&r, LAC_RVQ_MAX_D), d = 1 + random_below(&r, 6);
        quantiser m = make(&r, Q, D, d, 4);
        int16_t z[LAC_RVQ_MAX_D], residual[LAC_RVQ_MAX_D];
        uint16_t greedy[LAC_RVQ_MAX_STAGES], beam[LAC_RVQ_MAX_STAGES];
        fill(&r, z, D);
        lac_rfsq_encode(&m.q, z, &Q, 1, greedy, residual);
        lac_rfsq_encode_beam(&m.q, 2 + random_below(&r, 4), z, &Q, 1, beam);
        cr_assert_leq(distance_of(&m.q, z, beam, Q), distance_of(&m.q, z, greedy, Q));
        release(&m);
    }
}

Test(rfsq, rows_together_are_what_they_are_alone)
{
    random_source r = random_start();
    enum { ROWS = 40, STAGES = 4, D = 24 };
    quantiser m = make(&r, STAGES, D, 4, 5);
    int16_t z[ROWS * D], residual[ROWS * D];
    uint32_t stages[ROWS];
    fill(&r, z, ROWS * D);
    for (size_t i = 0; i < ROWS; i++)
        stages[i] = random_below(&r, STAGES + 1);
    for (uint32_t width = 1; width <= 8; width += 7) {
        uint16_t together[ROWS * STAGES], alone[STAGES];
        lac_quantiser q = {LAC_QUANTISER_RFSQ, STAGES, lac_fsq_codewords(&m.q.fsq), D, {0}, NULL, m.q, NULL, {0}};
        lac_quantiser_encode(&q, width, z, stages, ROWS, together, residual);
        for (size_t i = 0; i < ROWS; i++) {
            lac_quantiser_encode(&q, width, z + i * D, stages + i, 1, alone, residual);
            cr_assert_arr_eq(alone, together + i * STAGES, sizeof alone, "row %zu", i);
        }
    }
    release(&m);
}

Test(rfsq, decoding_adds_words_and_clamps_once)
{
    random_source r = random_start();
    for (int n = 0; n < rounds(200); n++) {
        uint32_t Q = 1 + random_below(&r, 6), D = 1 + random_below(&r, LAC_RVQ_MAX_D);
        quantiser m = make(&r, Q, D, 1 + random_below(&r, 5), 5);
        uint32_t K = lac_fsq_codewords(&m.q.fsq);
        lac_quantiser q = {LAC_QUANTISER_RFSQ, Q, K, D, {0}, NULL, m.q, NULL, {0}};
        int16_t z[LAC_RVQ_MAX_D];
        int32_t sum[LAC_RVQ_MAX_D] = {0};
        uint16_t tokens[LAC_RVQ_MAX_STAGES];
        for (uint32_t s = 0; s < Q; s++) {
            tokens[s] = (uint16_t)random_below(&r, K);
            lac_quantiser_add(&q, s, tokens[s], sum);
        }
        lac_quantiser_decode(&q, tokens, Q, z);
        for (uint32_t i = 0; i < D; i++) {
            int64_t v = 0;
            for (uint32_t s = 0; s < Q; s++)
                v += word_at(&m.q, s, tokens[s], i);
            cr_assert_eq(sum[i], v);
            cr_assert_eq(z[i], clamped(v));
        }
        release(&m);
    }
}

/* Every value as large as a model file may have it: sums stay within 32 bits. */
Test(rfsq, extreme_values_stay_exact)
{
    enum { D = LAC_RVQ_MAX_D, LEVELS = 64, STAGES = 2 };
    int16_t rows[STAGES * 2 * D], bias[STAGES * D], z[D], residual[D];
    int32_t thresholds[STAGES * 2 * (LEVELS - 1)];
    for (int sign = -1; sign <= 1; sign += 2) {
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
            rows[i] = (int16_t)(sign * 4095);
        for (size_t i = 0; i < sizeof bias / sizeof *bias; i++)
            bias[i] = (int16_t)(sign * 4095);
        for (size_t i = 0; i < sizeof thresholds / sizeof *thresholds; i++)
            thresholds[i] = lac_rfsq_threshold((float)sign * 1000);
        lac_rfsq q = {STAGES, D, {2, {LEVELS, LEVELS}}, LEVELS - 1, rows, thresholds, rows, bias};
        for (int16_t v = -4095; v <= 4095; v = (int16_t)(v + 2730)) {
            uint16_t tokens[STAGES];
            for (size_t i = 0; i < D; i++)
                z[i] = v;
            for (size_t width = 1; width <= 2; width++) {
                path want = search(&q, z, STAGES, width);
                if (width == 1)
                    lac_rfsq_encode(&q, z, &(uint32_t){STAGES}, 1, tokens, residual);
                else
                    lac_rfsq_encode_beam(&q, 2, z, &(uint32_t){STAGES}, 1, tokens);
                cr_assert_arr_eq(tokens, want.tokens, sizeof tokens);
            }
        }
    }
}

Test(rfsq, levels_of_no_step_leave_the_lowest_tokens)
{
    int16_t into[] = {1, 0, 0, 1}, back[4] = {0}, bias[2] = {0}, z[] = {700, -3};
    int32_t thresholds[] = {-100, 100, 1000, -100, 100, 1000};
    lac_rfsq q = {1, 2, {2, {4, 4}}, 3, into, thresholds, back, bias};
    uint16_t token;
    int16_t residual[2];
    lac_rfsq_encode(&q, z, &(uint32_t){1}, 1, &token, residual);
    cr_assert_eq(token, 2 + 4 * 1);
    lac_rfsq_encode_beam(&q, 4, z, &(uint32_t){1}, 1, &token);
    cr_assert_eq(token, 2 + 4 * 0, "700 is nearer to 1000 than to 100, -3 to -100");
}
