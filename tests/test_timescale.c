/* Stretching and compressing: what they do to pitch, to the waveform, and where they keep still. */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "fixture.h"
#include "rng.h"
#include "timescale.h"
#include "weights.h"

#define SECONDS 4
#define SAMPLES (SECONDS * LAC_RATE)

/* A vowel: harmonics of `hz` under two formants. */
static float *make_vowel(double hz)
{
    float *x = test_alloc(SAMPLES, sizeof *x);
    for (int k = 1; k * hz < 4000; k++) {
        double f = k * hz, a = 1 / (1 + pow((f - 600) / 150, 2)) + 0.3 / (1 + pow((f - 1500) / 200, 2));
        for (size_t i = 0; i < SAMPLES; i++)
            x[i] += (float)(0.2 * a * sin(6.283185307179586 * k * hz * (double)i / LAC_RATE + k * k));
    }
    return x;
}

/* The frames of x, every second one stretched or compressed where it can be. Returns the samples of *out. */
static size_t scale_all(const float *x, int direction, float likeness, float **out)
{
    float buffer[LAC_TIMESCALE_MOST + 2 * LAC_FRAME + LAC_TIMESCALE_MOST] = {0}, *at = buffer + LAC_TIMESCALE_MOST;
    size_t made = 0, n = 2 * LAC_FRAME;
    *out = test_alloc(2 * SAMPLES, sizeof **out);
    for (size_t i = 0; i + n <= SAMPLES; i += n) {
        memcpy(at, x + i, n * sizeof *at);
        size_t got = direction > 0 ? n + lac_timescale_stretch(at, n, likeness)
                                   : n - lac_timescale_compress(at, n, likeness);
        memcpy(*out + made, at, got * sizeof *at);
        made += got;
        memmove(buffer, at + got - LAC_TIMESCALE_MOST, LAC_TIMESCALE_MOST * sizeof *at);
    }
    return made;
}

/* Hz, of the best lag of the autocorrelation between 60 and 450 Hz, by parabola. */
static double pitch_of(const float *x, size_t n)
{
    double best = 0, at[2 + LAC_RATE / 60];
    size_t lag = 0;
    for (size_t k = LAC_RATE / 450 - 1; k <= LAC_RATE / 60 + 1; k++) {
        at[k] = 0;
        for (size_t i = 0; i + LAC_RATE / 60 + 1 < n; i++)
            at[k] += (double)x[i] * x[i + k];
    }
    for (size_t k = LAC_RATE / 450; k <= LAC_RATE / 60; k++)
        if (at[k] > 1.01 * best) {
            best = at[k];
            lag = k;
        }
    double bend = at[lag - 1] - 2 * at[lag] + at[lag + 1];
    return LAC_RATE / ((double)lag + 0.5 * (at[lag - 1] - at[lag + 1]) / bend);
}

static float largest_step(const float *x, size_t n)
{
    float most = 0;
    for (size_t i = 1; i < n; i++)
        most = fabsf(x[i] - x[i - 1]) > most ? fabsf(x[i] - x[i - 1]) : most;
    return most;
}

Test(timescale, pitch_stays_and_nothing_clicks)
{
    static const double pitches[] = {80, 123.4, 190, 260, 400};
    for (size_t i = 0; i < sizeof pitches / sizeof *pitches; i++)
        for (int direction = -1; direction <= 1; direction += 2) {
            float *x = make_vowel(pitches[i]), *y;
            size_t n = scale_all(x, direction, 0.9f, &y);
            cr_assert(direction > 0 ? n > SAMPLES * 26 / 25 : n < SAMPLES * 24 / 25, "%g Hz: %zu", pitches[i], n);
            cr_assert_float_eq(pitch_of(x, SAMPLES), pitches[i], 0.005 * pitches[i]);
            cr_assert_float_eq(pitch_of(y + LAC_FRAME, n - LAC_FRAME), pitches[i], 0.005 * pitches[i]);
            cr_assert_leq(largest_step(y, n), 1.05f * largest_step(x, SAMPLES), "%g Hz", pitches[i]);
            free(x);
            free(y);
        }
}

Test(timescale, noise_is_left_alone_and_soft_noise_is_not)
{
    float *x = test_alloc(SAMPLES, sizeof *x), *y;
    for (size_t i = 0; i < SAMPLES; i++)
        x[i] = 0.1f * lac_noise(i);
    for (int direction = -1; direction <= 1; direction += 2) {
        cr_assert_eq(scale_all(x, direction, 0.9f, &y), SAMPLES);
        cr_assert_eq(memcmp(x, y, SAMPLES * sizeof *x), 0);
        free(y);
    }
    for (size_t i = 0; i < SAMPLES; i++)
        x[i] *= 0.01f;
    for (int direction = -1; direction <= 1; direction += 2) {
        cr_assert_neq(scale_all(x, direction, 0.9f, &y), SAMPLES);
        free(y);
    }
    free(x);
}

Test(timescale, every_step_is_within_bounds)
{
    random_source random = random_start();
    for (int i = 0; i < rounds(200); i++) {
        float room[LAC_TIMESCALE_MOST + 2 * LAC_FRAME + LAC_TIMESCALE_MOST];
        float loud = (float)random_below(&random, 1000000);
        for (size_t k = 0; k < sizeof room / sizeof *room; k++)
            room[k] = loud * lac_noise(random.state++);
        float *x = room + LAC_TIMESCALE_MOST;
        size_t most = LAC_TIMESCALE_MOST, longer = lac_timescale_stretch(x, LAC_FRAME, -1);
        cr_assert(longer >= LAC_RATE / 400 && longer <= most, "%zu", longer);
        size_t shorter = lac_timescale_compress(x, 2 * LAC_FRAME, -1);
        cr_assert(shorter >= LAC_RATE / 400 && shorter <= most, "%zu", shorter);
        for (size_t k = 0; k < 2 * LAC_FRAME - shorter; k++)
            cr_assert(isfinite(x[k]));
    }
}
