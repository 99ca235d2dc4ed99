/* What stands in for lost frames: latents that the model predicts from the last one, or that one held, faded out.
 * All of it is a function of the last LAC_CONCEAL_FRAMES frames, so that decoding can start anywhere. */
#ifndef LAC_CODEC_CONCEAL_H
#define LAC_CODEC_CONCEAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "weights.h"

#define LAC_GAIN_ONE 16 /* a gain in 1/16 */

typedef struct lac_conceal {
    int16_t latent[LAC_RVQ_MAX_D]; /* of the last frame received; zero once it has faded out */
    uint32_t lost;                 /* frames in a row up to now, at most LAC_CONCEAL_FRAMES */
    uint8_t gain;                  /* at the end of the last frame */
    bool begun;
} lac_conceal;

/* Gains of a frame: at its start, middle and end, linear between. */
typedef struct lac_gain {
    uint8_t at[3];
} lac_gain;

/* The next frame arrived as z [d]. */
lac_gain lac_conceal_received(lac_conceal *c, const int16_t *z, size_t d);

/* The next frame is lost: z [d] stands in for it. */
lac_gain lac_conceal_lost(lac_conceal *c, const lac_predictor *p, int16_t *z, size_t d);

/* Apply to a frame's pcm [LAC_FRAME]. */
void lac_gain_apply(lac_gain g, float *pcm);

#endif
