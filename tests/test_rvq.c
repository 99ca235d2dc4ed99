/* The residual quantiser against a plain search in 64 bits. */
#include <string.h>

#include "cpu.h"
#include "fixture.h"
#include "quantiser.h"
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

/* ---- M-best search ---- */

#define MOST_STAGES 6
#define MOST_CODES 300 /* more than are scored together */

/* A choice of tokens, as the definition follows it. */
typedef struct path {
    int64_t rank; /* minus half of what is left */
    uint16_t tokens[MOST_STAGES];
    int16_t left[LAC_RVQ_MAX_D];
} path;

static int64_t squares(const int16_t *x, size_t n)
{
    int64_t sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += x[i] * x[i];
    return sum;
}

static int compare_tokens(const void *a, const void *b)
{
    const path *x = a, *y = b;
    for (int s = 0; s < MOST_STAGES; s++)
        if (x->tokens[s] != y->tokens[s])
            return x->tokens[s] < y->tokens[s] ? -1 : 1;
    return 0;
}

/* Best first; of equals the lexically lower tokens. */
static int compare_paths(const void *a, const void *b)
{
    const path *x = a, *y = b;
    return x->rank != y->rank ? (x->rank < y->rank ? 1 : -1) : compare_tokens(a, b);
}

static path step(const lac_rvq *q, const path *from, uint32_t s, uint32_t k)
{
    path to = *from;
    const int16_t *c = q->codes + ((size_t)s * q->codewords + k) * q->dimension;
    int64_t dot = 0;
    for (uint32_t i = 0; i < q->dimension; i++) {
        dot += from->left[i] * c[i];
        to.left[i] = (int16_t)clamp(from->left[i] - c[i]);
    }
    to.rank = dot - squares(c, q->dimension) / 2 - squares(from->left, q->dimension) / 2;
    to.tokens[s] = (uint16_t)k;
    return to;
}

static int64_t distance_of(const lac_rvq *q, const int16_t *z, const uint16_t *tokens, uint32_t stages)
{
    int16_t y[LAC_RVQ_MAX_D], error[LAC_RVQ_MAX_D];
    lac_rvq_decode(q, tokens, stages, y);
    for (uint32_t i = 0; i < q->dimension; i++)
        error[i] = (int16_t)(z[i] - y[i]);
    return squares(error, q->dimension);
}

/* paths [count], in any order: the nearest to z, the lexically lowest of equals. */
static const path *nearest_path(const lac_rvq *q, const int16_t *z, path *paths, size_t count, uint32_t stages)
{
    const path *best = paths;
    qsort(paths, count, sizeof *paths, compare_tokens);
    for (const path *p = paths; p < paths + count; p++)
        if (distance_of(q, z, p->tokens, stages) < distance_of(q, z, best->tokens, stages))
            best = p;
    return best;
}

static void beam_by_definition(const lac_rvq *q, const int16_t *z, uint32_t stages, size_t width, uint16_t *tokens)
{
    static path kept[LAC_RVQ_MAX_BEAM], all[LAC_RVQ_MAX_BEAM * MOST_CODES];
    uint16_t greedy[MOST_STAGES] = {0};
    int16_t residual[LAC_RVQ_MAX_D];
    size_t count = 1;
    encode_by_definition(q, z, stages, greedy, residual);
    memset(kept, 0, sizeof kept);
    memcpy(kept[0].left, z, q->dimension * sizeof *z);
    for (uint32_t s = 0; s < stages; s++) {
        size_t children = 0, at = 0;
        for (size_t i = 0; i < count; i++)
            for (uint32_t k = 0; k < q->codewords; k++)
                all[children++] = step(q, &kept[i], s, k);
        qsort(all, children, sizeof *all, compare_paths);
        while (memcmp(all[at].tokens, greedy, (s + 1) * sizeof *greedy) != 0)
            at++;
        count = children < width ? children : width;
        if (at >= count)
            all[count - 1] = all[at];
        memcpy(kept, all, count * sizeof *kept);
    }
    memcpy(tokens, nearest_path(q, z, kept, count, stages)->tokens, stages * sizeof *tokens);
}

static uint8_t *pack_books(const lac_rvq *q)
{
    lac_codebook book = lac_rvq_book(q, 0, 0, q->codewords);
    size_t size = lac_codebook_packed_bytes(&book);
    uint8_t *packed = test_alloc(q->stages * size, 1);
    for (uint32_t s = 0; s < q->stages; s++) {
        book = lac_rvq_book(q, s, 0, q->codewords);
        lac_codebook_pack(&book, packed + s * size);
    }
    return packed;
}

static void random_row(random_source *r, int16_t *x, size_t n, int limit)
{
    for (size_t i = 0; i < n; i++)
        x[i] = random_value(r, limit);
}

Test(rvq, beam_by_definition_with_every_kernel)
{
    random_source r = random_start();
    lac_kernels kernels[2];
    lac_kernels_choose(&kernels[0], lac_cpu_detect());
    lac_kernels_choose(&kernels[1], lac_cpu_detect() & ~(uint32_t)LAC_CPU_AVX512VNNI);
    for (int round = 0; round < rounds(150); round++) {
        uint32_t Q = 1 + random_below(&r, MOST_STAGES), K = 1 + random_below(&r, round % 8 ? 64 : MOST_CODES);
        uint32_t D = round % 3 ? 1 + random_below(&r, LAC_RVQ_MAX_D) : LAC_RVQ_MAX_D;
        uint32_t stages = random_below(&r, Q + 1), width = 2 + random_below(&r, LAC_RVQ_MAX_BEAM - 1);
        int limit = round % 5 ? 1 << random_below(&r, 11) : LAC_RVQ_MAX;
        quantiser z = quantiser_new(&r, Q, K, D, limit);
        uint8_t *packed = pack_books(&z.q);
        int16_t x[LAC_RVQ_MAX_D];
        uint16_t tokens[MOST_STAGES], expected[MOST_STAGES] = {0};
        random_row(&r, x, D, 2 * limit < LAC_RVQ_MAX ? 2 * limit : LAC_RVQ_MAX);
        beam_by_definition(&z.q, x, stages, width, expected);
        for (int i = 0; i < 3; i++) {
            z.q.packed = i && kernels[i - 1].nearest != lac_nearest_c ? packed : NULL;
            z.q.nearest = i ? kernels[i - 1].nearest : NULL;
            lac_rvq_encode_beam(&z.q, i ? kernels[i - 1].scores : NULL, width, x, &stages, 1, tokens);
            cr_assert_arr_eq(tokens, expected, Q * sizeof *tokens, "kernels %d: Q %u K %u D %u, %u stages, width %u",
                             i, Q, K, D, stages, width);
        }
        free(packed);
        quantiser_free(&z);
    }
}

/* A beam that is wide enough to drop nothing finds the best of all. */
Test(rvq, wide_beam_is_exhaustive)
{
    static const struct { uint32_t Q, K; } shapes[] = {{1, 16}, {2, 4}, {3, 2}, {4, 2}, {2, 3}, {6, 1}};
    static path all[16];
    random_source r = random_start();
    for (int round = 0; round < rounds(300); round++) {
        uint32_t Q = shapes[round % 6].Q, K = shapes[round % 6].K, D = 1 + random_below(&r, 8);
        size_t count = 1;
        quantiser z = quantiser_new(&r, Q, K, D, round % 5 ? 1 + (int)random_below(&r, 100) : LAC_RVQ_MAX);
        int16_t x[LAC_RVQ_MAX_D];
        uint16_t tokens[MOST_STAGES];
        random_row(&r, x, D, round % 5 ? 150 : LAC_RVQ_MAX);
        for (uint32_t s = 0; s < Q; s++)
            count *= K;
        memset(all, 0, sizeof all);
        for (size_t i = 0; i < count; i++)
            for (uint32_t s = 0, rest = (uint32_t)i; s < Q; s++, rest /= K)
                all[i].tokens[s] = (uint16_t)(rest % K);
        lac_rvq_encode_beam(&z.q, NULL, LAC_RVQ_MAX_BEAM, x, &Q, 1, tokens);
        cr_assert_arr_eq(tokens, nearest_path(&z.q, x, all, count, Q)->tokens, Q * sizeof *tokens, "Q %u K %u", Q,
                         K);
        quantiser_free(&z);
    }
}

/* Also where residuals are clamped, which the search does not foresee. */
Test(rvq, beam_is_never_further_than_greedy_search)
{
    random_source r = random_start();
    int nearer = 0;
    for (int round = 0; round < rounds(300); round++) {
        uint32_t Q = 1 + random_below(&r, 12), K = 1 + random_below(&r, 40), D = 1 + random_below(&r, LAC_RVQ_MAX_D);
        int limit = round % 2 ? LAC_RVQ_MAX : 300;
        quantiser z = quantiser_new(&r, Q, K, D, limit);
        int16_t x[LAC_RVQ_MAX_D], residual[LAC_RVQ_MAX_D];
        uint16_t tokens[12], greedy[12];
        random_row(&r, x, D, limit);
        lac_rvq_encode(&z.q, x, &Q, 1, greedy, residual);
        lac_rvq_encode_beam(&z.q, NULL, 2 + random_below(&r, 4), x, &Q, 1, tokens);
        int64_t far = distance_of(&z.q, x, greedy, Q), near = distance_of(&z.q, x, tokens, Q);
        cr_assert_leq(near, far, "Q %u K %u D %u", Q, K, D);
        nearer += near < far;
        quantiser_free(&z);
    }
    cr_assert_gt(nearer, rounds(300) / 4);
}

/* Every codeword is there three times, and few values make many sums equal. */
Test(rvq, beam_takes_the_lowest_tokens_among_equals)
{
    enum { Q = 4, MOST_D = 3 };
    random_source r = random_start();
    for (int round = 0; round < rounds(60); round++) {
        uint32_t D = 1 + (uint32_t)round % MOST_D, K = round % 5 ? 51 : 291, stages = Q;
        quantiser z = quantiser_new(&r, Q, K, D, 2 + round % 20);
        int16_t x[LAC_RVQ_MAX_D];
        uint16_t tokens[MOST_STAGES], expected[MOST_STAGES] = {0};
        for (size_t s = 0; s < Q; s++)
            for (size_t k = K / 3; k < K; k++)
                memcpy(z.codes + (s * K + k) * D, z.codes + (s * K + k % (K / 3)) * D, D * sizeof *z.codes);
        lac_rvq_half_norms(z.half_norm, z.codes, (size_t)Q * K, D);
        random_row(&r, x, D, 40);
        for (uint32_t width = 2; width <= LAC_RVQ_MAX_BEAM; width++) {
            lac_rvq_encode_beam(&z.q, NULL, width, x, &stages, 1, tokens);
            beam_by_definition(&z.q, x, stages, width, expected);
            cr_assert_arr_eq(tokens, expected, Q * sizeof *tokens, "D %u, width %u", D, width);
        }
        quantiser_free(&z);
    }
}

/* Books of several parts, the last of them short. */
Test(rvq, beam_on_rows_together_is_what_it_is_alone)
{
    enum { ROWS = 70, D = 24, Q = 5 };
    random_source r = random_start();
    for (int round = 0; round < rounds(8); round++) {
        static int16_t x[ROWS * D];
        static uint16_t together[ROWS * Q], alone[Q];
        static uint32_t stages[ROWS];
        uint32_t width = 2 + random_below(&r, LAC_RVQ_MAX_BEAM - 1);
        size_t rows = random_below(&r, ROWS + 1);
        quantiser z = quantiser_new(&r, Q, 120 + random_below(&r, 180), D, 600);
        random_row(&r, x, rows * D, 800);
        for (size_t i = 0; i < rows; i++)
            stages[i] = random_below(&r, Q + 1);
        lac_rvq_encode_beam(&z.q, NULL, width, x, stages, rows, together);
        for (size_t i = 0; i < rows; i++) {
            lac_rvq_encode_beam(&z.q, NULL, width, x + i * D, stages + i, 1, alone);
            cr_assert_arr_eq(together + i * Q, alone, sizeof alone, "row %zu of %zu, width %u", i, rows, width);
        }
        quantiser_free(&z);
    }
}

/* ---- metric ---- */

Test(metric, rounds_halves_upwards_and_clamps)
{
    enum { D = 3 };
    const int16_t metric[D * D] = {512, 0, 0, 0, 1024, -1, LAC_RVQ_MAX, LAC_RVQ_MAX, 0};
    const int16_t z[2 * D] = {1, 7, 512, -1, -LAC_RVQ_MAX, -512};
    int16_t out[2 * D];
    lac_metric_apply(out, metric, z, 2, D);
    cr_assert_arr_eq(out, ((int16_t[]){1, 7, 32, 0, -4094, -LAC_RVQ_MAX}), sizeof out);
    int16_t extreme[LAC_RVQ_MAX_D * LAC_RVQ_MAX_D], row[LAC_RVQ_MAX_D], least[LAC_RVQ_MAX_D];
    for (size_t i = 0; i < LAC_RVQ_MAX_D * LAC_RVQ_MAX_D; i++)
        extreme[i] = -LAC_RVQ_MAX;
    for (size_t i = 0; i < LAC_RVQ_MAX_D; i++)
        row[i] = LAC_RVQ_MAX;
    lac_metric_apply(least, extreme, row, 1, LAC_RVQ_MAX_D);
    for (size_t i = 0; i < LAC_RVQ_MAX_D; i++)
        cr_assert_eq(least[i], -LAC_RVQ_MAX);
}

/* What is left of z after a row of tokens, by a metric. */
static int64_t measured_error(const lac_quantiser *q, const int16_t *z, const uint16_t *tokens, uint32_t stages)
{
    int16_t word[LAC_RVQ_MAX_D], left[LAC_RVQ_MAX_D];
    int64_t sum = 0;
    lac_quantiser_decode(q, tokens, stages, word);
    for (uint32_t i = 0; i < q->dimension; i++)
        left[i] = lac_rvq_clamp(z[i] - word[i]);
    for (uint32_t i = 0; i < q->dimension; i++) {
        int64_t v = 0;
        for (uint32_t j = 0; j < q->dimension; j++)
            v += (int64_t)q->metric[i * q->dimension + j] * left[j];
        sum += v / LAC_METRIC_ONE * (v / LAC_METRIC_ONE);
    }
    return sum;
}

/* Searches of every beam with a metric are nearer by it than without, and decode with the same words. */
Test(metric, searches_by_it)
{
    enum { Q = 3, K = 64, D = 16, ROWS = 200 };
    random_source r = random_start();
    quantiser plain = quantiser_new(&r, Q, K, D, 1200);
    quantiser after = quantiser_new(&r, Q, K, D, 1200);
    int16_t metric[D * D] = {0}, *z = test_alloc(ROWS * D, sizeof *z), *residual = test_alloc(ROWS * D, sizeof *z);
    uint16_t tokens[2][ROWS * Q];
    uint32_t stages[ROWS];
    for (size_t i = 0; i < D; i++)
        metric[i * D + (i + 1) % D] = i % 4 == 0 ? 2 * LAC_METRIC_ONE : LAC_METRIC_ONE / 4;
    lac_metric_apply(after.codes, metric, plain.codes, (size_t)Q * K, D);
    lac_rvq_half_norms(after.half_norm, after.codes, (size_t)Q * K, D);
    for (size_t i = 0; i < ROWS * D; i++)
        z[i] = random_value(&r, 1500);
    for (size_t i = 0; i < ROWS; i++)
        stages[i] = 1 + (uint32_t)i % Q;
    lac_quantiser q = {LAC_QUANTISER_RVQ, Q, K, D, plain.q, lac_scores_c, {.stages = 0}, NULL, {0}};
    for (uint32_t beam = 1; beam <= 8; beam *= 2) {
        int64_t error[2] = {0, 0};
        q.metric = NULL;
        lac_quantiser_encode(&q, beam, z, stages, ROWS, tokens[0], residual);
        q.metric = metric;
        q.measured = after.q;
        lac_quantiser_encode(&q, beam, z, stages, ROWS, tokens[1], residual);
        for (size_t i = 0; i < ROWS; i++)
            for (size_t n = 0; n < 2; n++)
                error[n] += measured_error(&q, z + i * D, tokens[n] + i * Q, stages[i]);
        cr_assert_lt(error[1], error[0] * 9 / 10, "beam %u", beam);
        if (beam == 1)
            for (size_t i = 0; i < ROWS; i++) {
                uint16_t want[Q];
                int16_t from[D], left[D];
                lac_metric_apply(from, metric, z + i * D, 1, D);
                encode_by_definition(&after.q, from, stages[i], want, left);
                cr_assert_arr_eq(tokens[1] + i * Q, want, stages[i] * sizeof *want);
            }
    }
    free(z);
    free(residual);
    quantiser_free(&plain);
    quantiser_free(&after);
}
