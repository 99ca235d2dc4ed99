/* The network's operations against their definitions, written out here once more in the plainest form. */
#include <fenv.h>
#include <math.h>
#include <string.h>

#include "bytes.h"
#include "fixture.h"
#include "fmath.h"
#include "kernels.h"

/* A product with its operands at odd addresses' worth of offset, and a guard behind each output row. */
typedef struct product {
    size_t M, N, K, ldo;
    int16_t *a;
    int8_t *w;
    float *a_scale, *w_scale, *bias, *out, *expected;
} product;

#define GUARD 12345.0f

static product product_new(random_source *r, size_t M, size_t N, size_t K)
{
    product p = {M, N, K, N + random_below(r, 3), NULL, NULL, NULL, NULL, NULL, NULL, NULL};
    p.a = test_alloc(M * K + 1, sizeof(*p.a));
    p.w = test_alloc(N * K + 1, sizeof(*p.w));
    p.a_scale = test_alloc(M, sizeof(float));
    p.w_scale = test_alloc(N, sizeof(float));
    p.bias = test_alloc(N, sizeof(float));
    p.out = test_alloc(M * p.ldo, sizeof(float));
    p.expected = test_alloc(M * p.ldo, sizeof(float));
    for (size_t i = 0; i < M * K; i++)
        p.a[i + 1] = (int16_t)((int)random_below(r, 2 * LAC_ACT_MAX + 1) - LAC_ACT_MAX);
    for (size_t i = 0; i < N * K; i++)
        p.w[i + 1] = (int8_t)((int)random_below(r, 255) - 127);
    for (size_t m = 0; m < M; m++)
        p.a_scale[m] = lac_noise(r->state++) * 0.01f;
    for (size_t n = 0; n < N; n++) {
        p.w_scale[n] = lac_noise(r->state++);
        p.bias[n] = lac_noise(r->state++);
    }
    return p;
}

static void product_free(product *p)
{
    free(p->a);
    free(p->w);
    free(p->a_scale);
    free(p->w_scale);
    free(p->bias);
    free(p->out);
    free(p->expected);
}

static void product_define(product *p)
{
    for (size_t i = 0; i < p->M * p->ldo; i++)
        p->expected[i] = GUARD;
    for (size_t m = 0; m < p->M; m++)
        for (size_t n = 0; n < p->N; n++) {
            int64_t sum = 0;
            for (size_t k = 0; k < p->K; k++)
                sum += (int64_t)p->a[1 + m * p->K + k] * p->w[1 + n * p->K + k];
            cr_assert(sum >= INT32_MIN && sum <= INT32_MAX);
            volatile float v = (float)(int32_t)sum * p->a_scale[m];
            v = v * p->w_scale[n];
            p->expected[m * p->ldo + n] = v + p->bias[n];
        }
}

static void product_run(product *p, size_t at, size_t M, unsigned threads)
{
    lac_kernels kernels;
    lac_linear w = {(uint32_t)p->K, (uint32_t)p->N, p->w + at, p->w_scale, p->bias, NULL};
    lac_kernels_choose(&kernels, 0);
    lac_gemm(&kernels, p->out, p->ldo, p->a + at, p->a_scale, &w, M, threads);
}

static void product_check(product *p, unsigned threads)
{
    for (size_t i = 0; i < p->M * p->ldo; i++)
        p->out[i] = GUARD;
    product_run(p, 1, p->M, threads);
    cr_assert_eq(memcmp(p->out, p->expected, p->M * p->ldo * sizeof(float)), 0, "M %zu N %zu K %zu threads %u", p->M,
                 p->N, p->K, threads);
}

Test(kernels, gemm_of_any_shape_and_thread_count)
{
    random_source r = random_start();
    for (int round = 0; round < rounds(150); round++) {
        size_t M = 1 + random_below(&r, 20), N = 1 + random_below(&r, 40), K = 1 + random_below(&r, 150);
        product p = product_new(&r, M, N, K);
        product_define(&p);
        for (unsigned threads = 1; threads <= 4; threads++)
            product_check(&p, threads);
        product_free(&p);
    }
}

/* Threads of a pool inherit the mode of whoever started it, here one that rounds upwards. */
Test(kernels, gemm_threads_set_the_float_mode)
{
    random_source r = random_start();
    product p = product_new(&r, 9, 40, 33);
    product_define(&p);
    fesetround(FE_UPWARD);
    product_run(&p, 0, p.M, 4);
    lac_float_mode mode = lac_float_enter();
    product_check(&p, 4);
    lac_float_leave(mode);
    fesetround(FE_TONEAREST);
    product_free(&p);
}

/* Sums that come within 0.04 % of the range of int32. */
Test(kernels, gemm_of_extreme_values)
{
    random_source r = random_start();
    for (int signs = 0; signs < 4; signs++)
        for (size_t M = 1; M <= 5; M += 4) {
            product p = product_new(&r, M, 5, LAC_GEMM_MAX_K);
            for (size_t i = 1; i <= p.M * p.K; i++)
                p.a[i] = signs & 1 ? -LAC_ACT_MAX : LAC_ACT_MAX;
            for (size_t i = 1; i <= p.N * p.K; i++)
                p.w[i] = signs & 2 ? -127 : 127;
            product_define(&p);
            product_check(&p, 1);
            product_check(&p, 2);
            product_free(&p);
        }
}

Test(kernels, gemm_without_outputs_or_rows_writes_nothing)
{
    float out = GUARD, one = 1;
    int16_t a = 1;
    int8_t w = 1;
    lac_gemm_s16s8_c(&out, 1, &a, &one, &(lac_linear){1, 1, &w, &one, &one, NULL}, 0, 1, 0);
    lac_gemm_s16s8_c(&out, 1, &a, &one, &(lac_linear){1, 0, &w, &one, &one, NULL}, 0, 0, 1);
    cr_assert(out == GUARD);
    lac_gemm_s16s8_c(&out, 1, &a, &one, &(lac_linear){0, 1, &w, &one, &one, NULL}, 0, 1, 1);
    cr_assert(out == 1, "no inputs: the bias");
}

static void check_quantised(const float *x, size_t n)
{
    int16_t q[700];
    float scale = -1, m = 0;
    lac_quantize_row_c(q, &scale, x, n);
    for (size_t i = 0; i < n; i++)
        m = fmaxf(m, fabsf(x[i]));
    volatile float factor = 4095.0f / m, expected_scale = m * (1.0f / 4095);
    cr_assert(scale == (m < 1e-20f ? 0 : expected_scale));
    for (size_t i = 0; i < n; i++) {
        volatile float v = x[i] * factor;
        long expected = m < 1e-20f ? 0 : lround((double)v);
        expected = expected > 4095 ? 4095 : expected < -4095 ? -4095 : expected;
        cr_assert_eq(q[i], expected, "n %zu i %zu", n, i);
    }
}

Test(kernels, quantised_rows_round_half_away)
{
    random_source r = random_start();
    float x[703];
    for (int round = 0; round < rounds(300); round++) {
        size_t n = random_below(&r, 700), at = random_below(&r, 4);
        float size = lac_expf(lac_noise(r.state++) * 20);
        for (size_t i = 0; i < n; i++)
            x[at + i] = lac_noise(r.state++) * size;
        check_quantised(x + at, n);
    }
    /* factor 1: halves, and the largest float below one half, which must not round up */
    float halves[] = {4095, 0.5f, -0.5f, 1.5f, -2.5f, 0.49999997f, -0.49999997f, 4094.5f, -4094.5f, 0, -0.0f, 4094.4998f};
    check_quantised(halves, sizeof(halves) / sizeof(halves[0]));
}

Test(kernels, quantised_rows_of_nothing_tiny_and_huge_values)
{
    float zero[40] = {0}, tiny[40], huge[40];
    for (int i = 0; i < 40; i++) {
        tiny[i] = i % 2 ? 9.9e-21f : -1e-38f;
        huge[i] = i % 3 ? -3.4e38f : 1e30f;
    }
    check_quantised(zero, 40);
    check_quantised(tiny, 40);
    check_quantised(huge, 40);
    check_quantised(zero, 0);
}

Test(kernels, infinity_and_nan_quantise_to_the_largest_value)
{
    float x[] = {INFINITY, -INFINITY, NAN, 1, -3.4e38f}, scale;
    int16_t q[5];
    lac_quantize_row_c(q, &scale, x, 5);
    cr_assert(q[0] == 4095 && q[1] == -4095 && q[2] == 4095 && q[3] == 0 && q[4] < -4090);
    cr_assert(isfinite(scale) && scale > 0);
}

Test(kernels, depthwise_by_definition)
{
    random_source r = random_start();
    for (int round = 0; round < rounds(100); round++) {
        size_t T = 1 + random_below(&r, 9), C = 1 + random_below(&r, 70), k = 1 + random_below(&r, 8);
        float *in = test_alloc((T + k - 1) * C, sizeof(float)), *w = test_alloc(k * C, sizeof(float));
        float *bias = test_alloc(C, sizeof(float)), *out = test_alloc(T * C, sizeof(float));
        for (size_t i = 0; i < (T + k - 1) * C; i++)
            in[i] = lac_noise(r.state++);
        for (size_t i = 0; i < k * C; i++)
            w[i] = lac_noise(r.state++);
        for (size_t i = 0; i < C; i++)
            bias[i] = lac_noise(r.state++);
        lac_depthwise_c(out, in, w, bias, T, C, k);
        for (size_t t = 0; t < T; t++)
            for (size_t c = 0; c < C; c++) {
                volatile float sum = bias[c];
                for (size_t j = 0; j < k; j++) {
                    volatile float term = w[j * C + c] * in[(t + j) * C + c];
                    sum = sum + term;
                }
                cr_assert(out[t * C + c] == sum, "T %zu C %zu k %zu", T, C, k);
            }
        free(in);
        free(w);
        free(bias);
        free(out);
    }
}

Test(kernels, norm_gives_zero_mean_and_unit_variance)
{
    random_source r = random_start();
    float x[500], y[500];
    for (int round = 0; round < rounds(200); round++) {
        size_t n = 2 + random_below(&r, 490);
        float offset = lac_noise(r.state++) * 5, size = lac_expf(lac_noise(r.state++) * 3);
        double mean = 0, variance = 0;
        for (size_t i = 0; i < n; i++) {
            x[i] = lac_noise(r.state++) * size + offset;
            mean += (double)x[i] / (double)n;
        }
        for (size_t i = 0; i < n; i++)
            variance += ((double)x[i] - mean) * ((double)x[i] - mean) / (double)n;
        lac_norm_row_c(y, x, n);
        for (size_t i = 0; i < n; i++) {
            double expected = ((double)x[i] - mean) / sqrt(variance + 1e-5);
            cr_assert_lt(fabs((double)y[i] - expected), 2e-4, "n %zu: %g, not %g", n, (double)y[i], expected);
        }
        lac_norm_row_c(x, x, n);
        cr_assert_eq(memcmp(x, y, n * sizeof(float)), 0, "in place");
    }
    float flat[20];
    for (int i = 0; i < 20; i++)
        flat[i] = 0.75f;
    lac_norm_row_c(y, flat, 20);
    for (int i = 0; i < 20; i++)
        cr_assert(y[i] == 0);
}

Test(kernels, gelu_of_a_vector_is_gelu_of_each)
{
    random_source r = random_start();
    float x[203], y[203];
    for (int round = 0; round < rounds(100); round++) {
        size_t n = random_below(&r, 200), at = random_below(&r, 4);
        for (size_t i = 0; i < n; i++)
            x[at + i] = y[at + i] = lac_noise(r.state++) * 12;
        lac_gelu_c(y + at, n);
        for (size_t i = 0; i < n; i++) {
            volatile float each = lac_geluf(x[at + i]);
            cr_assert(y[at + i] == each);
        }
    }
}

/* The whole chain of a block on fixed values: changes here change every stream. */
Test(kernels, bits_never_change)
{
    enum { T = 5, C = 48, H = 131, TAPS = 7 };
    static float in[(T + TAPS - 1) * C], w[TAPS * C], bias[H], scales[H], x[T * C], hidden[T * H], row_scale[T];
    static int16_t q[T * C];
    static int8_t weight[H * C];
    for (size_t i = 0; i < (T + TAPS - 1) * C; i++)
        in[i] = lac_noise(i);
    for (size_t i = 0; i < TAPS * C; i++)
        w[i] = lac_noise(1000 + i);
    for (size_t i = 0; i < H; i++) {
        bias[i] = lac_noise(2000 + i);
        scales[i] = 0.005f + 0.001f * lac_noise(3000 + i);
    }
    for (size_t i = 0; i < H * C; i++)
        weight[i] = (int8_t)((int)(lac_hash32(4000 + i) % 255) - 127);
    lac_depthwise_c(x, in, w, bias, T, C, TAPS);
    for (size_t t = 0; t < T; t++) {
        lac_norm_row_c(x + t * C, x + t * C, C);
        lac_quantize_row_c(q + t * C, row_scale + t, x + t * C, C);
    }
    lac_gemm_s16s8_c(hidden, H, q, row_scale, &(lac_linear){C, H, weight, scales, bias, NULL}, 0, H, T);
    lac_gelu_c(hidden, T * H);
    uint32_t crc = 0;
    for (size_t i = 0; i < T * H; i++) {
        uint8_t b[4];
        lac_store32(b, lac_float_bits(hidden[i]));
        crc = lac_crc32c(crc, b, 4);
    }
    cr_assert_eq(crc, 0x9395c7e5u, "0x%08x", crc);
}
