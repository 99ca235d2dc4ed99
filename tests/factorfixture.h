/* What tests of analyser and generator share: the tiny factor model, latents, frames. */
#ifndef LAC_TESTS_FACTORFIXTURE_H
#define LAC_TESTS_FACTORFIXTURE_H

#include <string.h>

#include "factormodel.h"
#include "fixture.h"
#include "lac/generator.h"

static inline lac_factor_model *open_factors(const char *name)
{
    char path[1024];
    lac_factor_model *model = NULL;
    int status = lac_factor_model_open(&model, vector_path(path, sizeof path, name));
    cr_assert_eq(status, 0, "%s: %s", path, lac_status_string(status));
    return model;
}

static inline lac_factor_model *open_tiny_factors(void)
{
    return open_factors("tiny.lacf");
}

static inline lac_analyser *open_analyser(const lac_factor_model *m, uint32_t block, uint32_t threads)
{
    lac_analyser *a = NULL;
    cr_assert_eq(lac_analyser_open(&a, m, &(lac_analyser_settings){block, threads}), 0);
    return a;
}

static inline lac_generator *open_generator(const lac_factor_model *m, uint32_t block, uint32_t threads)
{
    lac_generator *g = NULL;
    lac_generator_settings s = {.block_frames = block, .threads = threads, .seed = 3, .noise = 1};
    cr_assert_eq(lac_generator_open(&g, m, &s), 0);
    return g;
}

/* Latents of about unit variance that keep something of the last row. */
static inline int16_t *random_latents(random_source *r, const lac_factor_model *m, size_t frames)
{
    size_t d = m->arch.latent;
    int16_t *z = test_alloc(frames * d, sizeof *z);
    for (size_t i = 0; i < frames * d; i++) {
        int32_t sum = i < d ? 0 : z[i - d];
        for (int k = 0; k < 4; k++)
            sum += (int32_t)random_below(r, 801) - 400;
        z[i] = (int16_t)(sum * 7 / 10);
    }
    return z;
}

/* What an analyser can give, in stretches. */
static inline lac_factor_frame *random_frames(random_source *r, const lac_factor_model *m, size_t frames)
{
    lac_factor_frame *f = test_alloc(frames, sizeof *f);
    for (size_t t = 0; t < frames; t++) {
        f[t] = (lac_factor_frame){.voicing = 0.5f, .energy_db = -(float)random_below(r, 100)};
        f[t].content = (uint16_t)random_below(r, m->info.content_tokens);
        f[t].phone = (uint16_t)random_below(r, m->info.phones);
        f[t].f0_hz = random_below(r, 3) ? 60 + (float)random_below(r, 500) : 0;
    }
    return f;
}

/* All of a stream: frames must have room for `count`. */
static inline void analyse(lac_analyser *a, const int16_t *z, size_t count, lac_factor_frame *frames)
{
    size_t n, rest;
    cr_assert_eq(lac_analyser_write(a, z, count, frames, count, &n), 0);
    cr_assert_eq(lac_analyser_flush(a, frames + n, count - n, &rest), 0);
    cr_assert_eq(n + rest, count);
}

/* latents must have room for `count` rows. */
static inline void generate(lac_generator *g, const lac_factor_frame *frames, size_t count, size_t d, int16_t *latents)
{
    size_t n, rest;
    cr_assert_eq(lac_generator_write(g, frames, count, latents, count, &n), 0);
    cr_assert_eq(lac_generator_flush(g, latents + n * d, count - n, &rest), 0);
    cr_assert_eq(n + rest, count);
}

#endif
