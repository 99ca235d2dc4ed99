/* Factors of latents: streams, whatever comes, bits that never change. */
#include "factorfixture.h"

#include <math.h>

#include "bytes.h"
#include "lac/generator.h"

TestSuite(analyser, .timeout = 300);

#define FRAMES 333

typedef struct bench {
    random_source random;
    lac_factor_model *model;
    int16_t *latents;         /* [FRAMES][D] */
    lac_factor_frame *frames; /* [FRAMES] */
    lac_factors factors;
} bench;

/* frames and factors are those of a whole stream at once. */
static bench make_bench(void)
{
    bench b = {.random = random_start(), .model = open_tiny_factors()};
    b.latents = random_latents(&b.random, b.model, FRAMES);
    b.frames = test_alloc(FRAMES, sizeof *b.frames);
    lac_analyser *a = open_analyser(b.model, 64, 1);
    analyse(a, b.latents, FRAMES, b.frames);
    lac_analyser_get(a, &b.factors);
    lac_analyser_close(&a);
    return b;
}

static void end_bench(bench *b)
{
    free(b->latents);
    free(b->frames);
    lac_factor_model_close(&b->model);
}

static void expect_same(const bench *b, const lac_analyser *a, const lac_factor_frame *frames)
{
    lac_factors factors;
    lac_analyser_get(a, &factors);
    for (size_t t = 0; t < FRAMES; t++)
        cr_assert(memcmp(&frames[t], &b->frames[t], sizeof *frames) == 0, "frame %zu", t);
    cr_assert(memcmp(&factors, &b->factors, sizeof factors) == 0);
}

Test(analyser, any_chunking_gives_the_same)
{
    bench b = make_bench();
    size_t d = b.model->arch.latent, delay = b.model->info.delay_frames;
    lac_factor_frame *frames = test_alloc(FRAMES, sizeof *frames);
    for (int round = 0; round < rounds(12); round++) {
        lac_analyser *a = open_analyser(b.model, 1 + random_below(&b.random, 70), 1 + random_below(&b.random, 3));
        size_t given = 0, n, piece = 1 + random_below(&b.random, 100);
        for (size_t done = 0, count; done < FRAMES; done += count) {
            lac_factors unused;
            count = random_below(&b.random, (uint32_t)piece + 1);
            count = count < FRAMES - done ? count : FRAMES - done;
            cr_assert_eq(lac_analyser_write(a, b.latents + done * d, count, frames + given, FRAMES - given, &n), 0);
            cr_assert_leq(n, count + delay);
            lac_analyser_get(a, &unused);
            given += n;
            cr_assert(given <= done + count && given + delay >= done + count);
        }
        cr_assert_eq(lac_analyser_flush(a, frames + given, FRAMES - given, &n), 0);
        cr_assert_eq(given + n, FRAMES);
        expect_same(&b, a, frames);
        lac_analyser_close(&a);
    }
    free(frames);
    end_bench(&b);
}

Test(analyser, reset_equals_fresh)
{
    bench b = make_bench();
    lac_factor_frame *frames = test_alloc(FRAMES, sizeof *frames);
    lac_analyser *a = open_analyser(b.model, 16, 1);
    size_t n;
    cr_assert_eq(lac_analyser_write(a, b.latents + 7, 201, frames, FRAMES, &n), 0);
    lac_analyser_reset(a);
    analyse(a, b.latents, FRAMES, frames);
    expect_same(&b, a, frames);
    lac_analyser_reset(a);
    analyse(a, b.latents, FRAMES, frames);
    expect_same(&b, a, frames);
    lac_analyser_close(&a);
    free(frames);
    end_bench(&b);
}

Test(analyser, frames_need_not_be_taken)
{
    bench b = make_bench();
    lac_analyser *a = open_analyser(b.model, 64, 1);
    lac_factors factors;
    size_t n, rest;
    cr_assert_eq(lac_analyser_write(a, b.latents, FRAMES, NULL, 0, &n), 0);
    cr_assert_eq(lac_analyser_flush(a, NULL, 0, &rest), 0);
    cr_assert_eq(n + rest, FRAMES);
    lac_analyser_get(a, &factors);
    cr_assert(memcmp(&factors, &b.factors, sizeof factors) == 0);
    lac_analyser_close(&a);
    end_bench(&b);
}

/* Every length gives as many frames as were written, of which the first do not depend on what follows late. */
Test(analyser, streams_of_any_length)
{
    bench b = make_bench();
    size_t delay = b.model->info.delay_frames;
    lac_factor_frame frames[40];
    lac_analyser *a = open_analyser(b.model, 4, 1);
    for (size_t count = 0; count < 40; count++) {
        lac_factors f;
        lac_analyser_reset(a);
        analyse(a, b.latents, count, frames);
        lac_analyser_get(a, &f);
        cr_assert_eq(f.frames, count);
        for (size_t t = 0; t + delay < count; t++)
            cr_assert(memcmp(&frames[t], &b.frames[t], sizeof *frames) == 0, "frame %zu of %zu", t, count);
    }
    lac_analyser_close(&a);
    end_bench(&b);
}

Test(analyser, nothing_gives_zeros)
{
    lac_factor_model *m = open_tiny_factors();
    lac_analyser *a = open_analyser(m, 64, 1);
    lac_factors f, zeros = {0};
    size_t n = 9;
    memset(&f, 0xff, sizeof f);
    cr_assert_eq(lac_analyser_write(a, NULL, 0, NULL, 0, &n), 0);
    cr_assert(n == 0);
    cr_assert_eq(lac_analyser_flush(a, NULL, 0, &n), 0);
    cr_assert(n == 0);
    lac_analyser_get(a, &f);
    cr_assert(memcmp(&f, &zeros, sizeof f) == 0);
    lac_analyser_close(&a);
    lac_factor_model_close(&m);
}

Test(analyser, calls_are_checked)
{
    bench b = make_bench();
    size_t n = 77, delay = b.model->info.delay_frames;
    lac_factor_frame frames[FRAMES];
    lac_analyser *a = NULL;
    cr_expect_eq(lac_analyser_open(&a, b.model, &(lac_analyser_settings){0, 1}), LAC_ERROR_ARGUMENT);
    cr_expect_eq(lac_analyser_open(&a, b.model, &(lac_analyser_settings){257, 1}), LAC_ERROR_ARGUMENT);
    cr_expect_eq(lac_analyser_open(&a, b.model, &(lac_analyser_settings){1, 0}), LAC_ERROR_ARGUMENT);
    cr_expect_eq(lac_analyser_open(&a, NULL, NULL), LAC_ERROR_ARGUMENT);
    cr_expect_eq(lac_analyser_open(NULL, b.model, NULL), LAC_ERROR_ARGUMENT);
    cr_assert_eq(lac_analyser_open(&a, b.model, NULL), 0);
    cr_expect_gt(lac_analyser_bytes(a), 1000);
    cr_expect_eq(lac_analyser_write(a, NULL, 1, frames, 1, &n), LAC_ERROR_ARGUMENT);
    cr_expect_eq(lac_analyser_write(a, b.latents, 1, NULL, 1, &n), LAC_ERROR_ARGUMENT);
    cr_expect_eq(lac_analyser_write(a, b.latents, 1, frames, 1, NULL), LAC_ERROR_ARGUMENT);
    cr_expect_eq(lac_analyser_write(a, b.latents, delay + 20, frames, 5, &n), LAC_ERROR_SPACE);
    cr_expect_eq(n, 77);
    cr_assert_eq(lac_analyser_write(a, b.latents, FRAMES, frames, FRAMES, &n), 0);
    cr_expect_eq(lac_analyser_flush(a, frames, FRAMES - n - 1, &n), LAC_ERROR_SPACE);
    cr_assert_eq(lac_analyser_flush(a, frames + n, FRAMES - n, &n), 0);
    cr_expect_eq(lac_analyser_flush(a, frames, FRAMES, &n), LAC_ERROR_STATE);
    cr_expect_eq(lac_analyser_write(a, b.latents, 1, frames, FRAMES, &n), LAC_ERROR_STATE);
    lac_analyser_reset(a);
    cr_expect_eq(lac_analyser_write(a, b.latents, 1, frames, FRAMES, &n), 0);
    lac_analyser_close(&a);
    cr_expect_null(a);
    lac_analyser_close(&a);
    lac_analyser_close(NULL);
    end_bench(&b);
}

Test(analyser, memory_may_run_out)
{
    lac_factor_model *m = open_tiny_factors();
    lac_analyser *a = NULL;
    lac_alloc_fail_at(1);
    cr_expect_eq(lac_analyser_open(&a, m, NULL), LAC_ERROR_MEMORY);
    cr_expect_null(a);
    lac_alloc_fail_at(2); /* one allocation is all */
    cr_expect_eq(lac_analyser_open(&a, m, NULL), 0);
    lac_alloc_fail_at(0);
    lac_analyser_close(&a);
    lac_factor_model_close(&m);
}

static void expect_sound(const lac_factor_model *m, const lac_factor_frame *f, size_t count, const lac_factors *all)
{
    const float *vectors[] = {all->speaker, all->environment, all->channel, all->style};
    const size_t sizes[] = {LAC_SPEAKER_SIZE, LAC_ENVIRONMENT_SIZE, LAC_CHANNEL_SIZE, LAC_STYLE_SIZE};
    double length = 0, codecs = 0;
    for (size_t t = 0; t < count; t++) {
        cr_assert(f[t].content < m->info.content_tokens && f[t].phone < m->info.phones);
        cr_assert(f[t].f0_hz == 0 || (f[t].f0_hz > 49.9f && f[t].f0_hz < 600.1f));
        cr_assert(f[t].voicing >= 0 && f[t].voicing <= 1 && f[t].energy_db >= -100 && f[t].energy_db <= 0);
    }
    for (size_t k = 0; k < 4; k++)
        for (size_t i = 0; i < sizes[k]; i++)
            cr_assert(isfinite(vectors[k][i]));
    for (size_t i = 0; i < LAC_SPEAKER_SIZE; i++)
        length += (double)all->speaker[i] * (double)all->speaker[i];
    for (size_t i = 0; i < LAC_CODEC_CLASSES; i++)
        codecs += (double)all->codec[i];
    cr_assert(all->speech_s > 0 ? fabs(length - 1) < 1e-4 : length == 0);
    cr_assert(fabs(codecs - 1) < 1e-5);
    cr_assert(all->confidence >= 0 && all->confidence <= 1);
    cr_assert(all->snr_db >= -10 && all->snr_db <= 60 && all->t60_s >= 0.05f && all->t60_s <= 3);
    cr_assert(all->bandwidth_hz >= 500 && all->bandwidth_hz <= 12000);
}

Test(analyser, whatever_comes_gives_numbers)
{
    bench b = make_bench();
    size_t d = b.model->arch.latent;
    lac_factor_frame frames[FRAMES];
    lac_analyser *a = open_analyser(b.model, 64, 1);
    for (int kind = 0; kind < 5; kind++) {
        lac_factors f;
        for (size_t i = 0; i < FRAMES * d; i++) {
            const int16_t values[] = {0, 4095, -4095, (int16_t)(random_below(&b.random, 65536) - 32768),
                                      random_below(&b.random, 2) ? 4095 : -4095};
            b.latents[i] = values[kind];
        }
        lac_analyser_reset(a);
        analyse(a, b.latents, FRAMES, frames);
        lac_analyser_get(a, &f);
        expect_sound(b.model, frames, FRAMES, &f);
    }
    expect_sound(b.model, b.frames, FRAMES, &b.factors);
    lac_analyser_close(&a);
    end_bench(&b);
}

/* Two voices in turn, 1.5 s each, are trusted less than either of them. */
Test(analyser, confidence_falls_where_parts_disagree)
{
    lac_factor_model *m = open_tiny_factors();
    size_t d = m->arch.latent, count = 12 * 75;
    int16_t *z = test_alloc(count * d, sizeof *z);
    lac_factor_frame *frames = test_alloc(count, sizeof *frames);
    lac_analyser *a = open_analyser(m, 64, 1);
    lac_factors one, two, brief;
    for (size_t i = 0; i < count * d; i++)
        z[i] = (int16_t)(lac_noise(i % d) * 500 + lac_noise(9999 + i) * 50);
    analyse(a, z, count, frames);
    lac_analyser_get(a, &one);
    lac_analyser_reset(a);
    analyse(a, z, 5, frames);
    lac_analyser_get(a, &brief);
    for (size_t i = 0; i < count * d; i++)
        z[i] = i / d / 75 % 2 ? (int16_t)-z[i] : z[i];
    lac_analyser_reset(a);
    analyse(a, z, count, frames);
    lac_analyser_get(a, &two);
    fprintf(stderr, "# one %g, two %g, brief %g\n", (double)one.confidence, (double)two.confidence,
            (double)brief.confidence);
    cr_expect(one.confidence > 0.9f && two.confidence < 0.7f * one.confidence);
    cr_expect(brief.confidence > 0 && brief.confidence < 0.3f);
    lac_analyser_close(&a);
    free(z);
    free(frames);
    lac_factor_model_close(&m);
}

/* Two hours more change neither memory nor what a stream of one kind has for a vector. */
Test(analyser, a_long_stream_loses_nothing)
{
    lac_factor_model *m = open_tiny_factors();
    size_t hour = 3600 * LAC_FACTOR_RATE, period = 750, n;
    random_source r = random_start();
    int16_t *z = random_latents(&r, m, period);
    lac_analyser *a = open_analyser(m, 256, 1);
    size_t bytes = lac_analyser_bytes(a);
    lac_factors first, last;
    for (size_t done = 0; done < 3 * hour; done += period) {
        cr_assert_eq(lac_analyser_write(a, z, period, NULL, 0, &n), 0);
        if (done + period == 15 * 60 * LAC_FACTOR_RATE)
            lac_analyser_get(a, &first);
    }
    lac_analyser_get(a, &last);
    cr_expect(last.frames <= 3 * hour && last.frames + m->info.delay_frames >= 3 * hour);
    cr_expect_eq(lac_analyser_bytes(a), bytes);
    for (size_t i = 0; i < LAC_SPEAKER_SIZE; i++)
        cr_expect_float_eq(last.speaker[i], first.speaker[i], 2e-4, "%zu", i);
    cr_expect_float_eq(last.speech_s, 12 * first.speech_s, 1);
    cr_expect_float_eq(last.f0_median_hz, first.f0_median_hz, 0.1);
    lac_analyser_close(&a);
    free(z);
    lac_factor_model_close(&m);
}

static void fingerprint(const void *data, size_t size, const char *want)
{
    lac_sha256 s;
    uint8_t digest[32];
    char text[17];
    lac_sha256_init(&s);
    lac_sha256_update(&s, data, size);
    lac_sha256_final(&s, digest);
    for (int i = 0; i < 8; i++)
        snprintf(text + 2 * i, 3, "%02x", digest[i]);
    cr_expect_str_eq(text, want, "%s, not %s", text, want);
}

/* As bytes of integers, least first, so that they are the same on every machine. */
static size_t put_floats(uint8_t *to, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, x + i, sizeof bits);
        lac_store32(to + 4 * i, bits);
    }
    return 4 * n;
}

Test(analyser, bits_never_change)
{
    lac_factor_model *m = open_tiny_factors();
    random_source r = {UINT64_C(1) << 32};
    int16_t *z = random_latents(&r, m, FRAMES);
    lac_factor_frame frames[FRAMES];
    lac_factors f;
    lac_analyser *a = open_analyser(m, 64, 1);
    analyse(a, z, FRAMES, frames);
    lac_analyser_get(a, &f);
    uint8_t bytes[16 * FRAMES + 4 * 300], *p = bytes;
    for (size_t t = 0; t < FRAMES; t++, p += 4) {
        lac_store16(p, frames[t].content);
        lac_store16(p + 2, frames[t].phone);
    }
    for (size_t t = 0; t < FRAMES; t++)
        p += put_floats(p, (float[]){frames[t].f0_hz, frames[t].voicing, frames[t].energy_db}, 3);
    fingerprint(bytes, (size_t)(p - bytes), "107dba9d23b169e8");
    p = bytes;
    p += put_floats(p, f.speaker, LAC_SPEAKER_SIZE);
    p += put_floats(p, f.environment, LAC_ENVIRONMENT_SIZE);
    p += put_floats(p, f.channel, LAC_CHANNEL_SIZE);
    p += put_floats(p, f.style, LAC_STYLE_SIZE);
    p += put_floats(p, f.codec, LAC_CODEC_CLASSES);
    p += put_floats(p, (float[]){f.speech_s, f.confidence, f.f0_median_hz, f.snr_db, f.t60_s, f.bandwidth_hz}, 6);
    fingerprint(bytes, (size_t)(p - bytes), "7ccafe16d2ea3fd2");
    lac_analyser_close(&a);
    free(z);
    lac_factor_model_close(&m);
}
