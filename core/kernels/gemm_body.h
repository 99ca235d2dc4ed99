/* The matrix product on packed weights, included by gemm_SET.c.
 *
 * The includer defines LAC_KERNEL(op), the name of its function, and what it knows of its instructions:
 *   LANES              outputs of a vector
 *   TILE_ROWS          rows of the largest tile, 8 or less, which is TILE_PANELS panels wide: its sums fill the registers
 *   DEPTH              sums that a single row keeps of each output, to be added up: hides latency
 *   sums, weights      types: LANES sums in int32; weights of LANES outputs, INPUTS inputs each
 *   sums_zero()        sums_add(a, b)
 *   weights_load(p)    from LAC_GEMM_GROUP * LANES int8; where INPUTS are more, the next LAC_GEMM_GROUP inputs' are
 *                      LAC_GEMM_GROUP * LAC_GEMM_PANEL bytes behind
 *   sums_dot(s, w, a)  s + weights times activations
 *   sums_put(out, s)   LANES sums, as int32
 *   sums_store(out, s, a_scale, scales)   LANES results: s * a_scale * scales + biases, which stand LAC_GEMM_PANEL
 *                                         floats behind the scales
 * and, unless a step takes two inputs, whose activations are an int32:
 *   INPUTS             inputs of a step: a multiple of LAC_GEMM_GROUP, of which LAC_GEMM_PAD is a multiple
 *   acts               type: INPUTS activations of a row
 *   acts_load(a)       from INPUTS int16 */
#ifndef LAC_CORE_GEMM_BODY_H
#define LAC_CORE_GEMM_BODY_H

#include <string.h>

#include "inline.h"
#include "kernels.h"

#define VECTORS (LAC_GEMM_PANEL / LANES)
#define HEAD (2 * LAC_GEMM_PANEL * sizeof(float)) /* bytes of a panel before its weights */
#define STEP (INPUTS * LAC_GEMM_PANEL)            /* bytes of a panel for a step */

#ifndef INPUTS
#define INPUTS 2
typedef int32_t acts;
#define acts_load(a) pair_at(a)
#define acts_cut(a, left) ((int32_t)(uint16_t)*(a))
#else
/* acts_load where fewer are left. */
INLINE acts acts_cut(const int16_t *a, size_t left)
{
    int16_t cut[INPUTS] = {0};
    for (size_t i = 0; i < left; i++)
        cut[i] = a[i];
    return acts_load(cut);
}
#endif

typedef struct product {
    float *out;
    int32_t *dots; /* instead: of one row */
    size_t ldo;
    const int16_t *a;
    const float *a_scale;
    const uint8_t *packed;
    size_t K, panel_bytes, end;
} product;

INLINE acts rest_at(const int16_t *a, size_t left)
{
    return left >= INPUTS ? acts_load(a) : acts_cut(a, left);
}

/* One result vector, cut where the matrix ends. */
INLINE void put(const product *p, size_t m, size_t n, sums s, const uint8_t *panel)
{
    const float *scales = (const float *)(const void *)panel + n % LAC_GEMM_PANEL;
    float *out = p->out + m * p->ldo + n, cut[LANES];
    if (n + LANES <= p->end) {
        sums_store(out, s, p->a_scale[m], scales);
    } else if (n < p->end) {
        sums_store(cut, s, p->a_scale[m], scales);
        memcpy(out, cut, (p->end - n) * sizeof(float));
    }
}

INLINE void put_dots(const product *p, size_t n, sums s)
{
    int32_t cut[LANES];
    if (n + LANES <= p->end) {
        sums_put(p->dots + n, s);
    } else if (n < p->end) {
        sums_put(cut, s);
        memcpy(p->dots + n, cut, (p->end - n) * sizeof *cut);
    }
}

/* Written out rather than looped over: with indices that are constants from the start every compiler keeps the sums in
 * registers. */
#define EACH_VECTOR(X) X(0) X(1) X(2) X(3)
#define EACH_SLOT(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7)

INLINE void load(weights x[4], const product *p, const uint8_t *w, int vectors)
{
#define LOAD(v)      \
    if (v < vectors) \
        x[v] = weights_load(w + v / VECTORS * p->panel_bytes + v % VECTORS * LAC_GEMM_GROUP * LANES);
    EACH_VECTOR(LOAD)
#undef LOAD
}

INLINE void dot_row(sums s[4], const weights x[4], acts a, int vectors)
{
#define DOT(v)       \
    if (v < vectors) \
        s[v] = sums_dot(s[v], x[v], a);
    EACH_VECTOR(DOT)
#undef DOT
}

INLINE void add_row(sums s[4], const sums more[4], int vectors)
{
#define ADD(v)       \
    if (v < vectors) \
        s[v] = sums_add(s[v], more[v]);
    EACH_VECTOR(ADD)
#undef ADD
}

INLINE void put_row(const product *p, size_t m, size_t n, const sums s[4], const uint8_t *panel, int vectors,
                    int dots)
{
#define PUT(v)                            \
    if (v < vectors && dots)              \
        put_dots(p, n + v * LANES, s[v]); \
    else if (v < vectors)                 \
        put(p, m, n + v * LANES, s[v], panel + v / VECTORS * p->panel_bytes);
    EACH_VECTOR(PUT)
#undef PUT
}

/* Rows m .. m + rows - 1 of `panels` panels from output n on; `depth` sums of each take turns, rows * depth at most
 * 8; `dots`: the sums themselves are wanted. All four are constants. */
INLINE void tile(const product *p, size_t m, size_t n, int rows, int panels, int depth, int dots)
{
    sums s[8][4]; /* [depth][rows], [vectors] */
    weights x[4];
    const int16_t *a = p->a + m * p->K;
    const uint8_t *panel = p->packed + n / LAC_GEMM_PANEL * p->panel_bytes, *w = panel + HEAD;
    const int vectors = panels * VECTORS;
    size_t K = p->K, k = 0, step = INPUTS * (size_t)depth;
#define ZERO(i) s[i][0] = s[i][1] = s[i][2] = s[i][3] = sums_zero();
#define STEP_ROW(i)                                                                                   \
    if (i < rows * depth) {                                                                           \
        if (i % rows == 0)                                                                            \
            load(x, p, w + i / rows * STEP, vectors);                                                 \
        dot_row(s[i], x, acts_load(a + (size_t)(i % rows) * K + k + (size_t)(INPUTS * (i / rows))), vectors); \
    }
#define REST_ROW(i) \
    if (i < rows)   \
        dot_row(s[i], x, rest_at(a + (size_t)i * K + k, K - k), vectors);
#define ADD_ROW(i)                     \
    if (i >= rows && i < rows * depth) \
        add_row(s[i % rows], s[i], vectors);
#define PUT_ROW(i) \
    if (i < rows)  \
        put_row(p, m + i, n, s[i], panel, vectors, dots);
    EACH_SLOT(ZERO)
    for (; k + step <= K; k += step, w += depth * STEP) {
        EACH_SLOT(STEP_ROW)
    }
    for (; k < K; k += INPUTS, w += STEP) {
        load(x, p, w, vectors);
        EACH_SLOT(REST_ROW)
    }
    EACH_SLOT(ADD_ROW)
    EACH_SLOT(PUT_ROW)
#undef ZERO
#undef STEP_ROW
#undef REST_ROW
#undef ADD_ROW
#undef PUT_ROW
}

/* Each size a function of its own, so that its sums get all registers. */
#define TILE(rows, panels, depth)                                                                                       \
    static __attribute__((noinline)) void tile_##rows##x##panels(const product *p, size_t m, size_t n)                  \
    {                                                                                                                   \
        tile(p, m, n, rows, panels, depth, 0);                                                                          \
    }
#define TILES(panels)                                                                                                   \
    TILE(8, panels, 1)                                                                                                  \
    TILE(4, panels, 1)                                                                                                  \
    TILE(2, panels, DEPTH / 2)                                                                                          \
    TILE(1, panels, DEPTH)                                                                                              \
                                                                                                                        \
    /* All rows of a strip of outputs, whose weights stay in the cache. */                                              \
    static void strip_##panels(const product *p, size_t n, size_t M)                                                    \
    {                                                                                                                   \
        size_t m = 0;                                                                                                   \
        for (; TILE_ROWS == 8 && m + 8 <= M; m += 8)                                                                    \
            tile_8x##panels(p, m, n);                                                                                   \
        for (; TILE_ROWS >= 4 && m + 4 <= M; m += 4)                                                                                      \
            tile_4x##panels(p, m, n);                                                                                   \
        for (; m + 2 <= M; m += 2)                                                                                      \
            tile_2x##panels(p, m, n);                                                                                   \
        if (m < M)                                                                                                      \
            tile_1x##panels(p, m, n);                                                                                   \
    }

TILES(1)
TILES(2)

void LAC_KERNEL(gemm_s16s8)(float *out, size_t ldo, const int16_t *a, const float *a_scale, const lac_linear *w,
                            size_t first, size_t end, size_t M)
{
    product p = {out, NULL, ldo, a, a_scale, w->packed, w->in, lac_linear_panel_bytes(w->in), end};
    size_t n = first;
    for (; TILE_PANELS == 2 && n + LAC_GEMM_PANEL < end; n += 2 * LAC_GEMM_PANEL)
        strip_2(&p, n, M);
    for (; n < end; n += LAC_GEMM_PANEL)
        strip_1(&p, n, M);
}

void LAC_KERNEL(dot_s16s8)(int32_t *out, const int16_t *a, const lac_linear *w)
{
    product p = {.dots = out, .a = a, .packed = w->packed, .K = w->in, .panel_bytes = lac_linear_panel_bytes(w->in),
                 .end = w->out};
    size_t n = 0;
    for (; TILE_PANELS == 2 && n + LAC_GEMM_PANEL < w->out; n += 2 * LAC_GEMM_PANEL)
        tile(&p, 0, n, 1, 2, DEPTH, 1);
    for (; n < w->out; n += LAC_GEMM_PANEL)
        tile(&p, 0, n, 1, 1, DEPTH, 1);
}

#endif
