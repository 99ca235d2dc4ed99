/* Latents of factors: streams, whatever comes, bits that never change. */
#include "factorfixture.h"

#include <math.h>

#include "bytes.h"
#include "lac/generator.h"

TestSuite(generator, .timeout = 120);

#define FRAMES 150

typedef struct bench {
    random_source random;
    lac_factor_model *model;
    size_t d;
    lac_factor_frame *frames; /* [FRAMES] */
    lac_factors factors;
    int16_t *latents;         /* [FRAMES][D] */
} bench;

static void set_random(random_source *r, lac_factors *f)
{
    *f = (lac_factors){0};
    for (size_t i = 0; i < LAC_SPEAKER_SIZE; i++)
        f->speaker[i] = (float)random_below(r, 2001) / 10000 - 0.1f;
    for (size_t i = 0; i < LAC_CHANNEL_SIZE; i++)
        f->channel[i] = f->environment[i] = (float)random_below(r, 2001) / 1000 - 1;
}

/* latents are those of a whole stream at once. */
static bench make_bench(void)
{
    bench b = {.random = random_start(), .model = open_tiny_factors()};
    b.d = b.model->arch.latent;
    b.frames = random_frames(&b.random, b.model, FRAMES);
    b.latents = test_alloc(FRAMES * b.d, sizeof *b.latents);
    set_random(&b.random, &b.factors);
    lac_generator *g = open_generator(b.model, 64, 1);
    cr_assert_eq(lac_generator_set(g, &b.factors), 0);
    generate(g, b.frames, FRAMES, b.d, b.latents);
    lac_generator_close(&g);
    return b;
}

static void end_bench(bench *b)
{
    free(b->frames);
    free(b->latents);
    lac_factor_model_close(&b->model);
}

static void expect_same(const bench *b, const int16_t *z)
{
    cr_assert(memcmp(z, b->latents, FRAMES * b->d * sizeof *z) == 0);
}

Test(generator, any_chunking_gives_the_same)
{
    bench b = make_bench();
    size_t ahead = b.model->info.generator_delay_frames;
    int16_t *z = test_alloc(FRAMES * b.d, sizeof *z);
    for (int round = 0; round < rounds(12); round++) {
        lac_generator *g = open_generator(b.model, 1 + random_below(&b.random, 40), 1 + random_below(&b.random, 3));
        size_t given = 0, n, piece = 1 + random_below(&b.random, 50);
        cr_assert_eq(lac_generator_set(g, &b.factors), 0);
        for (size_t done = 0, count; done < FRAMES; done += count) {
            count = random_below(&b.random, (uint32_t)piece + 1);
            count = count < FRAMES - done ? count : FRAMES - done;
            cr_assert_eq(lac_generator_write(g, b.frames + done, count, z + given * b.d, FRAMES - given, &n), 0);
            given += n;
            cr_assert_eq(given, done + count > ahead ? done + count - ahead : 0);
        }
        cr_assert_eq(lac_generator_flush(g, z + given * b.d, FRAMES - given, &n), 0);
        cr_assert_eq(given + n, FRAMES);
        expect_same(&b, z);
        lac_generator_close(&g);
    }
    free(z);
    end_bench(&b);
}

Test(generator, reset_equals_fresh)
{
    bench b = make_bench();
    int16_t *z = test_alloc(FRAMES * b.d, sizeof *z);
    lac_generator *g = open_generator(b.model, 16, 1);
    size_t n;
    cr_assert_eq(lac_generator_set(g, &b.factors), 0);
    cr_assert_eq(lac_generator_write(g, b.frames + 9, 77, z, FRAMES, &n), 0);
    lac_generator_reset(g);
    generate(g, b.frames, FRAMES, b.d, z);
    expect_same(&b, z);
    lac_generator_close(&g);
    free(z);
    end_bench(&b);
}

Test(generator, streams_of_any_length)
{
    bench b = make_bench();
    int16_t *z = test_alloc(20 * b.d, sizeof *z);
    lac_generator *g = open_generator(b.model, 4, 1);
    for (size_t count = 0; count < 20; count++) {
        lac_generator_reset(g);
        generate(g, b.frames, count, b.d, z);
    }
    lac_generator_close(&g);
    free(z);
    end_bench(&b);
}

static lac_generator *open_with(const lac_factor_model *m, uint64_t seed, float noise)
{
    lac_generator *g = NULL;
    cr_assert_eq(lac_generator_open(&g, m, &(lac_generator_settings){64, 1, seed, noise}), 0);
    return g;
}

/* Each of them changes what comes out. */
Test(generator, everything_that_is_given_counts)
{
    bench b = make_bench();
    size_t bytes = FRAMES * b.d * sizeof(int16_t);
    int16_t *z = test_alloc(FRAMES * b.d, sizeof *z);
    for (int what = 0; what < 8; what++) {
        lac_factors f = b.factors;
        lac_generator *g = open_with(b.model, what == 1 ? 4 : 3, what == 2 ? 0 : 1);
        lac_factor_frame kept = b.frames[20];
        f.speaker[0] += what == 3;
        f.environment[31] += what == 4;
        f.channel[0] += what == 5;
        b.frames[20].content ^= what == 6;
        b.frames[20].f0_hz = what == 7 ? kept.f0_hz > 0 ? 0 : 100 : kept.f0_hz;
        cr_assert_eq(lac_generator_set(g, &f), 0);
        generate(g, b.frames, FRAMES, b.d, z);
        cr_expect_eq(memcmp(z, b.latents, bytes) == 0, what == 0, "%d", what);
        b.frames[20] = kept;
        lac_generator_close(&g);
    }
    free(z);
    end_bench(&b);
}

/* A voice set in the middle: what came before is what it was. */
Test(generator, a_seed_set_is_as_one_opened_with)
{
    bench b = make_bench();
    int16_t *z = test_alloc(FRAMES * b.d, sizeof *z);
    lac_generator *g = open_with(b.model, 77, 1);
    size_t rows;
    cr_assert_eq(lac_generator_set(g, &b.factors), 0);
    generate(g, b.frames, FRAMES, b.d, z);
    cr_assert(memcmp(z, b.latents, FRAMES * b.d * sizeof *z) != 0);
    cr_assert_eq(lac_generator_set_seed(g, 3), LAC_ERROR_STATE);
    lac_generator_reset(g);
    cr_assert_eq(lac_generator_set_seed(g, 3), 0);
    generate(g, b.frames, FRAMES, b.d, z);
    expect_same(&b, z);
    lac_generator_reset(g);
    cr_assert_eq(lac_generator_write(g, b.frames, 1, z, FRAMES, &rows), 0);
    cr_assert_eq(lac_generator_set_seed(g, 3), LAC_ERROR_STATE);
    cr_assert_eq(lac_generator_set_seed(NULL, 3), LAC_ERROR_ARGUMENT);
    lac_generator_close(&g);
    free(z);
    end_bench(&b);
}

Test(generator, vectors_count_from_where_they_are_set)
{
    bench b = make_bench();
    size_t ahead = b.model->info.generator_delay_frames, half = FRAMES / 2, n, rest;
    int16_t *z = test_alloc(FRAMES * b.d, sizeof *z);
    lac_factors other;
    set_random(&b.random, &other);
    lac_generator *g = open_generator(b.model, 64, 1);
    cr_assert_eq(lac_generator_set(g, &b.factors), 0);
    cr_assert_eq(lac_generator_write(g, b.frames, half, z, FRAMES, &n), 0);
    cr_assert_eq(n, half - ahead);
    cr_assert_eq(lac_generator_set(g, &other), 0);
    cr_assert_eq(lac_generator_write(g, b.frames + half, FRAMES - half, z + n * b.d, FRAMES - n, &rest), 0);
    cr_expect(memcmp(z, b.latents, n * b.d * sizeof *z) == 0);
    cr_expect(memcmp(z + n * b.d, b.latents + n * b.d, rest * b.d * sizeof *z) != 0);
    lac_generator_close(&g);
    free(z);
    end_bench(&b);
}

Test(generator, calls_are_checked)
{
    bench b = make_bench();
    lac_generator *g = NULL;
    lac_factor_frame *f = b.frames, good = f[3];
    int16_t *z = test_alloc(FRAMES * b.d, sizeof *z);
    size_t n = 77;
    cr_expect_eq(lac_generator_open(&g, b.model, &(lac_generator_settings){0, 1, 0, 1}), LAC_ERROR_ARGUMENT);
    cr_expect_eq(lac_generator_open(&g, b.model, &(lac_generator_settings){1, 257, 0, 1}), LAC_ERROR_ARGUMENT);
    cr_expect_eq(lac_generator_open(&g, b.model, &(lac_generator_settings){1, 1, 0, NAN}), LAC_ERROR_ARGUMENT);
    cr_expect_eq(lac_generator_open(&g, b.model, &(lac_generator_settings){1, 1, 0, 2.1f}), LAC_ERROR_ARGUMENT);
    cr_assert_eq(lac_generator_open(&g, b.model, NULL), 0);
    cr_expect_gt(lac_generator_bytes(g), 1000);
    lac_factors bad = {.channel[31] = NAN};
    cr_expect_eq(lac_generator_set(g, &bad), LAC_ERROR_ARGUMENT);
    bad.channel[31] = 1e7f;
    cr_expect_eq(lac_generator_set(g, &bad), LAC_ERROR_ARGUMENT);
    f[3].content = (uint16_t)b.model->info.content_tokens;
    cr_expect_eq(lac_generator_write(g, f, 10, z, FRAMES, &n), LAC_ERROR_ARGUMENT);
    f[3] = good;
    f[3].f0_hz = INFINITY;
    cr_expect_eq(lac_generator_write(g, f, 10, z, FRAMES, &n), LAC_ERROR_ARGUMENT);
    f[3] = good;
    f[3].energy_db = NAN;
    cr_expect_eq(lac_generator_write(g, f, 10, z, FRAMES, &n), LAC_ERROR_ARGUMENT);
    f[3] = good;
    cr_expect_eq(lac_generator_write(g, f, 10, z, 2, &n), LAC_ERROR_SPACE);
    cr_expect_eq(lac_generator_write(g, f, 10, NULL, 9, &n), LAC_ERROR_ARGUMENT);
    cr_expect_eq(n, 77);
    lac_generator_reset(g);
    generate(g, f, FRAMES, b.d, z);
    cr_expect_eq(lac_generator_flush(g, z, FRAMES, &n), LAC_ERROR_STATE);
    cr_expect_eq(lac_generator_write(g, f, 1, z, FRAMES, &n), LAC_ERROR_STATE);
    lac_generator_close(&g);
    cr_expect_null(g);
    lac_generator_close(&g);
    free(z);
    end_bench(&b);
}

Test(generator, memory_may_run_out)
{
    lac_factor_model *m = open_tiny_factors();
    lac_generator *g = NULL;
    lac_alloc_fail_at(1);
    cr_expect_eq(lac_generator_open(&g, m, NULL), LAC_ERROR_MEMORY);
    cr_expect_null(g);
    lac_alloc_fail_at(2); /* one allocation is all */
    cr_expect_eq(lac_generator_open(&g, m, NULL), 0);
    lac_alloc_fail_at(0);
    lac_generator_close(&g);
    lac_factor_model_close(&m);
}

Test(generator, whatever_comes_gives_latents)
{
    bench b = make_bench();
    const float odd[] = {0, -1, 1e30f, -1e30f, 1e-30f, 50, 600, 3e38f};
    lac_generator *g = open_generator(b.model, 64, 1);
    for (size_t t = 0; t < FRAMES; t++) {
        b.frames[t].f0_hz = odd[random_below(&b.random, 8)];
        b.frames[t].energy_db = odd[random_below(&b.random, 8)];
    }
    for (size_t i = 0; i < LAC_SPEAKER_SIZE; i++)
        b.factors.speaker[i] = i % 2 ? 1e6f : -1e6f;
    cr_assert_eq(lac_generator_set(g, &b.factors), 0);
    generate(g, b.frames, FRAMES, b.d, b.latents);
    for (size_t i = 0; i < FRAMES * b.d; i++)
        cr_assert(abs(b.latents[i]) <= 4095);
    lac_generator_close(&g);
    end_bench(&b);
}

Test(generator, bits_never_change)
{
    lac_factor_model *m = open_tiny_factors();
    random_source r = {UINT64_C(1) << 32};
    size_t d = m->arch.latent;
    lac_factor_frame *frames = random_frames(&r, m, FRAMES);
    int16_t *z = test_alloc(FRAMES * d, sizeof *z);
    uint8_t *bytes = test_alloc(FRAMES * d, 2), digest[32];
    char text[17];
    lac_factors f;
    lac_sha256 s;
    set_random(&r, &f);
    lac_generator *g = open_generator(m, 64, 1);
    cr_assert_eq(lac_generator_set(g, &f), 0);
    generate(g, frames, FRAMES, d, z);
    for (size_t i = 0; i < FRAMES * d; i++)
        lac_store16(bytes + 2 * i, (uint16_t)z[i]);
    lac_sha256_init(&s);
    lac_sha256_update(&s, bytes, FRAMES * d * 2);
    lac_sha256_final(&s, digest);
    for (int i = 0; i < 8; i++)
        snprintf(text + 2 * i, 3, "%02x", digest[i]);
    cr_expect_str_eq(text, "d593a2bca0a403a1", "%s", text);
    lac_generator_close(&g);
    free(frames);
    free(z);
    free(bytes);
    lac_factor_model_close(&m);
}
