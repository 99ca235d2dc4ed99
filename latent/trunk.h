/* A factor network's trunk on one stream: what it remembers and works on. */
#ifndef LAC_LATENT_TRUNK_H
#define LAC_LATENT_TRUNK_H

#include "factormodel.h"

typedef struct lac_trunk_stream {
    const lac_trunk *trunk;
    lac_stack stack; /* x: what the blocks are given, then the trunk's rows */
    lac_history blocks;
} lac_trunk_stream;

void lac_trunk_needs(lac_layer_needs *needs, const lac_trunk *trunk, const lac_trunk_shape *shape, size_t rows);
void lac_trunk_init(lac_trunk_stream *s, lac_workspace *w, const lac_trunk *trunk, const lac_trunk_shape *shape,
                    size_t rows);
void lac_trunk_reset(lac_trunk_stream *s);

/* The input layer on the windows that work->quantised holds. */
void lac_trunk_take(lac_trunk_stream *s, const lac_layer_work *work, size_t rows);

/* Blocks and norm of what was taken. */
void lac_trunk_run(lac_trunk_stream *s, size_t rows, lac_layer_work *work, const lac_tap *tap, const char *name);

/* out [rows][l->out] = a layer on the trunk's rows, or others x [rows][l->in]. */
void lac_layer_apply(lac_layer_work *work, const lac_linear *l, const float *x, size_t rows, float *out);

/* x [rows][n] = the norm of each row. */
void lac_layer_norm(const lac_layer_work *work, float *x, size_t rows, size_t n);

/* x within +-most; 0 for what is not a number, which only a hostile model makes. */
static inline float lac_bounded(float x, float most)
{
    if (x > most)
        return most;
    if (x < -most)
        return -most;
    return x == x ? x : 0;
}

#endif
