#include "fft.h"

#include <stdint.h>

#include "fmath.h"
#include "lac/status.h"

#define MAX_SIZE 4096
#define MAX_STAGES 12

/* A complex transform of half the size by Stockham's self-sorting passes, decimation in frequency, and one pass that
 * separates even and odd samples. */
typedef struct stage {
    size_t radix, stride, span; /* stride = product of earlier radices; radix * stride * span = half */
    const float *twiddles;      /* [span][radix - 1][2] */
} stage;

struct lac_fft {
    size_t half;
    size_t stage_count;
    stage stages[MAX_STAGES];
    const float *turns; /* [half / 2 + 1][2]: exp(-2 pi i k / n) */
    float scale;        /* 1 / n */
};

/* Radices in the order of the passes, or 0 if n has another factor. */
static size_t factor(size_t n, size_t radices[MAX_STAGES])
{
    static const size_t candidates[] = {4, 2, 3, 5};
    size_t count = 0;
    for (size_t i = 0; i < 4; i++)
        for (; n % candidates[i] == 0; n /= candidates[i])
            radices[count++] = candidates[i];
    return n == 1 ? count : SIZE_MAX;
}

static void fill_turns(float *out, size_t k, size_t n)
{
    double s, c;
    lac_sincos_table((uint32_t)k, (uint32_t)n, &s, &c);
    out[0] = (float)c;
    out[1] = (float)-s;
}

static const float *take_twiddles(lac_workspace *w, const stage *g)
{
    float *t = lac_workspace_take(w, g->span * (g->radix - 1) * 2, sizeof(float));
    if (t)
        for (size_t p = 0; p < g->span; p++)
            for (size_t j = 1; j < g->radix; j++)
                fill_turns(t + (p * (g->radix - 1) + j - 1) * 2, p * j, g->span * g->radix);
    return t;
}

static const float *take_turns(lac_workspace *w, size_t half)
{
    float *t = lac_workspace_take(w, (half / 2 + 1) * 2, sizeof(float));
    if (t)
        for (size_t k = 0; k <= half / 2; k++)
            fill_turns(t + 2 * k, k, 2 * half);
    return t;
}

int lac_fft_init(const lac_fft **plan, lac_workspace *w, size_t n)
{
    size_t radices[MAX_STAGES];
    if (n < 2 || n > MAX_SIZE || n % 2 != 0)
        return LAC_ERROR_ARGUMENT;
    size_t half = n / 2, count = factor(half, radices);
    if (count == SIZE_MAX)
        return LAC_ERROR_ARGUMENT;
    lac_fft local = {.half = half, .stage_count = count, .scale = 1.0f / (float)n};
    lac_fft *f = lac_workspace_take(w, 1, sizeof(*f));
    size_t stride = 1;
    for (size_t i = 0; i < count; i++) {
        stage *g = &local.stages[i];
        *g = (stage){radices[i], stride, half / stride / radices[i], NULL};
        g->twiddles = take_twiddles(w, g);
        stride *= radices[i];
    }
    local.turns = take_turns(w, half);
    if (w->failed)
        return LAC_ERROR_MEMORY;
    if (f)
        *f = local;
    *plan = f;
    return LAC_OK;
}

size_t lac_fft_scratch(size_t n)
{
    return 2 * n;
}

typedef struct cplx {
    float re, im;
} cplx;

static inline cplx load(const float *p)
{
    return (cplx){p[0], p[1]};
}

static inline void store(float *p, cplx v)
{
    p[0] = v.re;
    p[1] = v.im;
}

static inline cplx add(cplx a, cplx b)
{
    return (cplx){a.re + b.re, a.im + b.im};
}

static inline cplx sub(cplx a, cplx b)
{
    return (cplx){a.re - b.re, a.im - b.im};
}

static inline cplx mul(cplx a, cplx b)
{
    return (cplx){a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}

static inline cplx scaled(cplx a, float s)
{
    return (cplx){a.re * s, a.im * s};
}

/* -i * a */
static inline cplx turned(cplx a)
{
    return (cplx){a.im, -a.re};
}

/* A pass of radix r: of x_j = in[q + stride * (p + span * j)] the r-point transform y, then
 * out[q + stride * (r * p + k)] = y_k * exp(-2 pi i p k / (r * span)). */
static void pass2(const stage *g, const float *in, float *out)
{
    size_t s = g->stride * 2, jump = s * g->span;
    for (size_t p = 0; p < g->span; p++, in += s, out += 2 * s) {
        cplx w = load(g->twiddles + 2 * p);
        for (size_t q = 0; q < s; q += 2) {
            cplx a = load(in + q), b = load(in + q + jump);
            store(out + q, add(a, b));
            store(out + q + s, mul(sub(a, b), w));
        }
    }
}

static void pass3(const stage *g, const float *in, float *out)
{
    const float sine = 0.866025404f; /* sin(2 pi / 3) */
    size_t s = g->stride * 2, jump = s * g->span;
    for (size_t p = 0; p < g->span; p++, in += s, out += 3 * s) {
        cplx w1 = load(g->twiddles + 4 * p), w2 = load(g->twiddles + 4 * p + 2);
        for (size_t q = 0; q < s; q += 2) {
            cplx a = load(in + q), b = load(in + q + jump), c = load(in + q + 2 * jump);
            cplx sum = add(b, c), mid = sub(a, scaled(sum, 0.5f)), side = scaled(turned(sub(b, c)), sine);
            store(out + q, add(a, sum));
            store(out + q + s, mul(add(mid, side), w1));
            store(out + q + 2 * s, mul(sub(mid, side), w2));
        }
    }
}

static void pass4(const stage *g, const float *in, float *out)
{
    size_t s = g->stride * 2, jump = s * g->span;
    for (size_t p = 0; p < g->span; p++, in += s, out += 4 * s) {
        const float *t = g->twiddles + 6 * p;
        cplx w1 = load(t), w2 = load(t + 2), w3 = load(t + 4);
        for (size_t q = 0; q < s; q += 2) {
            cplx a = load(in + q), b = load(in + q + jump);
            cplx c = load(in + q + 2 * jump), d = load(in + q + 3 * jump);
            cplx ac = add(a, c), bd = add(b, d), even = sub(a, c), odd = turned(sub(b, d));
            store(out + q, add(ac, bd));
            store(out + q + s, mul(add(even, odd), w1));
            store(out + q + 2 * s, mul(sub(ac, bd), w2));
            store(out + q + 3 * s, mul(sub(even, odd), w3));
        }
    }
}

static void pass5(const stage *g, const float *in, float *out)
{
    const float c1 = 0.309016994f, c2 = -0.809016994f; /* cos(2 pi / 5), cos(4 pi / 5) */
    const float s1 = 0.951056516f, s2 = 0.587785252f;  /* sin(2 pi / 5), sin(4 pi / 5) */
    size_t s = g->stride * 2, jump = s * g->span;
    for (size_t p = 0; p < g->span; p++, in += s, out += 5 * s) {
        const float *t = g->twiddles + 8 * p;
        cplx w1 = load(t), w2 = load(t + 2), w3 = load(t + 4), w4 = load(t + 6);
        for (size_t q = 0; q < s; q += 2) {
            cplx a = load(in + q), b = load(in + q + jump), c = load(in + q + 2 * jump);
            cplx d = load(in + q + 3 * jump), e = load(in + q + 4 * jump);
            cplx be = add(b, e), cd = add(c, d), b_e = turned(sub(b, e)), c_d = turned(sub(c, d));
            cplx m1 = add(a, add(scaled(be, c1), scaled(cd, c2))), m2 = add(a, add(scaled(be, c2), scaled(cd, c1)));
            cplx n1 = add(scaled(b_e, s1), scaled(c_d, s2)), n2 = sub(scaled(b_e, s2), scaled(c_d, s1));
            store(out + q, add(a, add(be, cd)));
            store(out + q + s, mul(add(m1, n1), w1));
            store(out + q + 2 * s, mul(add(m2, n2), w2));
            store(out + q + 3 * s, mul(sub(m2, n2), w3));
            store(out + q + 4 * s, mul(sub(m1, n1), w4));
        }
    }
}

static void run_pass(const stage *g, const float *in, float *out)
{
    if (g->radix == 2)
        pass2(g, in, out);
    else if (g->radix == 3)
        pass3(g, in, out);
    else if (g->radix == 4)
        pass4(g, in, out);
    else
        pass5(g, in, out);
}

/* in [half][2], left alone unless it is `odd`. Passes write to `even` and `odd` in turn; returns where the result
 * stands. */
static const float *transform(const lac_fft *f, const float *in, float *even, float *odd)
{
    for (size_t i = 0; i < f->stage_count; i++) {
        float *out = i % 2 == 0 ? even : odd;
        run_pass(&f->stages[i], in, out);
        in = out;
    }
    return in;
}

void lac_fft_forward(const lac_fft *plan, const float *in, float *out, float *scratch)
{
    size_t half = plan->half;
    const float *z = transform(plan, in, scratch, scratch + 2 * half);
    /* Z = E + i O, both spectra of real signals; X[k] = E[k] + exp(-2 pi i k / n) O[k]. */
    out[0] = z[0] + z[1];
    out[1] = 0;
    out[2 * half] = z[0] - z[1];
    out[2 * half + 1] = 0;
    for (size_t k = 1; k <= half / 2; k++) {
        cplx a = load(z + 2 * k), b = load(z + 2 * (half - k));
        cplx e = {0.5f * (a.re + b.re), 0.5f * (a.im - b.im)};
        cplx o = {0.5f * (a.im + b.im), 0.5f * (b.re - a.re)};
        cplx t = mul(o, load(plan->turns + 2 * k));
        store(out + 2 * k, add(e, t));
        store(out + 2 * (half - k), (cplx){e.re - t.re, t.im - e.im});
    }
}

void lac_fft_inverse(const lac_fft *plan, const float *in, float *out, float *scratch)
{
    size_t half = plan->half;
    float *z = scratch + 2 * half;
    /* conj(Z) goes through the forward transform; its result's conjugate is the signal. */
    z[0] = in[0] + in[2 * half];
    z[1] = in[2 * half] - in[0];
    for (size_t k = 1; k <= half / 2; k++) {
        cplx a = load(in + 2 * k), b = load(in + 2 * (half - k)), w = load(plan->turns + 2 * k);
        cplx e = {a.re + b.re, a.im - b.im};
        cplx o = mul((cplx){a.re - b.re, a.im + b.im}, (cplx){w.re, -w.im});
        store(z + 2 * k, (cplx){e.re - o.im, -(e.im + o.re)});
        store(z + 2 * (half - k), (cplx){e.re + o.im, e.im - o.re});
    }
    const float *y = transform(plan, z, scratch, z);
    for (size_t t = 0; t < half; t++) {
        out[2 * t] = plan->scale * y[2 * t];
        out[2 * t + 1] = -plan->scale * y[2 * t + 1];
    }
}
