#include "kernels.h"

#include <math.h>

#include "fmath.h"
#include "parallel.h"

/* ---- quantisation ---- */

static inline int32_t magnitude_bits(float x)
{
    return (int32_t)(lac_float_bits(x) & 0x7fffffffu);
}

/* Largest |x|, where infinity and NaN count as FLT_MAX. Magnitudes order like their bits, and a maximum of integers
 * vectorises. */
static float max_magnitude(const float *x, size_t n)
{
    int32_t lanes[LAC_LANES] = {0}, m = 0;
    size_t t = 0;
    for (; t + LAC_LANES <= n; t += LAC_LANES)
        for (size_t i = 0; i < LAC_LANES; i++) {
            int32_t bits = magnitude_bits(x[t + i]);
            lanes[i] = bits > lanes[i] ? bits : lanes[i];
        }
    for (size_t i = 0; t + i < n; i++) {
        int32_t bits = magnitude_bits(x[t + i]);
        lanes[i] = bits > lanes[i] ? bits : lanes[i];
    }
    for (size_t i = 0; i < LAC_LANES; i++)
        m = lanes[i] > m ? lanes[i] : m;
    return lac_bits_float(m < 0x7f7fffff ? (uint32_t)m : 0x7f7fffffu);
}

/* v rounded half away from zero, at most LAC_ACT_MAX in magnitude. Clamped as an integer: that vectorises, and clamps
 * infinity and NaN too, so that the conversions are always defined. */
static inline int32_t round_activation(float v)
{
    const int32_t limit = 0x457ff000; /* 4095.0f */
    int32_t bits = magnitude_bits(v);
    uint32_t sign = v < 0 ? 0x80000000u : 0;
    float clamped = lac_bits_float((uint32_t)(bits < limit ? bits : limit) | sign);
    int32_t whole = (int32_t)clamped;
    float rest = clamped - (float)whole;
    return whole + (int32_t)(rest + rest);
}

void lac_quantize_row(int16_t *q, float *scale, const float *x, size_t n)
{
    float m = max_magnitude(x, n);
    if (m < 1e-20f) {
        for (size_t i = 0; i < n; i++)
            q[i] = 0;
        *scale = 0;
        return;
    }
    float factor = (float)LAC_ACT_MAX / m;
    for (size_t i = 0; i < n; i++)
        q[i] = (int16_t)round_activation(x[i] * factor);
    *scale = m * (1.0f / LAC_ACT_MAX);
}

/* ---- matrix product ---- */

#define TILE_N 4 /* outputs whose weights are widened together */
#define TILE_M 4 /* rows of activations worked on together */

typedef struct gemm {
    float *out;
    size_t ldo;
    const int16_t *a;
    const float *a_scale;
    const int8_t *w;
    const float *w_scale, *bias;
    size_t M, N, K;
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

static void tiles(void *user, size_t part, size_t first, size_t end)
{
    const gemm *g = user;
    (void)part;
    for (size_t n = first * TILE_N; n < end * TILE_N && n < g->N; n += TILE_N) {
        size_t count = g->N - n < TILE_N ? g->N - n : TILE_N;
        if (g->M < TILE_M)
            few_rows(g, n, count);
        else
            many_rows(g, n, count);
    }
}

void lac_gemm_s16s8(float *out, size_t ldo, const int16_t *a, const float *a_scale, const int8_t *w,
                    const float *w_scale, const float *bias, size_t M, size_t N, size_t K, unsigned threads)
{
    gemm g = {out, ldo, a, a_scale, w, w_scale, bias, M, N, K};
    lac_parallel(N / TILE_N + (N % TILE_N != 0), threads, tiles, &g);
}

/* ---- float ---- */

void lac_depthwise(float *out, const float *in, const float *w, const float *bias, size_t T, size_t C, size_t k)
{
    for (size_t t = 0; t < T; t++, in += C, out += C) {
        size_t c = 0;
        for (; c + LAC_LANES <= C; c += LAC_LANES) {
            float sums[LAC_LANES];
            for (size_t i = 0; i < LAC_LANES; i++)
                sums[i] = bias[c + i];
            for (size_t j = 0; j < k; j++)
                for (size_t i = 0; i < LAC_LANES; i++)
                    sums[i] += w[j * C + c + i] * in[j * C + c + i];
            for (size_t i = 0; i < LAC_LANES; i++)
                out[c + i] = sums[i];
        }
        for (; c < C; c++) {
            float sum = bias[c];
            for (size_t j = 0; j < k; j++)
                sum += w[j * C + c] * in[j * C + c];
            out[c] = sum;
        }
    }
}

void lac_norm_row(float *out, const float *x, size_t n)
{
    float mean = lac_sum(x, n) / (float)n;
    for (size_t i = 0; i < n; i++)
        out[i] = x[i] - mean;
    float variance = lac_dot(out, out, n) / (float)n;
    float factor = 1.0f / sqrtf(variance + 1e-5f);
    for (size_t i = 0; i < n; i++)
        out[i] *= factor;
}

void lac_gelu(float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        x[i] = lac_geluf(x[i]);
}
