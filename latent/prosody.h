/* Pitch, voicing and energy of each frame: the style network on one stream. */
#ifndef LAC_LATENT_PROSODY_H
#define LAC_LATENT_PROSODY_H

#include "trunk.h"

typedef struct lac_prosody {
    const lac_style_weights *weights;
    lac_trunk_stream trunk;
    float *outputs; /* [rows][output.out] */
} lac_prosody;

void lac_prosody_needs(lac_layer_needs *needs, const lac_factor_model *model, size_t rows);
void lac_prosody_init(lac_prosody *p, lac_workspace *w, const lac_factor_model *model, size_t rows);
void lac_prosody_reset(lac_prosody *p);

/* The rows that the trunk was given; p->outputs has what it makes of them. */
void lac_prosody_run(lac_prosody *p, size_t rows, lac_layer_work *work, const lac_tap *tap);

/* A row of outputs to frame->f0_hz, voicing, energy_db. */
void lac_prosody_read(const float *output, lac_factor_frame *frame);

#endif
