/* Checks of the matrix product. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "checkkernel.h"
#include "rng.h"

#define FILLER (-77.0f) /* in outputs that nobody may write */

enum { A, A_SCALE, WEIGHT, SCALE, BIAS, PACKED, OUT, EXPECTED };

typedef struct product {
    size_t M, N, K, ldo;
    int16_t *a;
    float *a_scale, *out;
    lac_linear w;
} product;

/* How large values are: random, or the largest with equal or with random signs, or the least: the largest sums. */
enum { RANDOM, LARGEST, SIGNS, LEAST, SIZES };

static int value(int size, int most)
{
    if (size == RANDOM)
        return (int)check_random((uint32_t)(2 * most + 1)) - most;
    return size == LEAST || (size == SIGNS && check_random(2)) ? -most : most;
}

static int8_t weight_value(int size, size_t K)
{
    int below = size == LEAST || (size != RANDOM && check_random(2));
    return (int8_t)(below && K <= 4096 ? -128 : value(size, 127));
}

static product make(size_t M, size_t N, size_t K, int size, check_side side)
{
    product p = {.M = M, .N = N, .K = K, .ldo = N + check_random(3)};
    int8_t *weight = check_buffer(WEIGHT, N * K, side);
    float *scale = check_buffer(SCALE, N * sizeof(float), side), *bias = check_buffer(BIAS, N * sizeof(float), side);
    p.a = check_buffer(A, M * K * sizeof *p.a, side);
    p.a_scale = check_buffer(A_SCALE, M * sizeof(float), side);
    p.out = check_buffer(OUT, M * p.ldo * sizeof(float), side);
    for (size_t i = 0; i < M * K; i++)
        p.a[i] = (int16_t)value(size, LAC_ACT_MAX);
    for (size_t i = 0; i < N * K; i++)
        weight[i] = weight_value(size, K);
    check_fill_floats(p.a_scale, M, 0);
    check_fill_floats(scale, N, size == RANDOM ? 0 : 1);
    check_fill_floats(bias, N, size == RANDOM ? 0 : 1);
    p.w = (lac_linear){(uint32_t)K, (uint32_t)N, weight, scale, bias, NULL};
    lac_linear_pack(&p.w, check_buffer(PACKED, lac_linear_packed_bytes(&p.w), side));
    return p;
}

static void fill(float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        x[i] = FILLER;
}

static void compare(lac_gemm_s16s8_fn *tested, const product *p, size_t first, size_t end)
{
    size_t n = p->M * p->ldo;
    float *expected = check_buffer(EXPECTED, n * sizeof(float), CHECK_AFTER);
    fill(expected, n);
    fill(p->out, n);
    lac_gemm_s16s8_c(expected, p->ldo, p->a, p->a_scale, &p->w, first, end, p->M);
    tested(p->out, p->ldo, p->a, p->a_scale, &p->w, first, end, p->M);
    if (!check_same_floats(p->out, expected, n))
        check_fail("M %zu N %zu K %zu, outputs %zu .. %zu", p->M, p->N, p->K, first, end - 1);
}

static void check_shape(lac_gemm_s16s8_fn *tested, size_t M, size_t N, size_t K, int size)
{
    for (int side = 0; side < CHECK_SIDES; side++) {
        product p = make(M, N, K, size, (check_side)side);
        compare(tested, &p, 0, N);
        if (N > LAC_GEMM_PANEL)
            compare(tested, &p, LAC_GEMM_PANEL * check_random((uint32_t)(N - 1) / LAC_GEMM_PANEL + 1), N);
    }
}

void check_gemm_s16s8(check_function *function)
{
    static const size_t shapes[][2] = {{827, 192}, {192, 576}, {576, 192}, {768, 320}, {320, 960}, {960, 320},
                                       {192, 320}, {320, 448}, {224, 448}, {224, 1310}, {LAC_GEMM_MAX_K, 17}};
    lac_gemm_s16s8_fn *tested = (lac_gemm_s16s8_fn *)function;
    for (size_t n = 1; n <= 65; n++) {
        check_shape(tested, 1 + check_random(20), n, 1 + check_random(65), RANDOM);
        check_shape(tested, 1 + check_random(20), 1 + check_random(65), n, RANDOM);
        check_shape(tested, n, 1 + check_random(65), 1 + check_random(65), RANDOM);
    }
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        for (size_t M = 1; M <= 15; M += 1 + check_random(5))
            check_shape(tested, M, shapes[i][1], shapes[i][0], (int)check_random(SIZES));
    for (int size = 0; size < SIZES; size++) {
        check_shape(tested, 5, 33, LAC_GEMM_MAX_K, size);
        check_shape(tested, 5, 33, 4096, size);
    }
}

static void check_dots(lac_dot_s16s8_fn *tested, size_t N, size_t K, int size)
{
    for (int side = 0; side < CHECK_SIDES; side++) {
        product p = make(1, N, K, size, (check_side)side);
        int32_t *out = check_buffer(OUT, N * sizeof *out, (check_side)side);
        int32_t *expected = check_buffer(EXPECTED, N * sizeof *out, CHECK_AFTER);
        memset(out, 0x55, N * sizeof *out);
        lac_dot_s16s8_c(expected, p.a, &p.w);
        tested(out, p.a, &p.w);
        if (memcmp(out, expected, N * sizeof *out) != 0)
            check_fail("N %zu K %zu", N, K);
    }
}

void check_dot_s16s8(check_function *function)
{
    lac_dot_s16s8_fn *tested = (lac_dot_s16s8_fn *)function;
    for (size_t n = 1; n <= 65; n++) {
        check_dots(tested, n, 1 + check_random(300), RANDOM);
        check_dots(tested, 1 + check_random(300), n, RANDOM);
    }
    for (int size = 0; size < SIZES; size++) {
        check_dots(tested, 33, LAC_GEMM_MAX_K, size);
        check_dots(tested, 33, 4096, size);
    }
}

static void check_scaled(lac_scale_sums_fn *tested, size_t n, size_t terms, int size, check_side side)
{
    static const int32_t limits[] = {1, 2048, 32768, INT32_MAX};
    int32_t *sums = check_buffer(A, n * terms * sizeof *sums, side);
    int32_t *multipliers = check_buffer(WEIGHT, n * terms * sizeof *sums, side);
    int32_t *biases = check_buffer(BIAS, n * sizeof *sums, side), *out = check_buffer(OUT, n * sizeof *sums, side);
    int32_t *expected = check_buffer(EXPECTED, n * sizeof *sums, CHECK_AFTER), limit = limits[check_random(4)];
    for (size_t i = 0; i < n * terms; i++) {
        sums[i] = value(size, (1 << 30) - 1);
        multipliers[i] = size == RANDOM ? (int32_t)check_random(INT32_MAX) : INT32_MAX;
        biases[i % n] = value(size, 1 << 29);
    }
    memset(out, 0x55, n * sizeof *out);
    lac_scale_sums_c(expected, sums, multipliers, biases, n, terms, limit);
    tested(out, sums, multipliers, biases, n, terms, limit);
    if (memcmp(out, expected, n * sizeof *out) != 0)
        check_fail("%zu numbers of %zu terms, limit %d", n, terms, (int)limit);
}

void check_scale_sums(check_function *function)
{
    for (size_t n = 1; n <= 130; n++)
        for (int side = 0; side < CHECK_SIDES; side++)
            check_scaled((lac_scale_sums_fn *)function, n, 1 + check_random(2), (int)check_random(SIZES),
                         (check_side)side);
}

/* ---- speed ---- */

#define COPIES 24 /* of a matrix of 320 x 960: more than a core's own caches hold, as a model is */

typedef struct bench {
    check_function *function;
    product p;
    lac_linear copies[COPIES];
} bench;

static void run(void *user)
{
    const bench *b = user;
    ((lac_gemm_s16s8_fn *)b->function)(b->p.out, b->p.ldo, b->p.a, b->p.a_scale, &b->p.w, 0, b->p.N, b->p.M);
}

static void run_copies(void *user)
{
    const bench *b = user;
    for (int i = 0; i < COPIES; i++)
        ((lac_gemm_s16s8_fn *)b->function)(b->p.out, b->p.ldo, b->p.a, b->p.a_scale, &b->copies[i], 0, b->p.N, b->p.M);
}

static void measure(const char *name, check_function *function, size_t M, size_t K, size_t N)
{
    bench b = {function, make(M, N, K, RANDOM, CHECK_BEFORE), {{0}}};
    double macs = (double)b.p.M * (double)b.p.N * (double)b.p.K;
    char shape[32];
    snprintf(shape, sizeof shape, "%zux%zux%zu", M, N, K);
    check_rate(name, shape, macs / check_seconds(run, &b, 1 + (int)(1e7 / macs)) / 1e9, "GMAC/s");
}

/* Weights that come from beyond the core's caches. */
static void measure_far(const char *name, check_function *function, size_t M, size_t K, size_t N)
{
    bench b = {function, make(M, N, K, RANDOM, CHECK_BEFORE), {{0}}};
    size_t bytes = lac_linear_packed_bytes(&b.p.w);
    uint8_t *memory = aligned_alloc(64, COPIES * (bytes + N * K));
    char shape[32];
    if (memory == NULL)
        return;
    for (size_t i = 0; i < COPIES; i++) {
        int8_t *weight = (int8_t *)memory + COPIES * bytes + i * N * K;
        memcpy(weight, b.p.w.weight, N * K);
        b.copies[i] = b.p.w;
        b.copies[i].weight = weight;
        lac_linear_pack(&b.copies[i], memory + i * bytes);
    }
    snprintf(shape, sizeof shape, "%zux%zux%zu far", M, N, K);
    double macs = COPIES * (double)M * (double)N * (double)K;
    check_rate(name, shape, macs / check_seconds(run_copies, &b, 2) / 1e9, "GMAC/s");
    free(memory);
}

void bench_gemm_s16s8(const char *name, check_function *function)
{
    static const size_t rows[] = {1, 2, 8, 15, 64, 128}, shapes[][2] = {{320, 960}, {960, 320}, {827, 192}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        for (size_t m = 0; m < sizeof rows / sizeof *rows; m++)
            measure(name, function, rows[m], shapes[i][0], shapes[i][1]);
    for (size_t m = 0; m < 3; m++) {
        measure_far(name, function, rows[m], 320, 960);
        measure_far(name, function, rows[m], 960, 320);
    }
}

typedef struct scaled {
    lac_scale_sums_fn *scale;
    int32_t *out, *in; /* [2][512] of each operand */
} scaled;

static void run_scaled(void *user)
{
    const scaled *s = user;
    s->scale(s->out, s->in, s->in + 1024, s->in, 512, 2, 2048);
}

void bench_scale_sums(const char *name, check_function *function)
{
    scaled s = {(lac_scale_sums_fn *)function, check_buffer(OUT, 2048, CHECK_BEFORE),
                check_buffer(A, 8192, CHECK_BEFORE)};
    for (int i = 0; i < 2048; i++)
        s.in[i] = (int32_t)check_random(1 << 20);
    check_rate(name, "2x512", 512 / check_seconds(run_scaled, &s, 1000) / 1e9, "G/s");
}

static void run_dots(void *user)
{
    const bench *b = user;
    ((lac_dot_s16s8_fn *)b->function)((int32_t *)(void *)b->p.out, b->p.a, &b->p.w);
}

void bench_dot_s16s8(const char *name, check_function *function)
{
    static const size_t shapes[][2] = {{256, 512}, {64, 512}, {256, 160}, {160, 32}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        size_t K = shapes[i][0], N = shapes[i][1];
        bench b = {function, make(1, N, K, RANDOM, CHECK_BEFORE), {{0}}};
        char shape[32];
        snprintf(shape, sizeof shape, "%zux%zu", K, N);
        check_rate(name, shape, (double)(N * K) / check_seconds(run_dots, &b, 1000) / 1e9, "GMAC/s");
    }
}

/* ---- the processor's peak ---- */

#if defined(__x86_64__)

#include <immintrin.h>

#include "cpu.h"

#define TURNS 20000
#define CHAINS(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) /* independent: hides the latency */
#define CHAINS_COUNT 12
#define PEAK(name, set, vector, step, macs)                                              \
    __attribute__((target(set))) static void name(void *user)                            \
    {                                                                                    \
        vector a = {1, 2, 3}, b = {4, 5, 6}, sum = {0}, CHAINS(CHAIN_DECLARE) end = {0}; \
        for (int i = 0; i < TURNS; i++) {                                                \
            CHAINS(step)                                                                 \
        }                                                                                \
        CHAINS(CHAIN_ADD)                                                                \
        sum += end;                                                                      \
        memcpy(user, &sum, sizeof sum);                                                  \
    }                                                                                    \
    static const double name##_macs = (double)CHAINS_COUNT * TURNS * (macs);

#define CHAIN_DECLARE(i) s##i = {i},
#define CHAIN_ADD(i) sum += s##i;
#define KEEP(i) __asm__ volatile("" : "+v"(s##i), "+v"(a)); /* nothing is known of it, nor the same twice */
#define STEP_VNNI(i) s##i = _mm512_dpwssd_epi32(s##i, a, b); KEEP(i)
#define STEP_AVX512(i) s##i = _mm512_add_epi32(s##i, _mm512_madd_epi16(a, b)); KEEP(i)
#define STEP_AVX2(i) s##i = _mm256_add_epi32(s##i, _mm256_madd_epi16(a, b)); KEEP(i)

PEAK(peak_vnni, "avx512f,avx512bw,avx512vnni", __m512i, STEP_VNNI, 32)
PEAK(peak_avx512, "avx512f,avx512bw", __m512i, STEP_AVX512, 32)
PEAK(peak_avx2, "avx2", __m256i, STEP_AVX2, 16)

double check_peak(void)
{
    uint32_t flags = lac_cpu_mask(lac_cpu_detect(), getenv("LAC_CPU_MASK"));
    unsigned char sink[64];
    if (flags & LAC_CPU_AVX512VNNI)
        return peak_vnni_macs / check_seconds(peak_vnni, sink, 1) / 1e9;
    if (flags & LAC_CPU_AVX512)
        return peak_avx512_macs / check_seconds(peak_avx512, sink, 1) / 1e9;
    if (flags & LAC_CPU_AVX2)
        return peak_avx2_macs / check_seconds(peak_avx2, sink, 1) / 1e9;
    return 0;
}

#else

double check_peak(void)
{
    return 0;
}

#endif
