#include "kernels.h"

static inline int32_t dot(const int16_t *a, const int16_t *b, size_t n)
{
    int32_t s = 0;
    for (size_t i = 0; i < n; i++)
        s += a[i] * b[i];
    return s;
}

typedef struct nearest {
    int32_t score;
    uint32_t index;
} nearest;

/* Codewords first .. end - 1 against one row. */
static inline nearest search(nearest best, const int16_t *r, const lac_codebook *book, size_t first, size_t end,
                             size_t dimension)
{
    for (size_t k = first; k < end; k++) {
        int32_t score = dot(r, book->codes + k * dimension, dimension) - book->half_norm[k];
        if (score > best.score)
            best = (nearest){score, (uint32_t)k};
    }
    return best;
}

#define ROWS 64            /* worked on together */
#define PART 64            /* codewords that the first cache holds beside the rows */
#define USUAL_DIMENSION 64 /* as a constant, which lets the compiler unroll */

static void search_rows(uint16_t *tokens, const int16_t *const *rows, size_t count, const lac_codebook *book)
{
    nearest best[ROWS];
    size_t K = book->codewords, D = book->dimension;
    for (size_t i = 0; i < count; i++)
        best[i] = (nearest){INT32_MIN, 0};
    for (size_t first = 0; first < K; first += PART) {
        size_t end = first + PART < K ? first + PART : K;
        for (size_t i = 0; i < count; i++)
            best[i] = D == USUAL_DIMENSION ? search(best[i], rows[i], book, first, end, USUAL_DIMENSION)
                                           : search(best[i], rows[i], book, first, end, D);
    }
    for (size_t i = 0; i < count; i++)
        tokens[i] = (uint16_t)best[i].index;
}

void lac_nearest_c(uint16_t *tokens, const int16_t *const *rows, size_t count, const lac_codebook *book)
{
    for (size_t i = 0, n; i < count; i += n) {
        n = count - i < ROWS ? count - i : ROWS;
        search_rows(tokens + i, rows + i, n, book);
    }
}

void lac_scores_c(int32_t *scores, int32_t *tops, const int16_t *const *rows, size_t count,
                  const lac_codebook *book)
{
    size_t K = book->codewords, D = book->dimension;
    size_t width = (K + LAC_CODE_PANEL - 1) / LAC_CODE_PANEL * LAC_CODE_PANEL;
    for (size_t i = 0; i < count; i++, scores += width, tops += LAC_CODE_PANEL) {
        for (size_t l = 0; l < LAC_CODE_PANEL; l++)
            tops[l] = INT32_MIN;
        for (size_t k = 0; k < width; k++) {
            int32_t *top = &tops[k % LAC_CODE_PANEL];
            const int16_t *c = book->codes + k * D;
            int32_t product = 0;
            if (k < K)
                product = D == USUAL_DIMENSION ? dot(rows[i], c, USUAL_DIMENSION) : dot(rows[i], c, D);
            scores[k] = k < K ? product - book->half_norm[k] : INT32_MIN;
            *top = scores[k] > *top ? scores[k] : *top;
        }
    }
}
