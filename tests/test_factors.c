/* What is made of an analyser's frames and vectors, apart from its networks. */
#include <math.h>

#include "factorfixture.h"
#include "gaussian.h"
#include "pool.h"
#include "prosody.h"
#include "stylestats.h"

TestSuite(factors, .timeout = 60);

/* ---- edit distance ---- */

/* A frame for each letter: a is phone 1; . is blank. */
static lac_factor_frame *spell(const char *text)
{
    lac_factor_frame *f = test_alloc(strlen(text), sizeof *f);
    for (size_t i = 0; text[i]; i++)
        f[i].phone = (uint16_t)(text[i] == '.' ? 0 : text[i] - 'a' + 1);
    return f;
}

static void expect_distance(const char *a, const char *b, uint32_t n, uint32_t m, double want)
{
    lac_factor_frame *x = spell(a), *y = spell(b);
    float got = -1, back = -1;
    uint32_t of_a = 99, of_b = 99;
    cr_assert_eq(lac_content_distance(x, strlen(a), y, strlen(b), &got, &of_a, &of_b), 0);
    cr_expect(of_a == n && of_b == m, "%s: %u phones, %s: %u", a, of_a, b, of_b);
    cr_expect_float_eq(got, want, 1e-6, "%s, %s: %g", a, b, (double)got);
    cr_assert_eq(lac_content_distance(y, strlen(b), x, strlen(a), &back, &of_b, &of_a), 0);
    cr_expect_eq(got, back);
    free(x);
    free(y);
}

Test(factors, distance_of_contents)
{
    expect_distance("", "", 0, 0, 0);
    expect_distance("...", "", 0, 0, 0);
    expect_distance("abc", "", 3, 0, 1);
    expect_distance("aaab..b.c", "abbc", 4, 3, 0.25); /* only a blank parts equal phones */
    expect_distance("kitten", "sitting", 5, 6, 3 / 6.0);
    expect_distance("abcd", "bcde", 4, 4, 0.5);
    expect_distance("a.b.c", "..abc", 3, 3, 0);
}

Test(factors, distance_is_limited)
{
    const size_t most = 10000;
    lac_factor_frame *f = test_alloc(most + 1, sizeof *f), one = {.phone = 9};
    for (size_t i = 0; i <= most; i++)
        f[i].phone = (uint16_t)(1 + i % 7);
    float d;
    uint32_t n, m;
    cr_assert_eq(lac_content_distance(f, most + 1, &one, 1, &d, &n, &m), LAC_ERROR_LIMIT);
    cr_assert_eq(lac_content_distance(&one, 1, f, most + 1, &d, &n, &m), LAC_ERROR_LIMIT);
    cr_assert_eq(lac_content_distance(f, most, &one, 1, &d, &n, &m), 0);
    cr_expect(n == most && m == 1 && d == 1.0f);
    cr_assert_eq(lac_content_distance(f, most, f + 7, most - 7, &d, &n, &m), 0);
    cr_expect_float_eq(d, 7.0 / (double)most, 1e-9);
    cr_assert_eq(lac_content_distance(NULL, 1, f, 1, &d, &n, &m), LAC_ERROR_ARGUMENT);
    free(f);
}

/* ---- statistics of style ---- */

static lac_factors stats_of(const lac_factor_frame *f, size_t n)
{
    lac_style_stats *s = test_alloc(1, sizeof *s);
    lac_factors out;
    memset(&out, 0xff, sizeof out);
    for (size_t i = 0; i < n; i++)
        lac_style_stats_add(s, f + i);
    lac_style_stats_get(s, &out);
    free(s);
    return out;
}

static void expect_style(const lac_factors *f, enum lac_style_item item, double want, double tolerance)
{
    cr_expect_float_eq(f->style[item], want, tolerance, "item %d: %g, not %g", (int)item, (double)f->style[item],
                       want);
}

Test(factors, style_of_nothing_is_zero)
{
    lac_factors f = stats_of(NULL, 0);
    cr_expect(f.frames == 0 && f.speech_s == 0 && f.f0_median_hz == 0);
    for (int i = 0; i < LAC_STYLE_SIZE; i++)
        expect_style(&f, i, 0, 0);
}

Test(factors, style_of_silence_is_a_pause)
{
    lac_factor_frame f[3] = {{.energy_db = -100}, {.energy_db = -71}, {.energy_db = -NAN}};
    lac_factors s = stats_of(f, 3);
    cr_expect(s.frames == 3 && s.speech_s == 0);
    expect_style(&s, LAC_STYLE_PAUSES, 1, 0);
    expect_style(&s, LAC_STYLE_VOICED, 0, 0);
}

/* A second of voice, 10 dB apart from frame to frame, and one of silence. */
Test(factors, style_of_a_known_voice)
{
    lac_factor_frame f[100];
    for (int t = 0; t < 100; t++) {
        f[t] = (lac_factor_frame){.energy_db = t < 50 ? t % 2 ? -20 : -30 : -95};
        f[t].f0_hz = t < 40 ? 100 * powf(2, (float)(t % 2) / 12) : 0;
        f[t].phone = t < 50 ? (uint16_t)(t / 5 % 2 ? 0 : t / 5 + 1) : 0;
    }
    lac_factors s = stats_of(f, 100);
    cr_expect_float_eq(s.speech_s, 1, 1e-6);
    cr_expect(s.f0_median_hz > 99.9f && s.f0_median_hz < 106.5f, "%g", (double)s.f0_median_hz);
    expect_style(&s, LAC_STYLE_F0_DEVIATION, 0.5, 2e-3);
    expect_style(&s, LAC_STYLE_F0_RANGE, 1, 0.11);
    expect_style(&s, LAC_STYLE_F0_SLOPE, 50, 0.1);
    expect_style(&s, LAC_STYLE_VOICED, 0.8, 1e-6);
    expect_style(&s, LAC_STYLE_ENERGY_DEVIATION, 5, 0.01);
    expect_style(&s, LAC_STYLE_ENERGY_SLOPE, 500, 0.5);
    expect_style(&s, LAC_STYLE_RATE, 5, 1e-4);
    expect_style(&s, LAC_STYLE_PAUSES, 0.5, 1e-6);
}

Test(factors, what_is_40_dB_below_is_no_speech)
{
    lac_factor_frame f[200];
    for (int t = 0; t < 200; t++)
        f[t].energy_db = t < 60 ? -10 : t < 100 ? -49 : -51, f[t].f0_hz = 0, f[t].phone = 0;
    lac_factors s = stats_of(f, 200);
    cr_expect_float_eq(s.speech_s, 2, 1e-6);
    f[0].energy_db = 0; /* a click alone changes nothing */
    s = stats_of(f, 200);
    cr_expect_float_eq(s.speech_s, 2, 1e-6);
}

Test(factors, style_is_finite_whatever_comes)
{
    random_source r = random_start();
    const float odd[] = {NAN, INFINITY, -INFINITY, 1e30f, -1e30f, 0, 1e-30f, 49.9f, 601};
    lac_style_stats *s = test_alloc(1, sizeof *s);
    for (int i = 0; i < 2000; i++) {
        lac_factor_frame f = {.phone = (uint16_t)random_below(&r, 65536), .f0_hz = odd[random_below(&r, 9)],
                              .energy_db = odd[random_below(&r, 9)]};
        lac_factors out;
        lac_style_stats_add(s, &f);
        lac_style_stats_get(s, &out);
        cr_assert(isfinite(out.speech_s) && isfinite(out.f0_median_hz) && out.f0_median_hz < 603);
        for (int k = 0; k < LAC_STYLE_SIZE; k++)
            cr_assert(isfinite(out.style[k]) && out.style[k] >= 0);
    }
    free(s);
}

/* ---- pitch of a row ---- */

Test(factors, pitch_is_read_between_classes)
{
    float output[2 + LAC_PITCH_CLASSES] = {0};
    lac_factor_frame f;
    for (int i = 0; i < LAC_PITCH_CLASSES; i++)
        output[1 + i] = -20;
    lac_prosody_read(output, &f);
    cr_expect(f.f0_hz == 0 && f.voicing < 1e-4f && fabsf(f.energy_db + 60) < 1e-4f);
    output[1 + 50] = output[1 + 51] = 20;
    output[1 + LAC_PITCH_CLASSES] = 2;
    lac_prosody_read(output, &f);
    cr_expect_float_eq(f.f0_hz, 50 * pow(12, 50.5 / 119), 0.01, "%g", (double)f.f0_hz);
    cr_expect(f.voicing > 0.999f && fabsf(f.energy_db + 20) < 1e-4f);
    output[1 + LAC_PITCH_CLASSES - 1] = 60;
    lac_prosody_read(output, &f);
    cr_expect_float_eq(f.f0_hz, 600, 0.01);
    output[1] = 200;
    lac_prosody_read(output, &f);
    cr_expect_float_eq(f.f0_hz, 50, 0.01);
}

Test(factors, pitch_is_finite_whatever_comes)
{
    random_source r = random_start();
    const float odd[] = {NAN, INFINITY, -INFINITY, 3e38f, -3e38f, 0, 1, -1};
    for (int i = 0; i < rounds(500); i++) {
        float output[2 + LAC_PITCH_CLASSES];
        lac_factor_frame f;
        for (int k = 0; k < 2 + LAC_PITCH_CLASSES; k++)
            output[k] = odd[random_below(&r, 8)];
        lac_prosody_read(output, &f);
        cr_assert(f.f0_hz == 0 || (f.f0_hz > 49.9f && f.f0_hz < 600.1f), "%g", (double)f.f0_hz);
        cr_assert(f.voicing >= 0 && f.voicing <= 1 && f.energy_db >= -100 && f.energy_db <= 0);
    }
}

/* ---- sums ---- */

Test(factors, pool_has_weighted_mean_and_deviation)
{
    lac_workspace w;
    lac_pool p;
    cr_assert_eq(lac_workspace_open(&w, 1 << 12), 0);
    lac_pool_init(&p, &w, 2);
    float out[4];
    for (int i = 0; i < 1000; i++)
        lac_pool_add(&p, (float[]){i % 2 ? 3 : 1, -16}, i % 2 ? 0.25f : 0.75f);
    lac_pool_get(&p, out);
    cr_expect_float_eq(out[0], 1.5, 1e-5);
    cr_expect_float_eq(out[1], -16, 1e-4);
    cr_expect_float_eq(out[2], sqrt(0.75), 1e-4);
    cr_expect_float_eq(out[3], 0.01, 2e-2);
    cr_expect_float_eq(lac_pool_weight(&p), 500, 1e-3);
    lac_pool_reset(&p);
    lac_pool_get(&p, out);
    cr_expect(out[0] == 0 && out[2] == 0.01f);
    lac_pool_add(&p, (float[]){NAN, INFINITY}, NAN);
    lac_pool_get(&p, out);
    for (int i = 0; i < 4; i++)
        cr_expect(isfinite(out[i]));
    lac_workspace_close(&w);
}

/* The largest value that a row can have, as often as rows are counted. */
Test(factors, pool_cannot_overflow)
{
    double most = (double)lac_pool_fixed(INFINITY);
    cr_expect_eq(lac_pool_fixed(-INFINITY), -lac_pool_fixed(INFINITY));
    cr_expect_eq(lac_pool_fixed(NAN), 0);
    cr_expect_eq(most, 17179869184.0);
    cr_expect_leq(most * (double)LAC_POOL_ROWS, 9223372036854775808.0);
    cr_expect_eq(lac_pool_fixed(1), 1 << 24);
    cr_expect_eq(lac_pool_fixed(-1.5f), -3 * (1 << 23));
}

/* ---- noise ---- */

Test(factors, noise_is_normal)
{
    const int n = 200000;
    double sum = 0, squares = 0, fourth = 0, neighbours = 0, last = 0, seeds = 0;
    uint64_t key = lac_gaussian_key(5), other = lac_gaussian_key(6);
    for (int i = 0; i < n; i++) {
        double x = (double)lac_gaussian(key, (uint64_t)i);
        sum += x;
        squares += x * x;
        fourth += x * x * x * x;
        neighbours += x * last;
        seeds += x * (double)lac_gaussian(other, (uint64_t)i);
        last = x;
        cr_assert(fabs(x) < 5.8);
    }
    cr_expect_float_eq(sum / n, 0, 0.01);
    cr_expect_float_eq(squares / n, 1, 0.02);
    cr_expect_float_eq(fourth / n, 3, 0.1);
    cr_expect_float_eq(neighbours / n, 0, 0.01);
    cr_expect_float_eq(seeds / n, 0, 0.01);
}

/* ---- distances ---- */

static lac_factors random_factors(random_source *r)
{
    lac_factors f = {.frames = 100, .speech_s = 2, .confidence = 0.5f, .f0_median_hz = 120};
    float power = 0, *all[] = {f.speaker, f.style, f.environment, f.channel};
    const size_t sizes[] = {LAC_SPEAKER_SIZE, LAC_STYLE_SIZE, LAC_ENVIRONMENT_SIZE, LAC_CHANNEL_SIZE};
    for (size_t k = 0; k < 4; k++)
        for (size_t i = 0; i < sizes[k]; i++)
            all[k][i] = (float)random_below(r, 2001) / 1000 - 1;
    for (size_t i = 0; i < LAC_SPEAKER_SIZE; i++)
        power += f.speaker[i] * f.speaker[i];
    for (size_t i = 0; i < LAC_SPEAKER_SIZE; i++)
        f.speaker[i] /= sqrtf(power);
    return f;
}

Test(factors, compare_is_symmetric)
{
    random_source r = random_start();
    lac_factor_model *m = open_tiny_factors();
    for (int i = 0; i < rounds(50); i++) {
        lac_factors a = random_factors(&r), b = random_factors(&r);
        lac_factor_distance ab, ba, aa;
        lac_factors_compare(m, &a, &b, &ab);
        lac_factors_compare(m, &b, &a, &ba);
        lac_factors_compare(m, &a, &a, &aa);
        cr_assert_arr_eq(&ab, &ba, sizeof ab);
        cr_expect_float_eq(aa.speaker_cosine, 1, 1e-5);
        cr_expect(aa.speaker_cosine <= 1 && ab.speaker_cosine >= -1);
        cr_expect(aa.style_distance == 0 && aa.environment_distance == 0 && aa.channel_distance == 0);
        cr_expect(ab.style_distance > 0 && ab.environment_distance > 0 && ab.channel_distance > 0);
        cr_expect(aa.same_speaker_probability > ab.same_speaker_probability);
        double odds = (double)m->calibration.speaker[0] * (double)ab.speaker_cosine + (double)m->calibration.speaker[1];
        cr_expect_float_eq(ab.same_speaker_probability, 1 / (1 + exp(-odds)), 1e-5);
        b.confidence = 0;
        lac_factors_compare(m, &a, &b, &ab);
        cr_expect_eq(ab.same_speaker_probability, 0.5f);
    }
    lac_factor_model_close(&m);
}

Test(factors, compare_counts_in_deviations)
{
    lac_factor_model *m = open_tiny_factors();
    lac_factors a = {0}, b = {0};
    for (size_t i = 0; i < LAC_STYLE_SIZE; i++)
        b.style[i] = 2 * m->calibration.style[i];
    for (size_t i = 0; i < LAC_CHANNEL_SIZE / 4; i++)
        b.channel[i] = -m->calibration.channel[i];
    lac_factor_distance d;
    lac_factors_compare(m, &a, &b, &d);
    cr_expect_float_eq(d.style_distance, 2, 1e-5);
    cr_expect_eq(d.environment_distance, 0);
    cr_expect_float_eq(d.channel_distance, 0.5, 1e-5);
    cr_expect(d.speaker_cosine == 0 && d.same_speaker_probability == 0.5f);
    lac_factor_model_close(&m);
}
