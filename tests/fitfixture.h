/* What tests of fitting share: small fits of random rows. */
#ifndef LAC_TESTS_FITFIXTURE_H
#define LAC_TESTS_FITFIXTURE_H

#include "fixture.h"
#include "lac/fit.h"

#define D 8

static inline lac_fit_settings small_settings(void)
{
    lac_fit_settings s;
    lac_fit_default_settings(&s);
    s.stages = 3;
    s.codewords = 20;
    s.dimension = D;
    s.iterations = 3;
    s.refinements = 2;
    s.rows = 2000;
    s.batch = 256;
    return s;
}

/* Sums of three uniform values: many small, few large. */
static inline int16_t *random_rows(size_t count)
{
    random_source r = random_start();
    int16_t *z = test_alloc(count * D, sizeof *z);
    for (size_t i = 0; i < count * D; i++)
        z[i] = (int16_t)((int)(random_below(&r, 1000) + random_below(&r, 1000) + random_below(&r, 1000)) - 1500);
    return z;
}

static inline lac_fit *fit_open(const lac_fit_settings *s, const int16_t *start)
{
    lac_fit *fit = NULL;
    cr_assert_eq(lac_fit_open(&fit, s, start), 0);
    return fit;
}

static inline void run(lac_fit *fit)
{
    while (lac_fit_done(fit) < lac_fit_steps(fit))
        cr_assert_eq(lac_fit_step(fit), 0);
}

static inline lac_model *open_fsq(void)
{
    char path[1024];
    lac_model *model = NULL;
    cr_assert_eq(lac_model_open_file(&model, vector_path(path, sizeof path, "tiny-fsq.lacm")), 0);
    return model;
}

#endif
