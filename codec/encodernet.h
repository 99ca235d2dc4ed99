/* The encoder's network and codebook search on frames of one or more streams. */
#ifndef LAC_CODEC_ENCODERNET_H
#define LAC_CODEC_ENCODERNET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "frontend.h"
#include "lac/profile.h"
#include "network.h"

enum lac_encoder_histories { LAC_ENCODER_FINE, LAC_ENCODER_DOWN, LAC_ENCODER_COARSE, LAC_ENCODER_HISTORIES };

/* What a stream remembers. */
typedef struct lac_encoder_lane {
    const lac_model *model;
    uint32_t codebooks, beam;
    float *pcm;     /* [LAC_FEATURE_PAST] history, then the samples not yet coded */
    size_t pending; /* their number */
    bool begun, flushed;
    bool marked;    /* for lac_batch: found in the call */
    lac_history history[LAC_ENCODER_HISTORIES];
} lac_encoder_lane;

/* For at most `frames` frames a call. */
void lac_encoder_lane_init(lac_encoder_lane *lane, lac_workspace *w, const lac_model *model, size_t frames);
void lac_encoder_lane_reset(lac_encoder_lane *lane);

/* Append samples as lac_encoder_write defines them; pcm NULL is silence. They must fit. */
void lac_encoder_lane_take(lac_encoder_lane *lane, const float *pcm, size_t samples);

/* Scratch, which streams share. */
typedef struct lac_encoder_net {
    const lac_model *model;
    unsigned threads;
    lac_tap tap;
    lac_profile profile;
    lac_features features;
    lac_layer_work work;
    lac_stack fine, coarse;
    lac_history **histories; /* [lanes] */
    float *rows;             /* [2 * frames][features.width] */
    float *latents;          /* [lanes * frames][D] */
    int16_t *fixed;          /* [lanes * frames][D] */
    int16_t *residual;       /* [lanes * frames][D] */
    uint32_t *stages;        /* [lanes * frames]: codebooks */
} lac_encoder_net;

/* For at most `lanes` lanes of `frames` frames a call. */
void lac_encoder_net_init(lac_encoder_net *net, lac_workspace *w, const lac_model *model, size_t lanes, size_t frames,
                          unsigned threads);

/* The first `frames` frames pending in each of `count` lanes.
 *   tokens   [count][frames][Q], as lac_encoder_write gives them
 *   latents  [count][frames][D] in fixed point, or NULL */
void lac_encoder_net_run(lac_encoder_net *net, lac_encoder_lane *const *lanes, size_t count, size_t frames,
                         uint16_t *tokens, int16_t *latents);

/* Of that the search alone: latents [count][frames][D] to tokens. */
void lac_encoder_net_search(lac_encoder_net *net, lac_encoder_lane *const *lanes, size_t count, size_t frames,
                            const int16_t *latents, uint16_t *tokens);

#endif
