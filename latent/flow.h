/* The generator's network on one stream: from noise along a rectified flow, or at once. */
#ifndef LAC_LATENT_FLOW_H
#define LAC_LATENT_FLOW_H

#include "trunk.h"

#define LAC_FLOW_MAX_STEPS 64

/* One step along the flow. */
typedef struct lac_flow_step {
    float *modulation;           /* [blocks][2][width]: gain, shift */
    lac_modulation *modulations; /* [blocks] */
    lac_history inputs, blocks;
} lac_flow_step;

typedef struct lac_flow {
    const lac_factor_model *model;
    lac_tap tap;
    lac_layer_work work;
    lac_stack stack;
    size_t count;         /* of steps, at least 1 */
    lac_flow_step *steps; /* [count] */
    float *inputs;        /* [rows][inputs] */
    float *latents;       /* [rows][D] */
    float *velocity;      /* [rows][D] */
    float *condition;     /* [condition] */
    float noise;          /* deviation */
    uint64_t key;         /* of the noise */
    uint64_t row;         /* of the next call's first */
} lac_flow;

/* For at most `rows` rows a call. */
void lac_flow_init(lac_flow *f, lac_workspace *w, const lac_factor_model *model, size_t rows, unsigned threads);
void lac_flow_reset(lac_flow *f);

/* Speaker, environment and channel from the next row on. */
void lac_flow_set(lac_flow *f, const lac_factors *factors);

/* frames NULL are zeros behind the last one. -> f->latents [rows][D], normed, of the frames `generator_ahead`
 * before. */
void lac_flow_run(lac_flow *f, const lac_factor_frame *frames, size_t rows);

#endif
