/* The speaker's vector, and how well parts of a stream agree on it. */
#ifndef LAC_LATENT_VOICE_H
#define LAC_LATENT_VOICE_H

#include "pool.h"
#include "trunk.h"

#define LAC_VOICE_STRETCH 75 /* rows: 1.5 s */

typedef struct lac_voice {
    const lac_speaker_weights *weights;
    lac_trunk_stream trunk;
    lac_pool all, stretch; /* every row; those behind the last whole stretch */
    float *row_weights;    /* [rows] */
    float *statistics;     /* [2][width] */
    int64_t sum[LAC_SPEAKER_SIZE]; /* over whole stretches: vectors times their weights, as lac_pool_fixed */
    int64_t weight, squares;       /* their weights, and squares of them */
} lac_voice;

void lac_voice_needs(lac_layer_needs *needs, const lac_factor_model *model, size_t rows);
void lac_voice_init(lac_voice *v, lac_workspace *w, const lac_factor_model *model, size_t rows);
void lac_voice_reset(lac_voice *v);

/* The rows that the trunk was given. */
void lac_voice_run(lac_voice *v, size_t rows, lac_layer_work *work, const lac_tap *tap);

/* A unit vector of all rows. */
void lac_voice_get(const lac_voice *v, lac_layer_work *work, float vector[LAC_SPEAKER_SIZE]);

/* Mean cosine between the vectors of different stretches, each pair with the product of their weights: -1 .. 1. 1 if
 * there are none. */
float lac_voice_agreement(const lac_voice *v);

#endif
