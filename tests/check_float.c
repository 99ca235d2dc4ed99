/* Checks of the operations on rows of floats. */
#include <stdio.h>
#include <string.h>

#include "checkkernel.h"

#define MOST 1340 /* floats of the longest row */

enum { X, Y, OUT, EXPECTED, SCALE, WEIGHT, BIAS };

/* Row lengths: 0 .. 65, then those of the model. */
static const size_t model_lengths[] = {192, 224, 256, 320, 448, 576, 672, 768, 827, 960, MOST};

#define EACH_LENGTH(n)                                                                             \
    for (size_t length_ = 0, n; length_ <= 65 + sizeof model_lengths / sizeof *model_lengths &&    \
                                (n = length_ <= 65 ? length_ : model_lengths[length_ - 66], 1);    \
         length_++)

static void quantise(lac_quantize_row_fn *tested, size_t n, int kind, check_side side)
{
    float *x = check_buffer(X, n * sizeof(float), side), *scale = check_buffer(SCALE, sizeof(float), side), expected_scale;
    int16_t *q = check_buffer(OUT, n * sizeof(int16_t), side), expected[MOST];
    check_fill_floats(x, n, kind);
    lac_quantize_row_c(expected, &expected_scale, x, n);
    tested(q, scale, x, n);
    if (memcmp(q, expected, n * sizeof *q) != 0 || !check_same_floats(scale, &expected_scale, 1))
        check_fail("n %zu, values of kind %d", n, kind);
}

/* Values that a factor of 1 leaves halfway between integers, and next to it. */
static void quantise_halves(lac_quantize_row_fn *tested)
{
    float x[MOST], scale, expected_scale;
    int16_t q[MOST], expected[MOST];
    for (size_t i = 0; i < MOST; i++) {
        static const float rest[] = {0.5f, -0.5f, 0.49999997f, 0.5000001f, 0};
        x[i] = (float)((int)check_random(8191) - 4095) + rest[check_random(5)];
    }
    x[MOST - 1] = 4095;
    lac_quantize_row_c(expected, &expected_scale, x, MOST);
    tested(q, &scale, x, MOST);
    if (memcmp(q, expected, sizeof q) != 0 || scale != expected_scale)
        check_fail("halves");
}

void check_quantize_row(check_function *function)
{
    EACH_LENGTH(n)
        for (int kind = 0; kind < CHECK_FLOAT_KINDS; kind++)
            for (int side = 0; side < CHECK_SIDES; side++)
                quantise((lac_quantize_row_fn *)function, n, kind, (check_side)side);
    quantise_halves((lac_quantize_row_fn *)function);
}

static void norm(lac_norm_row_fn *tested, size_t n, int kind, check_side side)
{
    float *x = check_buffer(X, n * sizeof(float), side), *out = check_buffer(OUT, n * sizeof(float), side), expected[MOST];
    check_fill_floats(x, n, kind);
    lac_norm_row_c(expected, x, n);
    tested(out, x, n);
    if (!check_same_floats(out, expected, n))
        check_fail("n %zu, values of kind %d", n, kind);
    tested(x, x, n);
    if (!check_same_floats(x, expected, n))
        check_fail("n %zu, values of kind %d, in place", n, kind);
}

void check_norm_row(check_function *function)
{
    EACH_LENGTH(n)
        for (int kind = 0; kind < CHECK_FLOAT_KINDS; kind++)
            for (int side = 0; side < CHECK_SIDES; side++)
                norm((lac_norm_row_fn *)function, n, kind, (check_side)side);
}

void check_gelu(check_function *function)
{
    lac_gelu_fn *tested = (lac_gelu_fn *)function;
    EACH_LENGTH(n)
        for (int kind = 0; kind < CHECK_FLOAT_KINDS; kind++)
            for (int side = 0; side < CHECK_SIDES; side++) {
                float *x = check_buffer(X, n * sizeof(float), (check_side)side), expected[MOST];
                check_fill_floats(x, n, kind);
                memcpy(expected, x, n * sizeof(float));
                lac_gelu_c(expected, n);
                tested(x, n);
                if (!check_same_floats(x, expected, n))
                    check_fail("n %zu, values of kind %d", n, kind);
            }
}

static void convolve(lac_depthwise_fn *tested, size_t T, size_t C, size_t k, int kind, check_side side)
{
    float *in = check_buffer(X, (T + k - 1) * C * sizeof(float), side);
    float *w = check_buffer(WEIGHT, k * C * sizeof(float), side), *bias = check_buffer(BIAS, C * sizeof(float), side);
    float *out = check_buffer(OUT, T * C * sizeof(float), side);
    float *expected = check_buffer(EXPECTED, T * C * sizeof(float), CHECK_AFTER);
    check_fill_floats(in, (T + k - 1) * C, kind);
    check_fill_floats(w, k * C, kind);
    check_fill_floats(bias, C, kind);
    lac_depthwise_c(expected, in, w, bias, T, C, k);
    tested(out, in, w, bias, T, C, k);
    if (!check_same_floats(out, expected, T * C))
        check_fail("T %zu C %zu k %zu, values of kind %d", T, C, k, kind);
}

void check_depthwise(check_function *function)
{
    EACH_LENGTH(n)
        for (int kind = 0; kind < CHECK_FLOAT_KINDS; kind++)
            for (int side = 0; side < CHECK_SIDES; side++) {
                size_t T = 1 + check_random(9), k = n % 3 == 0 ? 7 : 1 + check_random(31);
                convolve((lac_depthwise_fn *)function, T, n, k, kind, (check_side)side);
            }
}

/* ---- speed ---- */

typedef struct bench {
    check_function *function;
    float *x, *out, *w, *bias;
    size_t n;
} bench;

#define ROWS 16 /* of a convolution */
#define TAPS 7

static void run_quantize_row(void *user)
{
    const bench *b = user;
    float scale;
    ((lac_quantize_row_fn *)b->function)((int16_t *)(void *)b->out, &scale, b->x, b->n);
}

static void run_norm_row(void *user)
{
    const bench *b = user;
    ((lac_norm_row_fn *)b->function)(b->out, b->x, b->n);
}

static void run_gelu(void *user)
{
    const bench *b = user;
    memcpy(b->out, b->x, b->n * sizeof(float));
    ((lac_gelu_fn *)b->function)(b->out, b->n);
}

static void run_depthwise(void *user)
{
    const bench *b = user;
    ((lac_depthwise_fn *)b->function)(b->out, b->x, b->w, b->bias, ROWS, b->n, TAPS);
}

static void measure(const char *name, check_function *function, void (*run)(void *), size_t n, size_t rows)
{
    char shape[32];
    bench b = {function, check_buffer(X, (rows + TAPS) * n * sizeof(float), CHECK_BEFORE),
               check_buffer(OUT, rows * n * sizeof(float), CHECK_BEFORE),
               check_buffer(WEIGHT, TAPS * n * sizeof(float), CHECK_BEFORE),
               check_buffer(BIAS, n * sizeof(float), CHECK_BEFORE), n};
    check_fill_floats(b.x, (rows + TAPS) * n, 0);
    check_fill_floats(b.w, TAPS * n, 0);
    check_fill_floats(b.bias, n, 0);
    snprintf(shape, sizeof shape, "%zux%zu", rows, n);
    check_rate(name, shape, (double)(rows * n) / check_seconds(run, &b, 200) / 1e9, "G/s");
}

void bench_quantize_row(const char *name, check_function *function)
{
    measure(name, function, run_quantize_row, 320, 1);
    measure(name, function, run_quantize_row, 960, 1);
}

void bench_norm_row(const char *name, check_function *function)
{
    measure(name, function, run_norm_row, 320, 1);
}

void bench_gelu(const char *name, check_function *function)
{
    measure(name, function, run_gelu, 960, 1);
}

void bench_depthwise(const char *name, check_function *function)
{
    measure(name, function, run_depthwise, 192, ROWS);
    measure(name, function, run_depthwise, 320, ROWS);
}
