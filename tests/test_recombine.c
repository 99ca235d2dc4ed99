/* Factors of one utterance changed by those of others. */
#include <math.h>

#include "factorfixture.h"
#include "lac/recombine.h"

TestSuite(recombine, .timeout = 60);

#define STRIDE 2

/* Speech as an analyser gives it: tokens of STRIDE frames, phones, pitch and energy that wander, pauses. */
static lac_factor_frame *random_speech(random_source *r, size_t count)
{
    lac_factor_frame *f = test_alloc(count, sizeof *f);
    float pitch = 0, level = 0;
    for (size_t t = 0; t < count; t++) {
        bool pause = t / 37 % 4 == 3, voiced = !pause && t / 11 % 3 < 2;
        pitch = 0.9f * pitch + ((float)random_below(r, 1001) - 500) / 5000;
        level = 0.8f * level + ((float)random_below(r, 1001) - 500) / 200;
        f[t].f0_hz = voiced ? 140 * expf(pitch) : 0;
        f[t].voicing = voiced ? 0.9f : 0.1f;
        f[t].energy_db = pause ? -90 : -35 + level;
        if (t % STRIDE == 0) {
            f[t].content = (uint16_t)random_below(r, 64);
            f[t].phone = (uint16_t)(!pause && t / STRIDE % 3 == 0 ? 1 + random_below(r, 40) : 0);
        } else {
            f[t].content = f[t - 1].content;
            f[t].phone = f[t - 1].phone;
        }
    }
    return f;
}

static lac_style_change no_change(void)
{
    lac_style_change c;
    lac_style_change_default(&c);
    return c;
}

static lac_factors measure(const lac_factor_frame *f, size_t count)
{
    lac_factors of;
    memset(&of, 0, sizeof of);
    lac_factors_measure(f, count, &of);
    return of;
}

/* To be freed. */
static lac_factor_frame *restyle(const lac_factor_frame *in, size_t count, const lac_style_change *c,
                                 size_t *frames)
{
    size_t room = lac_frames_restyled_bound(count);
    lac_factor_frame *out = test_alloc(room, sizeof *out);
    cr_assert_eq(lac_frames_restyle(in, count, STRIDE, c, out, room, frames), 0);
    cr_assert_leq(*frames, room);
    return out;
}

static lac_factors restyled(const lac_factor_frame *in, size_t count, const lac_style_change *c)
{
    size_t frames;
    lac_factor_frame *out = restyle(in, count, c, &frames);
    lac_factors of = measure(out, frames);
    free(out);
    return of;
}

static double semitones(double a, double b)
{
    return 12 * log2(a / b);
}

/* ---- nothing changed ---- */

static void expect_same(const lac_factor_frame *in, size_t count, const lac_style_change *c)
{
    size_t frames = 0;
    lac_factor_frame *out = restyle(in, count, c, &frames);
    cr_assert_eq(frames, count);
    cr_expect(memcmp(in, out, count * sizeof *in) == 0);
    free(out);
}

Test(recombine, default_change_is_the_identity)
{
    random_source r = random_start();
    lac_style_change c = no_change();
    for (int i = 0; i < rounds(10); i++) {
        size_t count = random_below(&r, 400);
        lac_factor_frame *f = random_speech(&r, count);
        if (count > 2)
            f[1] = (lac_factor_frame){.f0_hz = 30, .energy_db = 5}; /* beyond what a change keeps to */
        expect_same(f, count, &c);
        free(f);
    }
}

Test(recombine, ones_own_style_is_the_identity)
{
    random_source r = random_start();
    for (int i = 0; i < rounds(10); i++) {
        size_t count = 1 + random_below(&r, 400);
        lac_factor_frame *f = random_speech(&r, count);
        for (size_t t = 0; t < count && i % 2; t++)
            f[t].f0_hz = f[t].f0_hz > 0 ? 60 + (float)random_below(&r, 500) : 0; /* wider than may be asked */
        lac_factors own = measure(f, count);
        lac_style_change c = no_change();
        lac_style_change_towards(&c, &own, &own, (float)random_below(&r, 11) / 10);
        c.f0_median_hz = own.f0_median_hz;
        expect_same(f, count, &c);
        free(f);
    }
}

Test(recombine, of_nothing_there_is_nothing)
{
    lac_style_change c = no_change();
    size_t frames = 9;
    c.rate = 0.5f;
    cr_expect_eq(lac_frames_restyle(NULL, 0, STRIDE, &c, NULL, 0, &frames), 0);
    cr_expect_eq(frames, 0);
}

Test(recombine, unvoiced_and_silent_content_can_be_changed)
{
    lac_factor_frame f[50] = {0};
    lac_style_change c = no_change();
    size_t frames;
    for (int t = 0; t < 50; t++)
        f[t].energy_db = -100;
    c.f0_median_hz = 200;
    c.f0_deviation = 3;
    c.energy_deviation = 5;
    c.rate_phones = 12;
    c.pitch_semitones = 4;
    c.energy_db = -5;
    lac_factor_frame *out = restyle(f, 50, &c, &frames);
    cr_expect(frames == 50 && memcmp(f, out, sizeof f) == 0);
    free(out);
}

/* ---- rate ---- */

/* Tokens 0, 1, 2, ... */
static lac_factor_frame *counting(size_t count)
{
    lac_factor_frame *f = test_alloc(count, sizeof *f);
    for (size_t t = 0; t < count; t++)
        f[t] = (lac_factor_frame){.content = (uint16_t)(t / STRIDE), .phone = (uint16_t)(t / STRIDE % 7),
                                  .f0_hz = 100 + (float)t, .voicing = 0.5f, .energy_db = -50};
    return f;
}

Test(recombine, twice_as_fast)
{
    lac_factor_frame *f = counting(80);
    lac_style_change c = no_change();
    size_t frames;
    c.rate = 2;
    lac_factor_frame *out = restyle(f, 80, &c, &frames);
    cr_assert_eq(frames, 40);
    for (size_t t = 0; t < 40; t++) {
        cr_expect_eq(out[t].content, t / STRIDE * 2 + 1, "%zu: %u", t, out[t].content);
        cr_expect_eq(out[t].f0_hz, 100.5f + 2 * (float)t);
        cr_expect_eq(out[t].energy_db, -50);
    }
    free(out);
    free(f);
}

Test(recombine, half_as_fast)
{
    lac_factor_frame *f = counting(41); /* the last token is of one frame */
    lac_style_change c = no_change();
    size_t frames;
    c.rate = 0.5f;
    lac_factor_frame *out = restyle(f, 41, &c, &frames);
    cr_assert_eq(frames, 82);
    for (size_t t = 0; t < 82; t++)
        cr_expect_eq(out[t].content, t / STRIDE / 2, "%zu: %u", t, out[t].content);
    cr_expect_eq(out[0].f0_hz, 100);
    cr_expect_eq(out[3].f0_hz, 101.25f);
    cr_expect_eq(out[81].f0_hz, 140);
    free(out);
    free(f);
}

Test(recombine, any_rate_keeps_count_and_order)
{
    random_source r = random_start();
    for (int i = 0; i < rounds(50); i++) {
        size_t count = 1 + random_below(&r, 500), frames;
        lac_factor_frame *f = counting(count);
        lac_style_change c = no_change();
        c.rate = 0.5f + (float)random_below(&r, 1501) / 1000;
        lac_factor_frame *out = restyle(f, count, &c, &frames);
        cr_expect_leq(fabs((double)frames - (double)count / (double)c.rate), 0.51, "%zu at %g: %zu", count,
                      (double)c.rate, frames);
        for (size_t t = 0; t < frames; t++) {
            cr_expect_leq(out[t].content, (count - 1) / STRIDE);
            cr_expect_geq(out[t].content, t > 0 ? out[t - 1].content : 0);
            if (t % STRIDE > 0)
                cr_expect(out[t].content == out[t - 1].content && out[t].phone == out[t - 1].phone);
            cr_expect_leq(out[t].content, t > 0 ? out[t - 1].content + 2 : 1, "more than one left out");
        }
        free(out);
        free(f);
    }
}

Test(recombine, hours_do_not_drift)
{
    const size_t count = 540000;
    lac_factor_frame *f = counting(count);
    lac_style_change c = no_change();
    size_t frames;
    c.rate = 0.9f;
    free(restyle(f, count, &c, &frames));
    cr_expect_eq(frames, 600000);
    free(f);
}

/* Phones of one token each, blanks between them. */
Test(recombine, phones_survive_a_faster_rate)
{
    lac_factor_frame f[60] = {0};
    lac_style_change c = no_change();
    float distance;
    uint32_t a, b;
    size_t frames;
    for (int t = 0; t < 60; t++)
        f[t].phone = (uint16_t)(t / 2 % 3 == 0 ? 1 + t / 6 : 0);
    for (int i = 0; i < 3; i++) {
        c.rate = i == 0 ? 2 : i == 1 ? 1.37f : 0.6f;
        lac_factor_frame *out = restyle(f, 60, &c, &frames);
        cr_assert_eq(lac_content_distance(f, 60, out, frames, &distance, &a, &b), 0);
        cr_expect(distance == 0 && a == 10 && b == 10, "rate %g: %u phones", (double)c.rate, b);
        free(out);
    }
}

Test(recombine, phones_a_second_are_reached)
{
    random_source r = random_start();
    lac_factor_frame *f = random_speech(&r, 1000);
    float own = measure(f, 1000).style[LAC_STYLE_RATE];
    for (int i = 0; i < 4; i++) {
        lac_style_change c = no_change();
        c.rate_phones = own * (0.6f + 0.3f * (float)i);
        float got = restyled(f, 1000, &c).style[LAC_STYLE_RATE];
        cr_expect_float_eq(got / c.rate_phones, 1, 0.08, "%g phones a second, not %g", (double)got,
                           (double)c.rate_phones);
    }
    lac_style_change c = no_change();
    lac_factors other = {.style = {[LAC_STYLE_RATE] = 2 * own}}, is = measure(f, 1000);
    size_t frames;
    lac_style_change_towards(&c, &is, &other, 0.5f);
    free(restyle(f, 1000, &c, &frames));
    cr_expect_float_eq((double)frames, 1000 / 1.5, 1, "half the way");
    c.rate = 2;
    free(restyle(f, 1000, &c, &frames));
    cr_expect_eq(frames, 500, "no faster than twice");
    free(f);
}

/* ---- pitch and energy ---- */

Test(recombine, pitch_is_moved)
{
    random_source r = random_start();
    lac_factor_frame *f = random_speech(&r, 600);
    lac_factors own = measure(f, 600);
    for (int i = 0; i < rounds(20); i++) {
        lac_style_change c = no_change();
        double want = 0;
        if (i % 2) {
            c.f0_median_hz = 120 + (float)random_below(&r, 100);
            want = semitones((double)c.f0_median_hz, (double)own.f0_median_hz);
        }
        c.pitch_semitones = ((float)random_below(&r, 100) - 50) / 10;
        want += (double)c.pitch_semitones;
        lac_factors got = restyled(f, 600, &c);
        cr_expect_float_eq(semitones((double)got.f0_median_hz, (double)own.f0_median_hz), want, 0.25);
        cr_expect_float_eq(got.style[LAC_STYLE_F0_DEVIATION], own.style[LAC_STYLE_F0_DEVIATION], 0.01);
        cr_expect_eq(got.style[LAC_STYLE_VOICED], own.style[LAC_STYLE_VOICED]);
    }
    free(f);
}

Test(recombine, range_and_deviation_are_reached)
{
    random_source r = random_start();
    lac_factor_frame *f = random_speech(&r, 600);
    lac_factors own = measure(f, 600);
    float deviation = own.style[LAC_STYLE_F0_DEVIATION];
    for (int i = 0; i <= 20; i++) {
        lac_style_change c = no_change();
        c.range = (float)i / 10;
        lac_factors got = restyled(f, 600, &c);
        cr_expect_float_eq(got.style[LAC_STYLE_F0_DEVIATION], c.range * deviation, 0.02);
        cr_expect_float_eq(semitones((double)got.f0_median_hz, (double)own.f0_median_hz), 0, 0.25);
        c.f0_deviation = 0.5f * deviation;
        got = restyled(f, 600, &c);
        cr_expect_float_eq(got.style[LAC_STYLE_F0_DEVIATION], c.range * c.f0_deviation, 0.02);
    }
    lac_style_change c = no_change();
    c.f0_deviation = 12;
    for (int t = 0; t < 600; t++)
        f[t].f0_hz = f[t].f0_hz > 0 ? 150 + (float)(t % 3) : 0;
    deviation = measure(f, 600).style[LAC_STYLE_F0_DEVIATION];
    cr_expect_float_eq(restyled(f, 600, &c).style[LAC_STYLE_F0_DEVIATION], 4 * deviation, 0.01, "4 times at most");
    free(f);
}

Test(recombine, energy_is_reached)
{
    random_source r = random_start();
    lac_factor_frame *f = random_speech(&r, 600);
    float deviation = measure(f, 600).style[LAC_STYLE_ENERGY_DEVIATION];
    for (int i = 0; i < 16; i++) {
        lac_style_change c = no_change();
        size_t frames;
        c.energy_deviation = deviation * (float)i / 8;
        c.energy_db = (float)(i % 5) - 2;
        lac_factor_frame *out = restyle(f, 600, &c, &frames);
        lac_factors got = measure(out, frames);
        cr_expect_float_eq(got.style[LAC_STYLE_ENERGY_DEVIATION], c.energy_deviation, 0.15);
        for (size_t t = 0; t < frames; t++)
            cr_expect(f[t].energy_db > -89 || out[t].energy_db < -75, "a pause stays one");
        free(out);
    }
    free(f);
}

/* Louder stays louder, and all within the limits, whatever is asked. */
Test(recombine, any_change_is_monotonic_and_bounded)
{
    random_source r = random_start();
    for (int i = 0; i < rounds(50); i++) {
        size_t count = 2 + random_below(&r, 300), frames;
        lac_factor_frame *f = random_speech(&r, count);
        lac_style_change c = no_change();
        c.f0_median_hz = random_below(&r, 2) ? 50 + (float)random_below(&r, 551) : 0;
        c.f0_deviation = (float)random_below(&r, 13) - 0.5f;
        c.energy_deviation = (float)random_below(&r, 31) - 0.5f;
        c.pitch_semitones = (float)random_below(&r, 49) - 24;
        c.range = (float)random_below(&r, 41) / 10;
        c.energy_db = (float)random_below(&r, 61) - 40;
        lac_factor_frame *out = restyle(f, count, &c, &frames);
        cr_assert_eq(frames, count);
        for (size_t t = 0; t < count; t++) {
            cr_expect(out[t].energy_db >= -100 && out[t].energy_db <= 0);
            cr_expect((out[t].f0_hz > 0) == (f[t].f0_hz > 0));
            cr_expect(out[t].f0_hz == 0 || (out[t].f0_hz >= 50 && out[t].f0_hz <= 600));
            cr_expect(out[t].content == f[t].content && out[t].phone == f[t].phone);
            if (t > 0 && f[t].energy_db >= f[t - 1].energy_db)
                cr_expect(out[t].energy_db >= out[t - 1].energy_db - 1e-3f);
        }
        free(out);
        free(f);
    }
}

Test(recombine, hostile_frames_stay_finite)
{
    const float odd[] = {NAN, INFINITY, -INFINITY, 1e30f, -1e30f, 1e-40f, 0};
    lac_factor_frame f[49];
    lac_style_change c = no_change();
    size_t frames;
    for (int i = 0; i < 49; i++)
        f[i] = (lac_factor_frame){.f0_hz = odd[i / 7], .energy_db = odd[i % 7], .voicing = 1};
    c.pitch_semitones = 5;
    c.energy_deviation = 8;
    c.energy_db = 3;
    lac_factor_frame *out = restyle(f, 49, &c, &frames);
    for (int i = 0; i < 49; i++)
        cr_expect(isfinite(out[i].energy_db) && (isfinite(out[i].f0_hz) || !(f[i].f0_hz > 0)));
    free(out);
}

/* ---- arguments ---- */

Test(recombine, changes_out_of_range_are_refused)
{
    lac_factor_frame f[4] = {0}, out[8], untouched[8];
    memset(out, 7, sizeof out);
    memset(untouched, 7, sizeof untouched);
    const struct {
        size_t offset;
        float low, high;
    } fields[] = {
        {offsetof(lac_style_change, f0_median_hz), 49, 601},
        {offsetof(lac_style_change, f0_deviation), NAN, 12.1f},
        {offsetof(lac_style_change, energy_deviation), NAN, 31},
        {offsetof(lac_style_change, rate_phones), -1, 51},
        {offsetof(lac_style_change, pitch_semitones), -25, 25},
        {offsetof(lac_style_change, range), -0.1f, 4.1f},
        {offsetof(lac_style_change, rate), 0.49f, 2.1f},
        {offsetof(lac_style_change, energy_db), -41, 21},
    };
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        for (int k = 0; k < 3; k++) {
            lac_style_change c = no_change();
            float value = k == 0 ? fields[i].low : k == 1 ? fields[i].high : NAN;
            size_t frames = 77;
            memcpy((char *)&c + fields[i].offset, &value, sizeof value);
            cr_expect_eq(lac_frames_restyle(f, 4, STRIDE, &c, out, 8, &frames), LAC_ERROR_ARGUMENT, "%zu: %g", i,
                         (double)value);
            cr_expect_eq(frames, 77);
        }
    cr_expect(memcmp(out, untouched, sizeof out) == 0);
}

Test(recombine, bad_arguments_are_refused)
{
    lac_factor_frame f[4] = {0}, out[8];
    lac_style_change c = no_change();
    size_t frames = 77;
    memset(out, 7, sizeof out);
    cr_expect_eq(lac_frames_restyle(NULL, 4, STRIDE, &c, out, 8, &frames), LAC_ERROR_ARGUMENT);
    cr_expect_eq(lac_frames_restyle(f, 4, STRIDE, &c, NULL, 8, &frames), LAC_ERROR_ARGUMENT);
    cr_expect_eq(lac_frames_restyle(f, 4, STRIDE, NULL, out, 8, &frames), LAC_ERROR_ARGUMENT);
    cr_expect_eq(lac_frames_restyle(f, 4, 0, &c, out, 8, &frames), LAC_ERROR_ARGUMENT);
    cr_expect_eq(lac_frames_restyle(f, 4, STRIDE, &c, out, 8, NULL), LAC_ERROR_ARGUMENT);
    c.rate = 0.5f;
    cr_expect_eq(lac_frames_restyle(f, 4, STRIDE, &c, out, 7, &frames), LAC_ERROR_SPACE);
    cr_expect(frames == 77 && out[0].content == 0x0707);
    cr_expect_eq(lac_frames_restyle(f, 4, STRIDE, &c, out, 8, &frames), 0);
    cr_expect_eq(lac_frames_restyled_bound(SIZE_MAX), SIZE_MAX);
}

/* ---- mixing ---- */

static lac_factors random_factors(random_source *r)
{
    lac_factors f;
    float squares = 0;
    memset(&f, 0, sizeof f);
    for (int i = 0; i < LAC_SPEAKER_SIZE; i++) {
        f.speaker[i] = (float)random_below(r, 2001) - 1000;
        squares += f.speaker[i] * f.speaker[i];
    }
    for (int i = 0; i < LAC_SPEAKER_SIZE; i++)
        f.speaker[i] /= sqrtf(squares);
    for (int i = 0; i < LAC_ENVIRONMENT_SIZE; i++)
        f.environment[i] = (float)random_below(r, 2001) / 100 - 10;
    for (int i = 0; i < LAC_CHANNEL_SIZE; i++)
        f.channel[i] = (float)random_below(r, 2001) / 100 - 10;
    for (int i = 0; i < LAC_STYLE_SIZE; i++)
        f.style[i] = (float)random_below(r, 1000) / 100;
    f.f0_median_hz = 80 + (float)random_below(r, 200);
    f.confidence = (float)random_below(r, 100) / 100;
    f.snr_db = (float)random_below(r, 60);
    f.t60_s = (float)random_below(r, 100) / 50;
    f.bandwidth_hz = (float)random_below(r, 12000);
    f.codec[random_below(r, LAC_CODEC_CLASSES)] = 1;
    return f;
}

static double cosine(const float *a, const float *b)
{
    double sum = 0;
    for (int i = 0; i < LAC_SPEAKER_SIZE; i++)
        sum += (double)a[i] * (double)b[i];
    return sum;
}

static const enum lac_factor_kind kinds[] = {LAC_FACTOR_SPEAKER, LAC_FACTOR_ENVIRONMENT, LAC_FACTOR_CHANNEL};

Test(recombine, mixing_nothing_or_oneself_changes_nothing)
{
    random_source r = random_start();
    for (int i = 0; i < rounds(20); i++) {
        lac_factors a = random_factors(&r), b = random_factors(&r), was = a;
        for (int k = 0; k < 3; k++) {
            cr_expect_eq(lac_factors_mix(&a, &b, kinds[k], 0), 0);
            cr_expect_eq(lac_factors_mix(&a, &was, kinds[k], (float)random_below(&r, 11) / 10), 0);
        }
        cr_expect(memcmp(&a, &was, sizeof a) == 0);
    }
}

Test(recombine, mixing_all_copies_that_factor_alone)
{
    random_source r = random_start();
    lac_factors a = random_factors(&r), b = random_factors(&r), was = a;
    cr_expect_eq(lac_factors_mix(&a, &b, LAC_FACTOR_ENVIRONMENT, 1), 0);
    cr_expect(memcmp(a.environment, b.environment, sizeof a.environment) == 0 && a.snr_db == b.snr_db &&
              a.t60_s == b.t60_s);
    cr_expect(memcmp(a.speaker, was.speaker, sizeof a.speaker) == 0 && a.bandwidth_hz == was.bandwidth_hz);
    cr_expect_eq(lac_factors_mix(&a, &b, LAC_FACTOR_SPEAKER, 1), 0);
    cr_expect(memcmp(a.speaker, b.speaker, sizeof a.speaker) == 0 && a.f0_median_hz == b.f0_median_hz &&
              a.confidence == b.confidence);
    cr_expect(memcmp(a.channel, was.channel, sizeof a.channel) == 0);
    cr_expect_eq(lac_factors_mix(&a, &b, LAC_FACTOR_CHANNEL, 1), 0);
    b.frames = a.frames;
    memcpy(b.style, was.style, sizeof b.style);
    cr_expect(memcmp(&a, &b, sizeof a) == 0);
}

Test(recombine, mixed_speakers_are_between)
{
    random_source r = random_start();
    for (int i = 0; i < rounds(20); i++) {
        lac_factors a = random_factors(&r), b = random_factors(&r), was = a;
        float weight = (float)(1 + random_below(&r, 9)) / 10;
        cr_assert_eq(lac_factors_mix(&a, &b, LAC_FACTOR_SPEAKER, weight), 0);
        cr_expect_float_eq(cosine(a.speaker, a.speaker), 1, 1e-5);
        double to_a = cosine(a.speaker, was.speaker), to_b = cosine(a.speaker, b.speaker);
        double sum = cosine(was.speaker, b.speaker), w = (double)weight;
        cr_expect_float_eq(to_a * (w + (1 - w) * sum), to_b * (1 - w + w * sum), 1e-4);
        cr_expect_float_eq(semitones((double)a.f0_median_hz, (double)was.f0_median_hz),
                           w * semitones((double)b.f0_median_hz, (double)was.f0_median_hz), 1e-3);
    }
}

Test(recombine, mixing_with_nobody_or_an_opposite)
{
    random_source r = random_start();
    lac_factors a = random_factors(&r), b = a, nobody = {0}, was = a;
    cr_expect_eq(lac_factors_mix(&a, &nobody, LAC_FACTOR_SPEAKER, 0.25f), 0);
    cr_expect_float_eq(cosine(a.speaker, was.speaker), 1, 1e-5);
    cr_expect_eq(a.f0_median_hz, was.f0_median_hz, "a median is only moved to another");
    for (int i = 0; i < LAC_SPEAKER_SIZE; i++)
        b.speaker[i] = -was.speaker[i];
    a = was;
    cr_expect_eq(lac_factors_mix(&a, &b, LAC_FACTOR_SPEAKER, 0.5f), 0);
    cr_expect_float_eq(cosine(a.speaker, a.speaker), 1, 1e-5);
}

Test(recombine, bad_mixtures_are_refused)
{
    random_source r = random_start();
    lac_factors a = random_factors(&r), b = random_factors(&r), was = a;
    cr_expect_eq(lac_factors_mix(NULL, &b, LAC_FACTOR_SPEAKER, 1), LAC_ERROR_ARGUMENT);
    cr_expect_eq(lac_factors_mix(&a, NULL, LAC_FACTOR_SPEAKER, 1), LAC_ERROR_ARGUMENT);
    cr_expect_eq(lac_factors_mix(&a, &b, LAC_FACTOR_STYLE, 1), LAC_ERROR_ARGUMENT);
    cr_expect_eq(lac_factors_mix(&a, &b, LAC_FACTOR_KINDS, 1), LAC_ERROR_ARGUMENT);
    cr_expect_eq(lac_factors_mix(&a, &b, LAC_FACTOR_SPEAKER, -0.1f), LAC_ERROR_ARGUMENT);
    cr_expect_eq(lac_factors_mix(&a, &b, LAC_FACTOR_SPEAKER, 1.1f), LAC_ERROR_ARGUMENT);
    cr_expect_eq(lac_factors_mix(&a, &b, LAC_FACTOR_SPEAKER, NAN), LAC_ERROR_ARGUMENT);
    cr_expect(memcmp(&a, &was, sizeof a) == 0);
}

/* ---- style of another ---- */

Test(recombine, style_of_another_is_reached)
{
    random_source r = random_start();
    lac_factor_frame *f = random_speech(&r, 900);
    lac_factors own = measure(f, 900), other = own;
    const enum lac_style_item items[] = {LAC_STYLE_F0_DEVIATION, LAC_STYLE_ENERGY_DEVIATION};
    other.style[LAC_STYLE_F0_DEVIATION] *= 1.4f;
    other.style[LAC_STYLE_ENERGY_DEVIATION] *= 0.7f;
    other.style[LAC_STYLE_F0_SLOPE] *= 3;
    other.f0_median_hz *= 2;
    for (int w = 0; w <= 4; w++) {
        lac_style_change c = no_change();
        float weight = (float)w / 4;
        lac_style_change_towards(&c, &own, &other, weight);
        lac_factors got = restyled(f, 900, &c);
        for (int i = 0; i < 2; i++) {
            float a = own.style[items[i]], b = other.style[items[i]];
            cr_expect_float_eq(got.style[items[i]] / (a + weight * (b - a)), 1, 0.05, "item %d at %g",
                               (int)items[i], (double)weight);
        }
        cr_expect_float_eq(semitones((double)got.f0_median_hz, (double)own.f0_median_hz), 0, 0.3);
    }
    free(f);
}

Test(recombine, style_without_voice_changes_no_pitch)
{
    random_source r = random_start();
    lac_factors own = random_factors(&r), nothing = {0};
    lac_style_change c = no_change(), was = c;
    lac_style_change_towards(&c, &own, &nothing, 1);
    cr_expect(memcmp(&c, &was, sizeof c) == 0);
    lac_style_change_towards(&c, &nothing, &own, 1);
    cr_expect(memcmp(&c, &was, sizeof c) == 0);
    lac_style_change_towards(&c, &own, &own, NAN);
    cr_expect(memcmp(&c, &was, sizeof c) == 0);
}

/* ---- with a model ---- */

/* What an analyser counts is what its frames say. */
Test(recombine, measured_as_analysed)
{
    random_source r = random_start();
    lac_factor_model *m = open_tiny_factors();
    lac_analyser *a = open_analyser(m, 64, 1);
    int16_t *z = random_latents(&r, m, 300);
    lac_factor_frame frames[300];
    analyse(a, z, 300, frames);
    lac_factors heard, counted;
    lac_analyser_get(a, &heard);
    counted = heard;
    counted.frames = 0;
    counted.f0_median_hz = counted.speech_s = -1;
    memset(counted.style, 0xff, sizeof counted.style);
    lac_factors_measure(frames, 300, &counted);
    cr_expect(memcmp(&heard, &counted, sizeof heard) == 0);
    lac_analyser_close(&a);
    lac_factor_model_close(&m);
    free(z);
}

/* An utterance recombined with all of its own factors is what its factors generate. */
Test(recombine, ones_own_factors_generate_the_same)
{
    random_source r = random_start();
    lac_factor_model *m = open_tiny_factors();
    size_t d = m->arch.latent, count = 200, frames;
    lac_factor_frame *f = random_speech(&r, count);
    lac_factors own = random_factors(&r), mixed = own;
    for (size_t t = 0; t < count; t++)
        f[t].content %= m->info.content_tokens;
    lac_factors_measure(f, count, &own);
    mixed = own;
    lac_style_change c = no_change();
    for (int k = 0; k < 3; k++)
        cr_assert_eq(lac_factors_mix(&mixed, &own, kinds[k], 0.7f), 0);
    lac_style_change_towards(&c, &own, &own, 1);
    c.f0_median_hz = mixed.f0_median_hz;
    lac_factor_frame *out = restyle(f, count, &c, &frames);
    cr_assert_eq(frames, count);
    int16_t *a = test_alloc(count * d, sizeof *a), *b = test_alloc(count * d, sizeof *b);
    lac_generator *g = open_generator(m, 64, 1), *h = open_generator(m, 7, 2);
    lac_generator_set(g, &own);
    lac_generator_set(h, &mixed);
    generate(g, f, count, d, a);
    generate(h, out, count, d, b);
    cr_expect(memcmp(a, b, count * d * sizeof *a) == 0);
    lac_generator_close(&g);
    lac_generator_close(&h);
    lac_factor_model_close(&m);
    free(a);
    free(b);
    free(out);
    free(f);
}
