#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "fixture.h"
#include "lac/encoder.h"
#include "streams.h"
#include "weights.h"
#include "workspace.h"

TestSuite(encoder, .timeout = 3000);

#define SAMPLES 20011

typedef struct coded {
    uint16_t *tokens; /* [frames][Q] */
    int16_t *latents; /* [frames][D]; those of the flush are zero */
    size_t frames;
} coded;

static lac_encoder *open_beam(const lac_model *m, uint32_t block, uint32_t threads, uint32_t beam)
{
    lac_encoder_settings s;
    lac_encoder_default_settings(&s);
    s.block_frames = block;
    s.threads = threads;
    s.beam = beam;
    lac_encoder *e = NULL;
    cr_assert_eq(lac_encoder_open(&e, m, &s), 0);
    return e;
}

static lac_encoder *open_encoder(const lac_model *m, uint32_t block, uint32_t threads)
{
    return open_beam(m, block, threads, 0);
}

/* chunk 0: random sizes */
static coded encode_all(lac_encoder *e, const lac_model *m, const float *x, size_t n, size_t chunk, random_source *r)
{
    size_t q = m->arch.codebooks, d = m->arch.latent, capacity = n / LAC_FRAME + 3;
    coded c = {test_alloc(capacity * q, sizeof(uint16_t)), test_alloc(capacity * d, sizeof(int16_t)), 0};
    for (size_t at = 0, step; at < n; at += step) {
        size_t got = 99, complete = at / LAC_FRAME;
        step = chunk ? chunk : random_below(r, 3) ? random_below(r, 500) : random_below(r, 6000);
        step = step < n - at ? step : n - at;
        cr_assert_eq(lac_encoder_write_latents(e, x + at, step, c.tokens + c.frames * q, c.latents + c.frames * d,
                                               capacity - c.frames, &got), 0);
        cr_assert_eq(got, (at + step) / LAC_FRAME - complete);
        c.frames += got;
    }
    size_t got, most = lac_encoder_max_frames(e, 0);
    cr_assert_eq(lac_encoder_flush(e, c.tokens + c.frames * q, capacity - c.frames, &got), 0);
    cr_assert_eq(got, most);
    c.frames += got;
    cr_assert_eq(c.frames, n > 0 ? (n + 240 + 479) / 480 : 0);
    return c;
}

static void assert_same(const coded *a, const coded *b, const lac_model *m, const char *what)
{
    cr_assert_eq(a->frames, b->frames, "%s", what);
    cr_assert_arr_eq(a->latents, b->latents, a->frames * m->arch.latent * sizeof(int16_t), "latents: %s", what);
    cr_assert_arr_eq(a->tokens, b->tokens, a->frames * m->arch.codebooks * sizeof(uint16_t), "tokens: %s", what);
}

static void free_coded(coded *c)
{
    free(c->tokens);
    free(c->latents);
}

Test(encoder, any_chunk_block_and_thread_count_gives_the_same)
{
    static const struct { uint32_t block, threads; size_t chunk; } cases[] = {
        {1, 1, 1}, {1, 1, 479}, {1, 2, 480}, {3, 1, 0}, {64, 1, SAMPLES}, {64, 3, SAMPLES}, {256, 2, 0}, {7, 5, 10000},
    };
    lac_model *m = open_tiny();
    random_source r = random_start();
    float *x = test_alloc(SAMPLES, sizeof(float));
    generate_sound(x, SAMPLES);
    for (uint32_t beam = 0; beam <= LAC_MAX_BEAM; beam += 4) {
        lac_encoder *e = open_beam(m, 1, 1, beam);
        coded want = encode_all(e, m, x, SAMPLES, 480, &r);
        lac_encoder_close(&e);
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
            char what[80];
            snprintf(what, sizeof what, "beam %u block %u threads %u chunk %zu", beam, cases[i].block,
                     cases[i].threads, cases[i].chunk);
            e = open_beam(m, cases[i].block, cases[i].threads, beam);
            coded got = encode_all(e, m, x, SAMPLES, cases[i].chunk, &r);
            assert_same(&want, &got, m, what);
            free_coded(&got);
            lac_encoder_close(&e);
        }
        free_coded(&want);
    }
    free(x);
    lac_model_close(&m);
}

/* What the tokens of a frame decode to, from its latent; 0 and 1 are greedy search. */
static double distortion(const coded *c, const lac_model *m)
{
    const lac_quantiser *q = &m->quantiser;
    double sum = 0;
    for (size_t t = 0; t < SAMPLES / LAC_FRAME; t++) {
        int16_t y[LAC_RVQ_MAX_D];
        lac_quantiser_decode(q, c->tokens + t * q->stages, q->stages, y);
        for (size_t d = 0; d < q->dimension; d++)
            sum += pow(c->latents[t * q->dimension + d] - y[d], 2);
    }
    return sum;
}

Test(encoder, a_beam_comes_closer_to_the_latents)
{
    lac_model *m = open_tiny();
    random_source r = random_start();
    float *x = test_alloc(SAMPLES, sizeof(float));
    double last = INFINITY;
    coded c[4];
    generate_sound(x, SAMPLES);
    for (uint32_t i = 0; i < 4; i++) {
        lac_encoder *e = open_beam(m, 8, 1, i < 2 ? i : 4 * i);
        c[i] = encode_all(e, m, x, SAMPLES, SAMPLES, &r);
        double now = distortion(&c[i], m);
        cr_assert(i == 1 ? now == last : now < last, "%u: %g after %g", i, now, last);
        last = now;
        lac_encoder_close(&e);
    }
    assert_same(&c[0], &c[1], m, "greedy search");
    for (size_t i = 0; i < 4; i++)
        free_coded(&c[i]);
    free(x);
    lac_model_close(&m);
}

Test(encoder, tokens_follow_the_sound)
{
    lac_model *m = open_tiny();
    random_source r = random_start();
    float *x = test_alloc(SAMPLES, sizeof(float));
    generate_sound(x, SAMPLES);
    lac_encoder *e = open_encoder(m, 8, 1);
    coded c = encode_all(e, m, x, SAMPLES, SAMPLES, &r);
    size_t q = m->arch.codebooks, changes = 0;
    for (size_t t = 1; t < c.frames; t++)
        changes += memcmp(c.tokens + t * q, c.tokens + (t - 1) * q, q * sizeof(uint16_t)) != 0;
    cr_assert_gt(changes, c.frames / 2);
    free_coded(&c);
    free(x);
    lac_encoder_close(&e);
    lac_model_close(&m);
}

Test(encoder, reset_equals_fresh)
{
    lac_model *m = open_tiny();
    random_source r = random_start();
    float *x = test_alloc(SAMPLES, sizeof(float));
    generate_sound(x, SAMPLES);
    lac_encoder *e = open_encoder(m, 4, 1);
    coded want = encode_all(e, m, x, SAMPLES, 700, &r);
    size_t got;
    for (int i = 0; i < rounds(6); i++) {
        uint16_t tokens[40 * LAC_MAX_CODEBOOKS];
        lac_encoder_reset(e);
        cr_assert_eq(lac_encoder_write(e, x + 5000, random_below(&r, 5000), tokens, 40, &got), 0);
        lac_encoder_reset(e);
        coded again = encode_all(e, m, x, SAMPLES, 700, &r);
        assert_same(&want, &again, m, "reset");
        free_coded(&again);
    }
    free_coded(&want);
    free(x);
    lac_encoder_close(&e);
    lac_model_close(&m);
}

Test(encoder, flush_gives_the_documented_frame_count)
{
    static const size_t lengths[] = {0, 1, 239, 240, 241, 479, 480, 481, 720, 721, 960, 1201, 4800};
    lac_model *m = open_tiny();
    random_source r = random_start();
    float x[4800];
    generate_sound(x, 4800);
    lac_encoder *e = open_encoder(m, 2, 1);
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        coded c = encode_all(e, m, x, lengths[i], 300, &r);
        free_coded(&c);
        lac_encoder_reset(e);
    }
    lac_encoder_close(&e);
    lac_model_close(&m);
}

Test(encoder, padding_is_silence)
{
    lac_model *m = open_tiny();
    random_source r = random_start();
    float x[1440] = {0};
    generate_sound(x, 1000);
    lac_encoder *e = open_encoder(m, 1, 1);
    coded flushed = encode_all(e, m, x, 1000, 1000, &r);
    lac_encoder_reset(e);
    coded padded = encode_all(e, m, x, 1440, 1440, &r);
    cr_assert_eq(flushed.frames, 3);
    cr_assert_arr_eq(flushed.tokens, padded.tokens, 3 * m->arch.codebooks * sizeof(uint16_t));
    free_coded(&flushed);
    free_coded(&padded);
    lac_encoder_close(&e);
    lac_model_close(&m);
}

Test(encoder, fewer_codebooks_are_a_prefix)
{
    lac_model *m = open_tiny();
    random_source r = random_start();
    size_t q = m->arch.codebooks;
    float *x = test_alloc(SAMPLES, sizeof(float));
    generate_sound(x, SAMPLES);
    lac_encoder *e = open_encoder(m, 1, 1);
    coded want = encode_all(e, m, x, SAMPLES, SAMPLES, &r);
    lac_encoder_reset(e);
    for (size_t t = 0; t < SAMPLES / LAC_FRAME; t++) {
        uint16_t row[LAC_MAX_CODEBOOKS];
        size_t n = 1 + random_below(&r, (uint32_t)q), got;
        cr_assert_eq(lac_encoder_set_codebooks(e, (uint32_t)n), 0);
        cr_assert_eq(lac_encoder_write(e, x + t * LAC_FRAME, LAC_FRAME, row, 1, &got), 0);
        cr_assert_eq(got, 1);
        cr_assert_arr_eq(row, want.tokens + t * q, n * sizeof *row);
        for (size_t i = n; i < q; i++)
            cr_assert_eq(row[i], 0);
    }
    free_coded(&want);
    free(x);
    lac_encoder_close(&e);
    lac_model_close(&m);
}

Test(encoder, odd_samples_count_as_documented)
{
    lac_model *m = open_tiny();
    random_source r = random_start();
    float odd[4800], plain[4800];
    for (size_t i = 0; i < 4800; i++) {
        static const float from[] = {NAN, INFINITY, -INFINITY, 1e30f, -5.0f, 0.25f, -0.0f};
        static const float to[] = {0, 4, -4, 4, -4, 0.25f, 0};
        uint32_t k = random_below(&r, 7);
        odd[i] = from[k];
        plain[i] = to[k];
    }
    lac_encoder *e = open_encoder(m, 4, 1);
    coded a = encode_all(e, m, odd, 4800, 4800, &r);
    lac_encoder_reset(e);
    coded b = encode_all(e, m, plain, 4800, 4800, &r);
    assert_same(&a, &b, m, "odd samples");
    free_coded(&a);
    free_coded(&b);
    lac_encoder_close(&e);
    lac_model_close(&m);
}

/* 60 Hz to 5 kHz in a spectrum of 0 .. 12 kHz, whatever the model says. */
Test(encoder, harmonics_are_in_the_spectrum_for_any_number_of_bands)
{
    static int32_t bins[LAC_HARMONICS * LAC_MAX_BANDS];
    for (uint32_t bands = 2; bands <= LAC_MAX_BANDS; bands++) {
        lac_features_harmonics(bins, bands);
        for (size_t i = 0; i < LAC_HARMONICS * bands; i++)
            cr_assert(bins[i] >= 5 && bins[i] <= 400, "%u bands, %zu: bin %d", bands, i, bins[i]);
        cr_assert_eq(bins[0], 5);
        cr_assert_eq(bins[LAC_HARMONICS * bands - 1], 400);
    }
}

Test(encoder, wrong_use_is_refused)
{
    lac_model *m = open_tiny();
    lac_encoder *e = open_encoder(m, 1, 1);
    uint16_t tokens[4 * LAC_MAX_CODEBOOKS];
    float x[960] = {0};
    size_t got = 77;
    cr_assert_eq(lac_encoder_write(e, x, 960, tokens, 1, &got), LAC_ERROR_SPACE);
    cr_assert_eq(got, 77);
    cr_assert_eq(lac_encoder_write(e, x, 100, tokens, 0, &got), 0);
    cr_assert_eq(got, 0);
    cr_assert_eq(lac_encoder_flush(e, tokens, 0, &got), LAC_ERROR_SPACE);
    cr_assert_eq(lac_encoder_max_frames(e, 860), 2);
    cr_assert_eq(lac_encoder_max_frames(e, 859), 1);
    cr_assert_eq(lac_encoder_flush(e, tokens, 4, &got), 0);
    cr_assert_eq(got, 1);
    cr_assert_eq(lac_encoder_write(e, x, 1, tokens, 4, &got), LAC_ERROR_STATE);
    cr_assert_eq(lac_encoder_flush(e, tokens, 4, &got), LAC_ERROR_STATE);
    lac_encoder_reset(e);
    cr_assert_eq(lac_encoder_write(e, x, 480, tokens, 4, &got), 0);
    cr_assert_eq(lac_encoder_set_codebooks(e, 0), LAC_ERROR_ARGUMENT);
    cr_assert_eq(lac_encoder_set_codebooks(e, m->arch.codebooks + 1), LAC_ERROR_ARGUMENT);
    cr_assert_eq(lac_encoder_write(e, NULL, 1, tokens, 4, &got), LAC_ERROR_ARGUMENT);
    lac_encoder_close(&e);
    cr_assert_null(e);
    lac_encoder_close(&e);
    lac_encoder_close(NULL);

    static const lac_encoder_settings wrong[] = {
        {99, 1, 1, 0, 1}, {0, 0, 1, 0, 1},   {0, 257, 1, 0, 1}, {0, 1, 0, 0, 1},
        {0, 1, 257, 0, 1}, {0, 1, 1, 2, 1}, {0, 1, 1, 0, 17}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        cr_assert_eq(lac_encoder_open(&e, m, &wrong[i]), LAC_ERROR_ARGUMENT);
    cr_assert_null(e);
    lac_model_close(&m);
}

Test(encoder, open_fails_cleanly_without_memory)
{
    lac_model *m = open_tiny();
    int status = LAC_ERROR_MEMORY;
    for (size_t n = 1; status == LAC_ERROR_MEMORY; n++) {
        lac_encoder *e = NULL;
        cr_assert_lt(n, 20);
        lac_alloc_fail_at(n);
        status = lac_encoder_open(&e, m, NULL);
        lac_alloc_fail_at(0);
        cr_assert_eq(status == 0, e != NULL);
        cr_assert(n > 1 || status == LAC_ERROR_MEMORY);
        lac_encoder_close(&e);
    }
    cr_assert_eq(status, 0);
    lac_model_close(&m);
}
