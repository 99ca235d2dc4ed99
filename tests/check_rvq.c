/* Checks of the codebook search. */
#include <stdio.h>
#include <string.h>

#include "checkkernel.h"

#define MOST 4095
#define ROWS 70
#define MOST_CODES 208
#define WIDEST 64

enum { CODES, NORMS, PACKED, VALUES, TOKENS, TOPS };

/* Values: random; of two kinds only, so that many scores are equal; the largest of random sign. */
enum { RANDOM, EQUAL, LARGEST, KINDS };

typedef struct problem {
    lac_codebook book;
    const int16_t *rows[ROWS];
    size_t count;
    uint16_t *tokens;
} problem;

static void fill(int16_t *x, size_t n, int kind)
{
    for (size_t i = 0; i < n; i++)
        x[i] = (int16_t)(kind == RANDOM ? (int)check_random(2 * MOST + 1) - MOST
                         : kind == EQUAL ? (int)check_random(2)
                         : check_random(2) ? MOST : -MOST);
}

static problem make(size_t K, size_t D, size_t count, int kind, check_side side)
{
    int16_t *codes = check_buffer(CODES, K * D * sizeof *codes, side);
    int32_t *norms = check_buffer(NORMS, K * sizeof *norms, side);
    int16_t *values = check_buffer(VALUES, count * D * sizeof *values, side);
    problem p = {.book = {(uint32_t)K, (uint32_t)D, codes, norms, NULL}, .count = count};
    fill(codes, K * D, kind);
    fill(values, count * D, kind);
    for (size_t k = 0; k < K; k++) {
        int32_t sum = 0;
        for (size_t d = 0; d < D; d++)
            sum += codes[k * D + d] * codes[k * D + d];
        norms[k] = sum >> 1;
    }
    lac_codebook_pack(&p.book, check_buffer(PACKED, lac_codebook_packed_bytes(&p.book), side));
    for (size_t i = 0; i < count; i++)
        p.rows[i] = values + (count - 1 - i) * D;
    p.tokens = check_buffer(TOKENS, count * sizeof *p.tokens, side);
    return p;
}

static void check_shape(lac_nearest_fn *tested, size_t K, size_t D, size_t count)
{
    uint16_t expected[ROWS];
    for (int kind = 0; kind < KINDS; kind++)
        for (int side = 0; side < CHECK_SIDES; side++) {
            problem p = make(K, D, count, kind, (check_side)side);
            lac_nearest_c(expected, p.rows, count, &p.book);
            tested(p.tokens, p.rows, count, &p.book);
            if (memcmp(p.tokens, expected, count * sizeof *expected) != 0)
                check_fail("K %zu D %zu rows %zu, values of kind %d", K, D, count, kind);
        }
}

void check_nearest(check_function *function)
{
    lac_nearest_fn *tested = (lac_nearest_fn *)function;
    for (size_t n = 1; n <= 64; n++) {
        check_shape(tested, n, 1 + check_random(WIDEST), check_random(20));
        check_shape(tested, 1 + check_random(200), n, check_random(20));
        check_shape(tested, 1 + check_random(200), 1 + check_random(WIDEST), n);
    }
    for (size_t rows = 0; rows <= ROWS; rows += 1 + rows / 2)
        check_shape(tested, 1024, WIDEST, rows);
}

static void check_scores_shape(lac_scores_fn *tested, size_t K, size_t D, size_t count)
{
    static int32_t expected[ROWS * MOST_CODES], expected_tops[ROWS * LAC_CODE_PANEL];
    size_t size = (K + LAC_CODE_PANEL - 1) / LAC_CODE_PANEL * LAC_CODE_PANEL * count * sizeof *expected;
    size_t tops_size = count * LAC_CODE_PANEL * sizeof *expected_tops;
    for (int kind = 0; kind < KINDS; kind++)
        for (int side = 0; side < CHECK_SIDES; side++) {
            problem p = make(K, D, count, kind, (check_side)side);
            int32_t *scores = check_buffer(TOKENS, size, (check_side)side);
            int32_t *tops = check_buffer(TOPS, tops_size, (check_side)side);
            lac_scores_c(expected, expected_tops, p.rows, count, &p.book);
            tested(scores, tops, p.rows, count, &p.book);
            if (memcmp(scores, expected, size) != 0 || memcmp(tops, expected_tops, tops_size) != 0)
                check_fail("K %zu D %zu rows %zu, values of kind %d", K, D, count, kind);
        }
}

void check_scores(check_function *function)
{
    lac_scores_fn *tested = (lac_scores_fn *)function;
    for (size_t n = 1; n <= 64; n++) {
        check_scores_shape(tested, n, 1 + check_random(WIDEST), check_random(20));
        check_scores_shape(tested, 1 + check_random(MOST_CODES), n, check_random(20));
        check_scores_shape(tested, 1 + check_random(MOST_CODES), 1 + check_random(WIDEST), n);
    }
}

/* ---- speed ---- */

typedef struct bench {
    lac_nearest_fn *nearest;
    problem p;
} bench;

static void run(void *user)
{
    const bench *b = user;
    b->nearest(b->p.tokens, b->p.rows, b->p.count, &b->p.book);
}

void bench_nearest(const char *name, check_function *function)
{
    static const size_t rows[] = {1, 2, 15, 64};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bench b = {(lac_nearest_fn *)function, make(1024, WIDEST, rows[i], RANDOM, CHECK_BEFORE)};
        double macs = (double)rows[i] * 1024 * WIDEST;
        char shape[32];
        snprintf(shape, sizeof shape, "%zux%dx1024", rows[i], WIDEST);
        check_rate(name, shape, macs / check_seconds(run, &b, 1 + (int)(1e7 / macs)) / 1e9, "GMAC/s");
    }
}

typedef struct scores_bench {
    lac_scores_fn *scores;
    problem p;
    int32_t *out, *tops;
} scores_bench;

static void run_scores(void *user)
{
    const scores_bench *b = user;
    b->scores(b->out, b->tops, b->p.rows, b->p.count, &b->p.book);
}

void bench_scores(const char *name, check_function *function)
{
    static const size_t rows[] = {1, 4, 8, 32};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        scores_bench b = {(lac_scores_fn *)function, make(128, WIDEST, rows[i], RANDOM, CHECK_BEFORE), NULL, NULL};
        b.out = check_buffer(TOKENS, rows[i] * 128 * sizeof *b.out, CHECK_BEFORE);
        b.tops = check_buffer(TOPS, rows[i] * LAC_CODE_PANEL * sizeof *b.tops, CHECK_BEFORE);
        double macs = (double)rows[i] * 128 * WIDEST;
        char shape[32];
        snprintf(shape, sizeof shape, "%zux%dx128", rows[i], WIDEST);
        check_rate(name, shape, macs / check_seconds(run_scores, &b, 1 + (int)(1e7 / macs)) / 1e9, "GMAC/s");
    }
}
