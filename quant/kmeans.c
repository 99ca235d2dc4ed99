#include "kmeans.h"

#include <stdlib.h>
#include <string.h>

#include "cpu.h"
#include "parallel.h"
#include "rng.h"
#include "rvq.h"

#define ROWS 64              /* searched for together */
#define START_ROWS 32u       /* a codeword, that the start looks at */
#define TOGETHER LAC_CODE_PANEL

int64_t lac_divide_round(int64_t a, int64_t b)
{
    return (a < 0 ? a - b / 2 : a + b / 2) / b;
}

void lac_kmeans_init(lac_kmeans *k, lac_workspace *w, size_t rows)
{
    lac_kernels kernels;
    lac_kernels_choose(&kernels, lac_cpu_mask(lac_cpu_detect(), getenv("LAC_CPU_MASK")));
    k->nearest = kernels.nearest;
    k->scores = kernels.scores;
    k->tokens = lac_workspace_take(w, rows, sizeof *k->tokens);
    k->error = lac_workspace_take(w, rows, sizeof *k->error);
    k->counts = lac_workspace_take(w, (size_t)k->threads * k->codewords, sizeof *k->counts);
    k->sums = lac_workspace_take(w, (size_t)k->threads * k->codewords * k->dimension, sizeof *k->sums);
    k->squares = lac_workspace_take(w, k->threads, sizeof *k->squares);
}

static const int16_t *row_at(const lac_kmeans *k, lac_kmeans_rows rows, size_t i)
{
    return rows.first + i * rows.stride * k->dimension;
}

/* Below `limit`, which is not 0. */
static uint64_t draw(lac_kmeans *k, uint64_t limit)
{
    uint64_t high = lac_hash32(k->random), low = lac_hash32(k->random + 1);
    k->random += 2;
    return (high << 32 | low) % limit;
}

/* The row in whose error the draw falls, which then has none; *total is the sum. Any row if that is 0. */
static size_t draw_row(lac_kmeans *k, size_t count, uint64_t *total)
{
    uint64_t left = draw(k, *total > 0 ? *total : count);
    size_t i = 0;
    if (*total == 0)
        return (size_t)left;
    while (left >= k->error[i])
        left -= k->error[i++];
    *total -= k->error[i];
    k->error[i] = 0;
    return i;
}

static uint32_t square(const int16_t *a, const int16_t *b, size_t n)
{
    uint32_t sum = 0;
    for (size_t d = 0; d < n; d++)
        sum += (uint32_t)((a[d] - b[d]) * (a[d] - b[d]));
    return sum;
}

/* ---- start ---- */

typedef struct start_job {
    const lac_kmeans *k;
    lac_kmeans_rows rows;
    lac_codebook book; /* the newest codewords */
} start_job;

/* Errors after the book's codewords; the first pass has none before. */
static void lower_errors(void *user, size_t part, size_t first, size_t end)
{
    const start_job *job = user;
    const lac_kmeans *k = job->k;
    (void)part;
    for (size_t n; first < end; first += n) {
        const int16_t *r[ROWS];
        int32_t scores[ROWS * TOGETHER], tops[ROWS * TOGETHER];
        n = end - first < ROWS ? end - first : ROWS;
        for (size_t i = 0; i < n; i++)
            r[i] = row_at(k, job->rows, first + i);
        k->scores(scores, tops, r, n, &job->book);
        for (size_t i = 0; i < n; i++) {
            int32_t top = INT32_MIN;
            for (size_t l = 0; l < TOGETHER; l++)
                top = tops[i * TOGETHER + l] > top ? tops[i * TOGETHER + l] : top;
            int16_t none[LAC_RVQ_MAX_D] = {0};
            int64_t left = (int64_t)square(r[i], none, k->dimension) - 2 * (int64_t)top;
            left = left > 0 ? left : 0;
            if (left < k->error[first + i])
                k->error[first + i] = (uint32_t)left;
        }
    }
}

static uint64_t sum_errors(const lac_kmeans *k, size_t count)
{
    uint64_t total = 0;
    for (size_t i = 0; i < count; i++)
        total += k->error[i];
    return total;
}

/* A book of `count` codewords from c on, packed where the first panel of all will be. */
static lac_codebook newest(const lac_kmeans *k, size_t c, size_t count)
{
    lac_codebook book = {(uint32_t)count, k->dimension, k->codes + c * k->dimension, k->half_norm + c, NULL};
    lac_rvq_half_norms(k->half_norm + c, book.codes, count, k->dimension);
    lac_codebook_pack(&book, k->packed);
    return book;
}

void lac_kmeans_start(lac_kmeans *k, lac_kmeans_rows rows)
{
    size_t most = (size_t)k->codewords * START_ROWS;
    if (rows.count > most) {
        rows.stride *= rows.count / most;
        rows.count = most;
    }
    memset(k->error, 0xff, rows.count * sizeof *k->error);
    for (size_t c = 0, n; c < k->codewords; c += n) {
        uint64_t total = c > 0 ? sum_errors(k, rows.count) : 0;
        n = c / TOGETHER < 1 ? 1 : c / TOGETHER < TOGETHER ? c / TOGETHER : TOGETHER;
        n = k->codewords - c < n ? k->codewords - c : n;
        for (size_t i = 0; i < n; i++)
            memcpy(k->codes + (c + i) * k->dimension, row_at(k, rows, draw_row(k, rows.count, &total)),
                   k->dimension * sizeof *k->codes);
        lac_parallel(rows.count, k->threads, lower_errors, &(start_job){k, rows, newest(k, c, n)});
    }
}

/* ---- assignment ---- */

void lac_kmeans_prepare(lac_kmeans *k)
{
    lac_codebook book = {k->codewords, k->dimension, k->codes, k->half_norm, NULL};
    lac_rvq_half_norms(k->half_norm, k->codes, k->codewords, k->dimension);
    lac_codebook_pack(&book, k->packed);
}

typedef struct assign_job {
    const lac_kmeans *k;
    lac_kmeans_rows rows;
} assign_job;

static void account(const lac_kmeans *k, size_t part, size_t i, const int16_t *row)
{
    size_t D = k->dimension, token = k->tokens[i], at = part * k->codewords + token;
    int64_t *sum = k->sums + at * D;
    k->counts[at]++;
    for (size_t d = 0; d < D; d++)
        sum[d] += row[d];
    k->error[i] = square(row, k->codes + token * D, D);
    k->squares[part] += k->error[i];
}

static void assign_rows(void *user, size_t part, size_t first, size_t end)
{
    const assign_job *job = user;
    const lac_kmeans *k = job->k;
    lac_codebook book = {k->codewords, k->dimension, k->codes, k->half_norm, k->packed};
    for (size_t n; first < end; first += n) {
        const int16_t *r[ROWS];
        n = end - first < ROWS ? end - first : ROWS;
        for (size_t i = 0; i < n; i++)
            r[i] = row_at(k, job->rows, first + i);
        k->nearest(k->tokens + first, r, n, &book);
        for (size_t i = 0; i < n; i++)
            account(k, part, first + i, r[i]);
    }
}

void lac_kmeans_clear(lac_kmeans *k)
{
    size_t books = (size_t)k->threads * k->codewords;
    memset(k->counts, 0, books * sizeof *k->counts);
    memset(k->sums, 0, books * k->dimension * sizeof *k->sums);
    memset(k->squares, 0, k->threads * sizeof *k->squares);
}

void lac_kmeans_reduce(lac_kmeans *k)
{
    size_t books = k->codewords, values = books * k->dimension;
    for (size_t t = 1; t < k->threads; t++) {
        k->squares[0] += k->squares[t];
        for (size_t i = 0; i < books; i++)
            k->counts[i] += k->counts[t * books + i];
        for (size_t i = 0; i < values; i++)
            k->sums[i] += k->sums[t * values + i];
    }
}

void lac_kmeans_assign(lac_kmeans *k, lac_kmeans_rows rows)
{
    lac_kmeans_clear(k);
    lac_parallel(rows.count, k->threads, assign_rows, &(assign_job){k, rows});
    lac_kmeans_reduce(k);
}

/* ---- new codewords ---- */

static int16_t clamp(int64_t v)
{
    return (int16_t)(v > LAC_RVQ_MAX ? LAC_RVQ_MAX : v < -LAC_RVQ_MAX ? -LAC_RVQ_MAX : v);
}

void lac_kmeans_mean(lac_kmeans *k, const int16_t *start, uint32_t prior)
{
    size_t D = k->dimension;
    for (size_t i = 0; i < k->codewords * D; i++) {
        int64_t count = k->counts[i / D] + prior, sum = k->sums[i] + (prior ? prior * (int64_t)start[i] : 0);
        if (count > 0)
            k->codes[i] = clamp(lac_divide_round(sum, count));
    }
}

/* A batch has at most 2^16 rows, so that |v| < 2^44 and products fit. */
static int64_t decayed(int64_t v, uint32_t decay)
{
    return v - lac_divide_round(v * (65536 - (int64_t)decay), 65536);
}

void lac_kmeans_average(lac_kmeans *k, int64_t *counts, int64_t *sums, uint32_t decay)
{
    size_t D = k->dimension;
    int64_t share = 65536 - (int64_t)decay;
    for (size_t c = 0; c < k->codewords; c++)
        counts[c] = decayed(counts[c], decay) + k->counts[c] * share;
    for (size_t i = 0; i < k->codewords * D; i++) {
        sums[i] = decayed(sums[i], decay) + k->sums[i] * share;
        if (counts[i / D] > 0)
            k->codes[i] = clamp(lac_divide_round(sums[i], counts[i / D]));
    }
}

void lac_kmeans_revive(lac_kmeans *k, lac_kmeans_rows rows, size_t c)
{
    uint64_t total = sum_errors(k, rows.count);
    size_t i = draw_row(k, rows.count, &total);
    memcpy(k->codes + c * k->dimension, row_at(k, rows, i), k->dimension * sizeof *k->codes);
}
