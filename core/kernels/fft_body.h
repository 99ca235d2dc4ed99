/* The transform, included by fft_c.c and, for other instructions, by fft_SET.c: one text, compiled for each.
 * Nothing is contracted or reassociated.
 *
 * A complex transform of half the size by Stockham's self-sorting passes, decimation in frequency, and one pass
 * that separates even and odd samples. Real and imaginary parts stand in planes of their own.
 *
 * The includer defines LAC_KERNEL(op), the name of its function, and unless that is the C definition, LANES, the
 * floats of a vector: 4, 8 or 16. Vectors are those of GNU C, which every compiler of the project has. */
#ifndef LAC_CORE_FFT_BODY_H
#define LAC_CORE_FFT_BODY_H

#include <string.h>

#include "fft_plan.h"
#include "inline.h"
#include "kernels.h"

/* ---- one point, four, LANES of them ---- */

#define real float
#define turning float
#define POINTS(name) one_##name
INLINE float one_load(const float *p)
{
    return *p;
}
INLINE void one_store(float *p, float v)
{
    *p = v;
}
#include "fft_points.h"

#if defined(LANES)

typedef float quad __attribute__((vector_size(4 * sizeof(float))));
#define real quad
#define turning quad
#define POINTS(name) quad_##name
INLINE quad quad_load(const float *p)
{
    quad v;
    memcpy(&v, p, sizeof v);
    return v;
}
INLINE void quad_store(float *p, quad v)
{
    memcpy(p, &v, sizeof v);
}
#include "fft_points.h"

typedef float vector __attribute__((vector_size(LANES * sizeof(float))));
#define real vector
#define turning float
#define POINTS(name) vector_##name
INLINE vector vector_load(const float *p)
{
    vector v;
    memcpy(&v, p, sizeof v);
    return v;
}
INLINE void vector_store(float *p, vector v)
{
    memcpy(p, &v, sizeof v);
}
#include "fft_points.h"

#endif

/* ---- passes ----
 * Of x_j = in[q + stride * (p + span * j)] the r-point transform y, then
 * out[q + stride * (r * p + k)] = y_k * exp(-2 pi i p k / (r * span)). */

typedef struct pass {
    size_t stride, span;
    const float *twiddles, *re, *im;
    float *to_re, *to_im;
} pass;

/* The twiddles of p. */
INLINE void turns_at(one_turn *w, const pass *g, size_t r, size_t p)
{
    const float *t = g->twiddles + p;
    for (size_t k = 0; k + 1 < r; k++, t += 2 * g->span)
        w[k] = (one_turn){t[0], t[g->span]};
}

#define PLACE(type, g, r, p, q)                                                                                 \
    (type){(g)->re + (g)->stride * (p) + (q), (g)->im + (g)->stride * (p) + (q), (g)->stride * (g)->span,       \
           (g)->to_re + (g)->stride * (r) * (p) + (q), (g)->to_im + (g)->stride * (r) * (p) + (q), (g)->stride}

INLINE void points_one_by_one(const pass *g, size_t r, size_t p, size_t end)
{
    one_turn w[4];
    for (; p < end; p++) {
        turns_at(w, g, r, p);
        for (size_t q = 0; q < g->stride; q++) {
            one_place at = PLACE(one_place, g, r, p, q);
            one_run(r, &at, w);
        }
    }
}

#if defined(LANES)

/* Later passes: neighbours in q, which share their twiddles. */
INLINE void points_of_four(const pass *g, size_t r)
{
    one_turn w[4];
    quad_turn wide[4];
    for (size_t p = 0; p < g->span; p++) {
        turns_at(w, g, r, p);
        for (size_t k = 0; k + 1 < r; k++)
            wide[k] = (quad_turn){{w[k].re, w[k].re, w[k].re, w[k].re}, {w[k].im, w[k].im, w[k].im, w[k].im}};
        for (size_t q = 0; q < g->stride; q += 4) {
            quad_place at = PLACE(quad_place, g, r, p, q);
            quad_run(r, &at, wide);
        }
    }
}

INLINE void points_of_lanes(const pass *g, size_t r)
{
    one_turn w[4];
    vector_turn wide[4];
    for (size_t p = 0; p < g->span; p++) {
        turns_at(w, g, r, p);
        for (size_t k = 0; k + 1 < r; k++)
            wide[k] = (vector_turn){w[k].re, w[k].im};
        for (size_t q = 0; q < g->stride; q += LANES) {
            vector_place at = PLACE(vector_place, g, r, p, q);
            vector_run(r, &at, wide);
        }
    }
}

/* to[4 * i + k] = lane i of y_k. */
INLINE void store_turned(float *to, quad a, quad b, quad c, quad d)
{
    quad ab = __builtin_shufflevector(a, b, 0, 4, 1, 5), cd = __builtin_shufflevector(c, d, 0, 4, 1, 5);
    quad ab2 = __builtin_shufflevector(a, b, 2, 6, 3, 7), cd2 = __builtin_shufflevector(c, d, 2, 6, 3, 7);
    quad_store(to, __builtin_shufflevector(ab, cd, 0, 1, 4, 5));
    quad_store(to + 4, __builtin_shufflevector(ab, cd, 2, 3, 6, 7));
    quad_store(to + 8, __builtin_shufflevector(ab2, cd2, 0, 1, 4, 5));
    quad_store(to + 12, __builtin_shufflevector(ab2, cd2, 2, 3, 6, 7));
}

/* The first pass: neighbours in p, and results that alternate. */
INLINE void first_of_four(const pass *g)
{
    size_t p = 0, span = g->span;
    for (; p + 4 <= span; p += 4) {
        const float *t = g->twiddles + p;
        quad_cplx y[5];
        quad_turn w[3];
        for (size_t k = 0; k < 3; k++, t += 2 * span)
            w[k] = (quad_turn){quad_load(t), quad_load(t + span)};
        quad_place at = PLACE(quad_place, g, 4, p, 0);
        quad_point4(y, &at, w);
        store_turned(at.to_re, y[0].re, y[1].re, y[2].re, y[3].re);
        store_turned(at.to_im, y[0].im, y[1].im, y[2].im, y[3].im);
    }
    points_one_by_one(g, 4, p, span);
}

#endif

INLINE void run_pass(const pass *g, size_t r)
{
#if defined(LANES)
    if (g->stride == 1 && r == 4)
        first_of_four(g);
    else if (g->stride % LANES == 0)
        points_of_lanes(g, r);
    else if (g->stride % 4 == 0)
        points_of_four(g, r);
    else
#endif
        points_one_by_one(g, r, 0, g->span);
}

/* in and out [2][half]. */
static void run_stage(const lac_fft_stage *s, size_t half, const float *in, float *out)
{
    pass g = {s->stride, s->span, s->twiddles, in, in + half, out, out + half};
    if (s->radix == 2)
        run_pass(&g, 2);
    else if (s->radix == 3)
        run_pass(&g, 3);
    else if (s->radix == 4)
        run_pass(&g, 4);
    else
        run_pass(&g, 5);
}

/* scratch [2][2][half]: passes go from the first to the second and back; returns where the result stands. */
static const float *transform(const lac_fft *f, float *scratch)
{
    float *in = scratch, *out = scratch + 2 * f->half;
    for (size_t i = 0; i < f->stage_count; i++) {
        run_stage(&f->stages[i], f->half, in, out);
        float *swap = in;
        in = out;
        out = swap;
    }
    return in;
}

/* ---- even and odd samples ---- */

/* Z = E + i O, both spectra of real signals; X[k] = E[k] + exp(-2 pi i k / n) O[k]. */
INLINE void separate(one_cplx a, one_cplx b, one_turn w, one_cplx *low, one_cplx *high)
{
    one_cplx e = {0.5f * (a.re + b.re), 0.5f * (a.im - b.im)};
    one_cplx o = {0.5f * (a.im + b.im), 0.5f * (b.re - a.re)};
    one_cplx t = one_mul(o, w);
    *low = one_add(e, t);
    *high = (one_cplx){e.re - t.re, t.im - e.im};
}

/* Undoes it, and conjugates. */
INLINE void combine(one_cplx a, one_cplx b, one_turn w, one_cplx *low, one_cplx *high)
{
    one_cplx e = {a.re + b.re, a.im - b.im};
    one_cplx o = one_mul((one_cplx){a.re - b.re, a.im + b.im}, (one_turn){w.re, -w.im});
    *low = (one_cplx){e.re - o.im, -(e.im + o.re)};
    *high = (one_cplx){e.re + o.im, e.im - o.re};
}

/* Pairs k and half - k of `in` to those of `out`: element 0 of each plane is given, and element `half` for the
 * upper ones. The middle of an even half is its own partner and is stored as `high`. */
#define PAIRS(each)                                                                                          \
    static void each##_pairs(size_t half, const float *restrict turns, const float *restrict in_re,          \
                             const float *restrict in_im, float *restrict low_re, float *restrict low_im,    \
                             float *restrict high_re, float *restrict high_im)                               \
    {                                                                                                        \
        const float *restrict turns_im = turns + half / 2 + 1;                                               \
        const ptrdiff_t m = (ptrdiff_t)half / 2;                                                             \
        one_cplx low, high;                                                                                  \
        for (ptrdiff_t k = 1; 2 * k < (ptrdiff_t)half; k++) {                                                \
            one_cplx a = {in_re[k], in_im[k]}, b = {in_re[(ptrdiff_t)half - k], in_im[(ptrdiff_t)half - k]}; \
            each(a, b, (one_turn){turns[k], turns_im[k]}, &low, &high);                                      \
            low_re[k] = low.re;                                                                              \
            low_im[k] = low.im;                                                                              \
            high_re[-k] = high.re;                                                                           \
            high_im[-k] = high.im;                                                                           \
        }                                                                                                    \
        if (half % 2 == 0) {                                                                                 \
            one_cplx a = {in_re[m], in_im[m]};                                                               \
            each(a, a, (one_turn){turns[m], turns_im[m]}, &low, &high);                                      \
            high_re[-m] = high.re;                                                                           \
            high_im[-m] = high.im;                                                                           \
        }                                                                                                    \
    }

PAIRS(separate)
PAIRS(combine)

static void split_samples(const float *restrict in, float *restrict re, float *restrict im, size_t half)
{
    for (size_t t = 0; t < half; t++) {
        re[t] = in[2 * t];
        im[t] = in[2 * t + 1];
    }
}

static void join_samples(const float *restrict re, const float *restrict im, float scale, float *restrict out,
                         size_t half)
{
    for (size_t t = 0; t < half; t++) {
        out[2 * t] = scale * re[t];
        out[2 * t + 1] = -scale * im[t];
    }
}

void LAC_KERNEL(fft_forward)(const lac_fft *plan, const float *in, float *out, float *scratch)
{
    const size_t half = plan->half;
    float *im = out + half + 1;
    split_samples(in, scratch, scratch + half, half);
    const float *z = transform(plan, scratch);
    out[0] = z[0] + z[half];
    im[0] = 0;
    out[half] = z[0] - z[half];
    im[half] = 0;
    separate_pairs(half, plan->turns, z, z + half, out, im, out + half, im + half);
}

void LAC_KERNEL(fft_inverse)(const lac_fft *plan, const float *in, float *out, float *scratch)
{
    const size_t half = plan->half;
    float *im = scratch + half;
    /* conj(Z) goes through the forward transform; its result's conjugate is the signal. */
    scratch[0] = in[0] + in[half];
    im[0] = in[half] - in[0];
    combine_pairs(half, plan->turns, in, in + half + 1, scratch, im, scratch + half, im + half);
    const float *y = transform(plan, scratch);
    join_samples(y, y + half, plan->scale, out, half);
}

#endif
