/* What tests of the codec share: a tiny model of vectors/, seeded randomness, generated sound. */
#ifndef LAC_TESTS_FIXTURE_H
#define LAC_TESTS_FIXTURE_H

#include <criterion/criterion.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "lac/model.h"
#include "rng.h"

static inline const char *vector_path(char *path, size_t size, const char *name)
{
    const char *dir = getenv("LAC_VECTORS");
    cr_assert_not_null(dir, "LAC_VECTORS must name the folder vectors/");
    snprintf(path, size, "%s/%s", dir, name);
    return path;
}

static inline lac_model *open_vector(const char *name)
{
    char path[1024];
    lac_model *model = NULL;
    int status = lac_model_open_file(&model, vector_path(path, sizeof path, name));
    cr_assert_eq(status, 0, "%s: %s", path, lac_status_string(status));
    return model;
}

/* tiny.lacm, or what LAC_TINY names: the tests run again with a model of another quantiser. */
static inline lac_model *open_tiny(void)
{
    char file[64];
    const char *name = getenv("LAC_TINY");
    snprintf(file, sizeof file, "%s.lacm", name ? name : "tiny");
    return open_vector(file);
}

/* Times to repeat a random test. */
static inline int rounds(int normal)
{
    const char *longer = getenv("LAC_TEST_LONG");
    return longer && *longer == '1' ? 20 * normal : normal;
}

/* A sequence of random numbers; the seed is LAC_TEST_SEED or 1 and is printed. */
typedef struct random_source {
    uint64_t state;
} random_source;

static inline random_source random_start(void)
{
    const char *seed = getenv("LAC_TEST_SEED");
    random_source r = {seed ? strtoull(seed, NULL, 10) << 32 : (uint64_t)1 << 32};
    fprintf(stderr, "# LAC_TEST_SEED=%llu\n", (unsigned long long)(r.state >> 32));
    return r;
}

/* 0 .. n - 1 */
static inline uint32_t random_below(random_source *r, uint32_t n)
{
    return lac_hash32(r->state++) % n;
}

static inline void *test_alloc(size_t count, size_t size)
{
    void *p = calloc(count ? count : 1, size);
    cr_assert_not_null(p);
    return p;
}

/* Buzzing stretches of gliding pitch, noise and pauses. */
static inline void generate_sound(float *x, size_t n)
{
    uint32_t phase = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t part = (uint32_t)(i / 3000 % 4);
        phase += 20000000u + (uint32_t)(i % 12000) * 1500u;
        float buzz = (float)(phase >> 8) / 16777216.0f - 0.5f;
        x[i] = part == 3 ? 0 : part == 2 ? 0.1f * lac_noise(i) : 0.4f * buzz + 0.002f * lac_noise(i);
    }
}

#endif
