/* Rooms, noise and lines: what was asked for is what is measured, nothing moves in time, and the seed decides all.
 */
#include <criterion/criterion.h>
#include <math.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "convert.h"
#include "fixture.h"
#include "lac/status.h"
#include "rng.h"
#include "simulate.h"
#include "spectra.h"
#include "synthspeech.h"

#define RATE        24000
#define COUNT       (4 * RATE)
#define COUNT_OF(a) (sizeof(a) / sizeof *(a))

static float *samples(size_t count)
{
    float *x = calloc(count + 1, sizeof *x);
    cr_assert_not_null(x);
    return x;
}

static float *speech(size_t count, uint32_t seed)
{
    float *x = samples(count);
    synthspeech_fill(x, count, seed);
    return x;
}

/* The same at another rate. */
static float *speech_at(size_t count, uint32_t rate, uint32_t seed)
{
    size_t given = (size_t)((uint64_t)count * RATE / rate) + 1;
    float *x = speech(given, seed), *y = samples(count);
    cr_assert_eq(lac_convert(x, given, RATE, y, count, rate), 0);
    free(x);
    return y;
}

static float *hiss(size_t count, float level, uint64_t seed)
{
    float *x = samples(count);
    for (size_t i = 0; i < count; i++)
        x[i] = level * lac_noise(seed * 1000000007 + i);
    return x;
}

static lac_simulated simulate(float *x, size_t count, uint32_t rate, lac_simulation s, uint64_t seed)
{
    lac_simulated done;
    int status = lac_simulate(x, count, rate, &s, seed, &done);
    cr_assert_eq(status, 0, "%s", lac_status_string(status));
    for (size_t i = 0; i < count; i++)
        if (!isfinite(x[i]) || fabsf(x[i]) > 1.0001f)
            cr_assert_fail("sample %zu is %g", i, (double)x[i]);
    return done;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Mean power of x [count] above 100 Hz, of all 20 ms frames or of the active ones, by the header's words. */
static double power(const float *x, size_t count, uint32_t rate, int active)
{
    size_t frame = rate / 50, n = count / frame, used = 0;
    double *p = calloc(n, sizeof *p), *sorted = calloc(n, sizeof *p), sum = 0;
    double w = tan(3.14159265358979 * 100 / rate), q = sqrt(2), d = 1 + q * w + w * w, in[2] = {0}, out[2] = {0};
    for (size_t i = 0; i < n * frame; i++) {
        double y = ((double)x[i] - 2 * in[0] + in[1] - 2 * (w * w - 1) * out[0] - (1 - q * w + w * w) * out[1]) / d;
        in[1] = in[0], in[0] = (double)x[i], out[1] = out[0], out[0] = y;
        p[i / frame] += y * y / (double)frame;
    }
    memcpy(sorted, p, n * sizeof *p);
    qsort(sorted, n, sizeof *p, by_size);
    double threshold = active ? sorted[(n - 1) * 95 / 100] * pow(10, -2.5) : -1;
    for (size_t t = 0; t < n; t++)
        if (p[t] > threshold) {
            sum += p[t];
            used++;
        }
    free(p);
    free(sorted);
    return used ? sum / (double)used : 0;
}

static double db(double ratio)
{
    return 10 * log10(ratio);
}

/* ---- As asked ---- */

Test(simulate, nothing_asked_changes_nothing)
{
    float *x = speech(COUNT, 1), *y = speech(COUNT, 1);
    lac_simulated done = simulate(y, COUNT, RATE, (lac_simulation){0}, 7);
    cr_assert_eq(memcmp(x, y, COUNT * sizeof *x), 0);
    cr_assert_eq(done.t60_s, 0);
    cr_assert_eq(done.distance_m, 0);
    cr_assert_eq(done.snr_db, LAC_SIMULATE_NO_NOISE_DB);
    cr_assert_eq(done.bandwidth_hz, RATE / 2);
    cr_assert_eq(done.opus_loss, 0);
    free(x);
    free(y);
}

Test(simulate, noise_is_as_loud_as_asked)
{
    static const float asked[] = {-10, -5, 0, 10, 20, 35, 60};
    static const lac_simulation around[] = {{0},
                                            {.t60_s = 0.6f},
                                            {.microphone_db = 8},
                                            {.low_hz = 300, .high_hz = 3400},
                                            {.t60_s = 0.3f, .microphone_db = 5}};
    float *noise = hiss(50000, 0.01f, 3), *clean = samples(COUNT), *noisy = samples(COUNT);
    for (size_t k = 0; k < COUNT_OF(around); k++)
        for (size_t i = 0; i < COUNT_OF(asked); i++) {
            lac_simulation s = around[k];
            synthspeech_fill(clean, COUNT, (uint32_t)i);
            for (size_t n = 0; n < COUNT; n++)
                clean[n] *= 0.01f; /* so that nothing reaches full scale */
            memcpy(noisy, clean, COUNT * sizeof *noisy);
            simulate(clean, COUNT, RATE, s, i);
            s.noise = noise;
            s.noise_count = 50000;
            s.snr_db = asked[i];
            lac_simulated done = simulate(noisy, COUNT, RATE, s, i);
            for (size_t n = 0; n < COUNT; n++)
                noisy[n] -= clean[n];
            double snr = db(power(clean, COUNT, RATE, 1) / power(noisy, COUNT, RATE, 0));
            cr_assert(fabs(snr - (double)asked[i]) < 0.3, "%zu: %g dB, not %g", k, snr, (double)asked[i]);
            cr_assert_float_eq(done.snr_db, asked[i], 1e-4);
        }
    free(noise);
    free(clean);
    free(noisy);
}

Test(simulate, two_noises_add_up)
{
    float *noise = hiss(COUNT, 0.1f, 4), *other = hiss(3 * RATE, 0.1f, 5), *x = speech(COUNT, 1);
    lac_simulation s = {.noise = noise,
                        .noise_count = COUNT,
                        .snr_db = 10,
                        .babble = other,
                        .babble_count = 3 * RATE,
                        .babble_snr_db = 10};
    cr_assert_float_eq(simulate(x, COUNT, RATE, s, 1).snr_db, 6.9897f, 1e-3);
    memset(noise, 0, COUNT * sizeof *noise);
    cr_assert_float_eq(simulate(x, COUNT, RATE, s, 1).snr_db, 10, 1e-3, "silent noise counts");
    memset(x, 0, COUNT * sizeof *x);
    cr_assert_eq(simulate(x, COUNT, RATE, s, 1).snr_db, LAC_SIMULATE_NO_NOISE_DB);
    free(noise);
    free(other);
    free(x);
}

Test(simulate, speech_is_as_loud_as_before)
{
    static const lac_simulation cases[] = {{.t60_s = 0.2f},
                                           {.t60_s = 1.5f},
                                           {.microphone_db = 12},
                                           {.low_hz = 300, .high_hz = 3400},
                                           {.t60_s = 1, .microphone_db = 3, .high_hz = 7000}};
    for (size_t k = 0; k < COUNT_OF(cases); k++) {
        float *x = speech(COUNT, 2);
        for (size_t i = 0; i < COUNT; i++)
            x[i] *= 0.1f;
        double before = power(x, COUNT, RATE, 1);
        simulate(x, COUNT, RATE, cases[k], k);
        double change = db(power(x, COUNT, RATE, 1) / before);
        cr_assert(fabs(change) < 0.05, "%zu: %g dB", k, change);
        free(x);
    }
}

static double share(const float *x, size_t count, uint32_t rate, double low, double high)
{
    double *y = calloc(count, sizeof *y), band, all;
    for (size_t i = 0; i < count; i++)
        y[i] = (double)x[i] * (1 - cos(6.283185307 * (double)i / (double)count)); /* so that bands stay apart */
    cr_assert_eq(lac_band_power(y, count, rate, low, high, &band, &all), 0);
    free(y);
    return band;
}

Test(simulate, bands_end_where_asked)
{
    static const uint32_t rates[] = {8000, 16000, 24000, 44100, 48000};
    for (size_t k = 0; k < COUNT_OF(rates); k++) {
        uint32_t rate = rates[k];
        float *x = hiss(COUNT, 0.05f, 6), *y = hiss(COUNT, 0.05f, 6);
        lac_simulated done = simulate(y, COUNT, rate, (lac_simulation){.low_hz = 300, .high_hz = 3000}, 0);
        double gain = share(y, COUNT, rate, 600, 2700) / share(x, COUNT, rate, 600, 2700);
        double edges[][2] = {{280, 320}, {2980, 3020}, {20, 75}, {3300, rate / 2.0}};
        double least[] = {-4, -7, -60, -120}, most[] = {-2, -5, -45, -45};
        for (size_t i = 0; i < COUNT_OF(edges); i++) {
            double at = db(share(y, COUNT, rate, edges[i][0], edges[i][1]) /
                           share(x, COUNT, rate, edges[i][0], edges[i][1]) / gain);
            cr_assert(at > least[i] && at < most[i], "%u Hz, from %g Hz: %g dB", rate, edges[i][0], at);
        }
        cr_assert_eq(done.bandwidth_hz, 3000);
        free(x);
        free(y);
    }
}

Test(simulate, codecs_tell_their_bandwidth)
{
    float *x = speech(COUNT, 3);
    cr_assert_eq(simulate(x, COUNT, RATE, (lac_simulation){.mulaw = 1}, 0).bandwidth_hz, 4000);
    cr_assert_eq(simulate(x, COUNT, RATE, (lac_simulation){.high_hz = 3400, .mulaw = 1}, 0).bandwidth_hz, 3400);
    cr_assert_eq(simulate(x, COUNT, RATE, (lac_simulation){.high_hz = 50000}, 0).bandwidth_hz, RATE / 2);
    cr_assert_eq(simulate(x, COUNT, RATE, (lac_simulation){.opus_bps = 64000}, 0).bandwidth_hz, RATE / 2);
    float narrow = simulate(x, COUNT, RATE, (lac_simulation){.opus_bps = 6000}, 0).bandwidth_hz;
    cr_assert(narrow >= 4000 && narrow <= 8000, "%g Hz", (double)narrow);
    free(x);
}

Test(simulate, packets_are_lost_as_asked)
{
    static const float asked[] = {0, 0.05f, 0.2f, 0.5f};
    size_t count = 60 * 8000;
    float *x = samples(count), *whole = NULL;
    for (size_t i = 0; i < COUNT_OF(asked); i++) {
        synthspeech_fill(x, count, 1);
        lac_simulated done =
            simulate(x, count, 8000, (lac_simulation){.opus_bps = 12000, .opus_loss = asked[i]}, 5);
        cr_assert(fabsf(done.opus_loss - asked[i]) <= (asked[i] > 0 ? 0.02f : 0), "%g of %g",
                  (double)done.opus_loss, (double)asked[i]);
        if (i == 0) {
            whole = x;
            x = samples(count);
        }
    }
    cr_assert_neq(memcmp(x, whole, count * sizeof *x), 0);
    free(x);
    free(whole);
}

Test(simulate, clipping_holds_samples)
{
    float *x = speech(COUNT, 4);
    for (size_t i = 0; i < COUNT; i++)
        x[i] *= 0.2f;
    double before = 0, after = 0;
    for (size_t i = 0; i < COUNT; i++)
        before += (double)x[i] * (double)x[i];
    simulate(x, COUNT, RATE, (lac_simulation){.clip_db = 20}, 0);
    float top = 0;
    size_t held = 0;
    for (size_t i = 0; i < COUNT; i++)
        top = fmaxf(top, fabsf(x[i]));
    for (size_t i = 0; i < COUNT; i++) {
        held += fabsf(x[i]) == top;
        after += (double)x[i] * (double)x[i];
    }
    cr_assert(held > COUNT / 100, "%zu samples are held", held);
    cr_assert(fabs(db(after / before)) < 0.01);
    free(x);
}

/* ---- Time ---- */

/* Samples by which y is late, where the two correlate best. */
static long lateness(const float *x, const float *y, size_t count)
{
    lac_correlator *c = NULL;
    double *a = calloc(count, sizeof *a), *b = calloc(count, sizeof *b), lags[401];
    for (size_t i = 0; i < count; i++) {
        a[i] = (double)x[i];
        b[i] = (double)y[i];
    }
    cr_assert_eq(lac_correlator_open(&c, 2 * count), 0);
    lac_correlator_add(c, a, count, b, count);
    lac_correlator_finish(c, 200, lags);
    lac_correlator_close(&c);
    free(a);
    free(b);
    long best = 0;
    for (long i = 0; i < 401; i++)
        if (lags[i] > lags[best])
            best = i;
    return best - 200;
}

Test(simulate, nothing_moves_in_time)
{
    static const uint32_t rates[] = {8000, 11025, 16000, 24000, 44100, 48000, 96000};
    float *noise = hiss(RATE, 0.1f, 9);
    const lac_simulation cases[] = {{.t60_s = 0.2f},
                                    {.noise = noise, .noise_count = RATE, .snr_db = 20},
                                    {.microphone_db = 6},
                                    {.low_hz = 100, .high_hz = 3400},
                                    {.mulaw = 1},
                                    {.opus_bps = 6000},
                                    {.opus_bps = 16000},
                                    {.opus_bps = 64000},
                                    {.opus_bps = 24000, .opus_loss = 0.1f},
                                    {.clip_db = 10},
                                    {.t60_s = 0.2f, .microphone_db = 3, .high_hz = 3400, .mulaw = 1}};
    for (size_t r = 0; r < COUNT_OF(rates); r++)
        for (size_t k = 0; k < COUNT_OF(cases); k++) {
            size_t count = 2 * rates[r];
            float *x = cases[k].opus_bps ? speech_at(count, rates[r], 5) : hiss(count, 0.1f, 5),
                  *y = samples(count);
            memcpy(y, x, count * sizeof *y);
            simulate(y, count, rates[r], cases[k], 3);
            long late = lateness(x, y, count);
            long allowed = cases[k].opus_bps ? (long)rates[r] / 8000 : 1;
            cr_assert(labs(late) <= allowed, "case %zu at %u Hz: %ld samples late", k, rates[r], late);
            free(x);
            free(y);
        }
    free(noise);
}

/* ---- The seed ---- */

typedef struct worker {
    const lac_simulation *settings;
    float *pcm;
    uint64_t seed;
    int status;
} worker;

static void *work(void *user)
{
    worker *w = user;
    lac_simulated done;
    w->status = lac_simulate(w->pcm, COUNT / 2, RATE, w->settings, w->seed, &done);
    return NULL;
}

static lac_simulation everything(const float *noise, size_t noise_count)
{
    return (lac_simulation){.t60_s = 0.4f,
                            .noise = noise,
                            .noise_count = noise_count,
                            .snr_db = 5,
                            .babble = noise,
                            .babble_count = noise_count,
                            .babble_snr_db = 15,
                            .microphone_db = 6,
                            .low_hz = 200,
                            .high_hz = 5000,
                            .mulaw = 1,
                            .opus_bps = 16000,
                            .opus_loss = 0.1f,
                            .clip_db = 6};
}

Test(simulate, threads_make_the_same_bits)
{
    enum { THREADS = 6 };
    float *noise = hiss(20000, 0.1f, 1);
    lac_simulation s = everything(noise, 20000);
    worker w[THREADS];
    pthread_t thread[THREADS];
    for (int i = 0; i < THREADS; i++) {
        w[i] = (worker){.settings = &s, .pcm = speech(COUNT / 2, 1), .seed = (uint64_t)(i / 2)};
        cr_assert_eq(pthread_create(&thread[i], NULL, work, &w[i]), 0);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    for (int i = 0; i < THREADS; i++) {
        worker alone = {.settings = &s, .pcm = speech(COUNT / 2, 1), .seed = (uint64_t)(i / 2)};
        work(&alone);
        cr_assert_eq(w[i].status, 0);
        cr_assert_eq(memcmp(w[i].pcm, alone.pcm, COUNT / 2 * sizeof *alone.pcm), 0, "thread %d", i);
        free(alone.pcm);
    }
    cr_assert_neq(memcmp(w[0].pcm, w[2].pcm, COUNT / 2 * sizeof(float)), 0);
    for (int i = 0; i < THREADS; i++)
        free(w[i].pcm);
    free(noise);
}

Test(simulate, one_part_does_not_disturb_another)
{
    float *noise = hiss(20000, 0.1f, 1), *x = speech(COUNT, 1);
    lac_simulated room = simulate(x, COUNT, RATE, (lac_simulation){.t60_s = 0.4f}, 11);
    lac_simulated all = simulate(x, COUNT, RATE, everything(noise, 20000), 11);
    cr_assert_eq(room.t60_s, all.t60_s);
    cr_assert_eq(room.distance_m, all.distance_m);
    free(noise);
    free(x);
}

/* ---- Extremes ---- */

static void survive(float *x, size_t count, uint32_t rate)
{
    float *noise = hiss(1000, 0.5f, 2);
    lac_simulation cases[] = {everything(noise, 1000),
                              everything(noise, 1),
                              {.t60_s = 1.5f},
                              {.t60_s = 0.1f},
                              {.noise = noise, .noise_count = 1000, .snr_db = -10},
                              {.microphone_db = 12},
                              {.low_hz = 2000, .high_hz = 2001},
                              {.mulaw = 1},
                              {.opus_bps = 6000, .opus_loss = 0.5f},
                              {.clip_db = 40}};
    for (size_t k = 0; k < COUNT_OF(cases); k++) {
        float *y = samples(count);
        memcpy(y, x, count * sizeof *y);
        simulate(y, count, rate, cases[k], k);
        free(y);
    }
    free(noise);
}

Test(simulate, extreme_sounds)
{
    size_t count = 3 * RATE;
    float *x = samples(count);
    survive(x, count, RATE);
    for (size_t i = 0; i < count; i++)
        x[i] = i / 50 % 2 ? 1.0f : -1.0f;
    survive(x, count, RATE);
    for (size_t i = 0; i < 5; i++)
        survive(x, i, RATE);
    survive(x, 481, 8000);
    survive(x, 20000, 192000);
    for (size_t i = 0; i < count; i++)
        x[i] = 1e-30f;
    survive(x, count, RATE);
    for (size_t i = 0; i < count; i++)
        x[i] = i / 50 % 2 ? 1e-44f : -1e-44f;
    survive(x, count, RATE);
    free(x);
}

/* A number of low .. high, or, half the time, what stands for nothing. */
static float maybe(random_source *r, double low, double high)
{
    return random_below(r, 2) ? 0 : (float)(low + (high - low) * random_below(r, 1001) / 1000);
}

Test(simulate, any_settings)
{
    random_source r = random_start();
    float *noise = hiss(30000, 0.3f, 2);
    for (int i = 0; i < rounds(60); i++) {
        size_t count = random_below(&r, random_below(&r, 2) ? 30000 : 600);
        uint32_t rate = 8000 + random_below(&r, random_below(&r, 8) ? 40001 : 184001);
        float *x = speech(count, random_below(&r, 100)), level = maybe(&r, 0, 1);
        lac_simulation s = {.t60_s = maybe(&r, 0.1, 1.5),
                            .microphone_db = maybe(&r, 0, 12),
                            .low_hz = maybe(&r, 20, 500),
                            .high_hz = maybe(&r, 501, 30000),
                            .snr_db = maybe(&r, -10, 60),
                            .babble_snr_db = maybe(&r, -10, 60),
                            .mulaw = (int)random_below(&r, 2),
                            .opus_bps = (uint32_t)maybe(&r, 6000, 64000),
                            .opus_loss = maybe(&r, 0, 0.5),
                            .clip_db = maybe(&r, 0, 40)};
        s.noise_count = 1 + random_below(&r, 30000);
        s.noise = random_below(&r, 2) ? noise : NULL;
        s.babble_count = 1 + random_below(&r, 30000);
        s.babble = random_below(&r, 2) ? noise : NULL;
        for (size_t k = 0; k < count; k++)
            x[k] *= level;
        lac_simulated done = simulate(x, count, rate, s, random_below(&r, 1000));
        cr_assert(done.bandwidth_hz > 0 && done.bandwidth_hz <= (float)rate / 2);
        cr_assert(done.snr_db >= -13.1f && done.snr_db <= LAC_SIMULATE_NO_NOISE_DB);
        free(x);
    }
    free(noise);
}

Test(simulate, silence_stays_silent)
{
    float *noise = hiss(1000, 0.5f, 2), *x = samples(COUNT);
    lac_simulation s = everything(noise, 1000);
    s.opus_bps = 0;
    simulate(x, COUNT, RATE, s, 1);
    for (size_t i = 0; i < COUNT; i++)
        if (x[i] != 0)
            cr_assert_fail("sample %zu is %g", i, (double)x[i]);
    free(noise);
    free(x);
}

Test(simulate, full_scale_is_held)
{
    float *noise = hiss(COUNT, 0.5f, 2), *x = samples(COUNT), peak = 0;
    for (size_t i = 0; i < COUNT; i++)
        x[i] = sinf((float)i * 0.1f);
    simulate(x, COUNT, RATE, (lac_simulation){.noise = noise, .noise_count = COUNT, .snr_db = 0}, 1);
    for (size_t i = 0; i < COUNT; i++)
        peak = fmaxf(peak, fabsf(x[i]));
    cr_assert_float_eq(peak, 1, 1e-5);
    free(noise);
    free(x);
}

Test(simulate, wrong_arguments)
{
    float x[100] = {0, 0.5f}, one = 0, bad = NAN;
    lac_simulated done;
    const lac_simulation wrong[] = {{.t60_s = 0.05f},
                                    {.t60_s = 1.6f},
                                    {.t60_s = -1},
                                    {.t60_s = NAN},
                                    {.microphone_db = -1},
                                    {.microphone_db = 13},
                                    {.low_hz = 10},
                                    {.low_hz = 2100},
                                    {.high_hz = 400},
                                    {.high_hz = INFINITY},
                                    {.low_hz = 600, .high_hz = 550},
                                    {.clip_db = -3},
                                    {.clip_db = 41},
                                    {.opus_bps = 5999},
                                    {.opus_bps = 64001},
                                    {.opus_loss = 0.6f},
                                    {.opus_loss = -0.1f},
                                    {.noise = &one, .noise_count = 0},
                                    {.noise = &one, .noise_count = 1, .snr_db = -11},
                                    {.noise = &one, .noise_count = 1, .snr_db = 61},
                                    {.noise = &bad, .noise_count = 1},
                                    {.babble = &one, .babble_count = 0},
                                    {.babble = &one, .babble_count = 1, .babble_snr_db = NAN}};
    for (size_t i = 0; i < COUNT_OF(wrong); i++)
        cr_assert_eq(lac_simulate(x, 100, RATE, &wrong[i], 0, &done), LAC_ERROR_ARGUMENT, "%zu", i);
    lac_simulation none = {0};
    cr_assert_eq(lac_simulate(x, 100, 7999, &none, 0, &done), LAC_ERROR_ARGUMENT);
    cr_assert_eq(lac_simulate(x, 100, 192001, &none, 0, &done), LAC_ERROR_ARGUMENT);
    x[50] = INFINITY;
    cr_assert_eq(lac_simulate(x, 100, RATE, &none, 0, &done), LAC_ERROR_ARGUMENT);
}

/* ---- Babble ---- */

Test(simulate, babble_of_several)
{
    float *voices[3], *out = samples(COUNT), *alone = samples(COUNT);
    size_t counts[3] = {COUNT, RATE, 5000};
    double sum = 0;
    for (size_t i = 0; i < 3; i++) {
        voices[i] = speech(counts[i], (uint32_t)i + 1);
        for (size_t k = 0; k < counts[i]; k++)
            voices[i][k] *= i == 0 ? 0.001f : 1;
    }
    cr_assert_eq(lac_simulate_babble(alone, COUNT, RATE, (const float *const *)voices, counts, 1, 5), 0);
    cr_assert_float_eq(power(alone, COUNT, RATE, 1), 0.01, 0.0001);
    cr_assert_eq(lac_simulate_babble(out, COUNT, RATE, (const float *const *)voices, counts, 3, 5), 0);
    for (size_t i = 0; i < COUNT; i++)
        sum += fabs((double)out[i]);
    cr_assert(sum > 0);
    cr_assert_neq(memcmp(out, alone, COUNT * sizeof *out), 0);
    cr_assert_eq(lac_simulate_babble(out, COUNT, RATE, (const float *const *)voices, counts, 0, 5),
                 LAC_ERROR_ARGUMENT);
    cr_assert_eq(lac_simulate_babble(out, COUNT, RATE, (const float *const *)voices, counts, 17, 5),
                 LAC_ERROR_ARGUMENT);
    counts[1] = 0;
    cr_assert_eq(lac_simulate_babble(out, COUNT, RATE, (const float *const *)voices, counts, 3, 5),
                 LAC_ERROR_ARGUMENT);
    for (size_t i = 0; i < 3; i++)
        free(voices[i]);
    free(out);
    free(alone);
}
