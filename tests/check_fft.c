/* Checks of the transform. */
#include <stdio.h>
#include <stdlib.h>

#include "checkkernel.h"
#include "workspace.h"

enum { IN, OUT, EXPECTED, SCRATCH, PLAN };

/* Both directions have the same type. */
typedef void transform_fn(const lac_fft *plan, const float *in, float *out, float *scratch);

static const lac_fft *make_plan(size_t n)
{
    const lac_fft *plan = NULL;
    lac_workspace w = lac_workspace_measure();
    if (lac_fft_init(&plan, &w, n))
        return NULL;
    w = (lac_workspace){.base = check_buffer(PLAN, w.used, CHECK_BEFORE), .size = w.used};
    if (lac_fft_init(&plan, &w, n))
        exit(99);
    return plan;
}

static void compare(transform_fn *tested, transform_fn *definition, size_t n, size_t ins, size_t outs)
{
    const lac_fft *plan = make_plan(n);
    for (int kind = 0; plan && kind < CHECK_FLOAT_KINDS; kind++)
        for (int side = 0; side < CHECK_SIDES; side++) {
            float *in = check_buffer(IN, ins * sizeof(float), (check_side)side);
            float *out = check_buffer(OUT, outs * sizeof(float), (check_side)side);
            float *expected = check_buffer(EXPECTED, outs * sizeof(float), CHECK_BEFORE);
            float *scratch = check_buffer(SCRATCH, lac_fft_scratch(n) * sizeof(float), (check_side)side);
            check_fill_floats(in, ins, kind);
            definition(plan, in, expected, scratch);
            tested(plan, in, out, scratch);
            if (!check_same_floats(out, expected, outs))
                check_fail("n %zu, values of kind %d", n, kind);
        }
}

/* Every size that there is a plan for. */
void check_fft_forward(check_function *function)
{
    for (size_t n = 2; n <= 4096; n += 2)
        compare((transform_fn *)function, lac_fft_forward_c, n, n, n + 2);
}

void check_fft_inverse(check_function *function)
{
    for (size_t n = 2; n <= 4096; n += 2)
        compare((transform_fn *)function, lac_fft_inverse_c, n, n + 2, n);
}

/* ---- speed ---- */

typedef struct bench {
    transform_fn *function;
    const lac_fft *plan;
    float *in, *out, *scratch;
} bench;

static void run(void *user)
{
    const bench *b = user;
    b->function(b->plan, b->in, b->out, b->scratch);
}

static void measure(const char *name, check_function *function, size_t n)
{
    char shape[32];
    size_t bytes = (n + 2) * sizeof(float);
    bench b = {(transform_fn *)function, make_plan(n), check_buffer(IN, bytes, CHECK_BEFORE),
               check_buffer(OUT, bytes, CHECK_BEFORE),
               check_buffer(SCRATCH, lac_fft_scratch(n) * sizeof(float), CHECK_BEFORE)};
    check_fill_floats(b.in, n + 2, 0);
    snprintf(shape, sizeof shape, "%zu", n);
    check_rate(name, shape, 1e-6 / check_seconds(run, &b, 200), "M/s");
}

void bench_fft_forward(const char *name, check_function *function)
{
    measure(name, function, 480);
    measure(name, function, 1920);
}

void bench_fft_inverse(const char *name, check_function *function)
{
    measure(name, function, 480);
}
