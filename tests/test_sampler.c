/* New voices, places and lines, drawn from the distributions of vectors/tiny-voices.lacf
 * (train/factors/make_tiny.py): three attributes that do not touch each other, and a fourth that is the sum of the
 * first two. */
#include <math.h>

#include "bytes.h"
#include "factorfixture.h"
#include "lac/recombine.h"

#define PEOPLE 64

static lac_factor_model *model;

static void open_model(void)
{
    model = open_factors("tiny-voices.lacf");
}

static void close_model(void)
{
    lac_factor_model_close(&model);
}

TestSuite(sampler, .init = open_model, .fini = close_model, .timeout = 60);

static lac_voice_settings defaults(void)
{
    lac_voice_settings s;
    lac_voice_default_settings(&s);
    return s;
}

static lac_factors sample(const lac_voice_settings *s, uint64_t seed)
{
    lac_factors f = {0};
    cr_assert_eq(lac_voice_sample(model, s, seed, &f, NULL), 0, "seed %llu", (unsigned long long)seed);
    return f;
}

static float cosine(const float *a, const float *b)
{
    float sum = 0;
    for (size_t i = 0; i < LAC_SPEAKER_SIZE; i++)
        sum += a[i] * b[i];
    return sum;
}

Test(sampler, a_seed_is_a_voice)
{
    for (uint64_t seed = 0; seed < 100; seed++) {
        lac_factors a = sample(NULL, seed), b = sample(NULL, seed), other = sample(NULL, seed + 1);
        cr_assert_arr_eq(&a, &b, sizeof a);
        cr_assert_lt(cosine(a.speaker, other.speaker), 0.9999f, "seeds %d and the next", (int)seed);
        cr_assert_float_eq(cosine(a.speaker, a.speaker), 1, 1e-5);
        cr_assert(a.f0_median_hz >= 50 && a.f0_median_hz <= 600);
    }
}

Test(sampler, only_the_voice_is_written)
{
    lac_factors f, before;
    memset(&f, 7, sizeof f);
    before = f;
    cr_assert_eq(lac_voice_sample(model, NULL, 5, &f, NULL), 0);
    memcpy(f.speaker, before.speaker, sizeof f.speaker);
    f.f0_median_hz = before.f0_median_hz;
    cr_assert_arr_eq(&f, &before, sizeof f);
    cr_assert_eq(lac_factors_sample(model, LAC_FACTOR_CHANNEL, 5, &f), 0);
    memcpy(f.channel, before.channel, sizeof f.channel);
    cr_assert_arr_eq(&f, &before, sizeof f);
    cr_assert_eq(lac_factors_neutral(model, LAC_FACTOR_ENVIRONMENT, &f), 0);
    memcpy(f.environment, before.environment, sizeof f.environment);
    cr_assert_arr_eq(&f, &before, sizeof f);
}

/* The middle is 0.8 of a unit vector, its pitch 150 * 2^0.2 Hz. */
Test(sampler, without_spread_all_are_the_middle)
{
    lac_voice_settings s = defaults();
    s.spread = 0;
    for (uint64_t seed = 0; seed < 10; seed++) {
        lac_factors f = sample(&s, seed);
        for (size_t i = 0; i < LAC_SPEAKER_SIZE; i++)
            cr_assert_float_eq(f.speaker[i], model->distributions.middle[i] / 0.8f, 1e-5);
        cr_assert_float_eq(f.f0_median_hz, 172.3048f, 1e-2);
    }
}

/* Deviation of an attribute over some voices. */
static float deviation(float spread, size_t which)
{
    lac_voice_settings s = defaults();
    double sum = 0, squares = 0;
    s.spread = spread;
    for (uint64_t seed = 0; seed < 400; seed++) {
        float a[LAC_VOICE_ATTRIBUTES];
        cr_assert_eq(lac_voice_attributes(model, sample(&s, seed).speaker, a), 0);
        sum += a[which];
        squares += a[which] * a[which];
    }
    return (float)sqrt(squares / 400 - sum / 400 * sum / 400);
}

Test(sampler, spread_widens)
{
    float half = deviation(0.5f, 0), one = deviation(1, 0), two = deviation(2, 0);
    cr_assert(one > 0.8f && one < 1.2f, "%f", one);
    cr_assert(half > 0.4f * one && half < 0.75f * one, "%f of %f", half, one);
    cr_assert_gt(two, 1.1f * one);
}

Test(sampler, attributes_are_as_wanted)
{
    random_source r = random_start();
    for (int round = 0; round < rounds(200); round++) {
        lac_voice_settings s = defaults();
        float a[LAC_VOICE_ATTRIBUTES];
        size_t except = random_below(&r, LAC_VOICE_ATTRIBUTES);
        for (size_t k = 0; k < 3; k++)
            if (k != except)
                s.attribute[k] = (float)random_below(&r, 401) / 100 - 2;
        s.spread = (float)random_below(&r, 3) / 2;
        cr_assert_eq(lac_voice_attributes(model, sample(&s, (uint64_t)round).speaker, a), 0);
        for (size_t k = 0; k < LAC_VOICE_ATTRIBUTES; k++)
            cr_assert(isnan(s.attribute[k]) || fabsf(a[k] - s.attribute[k]) < 0.05f, "%zu: %f, not %f", k, a[k],
                      s.attribute[k]);
    }
}

Test(sampler, pitch_goes_along)
{
    lac_voice_settings low = defaults(), high = defaults();
    low.attribute[LAC_VOICE_PITCH] = -2;
    high.attribute[LAC_VOICE_PITCH] = 2;
    cr_assert_gt(sample(&high, 3).f0_median_hz, 1.1f * sample(&low, 3).f0_median_hz);
}

/* The fourth is (first + second) / sqrt 2: the least squares. */
Test(sampler, contradictions_are_met_halfway)
{
    lac_voice_settings s = defaults();
    float a[LAC_VOICE_ATTRIBUTES];
    s.attribute[0] = s.attribute[1] = 1;
    s.attribute[3] = -1;
    cr_assert_eq(lac_voice_attributes(model, sample(&s, 9).speaker, a), 0);
    cr_assert_float_eq(a[0], 0.1464f, 0.01);
    cr_assert_float_eq(a[1], 0.1464f, 0.01);
    cr_assert_float_eq(a[3], 0.2071f, 0.01);
}

/* Everybody met is to be avoided from then on. */
Test(sampler, nobody_is_met)
{
    static float people[PEOPLE][LAC_SPEAKER_SIZE];
    lac_voice_settings s = defaults();
    s.avoid = (const float (*)[LAC_SPEAKER_SIZE])people;
    s.largest_cosine = 0.95f;
    s.attempts = 10000;
    for (size_t i = 0; i < PEOPLE; i++, s.avoid_count++) {
        lac_factors f = {0};
        float told = 2, most = -1;
        cr_assert_eq(lac_voice_sample(model, &s, i % 4, &f, &told), 0, "person %zu", i);
        for (size_t k = 0; k < i; k++)
            most = fmaxf(most, cosine(f.speaker, people[k]));
        cr_assert_float_eq(told, most, 1e-6);
        cr_assert_leq(told, s.largest_cosine);
        memcpy(people[i], f.speaker, sizeof f.speaker);
    }
}

Test(sampler, who_cannot_be_avoided)
{
    lac_factors f = sample(NULL, 4), g = {.f0_median_hz = 1};
    lac_voice_settings s = defaults();
    float told = 2;
    s.avoid = (const float (*)[LAC_SPEAKER_SIZE]) & f.speaker;
    s.avoid_count = 1;
    s.largest_cosine = -1;
    cr_assert_eq(lac_voice_sample(model, &s, 4, &g, &told), LAC_ERROR_NOT_FOUND);
    cr_assert(told == 2 && g.f0_median_hz == 1, "nothing is written");
    s.largest_cosine = 1;
    cr_assert_eq(lac_voice_sample(model, &s, 4, &g, &told), 0);
    cr_assert_arr_eq(g.speaker, f.speaker, sizeof f.speaker, "the first attempt is that without anybody to avoid");
    cr_assert_float_eq(told, 1, 1e-5);
}

Test(sampler, places_and_lines)
{
    lac_factors a = {0}, b = {0};
    for (uint64_t seed = 0; seed < 50; seed++) {
        for (int kind = LAC_FACTOR_ENVIRONMENT; kind <= LAC_FACTOR_CHANNEL; kind++) {
            cr_assert_eq(lac_factors_sample(model, kind, seed, &a), 0);
            cr_assert_eq(lac_factors_sample(model, kind, seed + (kind == LAC_FACTOR_CHANNEL), &b), 0);
        }
        cr_assert_arr_eq(a.environment, b.environment, sizeof a.environment);
        cr_assert_neq(memcmp(a.channel, b.channel, sizeof a.channel), 0);
    }
    cr_assert_eq(lac_factors_neutral(model, LAC_FACTOR_ENVIRONMENT, &a), 0);
    cr_assert_eq(lac_factors_neutral(model, LAC_FACTOR_CHANNEL, &a), 0);
    cr_assert_arr_eq(a.environment, model->distributions.dry_place, sizeof a.environment);
    cr_assert_arr_eq(a.channel, model->distributions.wide_line, sizeof a.channel);
}

Test(sampler, settings_out_of_range)
{
    const float bad[] = {-0.01f, 2.01f, NAN, INFINITY};
    lac_voice_settings s;
    lac_factors f;
#define REFUSES(change)                                                                     \
    s = defaults();                                                                         \
    s.change;                                                                               \
    cr_assert_eq(lac_voice_sample(model, &s, 1, &f, NULL), LAC_ERROR_ARGUMENT, "%s", #change);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        REFUSES(spread = bad[i])
    }
    REFUSES(attribute[0] = 3.01f)
    REFUSES(attribute[3] = -INFINITY)
    REFUSES(avoid_count = 1)
    REFUSES(largest_cosine = 1.01f)
    REFUSES(largest_cosine = NAN)
    REFUSES(attempts = 0)
    REFUSES(attempts = 10001)
#undef REFUSES
    cr_assert_eq(lac_voice_sample(NULL, NULL, 1, &f, NULL), LAC_ERROR_ARGUMENT);
    cr_assert_eq(lac_voice_sample(model, NULL, 1, NULL, NULL), LAC_ERROR_ARGUMENT);
    for (int kind = -1; kind <= LAC_FACTOR_KINDS; kind++) {
        int status = kind == LAC_FACTOR_ENVIRONMENT || kind == LAC_FACTOR_CHANNEL ? 0 : LAC_ERROR_ARGUMENT;
        cr_assert_eq(lac_factors_neutral(model, kind, &f), status);
        cr_assert_eq(lac_factors_sample(model, kind, 1, &f), status);
    }
    cr_assert_eq(lac_factors_sample(model, LAC_FACTOR_CHANNEL, 1, NULL), LAC_ERROR_ARGUMENT);
}

Test(sampler, a_model_without)
{
    lac_factor_model *plain = open_tiny_factors();
    lac_factors f = {0};
    float a[LAC_VOICE_ATTRIBUTES];
    cr_assert_eq(lac_voice_sample(plain, NULL, 1, &f, NULL), LAC_ERROR_VERSION);
    cr_assert_eq(lac_voice_attributes(plain, f.speaker, a), LAC_ERROR_VERSION);
    cr_assert_eq(lac_factors_neutral(plain, LAC_FACTOR_CHANNEL, &f), LAC_ERROR_VERSION);
    cr_assert_eq(lac_factors_sample(plain, LAC_FACTOR_CHANNEL, 1, &f), LAC_ERROR_VERSION);
    lac_factor_model_close(&plain);
}

static void take(lac_sha256 *sha, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint8_t bytes[4];
        uint32_t bits;
        memcpy(&bits, x + i, 4);
        lac_store32(bytes, bits);
        lac_sha256_update(sha, bytes, 4);
    }
}

Test(sampler, bits_never_change)
{
    lac_voice_settings s = defaults();
    uint8_t digest[32];
    char text[17];
    lac_sha256 sha;
    lac_sha256_init(&sha);
    for (uint64_t seed = 0; seed < 64; seed++) {
        lac_factors f = sample(NULL, seed << 32 | seed);
        float a[LAC_VOICE_ATTRIBUTES];
        take(&sha, f.speaker, LAC_SPEAKER_SIZE);
        s.attribute[seed % LAC_VOICE_ATTRIBUTES] = 1;
        f = sample(&s, seed);
        cr_assert_eq(lac_voice_attributes(model, f.speaker, a), 0);
        cr_assert_eq(lac_factors_sample(model, LAC_FACTOR_ENVIRONMENT, seed, &f), 0);
        cr_assert_eq(lac_factors_sample(model, LAC_FACTOR_CHANNEL, seed, &f), 0);
        take(&sha, f.speaker, LAC_SPEAKER_SIZE);
        take(&sha, &f.f0_median_hz, 1);
        take(&sha, f.environment, LAC_ENVIRONMENT_SIZE);
        take(&sha, f.channel, LAC_CHANNEL_SIZE);
        take(&sha, a, LAC_VOICE_ATTRIBUTES);
    }
    lac_sha256_final(&sha, digest);
    for (int i = 0; i < 8; i++)
        snprintf(text + 2 * i, 3, "%02x", digest[i]);
    cr_expect_str_eq(text, "81a4af08ea11776b", "%s", text);
}
