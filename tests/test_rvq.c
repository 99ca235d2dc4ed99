/* The residual quantiser against a plain search in 64 bits. */
#include <string.h>

#include "fixture.h"
#include "rvq.h"

typedef struct quantiser {
    lac_rvq q;
    int16_t *codes;
    int32_t *half_norm;
} quantiser;

static int16_t random_value(random_source *r, int limit)
{
    return (int16_t)((int)random_below(r, (uint32_t)(2 * limit + 1)) - limit);
}

/* Stages get finer, as trained ones do. */
static quantiser quantiser_new(random_source *r, uint32_t Q, uint32_t K, uint32_t D, int limit)
{
    quantiser z = {{Q, K, D, NULL, NULL, NULL, NULL}, test_alloc((size_t)Q * K * D, sizeof(int16_t)),
                   test_alloc((size_t)Q * K, sizeof(int32_t))};
    for (size_t s = 0; s < Q; s++, limit = 1 + limit * 3 / 4)
        for (size_t i = 0; i < (size_t)K * D; i++)
            z.codes[s * K * D + i] = random_value(r, limit < LAC_RVQ_MAX ? limit : LAC_RVQ_MAX);
    lac_rvq_half_norms(z.half_norm, z.codes, (size_t)Q * K, D);
    z.q.codes = z.codes;
    z.q.half_norm = z.half_norm;
    return z;
}

static void quantiser_free(quantiser *z)
{
    free(z->codes);
    free(z->half_norm);
}

static int64_t clamp(int64_t v)
{
    return v > LAC_RVQ_MAX ? LAC_RVQ_MAX : v < -LAC_RVQ_MAX ? -LAC_RVQ_MAX : v;
}

static void encode_by_definition(const lac_rvq *q, const int16_t *z, uint32_t stages, uint16_t *tokens, int16_t *r)
{
    memcpy(r, z, q->dimension * sizeof(*r));
    for (uint32_t s = 0; s < stages; s++) {
        int64_t best = INT64_MIN;
        for (uint32_t k = 0; k < q->codewords; k++) {
            const int16_t *c = q->codes + ((size_t)s * q->codewords + k) * q->dimension;
            int64_t dot = 0, norm = 0;
            for (uint32_t i = 0; i < q->dimension; i++) {
                dot += (int64_t)r[i] * c[i];
                norm += (int64_t)c[i] * c[i];
            }
            if (dot - norm / 2 > best) {
                best = dot - norm / 2;
                tokens[s] = (uint16_t)k;
            }
        }
        const int16_t *c = q->codes + ((size_t)s * q->codewords + tokens[s]) * q->dimension;
        for (uint32_t i = 0; i < q->dimension; i++)
            r[i] = (int16_t)clamp((int64_t)r[i] - c[i]);
    }
}

static void check(const lac_rvq *q, const int16_t *z)
{
    uint16_t tokens[32], expected[32];
    int16_t residual[LAC_RVQ_MAX_D], left[LAC_RVQ_MAX_D];
    for (uint32_t stages = 0; stages <= q->stages; stages += 1 + q->stages / 3) {
        lac_rvq_encode(q, z, &stages, 1, tokens, residual);
        encode_by_definition(q, z, stages, expected, left);
        cr_assert_eq(memcmp(tokens, expected, stages * sizeof(tokens[0])), 0, "K %u D %u", q->codewords, q->dimension);
        cr_assert_eq(memcmp(residual, left, q->dimension * sizeof(left[0])), 0);
    }
}

Test(rvq, greedy_search_by_definition)
{
    random_source r = random_start();
    for (int round = 0; round < rounds(60); round++) {
        uint32_t Q = 1 + random_below(&r, 8), K = 1 + random_below(&r, 90);
        uint32_t D = round % 3 ? 1 + random_below(&r, LAC_RVQ_MAX_D) : LAC_RVQ_MAX_D;
        quantiser z = quantiser_new(&r, Q, K, D, 1 << (3 + random_below(&r, 10)));
        int16_t x[LAC_RVQ_MAX_D];
        for (int i = 0; i < 5; i++) {
            for (uint32_t d = 0; d < D; d++)
                x[d] = random_value(&r, i ? 800 : LAC_RVQ_MAX);
            check(&z.q, x);
        }
        quantiser_free(&z);
    }
}

Test(rvq, rows_together_are_what_they_are_alone)
{
    enum { ROWS = 150, D = 24, Q = 5 };
    random_source r = random_start();
    quantiser z = quantiser_new(&r, Q, 200, D, 600);
    static int16_t x[ROWS * D], residual[ROWS * D], left[D];
    static uint16_t tokens[ROWS * Q], expected[Q];
    static uint32_t stages[ROWS];
    for (int round = 0; round < rounds(5); round++) {
        size_t rows = random_below(&r, ROWS + 1);
        for (size_t i = 0; i < rows * D; i++)
            x[i] = random_value(&r, 800);
        for (size_t i = 0; i < rows; i++)
            stages[i] = random_below(&r, Q + 1);
        lac_rvq_encode(&z.q, x, stages, rows, tokens, residual);
        for (size_t i = 0; i < rows; i++) {
            memset(expected, 0, sizeof expected);
            encode_by_definition(&z.q, x + i * D, stages[i], expected, left);
            cr_assert_arr_eq(tokens + i * Q, expected, sizeof expected, "row %zu of %zu", i, rows);
            cr_assert_arr_eq(residual + i * D, left, sizeof left, "row %zu of %zu", i, rows);
        }
    }
    quantiser_free(&z);
}

Test(rvq, extreme_values_stay_exact)
{
    int16_t codes[4 * LAC_RVQ_MAX_D], x[LAC_RVQ_MAX_D];
    int32_t half_norm[4];
    for (int i = 0; i < LAC_RVQ_MAX_D; i++) {
        codes[i] = LAC_RVQ_MAX;
        codes[LAC_RVQ_MAX_D + i] = -LAC_RVQ_MAX;
        codes[2 * LAC_RVQ_MAX_D + i] = i % 2 ? LAC_RVQ_MAX : -LAC_RVQ_MAX;
        codes[3 * LAC_RVQ_MAX_D + i] = 1;
    }
    lac_rvq_half_norms(half_norm, codes, 4, LAC_RVQ_MAX_D);
    cr_assert_eq(half_norm[0], 64 * 4095 * 4095 / 2);
    cr_assert_eq(half_norm[3], 32);
    lac_rvq q = {2, 2, LAC_RVQ_MAX_D, codes, half_norm, NULL, NULL};
    for (int sign = -1; sign <= 1; sign++) {
        for (int i = 0; i < LAC_RVQ_MAX_D; i++)
            x[i] = (int16_t)(sign * LAC_RVQ_MAX);
        check(&q, x);
    }
}

Test(rvq, the_lowest_index_wins_among_equals)
{
    int16_t codes[6 * 8] = {0}, x[8] = {100, -100}, residual[8];
    int32_t half_norm[6];
    for (int k = 0; k < 6; k++)
        codes[k * 8] = k < 2 ? -50 : 100;
    uint16_t token;
    lac_rvq_half_norms(half_norm, codes, 6, 8);
    lac_rvq q = {1, 6, 8, codes, half_norm, NULL, NULL};
    lac_rvq_encode(&q, x, &(uint32_t){1}, 1, &token, residual);
    cr_assert_eq(token, 2);
    cr_assert(residual[0] == 0 && residual[1] == -100);
}

Test(rvq, decoding_adds_and_clamps_once)
{
    random_source r = random_start();
    for (int round = 0; round < rounds(100); round++) {
        uint32_t Q = 1 + random_below(&r, 32), K = 1 + random_below(&r, 40), D = 1 + random_below(&r, LAC_RVQ_MAX_D);
        quantiser z = quantiser_new(&r, Q, K, D, LAC_RVQ_MAX);
        uint16_t tokens[32];
        int16_t out[LAC_RVQ_MAX_D];
        for (uint32_t s = 0; s < Q; s++)
            tokens[s] = (uint16_t)random_below(&r, K);
        uint32_t stages = random_below(&r, Q + 1);
        lac_rvq_decode(&z.q, tokens, stages, out);
        for (uint32_t d = 0; d < D; d++) {
            int64_t sum = 0;
            for (uint32_t s = 0; s < stages; s++)
                sum += z.codes[((size_t)s * K + tokens[s]) * D + d];
            cr_assert_eq(out[d], clamp(sum));
        }
        quantiser_free(&z);
    }
}

/* Within range, what is left is what decoding misses. */
Test(rvq, residual_is_the_error_of_decoding)
{
    random_source r = random_start();
    quantiser z = quantiser_new(&r, 8, 64, 32, 300);
    int16_t x[32], y[32], residual[32];
    uint16_t tokens[8];
    for (int round = 0; round < rounds(100); round++) {
        for (int d = 0; d < 32; d++)
            x[d] = random_value(&r, 500);
        lac_rvq_encode(&z.q, x, &(uint32_t){8}, 1, tokens, residual);
        lac_rvq_decode(&z.q, tokens, 8, y);
        for (int d = 0; d < 32; d++)
            cr_assert_eq(x[d] - y[d], residual[d]);
    }
    quantiser_free(&z);
}
