/* One codebook fitted to rows: k-means++ start (Arthur and Vassilvitskii 2007), assignment, and new codewords as
 * means or moving averages of what is assigned. Integers only: nothing depends on the order of rows or threads but
 * the draws, whose numbers count from `random`. */
#ifndef LAC_QUANT_KMEANS_H
#define LAC_QUANT_KMEANS_H

#include "kernels.h"
#include "workspace.h"

#define LAC_KMEANS_MAX_PRIOR (1u << 20)

/* Rows [count][D], each `stride` rows behind the one before. */
typedef struct lac_kmeans_rows {
    const int16_t *first;
    size_t count, stride;
} lac_kmeans_rows;

typedef struct lac_kmeans {
    uint32_t codewords, dimension, threads; /* K, D */
    lac_nearest_fn *nearest;
    lac_scores_fn *scores;
    uint64_t random;   /* of the next draw */
    int16_t *codes;    /* [K][D], and these two belong to the caller, who may point elsewhere between calls */
    int32_t *half_norm; /* [K] */
    uint8_t *packed;
    uint16_t *tokens;  /* [rows]: assigned */
    uint32_t *error;   /* [rows]: squared distance of that */
    int64_t *counts;   /* [threads][K]: of the first, rows assigned */
    int64_t *sums;     /* [threads][K][D]: and their sums */
    uint64_t *squares; /* [threads]: and of their errors */
} lac_kmeans;

/* Take memory for at most `rows` rows; codewords, dimension, threads are set. Chooses kernels. */
void lac_kmeans_init(lac_kmeans *k, lac_workspace *w, size_t rows);

/* Codewords drawn from the rows, at least one: each next one with a probability as its squared distance from those
 * there. Of many rows a part is looked at; from 16 codewords on, up to one in 16 of those there are drawn
 * together. */
void lac_kmeans_start(lac_kmeans *k, lac_kmeans_rows rows);

/* Make half_norm and packed fit the codes. */
void lac_kmeans_prepare(lac_kmeans *k);

/* Counts, sums and squares to zero; those of all threads to the first's. */
void lac_kmeans_clear(lac_kmeans *k);
void lac_kmeans_reduce(lac_kmeans *k);

/* After prepare: tokens, error, counts, sums and squares of the rows. */
void lac_kmeans_assign(lac_kmeans *k, lac_kmeans_rows rows);

/* Codewords become means, those of `start` [K][D] counting as `prior` rows more. Those of nothing stay. */
void lac_kmeans_mean(lac_kmeans *k, const int16_t *start, uint32_t prior);

/* Averages move by a batch that was assigned, and codewords with them. counts [K] and sums [K][D] in 2^-16,
 * decay in 2^-16. */
void lac_kmeans_average(lac_kmeans *k, int64_t *counts, int64_t *sums, uint32_t decay);

/* Codeword c becomes an assigned row, drawn with a probability as its error, which is then 0. */
void lac_kmeans_revive(lac_kmeans *k, lac_kmeans_rows rows, size_t c);

/* (a + b / 2) / b with halves away from zero; b > 0. */
int64_t lac_divide_round(int64_t a, int64_t b);

#endif
