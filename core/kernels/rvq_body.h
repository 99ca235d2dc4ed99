/* The codebook search on packed codewords, included by rvq_SET.c.
 *
 * The includer defines LAC_KERNEL(op), the name of its function, and what it knows of its instructions:
 *   LANES              codewords of a vector
 *   ROWS               rows of the largest tile, which is one panel wide: 8 vectors of sums or less
 *   weights            two elements each of LANES codewords
 *   weights_load(p)    from 4 * LANES bytes
 *   sums_dot(s, w, a)  s + weights times the two elements of a row that the int32 `a` holds */
#ifndef LAC_CORE_RVQ_BODY_H
#define LAC_CORE_RVQ_BODY_H

#include <string.h>

#include "inline.h"
#include "kernels.h"

#define VECTORS (LAC_CODE_PANEL / LANES)
#define SLOTS 8                                  /* sums at work */
#define WIDE (SLOTS / VECTORS)                   /* panels of a tile of one row */
#define HEAD (LAC_CODE_PANEL * sizeof(int32_t))  /* bytes of a panel before its codewords */
#define STEP (2 * LAC_CODE_PANEL * sizeof(int16_t)) /* bytes of a panel for two elements */

/* The best of each lane so far, and the panels they are in. */
typedef struct best {
    sums score[VECTORS], panel[VECTORS];
} best;

typedef struct search {
    const uint8_t *packed;
    size_t dimension, panel_bytes, panels;
} search;

INLINE sums sums_load(const uint8_t *p)
{
    sums s;
    memcpy(&s, p, sizeof s);
    return s;
}

INLINE sums sums_all(int32_t value)
{
    return (sums){0} + value;
}

INLINE void keep(sums *score, sums *panel, sums s, int32_t at)
{
    sums better = s > *score;
    *score = (s & better) | (*score & ~better);
    *panel = (at & better) | (*panel & ~better);
}

/* Written out rather than looped over: with indices that are constants from the start every compiler keeps the sums
 * in registers. Slot i is vector i % vectors of row i / vectors. */
#define EACH_SLOT(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7)

/* Panels from `at` on, `vectors` / VECTORS of them, against `rows` rows; both are constants. Scores also go to
 * scores [rows][q->panels], unless NULL. */
INLINE void tile(const search *q, const int16_t *const *r, size_t at, best *found, int32_t *scores, int rows,
                 int vectors)
{
    sums s[SLOTS];
    weights x[SLOTS];
    const uint8_t *panel = q->packed + at * q->panel_bytes, *w = panel + HEAD;
    size_t k = 0;
#define VECTOR_AT(base, v) \
    ((base) + (size_t)((v) / VECTORS) * q->panel_bytes + (size_t)((v) % VECTORS) * sizeof(sums))
#define BEGIN(i)            \
    if (i < rows * vectors) \
        s[i] = sums_load(VECTOR_AT(panel, i % vectors));
#define LOAD(i)      \
    if (i < vectors) \
        x[i] = weights_load(VECTOR_AT(w, i));
#define DOT(i)              \
    if (i < rows * vectors) \
        s[i] = sums_dot(s[i], x[i % vectors], pair_at(r[i / vectors] + k));
#define DOT_LAST(i)         \
    if (i < rows * vectors) \
        s[i] = sums_dot(s[i], x[i % vectors], (int32_t)(uint16_t)r[i / vectors][k]);
#define STORE(i)                      \
    if (i < rows * vectors && scores) \
        memcpy(scores + ((size_t)(i / vectors) * q->panels + at) * LAC_CODE_PANEL + i % vectors * LANES, &s[i], \
               sizeof s[i]);
#define KEEP(i)             \
    if (i < rows * vectors) \
        keep(&found[i / vectors].score[i % VECTORS], &found[i / vectors].panel[i % VECTORS], s[i], \
             (int32_t)at + i % vectors / VECTORS);
    EACH_SLOT(BEGIN)
    for (; k + 2 <= q->dimension; k += 2, w += STEP) {
        EACH_SLOT(LOAD)
        EACH_SLOT(DOT)
    }
    if (k < q->dimension) {
        EACH_SLOT(LOAD)
        EACH_SLOT(DOT_LAST)
    }
    EACH_SLOT(STORE)
    EACH_SLOT(KEEP)
#undef VECTOR_AT
#undef BEGIN
#undef LOAD
#undef DOT
#undef DOT_LAST
#undef STORE
#undef KEEP
}

/* Best score, lowest index among equals. Not inlined: there are three copies of what calls it. */
static __attribute__((noinline)) uint16_t winner(const best *found)
{
    int32_t score[LAC_CODE_PANEL], panel[LAC_CODE_PANEL], top = INT32_MIN;
    uint32_t index = 0;
    memcpy(score, found->score, sizeof score);
    memcpy(panel, found->panel, sizeof panel);
    for (uint32_t i = 0; i < LAC_CODE_PANEL; i++) {
        uint32_t k = (uint32_t)panel[i] * LAC_CODE_PANEL + i;
        if (score[i] > top || (score[i] == top && k < index)) {
            top = score[i];
            index = k;
        }
    }
    return (uint16_t)index;
}

INLINE void search_rows(const search *q, const int16_t *const *r, best *found, int32_t *scores, int rows)
{
    size_t at = 0;
    for (int i = 0; i < rows; i++)
        for (int v = 0; v < VECTORS; v++) {
            found[i].score[v] = sums_all(INT32_MIN);
            found[i].panel[v] = sums_all(0);
        }
    if (rows == 1)
        for (; at + WIDE <= q->panels; at += WIDE)
            tile(q, r, at, found, scores, 1, SLOTS);
    for (; at < q->panels; at++)
        tile(q, r, at, found, scores, rows, VECTORS);
}

INLINE search search_of(const lac_codebook *book)
{
    return (search){book->packed, book->dimension, lac_codebook_panel_bytes(book->dimension),
                    (book->codewords + LAC_CODE_PANEL - 1) / LAC_CODE_PANEL};
}

INLINE void nearest_rows(const search *q, const int16_t *const *r, uint16_t *tokens, int rows)
{
    best found[ROWS];
    search_rows(q, r, found, NULL, rows);
    for (int i = 0; i < rows; i++)
        tokens[i] = winner(&found[i]);
}

INLINE void score_rows(const search *q, const int16_t *const *r, int32_t *scores, int32_t *tops, int rows)
{
    best found[ROWS];
    search_rows(q, r, found, scores, rows);
    for (int i = 0; i < rows; i++)
        memcpy(tops + i * LAC_CODE_PANEL, found[i].score, sizeof found[i].score);
}

void LAC_KERNEL(nearest)(uint16_t *tokens, const int16_t *const *rows, size_t count, const lac_codebook *book)
{
    search q = search_of(book);
    size_t i = 0;
    for (; i + ROWS <= count; i += ROWS)
        nearest_rows(&q, rows + i, tokens + i, ROWS);
    for (; i + 2 <= count; i += 2)
        nearest_rows(&q, rows + i, tokens + i, 2);
    if (i < count)
        nearest_rows(&q, rows + i, tokens + i, 1);
}

void LAC_KERNEL(scores)(int32_t *scores, int32_t *tops, const int16_t *const *rows, size_t count,
                        const lac_codebook *book)
{
    search q = search_of(book);
    size_t i = 0, width = q.panels * LAC_CODE_PANEL;
    for (; i + ROWS <= count; i += ROWS)
        score_rows(&q, rows + i, scores + i * width, tops + i * LAC_CODE_PANEL, ROWS);
    for (; i < count; i++)
        score_rows(&q, rows + i, scores + i * width, tops + i * LAC_CODE_PANEL, 1);
}

#endif
