/* Environment and channel of a stream, and what is read off them. */
#ifndef LAC_LATENT_SURROUNDINGS_H
#define LAC_LATENT_SURROUNDINGS_H

#include "pool.h"
#include "trunk.h"

typedef struct lac_surroundings {
    const lac_surroundings_weights *weights;
    lac_trunk_stream trunk;
    lac_pool pool;
    float *row_weights; /* [rows] */
    float *statistics;  /* [2][width] */
} lac_surroundings;

void lac_surroundings_needs(lac_layer_needs *needs, const lac_factor_model *model, size_t rows);
void lac_surroundings_init(lac_surroundings *s, lac_workspace *w, const lac_factor_model *model, size_t rows);
void lac_surroundings_reset(lac_surroundings *s);

/* The rows that the trunk was given. */
void lac_surroundings_run(lac_surroundings *s, size_t rows, lac_layer_work *work, const lac_tap *tap);

/* factors->environment, channel, snr_db, t60_s, bandwidth_hz, codec; zeros before the first row. */
void lac_surroundings_get(const lac_surroundings *s, lac_layer_work *work, lac_factors *factors);

#endif
