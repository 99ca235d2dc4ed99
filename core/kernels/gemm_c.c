#include "kernels.h"

#define TILE_N 4 /* outputs whose weights are widened together */
#define TILE_M 4 /* rows of activations worked on together */

typedef struct gemm {
    float *out;
    size_t ldo;
    const int16_t *a;
    const float *a_scale;
    const int8_t *w;
    const float *w_scale, *bias;
    size_t M, K;
} gemm;

static inline void finish(const gemm *g, size_t m, size_t n, int32_t sum)
{
    g->out[m * g->ldo + n] = (float)sum * g->a_scale[m] * g->w_scale[n] + g->bias[n];
}

/* TILE_M rows times two widened weight rows. The sums are integers: their order is free. */
static void tile_4x2(const gemm *g, size_t m, size_t n, const int16_t *w0, const int16_t *w1)
{
    size_t K = g->K;
    const int16_t *a0 = g->a + m * K, *a1 = a0 + K, *a2 = a1 + K, *a3 = a2 + K;
    int32_t s00 = 0, s01 = 0, s10 = 0, s11 = 0, s20 = 0, s21 = 0, s30 = 0, s31 = 0;
    for (size_t k = 0; k < K; k++) {
        s00 += a0[k] * w0[k];
        s01 += a0[k] * w1[k];
        s10 += a1[k] * w0[k];
        s11 += a1[k] * w1[k];
        s20 += a2[k] * w0[k];
        s21 += a2[k] * w1[k];
        s30 += a3[k] * w0[k];
        s31 += a3[k] * w1[k];
    }
    finish(g, m, n, s00);
    finish(g, m, n + 1, s01);
    finish(g, m + 1, n, s10);
    finish(g, m + 1, n + 1, s11);
    finish(g, m + 2, n, s20);
    finish(g, m + 2, n + 1, s21);
    finish(g, m + 3, n, s30);
    finish(g, m + 3, n + 1, s31);
}

static void tile_1x1(const gemm *g, size_t m, size_t n, const int16_t *w)
{
    const int16_t *a = g->a + m * g->K;
    int32_t s = 0;
    for (size_t k = 0; k < g->K; k++)
        s += a[k] * w[k];
    finish(g, m, n, s);
}

/* Outputs n .. n + count - 1 of all rows. */
static void many_rows(const gemm *g, size_t n, size_t count)
{
    int16_t wide[TILE_N][LAC_GEMM_MAX_K];
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < g->K; k++)
            wide[i][k] = g->w[(n + i) * g->K + k];
    size_t m = 0;
    for (; m + TILE_M <= g->M; m += TILE_M) {
        size_t i = 0;
        for (; i + 2 <= count; i += 2)
            tile_4x2(g, m, n + i, wide[i], wide[i + 1]);
        if (i < count)
            for (size_t j = 0; j < TILE_M; j++)
                tile_1x1(g, m + j, n + i, wide[i]);
    }
    for (; m < g->M; m++)
        for (size_t i = 0; i < count; i++)
            tile_1x1(g, m, n + i, wide[i]);
}

/* The same for few rows, where a copy of the weights would cost more than it saves. */
static void few_rows(const gemm *g, size_t n, size_t count)
{
    for (size_t i = n; i < n + count; i++) {
        const int8_t *w = g->w + i * g->K;
        for (size_t m = 0; m < g->M; m++) {
            const int16_t *a = g->a + m * g->K;
            int32_t s = 0;
            for (size_t k = 0; k < g->K; k++)
                s += a[k] * w[k];
            finish(g, m, i, s);
        }
    }
}

void lac_gemm_s16s8_c(float *out, size_t ldo, const int16_t *a, const float *a_scale, const lac_linear *w,
                      size_t first, size_t end, size_t M)
{
    gemm g = {out, ldo, a, a_scale, w->weight, w->scale, w->bias, M, w->in};
    for (size_t n = first; n < end; n += TILE_N) {
        size_t count = end - n < TILE_N ? end - n : TILE_N;
        if (M < TILE_M)
            few_rows(&g, n, count);
        else
            many_rows(&g, n, count);
    }
}

void lac_dot_s16s8_c(int32_t *out, const int16_t *a, const lac_linear *w)
{
    const int8_t *row = w->weight;
    for (size_t n = 0; n < w->out; n++, row += w->in) {
        int32_t s = 0;
        for (size_t k = 0; k < w->in; k++)
            s += a[k] * row[k];
        out[n] = s;
    }
}

#define LAC_KERNEL(op) lac_##op##_c
#include "sums_body.h"
