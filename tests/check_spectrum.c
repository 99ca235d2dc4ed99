/* Checks of the operations on spectra and on the decoder's sources. */
#include <stdio.h>
#include <string.h>

#include "checkkernel.h"

#define BINS 241
#define HOP 240
#define LONGEST 300

enum { A, B, C, D, OUT, EXPECTED };

static float *floats(int index, size_t n, int side)
{
    return check_buffer(index, n * sizeof(float), (check_side)side);
}

#define EACH_CASE(n, kind, side)                                 \
    for (size_t n = 0; n <= LONGEST; n += 1 + n / 40)            \
        for (int kind = 0; kind < CHECK_FLOAT_KINDS; kind++)     \
            for (int side = 0; side < CHECK_SIDES; side++)

static void compare(const float *out, const float *expected, size_t floats_each, size_t n, int kind)
{
    if (!check_same_floats(out, expected, floats_each))
        check_fail("n %zu, values of kind %d", n, kind);
}

void check_compress_spectrum(check_function *function)
{
    EACH_CASE(n, kind, side)
    {
        float *in = floats(A, 2 * n, side), *out = floats(OUT, 3 * n, side), *expected = floats(EXPECTED, 3 * n, 0);
        check_fill_floats(in, 2 * n, kind);
        lac_compress_spectrum_c(expected, in, n);
        ((lac_compress_spectrum_fn *)function)(out, in, n);
        compare(out, expected, 3 * n, n, kind);
    }
}

void check_mix_rows(check_function *function)
{
    EACH_CASE(n, kind, side)
    {
        size_t count = check_random(100);
        float *gains = floats(A, count, side), *rows = floats(B, count * n, side);
        float *out = floats(OUT, n, side), *expected = floats(EXPECTED, n, 0);
        check_fill_floats(gains, count, kind);
        check_fill_floats(rows, count * n, kind);
        lac_mix_rows_c(expected, gains, rows, count, n);
        ((lac_mix_rows_fn *)function)(out, gains, rows, count, n);
        compare(out, expected, n, n, kind);
    }
}

void check_shape_spectrum(check_function *function)
{
    EACH_CASE(n, kind, side)
    {
        float *noise = floats(A, 2 * n, side), *rows = floats(B, 5 * n, side);
        float *out = floats(OUT, 2 * n, side), *expected = floats(EXPECTED, 2 * n, 0);
        check_fill_floats(noise, 2 * n, kind);
        check_fill_floats(rows, 5 * n, kind);
        check_fill_floats(out, 2 * n, kind);
        memcpy(expected, out, 2 * n * sizeof(float));
        lac_shape_spectrum_c(expected, noise, rows, n);
        ((lac_shape_spectrum_fn *)function)(out, noise, rows, n);
        compare(out, expected, 2 * n, n, kind);
    }
}

/* Kind 2 has phases near whole turns, where the pulses peak. */
static void fill_phases(uint32_t *phase, size_t n, int kind)
{
    for (size_t i = 0; i < n; i++) {
        phase[i] = check_random(65536) << 16 | check_random(65536);
        if (kind == 2)
            phase[i] = check_random(300000) - 150000;
    }
}

void check_pulses(check_function *function)
{
    EACH_CASE(n, kind, side)
    {
        uint32_t *phase = check_buffer(A, n * sizeof(uint32_t), (check_side)side);
        uint32_t lead[12], step[12], low = 1 + check_random(13);
        const lac_pulse_train train = {low + check_random(200), low, lead, step, 0.3f};
        float *out = floats(OUT, n, side), *expected = floats(EXPECTED, n, 0);
        fill_phases(phase, n, kind);
        fill_phases(lead, 12, 0);
        fill_phases(step, 12, kind);
        lac_pulses_c(expected, phase, n, &train);
        ((lac_pulses_fn *)function)(out, phase, n, &train);
        compare(out, expected, n, n, kind);
    }
}

void check_align_harmonics(check_function *function)
{
    EACH_CASE(n, kind, side)
    {
        size_t bands = n > 0 ? n : LAC_MAX_BANDS;
        float *re = floats(A, 4 * bands, side), *im = floats(B, 4 * bands, side), *curve = floats(D, bands, side);
        int32_t *at = check_buffer(C, 4 * bands * sizeof(int32_t), (check_side)side);
        float *out = floats(OUT, 6, side), *expected = floats(EXPECTED, 6, 0);
        check_fill_floats(re, 4 * bands, kind);
        check_fill_floats(im, 4 * bands, kind);
        check_fill_floats(curve, bands, kind);
        for (size_t i = 0; i < 4 * bands; i++)
            at[i] = (int32_t)check_random(400);
        lac_align_harmonics_c(expected, re, im, curve, at, bands, 4);
        ((lac_align_harmonics_fn *)function)(out, re, im, curve, at, bands, 4);
        compare(out, expected, 6, n, kind);
    }
}

void check_noise(check_function *function)
{
    EACH_CASE(n, kind, side)
    {
        uint64_t first = (uint64_t)check_random(UINT32_MAX) << (kind * 16);
        float *out = floats(OUT, n, side), *expected = floats(EXPECTED, n, 0);
        lac_noise_c(expected, first, n);
        ((lac_noise_fn *)function)(out, first, n);
        compare(out, expected, n, n, kind);
    }
}

/* ---- speed ---- */

#define ROWS 92 /* of the periodicity curve */
#define WIDTH 104

typedef struct bench {
    check_function *function;
    float *a, *b, *out;
} bench;

static void run_compress_spectrum(void *user)
{
    const bench *b = user;
    ((lac_compress_spectrum_fn *)b->function)(b->out, b->a, BINS);
}

static void run_mix_rows(void *user)
{
    const bench *b = user;
    ((lac_mix_rows_fn *)b->function)(b->out, b->a, b->b, ROWS, WIDTH);
}

static void run_shape_spectrum(void *user)
{
    const bench *b = user;
    memcpy(b->out, b->a, 2 * BINS * sizeof(float));
    ((lac_shape_spectrum_fn *)b->function)(b->out, b->a, b->b, BINS);
}

static void run_pulses(void *user)
{
    const bench *b = user;
    uint32_t phase[HOP];
    memcpy(phase, b->a, sizeof phase);
    const lac_pulse_train train = {57, 10, phase, phase + 10, 0.2f};
    ((lac_pulses_fn *)b->function)(b->out, phase, HOP, &train);
}

static void run_align_harmonics(void *user)
{
    const bench *b = user;
    int32_t at[10 * WIDTH];
    for (int32_t i = 0; i < 10 * WIDTH; i++)
        at[i] = i % BINS;
    ((lac_align_harmonics_fn *)b->function)(b->out, b->a, b->b, b->b, at, WIDTH, 10);
}

static void run_noise(void *user)
{
    const bench *b = user;
    ((lac_noise_fn *)b->function)(b->out, 123456789, HOP);
}

static void measure(const char *name, check_function *function, void (*run)(void *), size_t n, const char *unit)
{
    char shape[32];
    bench b = {function, floats(A, 5 * BINS, 0), floats(B, ROWS * WIDTH, 0), floats(OUT, 3 * BINS, 0)};
    check_fill_floats(b.a, 5 * BINS, 0);
    check_fill_floats(b.b, ROWS * WIDTH, 0);
    snprintf(shape, sizeof shape, "%zu", n);
    check_rate(name, shape, (double)n / check_seconds(run, &b, 200) / 1e9, unit);
}

void bench_compress_spectrum(const char *name, check_function *function)
{
    measure(name, function, run_compress_spectrum, BINS, "G/s");
}

void bench_mix_rows(const char *name, check_function *function)
{
    measure(name, function, run_mix_rows, ROWS * WIDTH, "GMAC/s");
}

void bench_shape_spectrum(const char *name, check_function *function)
{
    measure(name, function, run_shape_spectrum, BINS, "G/s");
}

void bench_pulses(const char *name, check_function *function)
{
    measure(name, function, run_pulses, HOP, "G/s");
}

void bench_align_harmonics(const char *name, check_function *function)
{
    measure(name, function, run_align_harmonics, WIDTH * 9, "G/s");
}

void bench_noise(const char *name, check_function *function)
{
    measure(name, function, run_noise, HOP, "G/s");
}
