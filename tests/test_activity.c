#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "fixture.h"
#include "lac/activity.h"
#include "weights.h"

TestSuite(activity, .timeout = 300);

#define SECOND 50 /* frames */

typedef struct bench {
    lac_model *model;
    lac_activity *activity;
    uint64_t sample;
} bench;

static bench open_bench(void)
{
    bench b = {.model = open_tiny()};
    cr_assert_eq(lac_activity_open(&b.activity, b.model), 0);
    return b;
}

static void close_bench(bench *b)
{
    lac_activity_close(&b->activity);
    lac_model_close(&b->model);
    cr_assert_null(b->activity);
}

static float white(uint64_t n)
{
    return lac_noise(n);
}

/* Falls by about 6 dB an octave from 400 Hz on, as fans and rooms do. */
static float dull(uint64_t n)
{
    float sum = 0, weight = 1;
    for (uint64_t i = 0; i < 64; i++, weight *= 0.9f)
        sum += weight * lac_noise(n - i);
    return sum * 0.3f;
}

static float chord(uint64_t n)
{
    return sinf((float)(n % 24000) * 0.057595865f) + sinf((float)(n % 24000) * 0.071994832f);
}

/* A pulse train of 125 Hz through one resonance. */
static float vowel(uint64_t n)
{
    float t = (float)(n % 192) / LAC_RATE;
    return expf(-400 * t) * sinf(4400 * t);
}

/* Frames found active of `frames` frames of level * sound + noise * white. */
static int count(bench *b, int frames, float (*sound)(uint64_t), float level, float noise)
{
    int active = 0;
    for (int t = 0; t < frames; t++) {
        float pcm[LAC_FRAME];
        for (size_t n = 0; n < LAC_FRAME; n++, b->sample++)
            pcm[n] = level * sound(b->sample) + noise * lac_noise(b->sample + 1000000000);
        active += lac_activity_frame(b->activity, pcm);
    }
    return active;
}

Test(activity, silence_is_background)
{
    bench b = open_bench();
    cr_expect_eq(count(&b, 2 * SECOND, white, 0, 0), 0);
    close_bench(&b);
}

Test(activity, steady_noise_is_background_after_a_second)
{
    for (float level = 0.0005f; level < 0.02f; level *= 3) {
        bench b = open_bench();
        count(&b, SECOND, white, level, 0);
        cr_expect_leq(count(&b, 60 * SECOND, white, level, 0), 60 * SECOND / 100, "level %g", (double)level);
        close_bench(&b);
    }
}

Test(activity, dull_noise_is_background)
{
    bench b = open_bench();
    count(&b, SECOND, dull, 0.005f, 0);
    cr_expect_leq(count(&b, 60 * SECOND, dull, 0.005f, 0.0001f), 60 * SECOND / 10);
    close_bench(&b);
}

Test(activity, voices_and_tones_are_sent_however_long_they_last)
{
    bench b = open_bench();
    count(&b, 5 * SECOND, white, 0, 0.001f);
    cr_expect_eq(count(&b, 30 * SECOND, vowel, 0.05f, 0.001f), 30 * SECOND);
    cr_expect_eq(count(&b, 30 * SECOND, chord, 0.01f, 0.001f), 30 * SECOND);
    close_bench(&b);
}

/* 1 s on, 1 s off, 20 dB above the noise. */
Test(activity, pauses_are_found_and_onsets_are_kept)
{
    bench b = open_bench();
    int on = 0, off = 0;
    count(&b, 5 * SECOND, white, 0, 0.002f);
    for (int i = 0; i < 20; i++) {
        on += count(&b, SECOND, vowel, 0.06f, 0.002f);
        off += count(&b, SECOND, white, 0, 0.002f);
    }
    cr_expect_eq(on, 20 * SECOND, "%d", on);
    cr_expect_leq(off, 20 * SECOND / 2, "%d", off);
    close_bench(&b);
}

Test(activity, louder_noise_becomes_background_in_time)
{
    bench b = open_bench();
    count(&b, 10 * SECOND, white, 0.002f, 0);
    cr_expect_gt(count(&b, SECOND, white, 0.02f, 0), SECOND / 2);
    count(&b, 7 * SECOND, white, 0.02f, 0);
    cr_expect_leq(count(&b, 10 * SECOND, white, 0.02f, 0), SECOND / 2);
    close_bench(&b);
}

Test(activity, whatever_is_loud_is_sent)
{
    bench b = open_bench();
    cr_expect_eq(count(&b, 20 * SECOND, white, 0.1f, 0), 20 * SECOND);
    close_bench(&b);
}

Test(activity, reset_equals_fresh_and_no_number_is_too_strange)
{
    bench b = open_bench(), fresh = open_bench();
    float strange[LAC_FRAME];
    for (size_t n = 0; n < LAC_FRAME; n++)
        strange[n] = n % 3 == 0 ? NAN : n % 3 == 1 ? INFINITY : -INFINITY;
    count(&b, 3 * SECOND, vowel, 0.1f, 0.01f);
    lac_activity_frame(b.activity, strange);
    lac_activity_reset(b.activity);
    b.sample = 0;
    cr_expect_eq(count(&b, 9 * SECOND, vowel, 0.004f, 0.01f), count(&fresh, 9 * SECOND, vowel, 0.004f, 0.01f));
    close_bench(&b);
    close_bench(&fresh);
}

Test(activity, arguments)
{
    bench b = open_bench();
    lac_activity *a = NULL;
    cr_expect_eq(lac_activity_open(NULL, b.model), LAC_ERROR_ARGUMENT);
    cr_expect_eq(lac_activity_open(&a, NULL), LAC_ERROR_ARGUMENT);
    lac_activity_close(NULL);
    lac_activity_close(&a);
    close_bench(&b);
}
