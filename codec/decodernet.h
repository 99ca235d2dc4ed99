/* The decoder's network and synthesis on frames of one or more streams. */
#ifndef LAC_CODEC_DECODERNET_H
#define LAC_CODEC_DECODERNET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conceal.h"
#include "lac/profile.h"
#include "network.h"
#include "sourcefilter.h"

enum lac_decoder_histories { LAC_DECODER_INPUT, LAC_DECODER_COARSE, LAC_DECODER_FINE, LAC_DECODER_HISTORIES };

/* What a stream remembers. */
typedef struct lac_decoder_lane {
    const lac_model *model;
    bool marked; /* for lac_batch: found in the call */
    lac_conceal conceal;
    lac_sourcefilter_state sounding;
    bool begun;     /* there was a row */
    int16_t *last;  /* [fine width]: the output layer's quantised input of the last row, for what sounding rebuilds */
    float last_scale;
    lac_history history[LAC_DECODER_HISTORIES];
} lac_decoder_lane;

void lac_decoder_lane_init(lac_decoder_lane *lane, lac_workspace *w, const lac_model *model);
void lac_decoder_lane_reset(lac_decoder_lane *lane);

/* Frames to decode, row-major: tokens [rows][Q] and their counts [rows], or latents [rows][D]. */
typedef struct lac_frames {
    const uint16_t *tokens;
    const uint8_t *codebooks;
    const int16_t *latents;
} lac_frames;

/* Whether tokens and counts are within what the model has. */
bool lac_frames_valid(const lac_frames *frames, const lac_model *model, size_t rows);

/* Scratch, which streams share. */
typedef struct lac_decoder_net {
    const lac_model *model;
    lac_tap tap;
    lac_profile profile;
    lac_layer_work work;
    lac_stack coarse, fine;
    lac_linear pitch;        /* the part of the output layer from the pitch logits on */
    lac_sourcefilter synthesis;
    lac_history **histories; /* [lanes] */
    int16_t *fixed;          /* [D] */
    float *latents;          /* [lanes * frames][D] */
    lac_gain *gains;         /* [lanes * frames] */
    float *rows;             /* [lanes * 2 * frames][output.out] */
} lac_decoder_net;

/* For at most `lanes` lanes of `frames` frames a call. */
void lac_decoder_net_init(lac_decoder_net *net, lac_workspace *w, const lac_model *model, size_t lanes, size_t frames,
                          unsigned threads);

/* Frames of `count` lanes: rows [count][frames] of *from from row `first` on; pcm [count] -> [frames * LAC_FRAME]. */
void lac_decoder_net_read(lac_decoder_net *net, lac_decoder_lane *const *lanes, size_t count, const lac_frames *from,
                          size_t first, size_t frames, float *const *pcm);

/* The same of one lane without sound. */
void lac_decoder_net_skip(lac_decoder_net *net, lac_decoder_lane *lane, const lac_frames *from, size_t first,
                          size_t frames);

#endif
