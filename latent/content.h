/* What is said: content tokens and phones of one stream of latents. */
#ifndef LAC_LATENT_CONTENT_H
#define LAC_LATENT_CONTENT_H

#include "trunk.h"

typedef struct lac_content {
    const lac_factor_model *model;
    lac_trunk_stream trunk, phones;
    lac_stack late;
    lac_history late_blocks, codes_past;
    float *rows;      /* [stride + rows][width]: the trunk's, not joined yet */
    size_t held;      /* their number between calls, less than the stride */
    size_t early;     /* tokens to come that are of no frame */
    uint64_t tokens;  /* given since the first that is of a frame */
    float *outputs;   /* [rows][dimensions], and then codes */
    float *odds;      /* [rows][phone_classes] */
    uint16_t *token, *phone; /* [rows]: of the last run */
} lac_content;

void lac_content_needs(lac_layer_needs *needs, const lac_factor_model *model, size_t rows);
void lac_content_init(lac_content *c, lac_workspace *w, const lac_factor_model *model, size_t rows);
void lac_content_reset(lac_content *c);

/* The rows that the trunk was given -> number of tokens in c->token and c->phone. */
size_t lac_content_run(lac_content *c, size_t rows, lac_layer_work *work, const lac_tap *tap);

/* Codes [dimensions] of a token, -1 .. 1. */
void lac_content_codes(const lac_factor_arch *arch, uint16_t token, float *codes);

#endif
