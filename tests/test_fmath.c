/* Elementary functions against libm in double, sums against their definition, noise, and the bits of all of them. */
#include <fenv.h>
#include <math.h>

#include "bytes.h"
#include "fixture.h"
#include "fmath.h"

#define PI 3.14159265358979323846

Test(fmath, exp_error)
{
    double worst = 0;
    for (double x = -87; x <= 88; x += 0.00097) {
        double e = exp((double)(float)x);
        worst = fmax(worst, fabs((double)lac_expf((float)x) - e) / e);
    }
    cr_log_info("exp: relative error %.3g", worst);
    cr_assert_lt(worst, 3e-7);
    cr_assert(lac_expf(0) == 1 && lac_expf(-0.0f) == 1);
    cr_assert(lac_expf(89) == lac_expf(88) && lac_expf(1e30f) == lac_expf(88));
    cr_assert(lac_expf(-88) == lac_expf(-87) && lac_expf(-1e30f) == lac_expf(-87));
}

Test(fmath, log_error)
{
    double worst = 0;
    for (uint32_t u = 0x00800000; u < 0x7f800000; u += 9973) {
        double x = (double)lac_bits_float(u), l = log(x);
        worst = fmax(worst, fabs((double)lac_logf((float)x) - l) / fmax(1, fabs(l)));
    }
    cr_log_info("log: error %.3g", worst);
    cr_assert_lt(worst, 3e-7);
    cr_assert(lac_logf(1) == 0);
}

Test(fmath, sin_error_and_symmetry)
{
    double worst = 0;
    for (uint64_t p = 0; p < UINT64_C(1) << 32; p += 10007) {
        uint32_t phase = (uint32_t)p;
        float s = lac_sin_turn(phase);
        worst = fmax(worst, fabs((double)s - sin(2 * PI * (double)phase / 4294967296.0)));
        cr_assert(lac_sin_turn(0u - phase) == -s && lac_sin_turn(0x80000000u - phase) == s);
    }
    cr_log_info("sin: error %.3g", worst);
    cr_assert_lt(worst, 2e-7);
    cr_assert(lac_sin_turn(0) == 0 && lac_sin_turn(1u << 30) == 1 && lac_sin_turn(3u << 30) == -1);
}

Test(fmath, angle_error_and_symmetry)
{
    double worst = 0;
    for (uint64_t p = 0; p < UINT64_C(1) << 32; p += 10007) {
        double angle = 2 * PI * (double)p / 4294967296.0, size = exp((double)(p % 61) - 30);
        uint32_t turn = lac_angle_turn((float)(size * sin(angle)), (float)(size * cos(angle)));
        worst = fmax(worst, fabs((double)(int32_t)(turn - (uint32_t)p)) / 4294967296.0);
    }
    cr_log_info("angle: error %.3g turns", worst);
    cr_assert_lt(worst, 3e-7);
    cr_assert(lac_angle_turn(0, 1) == 0 && lac_angle_turn(1, 0) == 1u << 30 && lac_angle_turn(0, -1) == 1u << 31);
    cr_assert(lac_angle_turn(-1, 0) == 3u << 30 && lac_angle_turn(0, 0) == 0 && lac_angle_turn(-0.0f, 0) == 0);
    cr_assert(lac_angle_turn(INFINITY, 1) == 1u << 30 && lac_angle_turn(NAN, 1) == 0 && lac_angle_turn(1, NAN) == 0);
}

Test(fmath, gelu_and_sigmoid_error)
{
    double worst = 0, worst_sigmoid = 0;
    for (double t = -40; t < 40; t += 0.00073) {
        float x = (float)t;
        double v = (double)x, s = 1 / (1 + exp(-v));
        double g = 0.5 * v * (1 + tanh(sqrt(2 / PI) * (v + 0.044715 * v * v * v)));
        worst = fmax(worst, fabs((double)lac_geluf(x) - g) / fmax(1, fabs(v)));
        worst_sigmoid = fmax(worst_sigmoid, fabs((double)lac_sigmoidf(x) - s));
    }
    cr_log_info("gelu: %.3g, sigmoid: %.3g", worst, worst_sigmoid);
    cr_assert_lt(worst, 3e-7);
    cr_assert_lt(worst_sigmoid, 3e-7);
    cr_assert(lac_sigmoidf(1000) == 1 && lac_sigmoidf(-1000) > 0 && lac_sigmoidf(0) == 0.5f);
}

Test(fmath, sincos_table_is_exact_and_symmetric)
{
    static const uint32_t sizes[] = {1, 2, 3, 5, 8, 12, 240, 480, 1920, 4096, 4050};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        uint32_t n = sizes[i];
        for (uint32_t k = 0; k < n; k++) {
            double s, c, s2, c2;
            lac_sincos_table(k, n, &s, &c);
            cr_assert_lt(fabs(s - sin(2 * PI * k / n)), 2e-15, "sin %u/%u", k, n);
            cr_assert_lt(fabs(c - cos(2 * PI * k / n)), 2e-15, "cos %u/%u", k, n);
            lac_sincos_table((n - k) % n, n, &s2, &c2);
            cr_assert(s2 == -s && c2 == c);
        }
    }
}

static float sum_by_definition(const float *x, size_t n)
{
    volatile float l[LAC_LANES];
    for (size_t i = 0; i < LAC_LANES; i++)
        l[i] = 0;
    for (size_t t = 0; t < n; t++)
        l[t % LAC_LANES] = l[t % LAC_LANES] + x[t];
    volatile float even = ((l[0] + l[8]) + (l[4] + l[12])) + ((l[2] + l[10]) + (l[6] + l[14]));
    volatile float odd = ((l[1] + l[9]) + (l[5] + l[13])) + ((l[3] + l[11]) + (l[7] + l[15]));
    return even + odd;
}

Test(fmath, sums_follow_their_order)
{
    random_source r = random_start();
    float x[1003];
    for (int round = 0; round < rounds(300); round++) {
        size_t n = random_below(&r, 1000), at = random_below(&r, 4);
        for (size_t i = 0; i < n; i++)
            x[at + i] = lac_noise(r.state++) * 100;
        cr_assert(lac_sum(x + at, n) == sum_by_definition(x + at, n), "n %zu", n);
    }
}

Test(fmath, noise_is_white_and_uniform)
{
    enum { N = 1 << 20 };
    double sum = 0, square = 0, product = 0, previous = 0, fourth = 0;
    int bins[16] = {0};
    for (uint64_t i = 0; i < N; i++) {
        double v = (double)lac_noise(i);
        cr_assert(v >= -1.7320509 && v < 1.7320509);
        sum += v;
        square += v * v;
        fourth += v * v * v * v;
        product += v * previous;
        previous = v;
        bins[(int)((v / 1.7320509 + 1) * 8)]++;
    }
    cr_assert_lt(fabs(sum / N), 0.005);
    cr_assert_lt(fabs(square / N - 1), 0.005);
    cr_assert_lt(fabs(fourth / N - 1.8), 0.01);
    cr_assert_lt(fabs(product / N), 0.005);
    for (int i = 0; i < 16; i++)
        cr_assert_lt(abs(bins[i] - N / 16), 1500);
}

/* SplitMix64 from the state 0 gives these as the upper halves of its published outputs. */
Test(fmath, noise_is_splitmix64)
{
    cr_assert_eq(lac_hash32(0), 0xe220a839u);
    cr_assert_eq(lac_hash32(1), 0x6e789e6au);
    cr_assert_eq(lac_hash32(2), 0x06c45d18u);
}

typedef float function(float);

static float expf_(float x)
{
    return lac_expf(x);
}

static float logf_(float x)
{
    return lac_logf(x * x + 1e-30f);
}

static float sinf_(float x)
{
    return lac_sin_turn((uint32_t)(int32_t)(x * 1e7f));
}

static float geluf_(float x)
{
    return lac_geluf(x);
}

static float noise_(float x)
{
    return lac_noise((uint64_t)(int64_t)(x * 1000));
}

static uint32_t fingerprint(function *f)
{
    uint32_t crc = 0;
    for (int i = -100000; i < 100000; i++) {
        uint8_t b[4];
        lac_store32(b, lac_float_bits(f((float)i * (1.0f / 1024))));
        crc = lac_crc32c(crc, b, 4);
    }
    return crc;
}

/* The same bits from every compiler, optimisation and machine: a changed value here changes every stream. */
Test(fmath, bits_never_change)
{
    cr_expect_eq(fingerprint(expf_), 0xd55fb825u, "exp 0x%08x", fingerprint(expf_));
    cr_expect_eq(fingerprint(logf_), 0x58b99165u, "log 0x%08x", fingerprint(logf_));
    cr_expect_eq(fingerprint(sinf_), 0xd370ce5du, "sin 0x%08x", fingerprint(sinf_));
    cr_expect_eq(fingerprint(geluf_), 0xfea86626u, "gelu 0x%08x", fingerprint(geluf_));
    cr_expect_eq(fingerprint(noise_), 0x7ef06a20u, "noise 0x%08x", fingerprint(noise_));
}

Test(fmath, float_mode_is_set_and_restored)
{
    static const int modes[] = {FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO, FE_TONEAREST};
    volatile float one = 1, three = 3, minus = -1, tiny = 1e-30f, third = one / three;
    for (int i = 0; i < 4; i++) {
        /* Results tell the mode; fegetround on x86-64 reads that of the x87. */
        cr_assert_eq(fesetround(modes[i]), 0);
        volatile float before = one / three, before_minus = minus / three;
        lac_float_mode m = lac_float_enter();
        volatile float inside = one / three, inside_minus = minus / three, denormal = tiny * 1e-10f;
        lac_float_leave(m);
        volatile float after = one / three, after_minus = minus / three;
        fesetround(FE_TONEAREST);
        cr_assert(inside == third && inside_minus == -third && denormal > 0);
        cr_assert(after == before && after_minus == before_minus);
        cr_assert(i == 3 || before != third || before_minus != -third);
    }
}

#if defined(__SSE__)
#include <xmmintrin.h>

Test(fmath, denormals_survive_flush_to_zero)
{
    volatile float tiny = 1e-30f, factor = 1e-10f;
    unsigned usual = _mm_getcsr();
    _mm_setcsr(usual | 0x8040u);
    lac_float_mode m = lac_float_enter();
    volatile float inside = tiny * factor;
    lac_float_leave(m);
    unsigned after = _mm_getcsr();
    _mm_setcsr(usual);
    cr_assert(inside > 0);
    cr_assert_eq(after & 0x8040u, 0x8040u);
}
#endif
