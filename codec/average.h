/* Files of an average rate: a window of frames is held back, and its bits go where they help most.
 *
 * An error counts in full in frames down to 20 dB below the window's loud ones, and half as much for each further 20
 * dB, to a quarter; not at all in frames below -90 dB full scale. */
#ifndef LAC_CODEC_AVERAGE_H
#define LAC_CODEC_AVERAGE_H

#include <stddef.h>
#include <stdint.h>

#include "lac/stream.h"
#include "page.h"
#include "quantiser.h"
#include "workspace.h"

#define LAC_AVERAGE_FRAMES (16 * LAC_PAGE_FRAMES) /* of a window: 20 s at 50 frames a second */
#define LAC_AVERAGE_SLACK 4                       /* what flushing an encoder may add */
#define LAC_AVERAGE_ROOM (LAC_AVERAGE_FRAMES + LAC_AVERAGE_SLACK)

typedef struct lac_average {
    const lac_quantiser *quantiser;
    uint32_t channels, most, threads, beam; /* most: codebooks of a frame */
    int16_t *latents[LAC_MAX_CHANNELS], *levels[LAC_MAX_CHANNELS]; /* [LAC_AVERAGE_ROOM][D]; [LAC_AVERAGE_ROOM] */
    int16_t *residual;       /* [LAC_AVERAGE_ROOM][D], scratch */
    uint32_t *left, *stages; /* [LAC_AVERAGE_ROOM][most], of one channel; [LAC_AVERAGE_ROOM] */
    uint64_t *errors;        /* [LAC_AVERAGE_ROOM][most], of all channels, weighted */
} lac_average;

/* Take the memory from w. The quantiser is kept. */
void lac_average_init(lac_average *a, lac_workspace *w, const lac_quantiser *quantiser, uint32_t channels,
                      uint32_t most, uint32_t threads, uint32_t beam);

/* The level of a frame of `samples` samples, in 16ths of an octave of power; clamped and cleaned as encoders do. In
 * integers: no rounding mode of the caller's moves it. */
int16_t lac_average_level(const float *pcm, size_t samples);

/* Of the first `frames` frames, whose latents and levels are set: what they leave with 1, 2, .. `most` codebooks, to
 * a->errors, and greedy tokens of so many codebooks, per channel [frames][Q]. */
void lac_average_measure(lac_average *a, size_t frames, uint16_t *const *tokens);

/* Tokens of so many codebooks, zeros behind, by the search that was asked for. */
void lac_average_search(lac_average *a, size_t frames, const uint8_t *codebooks, uint16_t *const *tokens);

#endif
