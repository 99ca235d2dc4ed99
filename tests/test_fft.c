/* The transform against a direct one in double. */
#include <math.h>
#include <string.h>

#include "bytes.h"
#include "fft.h"
#include "fixture.h"
#include "fmath.h"
#include "kernels.h"
#include "lac/status.h"

#define PI 3.14159265358979323846

typedef struct transform {
    size_t n;
    lac_workspace w;
    const lac_fft *plan;
    float *x, *spectrum, *back, *scratch;
} transform;

static transform transform_open(size_t n)
{
    transform t = {.n = n};
    lac_workspace m = lac_workspace_measure();
    cr_assert_eq(lac_fft_init(&t.plan, &m, n), LAC_OK, "n %zu", n);
    cr_assert_null(t.plan);
    cr_assert_eq(lac_workspace_open(&t.w, m.used), LAC_OK);
    cr_assert_eq(lac_fft_init(&t.plan, &t.w, n), LAC_OK);
    cr_assert_eq(t.w.used, m.used);
    t.x = test_alloc(n, sizeof(float));
    t.spectrum = test_alloc(n + 2, sizeof(float));
    t.back = test_alloc(n, sizeof(float));
    t.scratch = test_alloc(lac_fft_scratch(n), sizeof(float));
    return t;
}

static void transform_close(transform *t)
{
    lac_workspace_close(&t->w);
    free(t->x);
    free(t->spectrum);
    free(t->back);
    free(t->scratch);
}

static void transform_run(transform *t)
{
    lac_fft_forward_c(t->plan, t->x, t->spectrum, t->scratch);
    lac_fft_inverse_c(t->plan, t->spectrum, t->back, t->scratch);
}

/* Error of one bin, relative to the root of the signal's energy. */
static double bin_error(const transform *t, size_t k)
{
    double re = 0, im = 0, energy = 0;
    for (size_t i = 0; i < t->n; i++) {
        double a = 2 * PI * (double)(k * i % t->n) / (double)t->n;
        re += (double)t->x[i] * cos(a);
        im -= (double)t->x[i] * sin(a);
        energy += (double)t->x[i] * (double)t->x[i];
    }
    return hypot(re - (double)t->spectrum[k], im - (double)t->spectrum[t->n / 2 + 1 + k]) / sqrt(energy);
}

static int supported(size_t n)
{
    if (n < 2 || n > 4096 || n % 2)
        return 0;
    static const size_t primes[] = {2, 3, 5};
    for (int i = 0; i < 3; i++)
        while (n % primes[i] == 0)
            n /= primes[i];
    return n == 1;
}

/* Every size in 0 .. 4100: either refused or right (a few bins of the larger ones). */
Test(fft, every_size)
{
    random_source r = random_start();
    int count = 0;
    for (size_t n = 0; n <= 4100; n++) {
        const lac_fft *plan = NULL;
        lac_workspace m = lac_workspace_measure();
        if (!supported(n)) {
            cr_assert_eq(lac_fft_init(&plan, &m, n), LAC_ERROR_ARGUMENT, "n %zu", n);
            continue;
        }
        count++;
        transform t = transform_open(n);
        for (size_t i = 0; i < n; i++)
            t.x[i] = lac_noise(r.state++);
        transform_run(&t);
        for (int i = 0; i < 12; i++) {
            size_t k = random_below(&r, (uint32_t)n / 2 + 1);
            cr_assert_lt(bin_error(&t, k), 1e-6, "n %zu bin %zu", n, k);
        }
        for (size_t i = 0; i < n; i++)
            cr_assert_lt(fabsf(t.x[i] - t.back[i]), 2e-6f, "n %zu sample %zu", n, i);
        cr_assert(t.spectrum[n / 2 + 1] == 0 && t.spectrum[n + 1] == 0);
        transform_close(&t);
    }
    cr_assert_gt(count, 100);
}

Test(fft, all_bins_of_the_codec_sizes)
{
    static const size_t sizes[] = {480, 1920};
    for (int s = 0; s < 2; s++) {
        transform t = transform_open(sizes[s]);
        for (size_t i = 0; i < t.n; i++)
            t.x[i] = lac_noise(i);
        transform_run(&t);
        double worst = 0;
        for (size_t k = 0; k <= t.n / 2; k++)
            worst = fmax(worst, bin_error(&t, k));
        cr_log_info("n %zu: error %.3g of the root energy", t.n, worst);
        cr_assert_lt(worst, 6e-7);
        transform_close(&t);
    }
}

Test(fft, an_impulse_and_a_constant)
{
    transform t = transform_open(480);
    t.x[0] = 1;
    transform_run(&t);
    for (size_t k = 0; k <= 240; k++)
        cr_assert(fabsf(t.spectrum[k] - 1) < 1e-7f && fabsf(t.spectrum[241 + k]) < 1e-7f);
    for (size_t i = 0; i < 480; i++)
        t.x[i] = 1;
    transform_run(&t);
    cr_assert(t.spectrum[0] == 480);
    for (size_t k = 1; k <= 240; k++)
        cr_assert(fabsf(t.spectrum[k]) < 1e-4f && fabsf(t.spectrum[241 + k]) < 1e-4f);
    transform_close(&t);
}

Test(fft, inverse_ignores_the_imaginary_parts_of_the_real_bins)
{
    transform t = transform_open(480);
    float *again = test_alloc(480, sizeof(float));
    for (size_t i = 0; i < 480; i++)
        t.x[i] = lac_noise(i);
    transform_run(&t);
    t.spectrum[241] = 5;
    t.spectrum[481] = -7;
    lac_fft_inverse_c(t.plan, t.spectrum, again, t.scratch);
    cr_assert_eq(memcmp(again, t.back, 480 * sizeof(float)), 0);
    free(again);
    transform_close(&t);
}

Test(fft, a_workspace_that_is_too_small_is_reported)
{
    lac_workspace m = lac_workspace_measure(), w;
    const lac_fft *plan;
    cr_assert_eq(lac_fft_init(&plan, &m, 1920), LAC_OK);
    for (size_t size = 0; size < m.used; size += LAC_ALIGN) {
        cr_assert_eq(lac_workspace_open(&w, size), LAC_OK);
        cr_assert_eq(lac_fft_init(&plan, &w, 1920), LAC_ERROR_MEMORY);
        lac_workspace_close(&w);
    }
}

static uint32_t fingerprint(size_t n)
{
    transform t = transform_open(n);
    uint32_t crc = 0;
    uint8_t b[4];
    for (size_t i = 0; i < n; i++)
        t.x[i] = lac_noise(i + n);
    transform_run(&t);
    for (size_t i = 0; i < n + 2; i++) {
        lac_store32(b, lac_float_bits(t.spectrum[i % 2 * (n / 2 + 1) + i / 2]));
        crc = lac_crc32c(crc, b, 4);
    }
    for (size_t i = 0; i < n; i++) {
        lac_store32(b, lac_float_bits(t.back[i]));
        crc = lac_crc32c(crc, b, 4);
    }
    transform_close(&t);
    return crc;
}

Test(fft, bits_never_change)
{
    cr_expect_eq(fingerprint(480), 0xc4a793dau, "480: 0x%08x", fingerprint(480));
    cr_expect_eq(fingerprint(1920), 0xff59c75fu, "1920: 0x%08x", fingerprint(1920));
    cr_expect_eq(fingerprint(4050), 0x7e272c3fu, "4050: 0x%08x", fingerprint(4050));
}
