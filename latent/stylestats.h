/* How an utterance is said, from its frames: counts whose memory does not grow. lac/factors.h has what they give. */
#ifndef LAC_LATENT_STYLESTATS_H
#define LAC_LATENT_STYLESTATS_H

#include <stdint.h>

#include "lac/factors.h"

#define LAC_LEVEL_ONE 256   /* of a level: 1 dB, from -100 on */
#define LAC_LEVEL_BINS 400  /* quarters of a dB, -100 .. 0 */
#define LAC_PITCH_ONE 1000  /* of a pitch: a semitone, from 50 Hz on */
#define LAC_PITCH_BINS 431  /* tenths of a semitone, 50 .. 600 Hz */

/* All zero before the first frame. */
typedef struct lac_style_stats {
    uint64_t frames, phones;
    uint64_t pitches, pitch_sum, pitch_squares; /* of voiced frames */
    uint64_t pitch_changes, pitch_change;       /* between voiced neighbours */
    uint32_t pitch[LAC_PITCH_BINS];
    uint32_t level[LAC_LEVEL_BINS];             /* frames of a level */
    uint32_t voiced[LAC_LEVEL_BINS];            /* those with voice */
    uint32_t neighbours[LAC_LEVEL_BINS];        /* pairs whose quieter frame has it */
    uint64_t change[LAC_LEVEL_BINS];            /* between these */
    uint32_t last_level, last_pitch;            /* of the last frame; pitch + 1, 0 unvoiced */
    uint16_t last_phone;
} lac_style_stats;

void lac_style_stats_add(lac_style_stats *s, const lac_factor_frame *frame);

/* factors->frames, speech_s, f0_median_hz, style. */
void lac_style_stats_get(const lac_style_stats *s, lac_factors *factors);

/* Level from which on a frame is speech, and the mean of those that are, dB; without any both are -100. */
void lac_style_stats_levels(const lac_style_stats *s, float *floor_db, float *mean_db);

#endif
