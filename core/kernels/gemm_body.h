/* The matrix product on packed weights, included by gemm_SET.c.
 *
 * The includer defines LAC_KERNEL(op), the name of its function, and what it knows of its instructions:
 *   LANES              outputs of a vector
 *   TILE_ROWS          rows of the largest tile, 8 or less, which is TILE_PANELS panels wide: its sums fill the registers
 *   DEPTH              sums that a single row keeps of each output, to be added up: hides latency
 *   sums, weights      types: LANES sums in int32; weights of LANES outputs, two inputs each
 *   sums_zero()        sums_add(a, b)
 *   weights_load(p)    from 2 * LANES int8
 *   sums_dot(s, w, a)  s + weights times the two activations that the int32 `a` holds
 *   sums_store(out, s, a_scale, panel_at)   LANES results: s * a_scale * scales + biases, scales at `panel_at` and
 *                                           biases LAC_GEMM_PANEL floats behind */
#ifndef LAC_CORE_GEMM_BODY_H
#define LAC_CORE_GEMM_BODY_H

#include <string.h>

#include "kernels.h"

#define INLINE static inline __attribute__((always_inline))
#if defined(__clang__)
#define EACH(i, count) _Pragma("clang loop unroll(full)") for (int i = 0; i < (count); i++)
#else
#define EACH(i, count) _Pragma("GCC unroll 8") for (int i = 0; i < (count); i++)
#endif
#define VECTORS (LAC_GEMM_PANEL / LANES)
#define HEAD (2 * LAC_GEMM_PANEL * sizeof(float)) /* bytes of a panel before its weights */
#define STEP (2 * LAC_GEMM_PANEL)                 /* bytes of a panel for two inputs */

typedef struct product {
    float *out;
    size_t ldo;
    const int16_t *a;
    const float *a_scale;
    const uint8_t *packed;
    size_t K, panel_bytes, end;
} product;

INLINE int32_t pair_at(const int16_t *a)
{
    int32_t pair;
    memcpy(&pair, a, sizeof pair);
    return pair;
}

/* One result vector, cut at the matrix's end. */
INLINE void put(const product *p, size_t m, size_t n, sums s, const uint8_t *panel)
{
    const float *at = (const float *)(const void *)panel + n % LAC_GEMM_PANEL;
    float *out = p->out + m * p->ldo + n, cut[LANES];
    if (n + LANES <= p->end) {
        sums_store(out, s, p->a_scale[m], at);
    } else if (n < p->end) {
        sums_store(cut, s, p->a_scale[m], at);
        memcpy(out, cut, (p->end - n) * sizeof(float));
    }
}

/* Rows m .. m + rows - 1 of `panels` panels from output n on; `depth` sums take turns. All three are constants. */
INLINE void tile(const product *p, size_t m, size_t n, int rows, int panels, int depth)
{
    sums s[8][4][4];
    const int16_t *a = p->a + m * p->K;
    const uint8_t *panel = p->packed + n / LAC_GEMM_PANEL * p->panel_bytes, *w = panel + HEAD;
    const int vectors = panels * VECTORS;
    size_t pairs = p->K / 2, k = 0;
#define WEIGHTS(v, d) weights_load(w + (v) / VECTORS * p->panel_bytes + (v) % VECTORS * 2 * LANES + (d) * STEP)
    EACH(r, rows) EACH(v, vectors) EACH(d, depth) s[r][v][d] = sums_zero();
    for (; k + (size_t)depth <= pairs; k += (size_t)depth, w += depth * STEP) {
        EACH(d, depth) {
            weights x[4];
            EACH(v, vectors) x[v] = WEIGHTS(v, d);
            EACH(r, rows) {
                int32_t pair = pair_at(a + (size_t)r * p->K + 2 * (k + (size_t)d));
                EACH(v, vectors) s[r][v][d] = sums_dot(s[r][v][d], x[v], pair);
            }
        }
    }
    for (; 2 * k < p->K; k++, w += STEP)
        EACH(r, rows) {
            const int16_t *at = a + (size_t)r * p->K + 2 * k;
            int32_t pair = k < pairs ? pair_at(at) : (int32_t)(uint16_t)*at;
            EACH(v, vectors) s[r][v][0] = sums_dot(s[r][v][0], WEIGHTS(v, 0), pair);
        }
    EACH(r, rows) EACH(v, vectors) {
        for (int d = 1; d < depth; d++)
            s[r][v][0] = sums_add(s[r][v][0], s[r][v][d]);
        put(p, m + (size_t)r, n + (size_t)v * LANES, s[r][v][0], panel + v / VECTORS * p->panel_bytes);
    }
#undef WEIGHTS
}

/* Each size a function of its own, so that its sums get all registers. */
#define TILE(rows, panels, depth)                                                                                       \
    static __attribute__((noinline)) void tile_##rows##x##panels(const product *p, size_t m, size_t n)                  \
    {                                                                                                                   \
        tile(p, m, n, rows, panels, depth);                                                                             \
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
        for (; m + 4 <= M; m += 4)                                                                                      \
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
    product p = {out, ldo, a, a_scale, w->packed, w->in, lac_linear_panel_bytes(w->in), end};
    size_t n = first;
    for (; TILE_PANELS == 2 && n + LAC_GEMM_PANEL < end; n += 2 * LAC_GEMM_PANEL)
        strip_2(&p, n, M);
    for (; n < end; n += LAC_GEMM_PANEL)
        strip_1(&p, n, M);
}

#endif
