/* Any input, audio or a .lac file, as one channel at one rate. */
#ifndef LAC_TOOLS_MONOIN_H
#define LAC_TOOLS_MONOIN_H

#include "audioin.h"
#include "filein.h"
#include "progress.h"
#include "resample.h"

typedef struct lac_mono_in {
    const char *path;
    const lac_raw_input *raw;  /* format LAC_PCM_NONE: the input has a header */
    uint32_t channel;          /* 1 is the first; 0: the mean of all */
    uint32_t rate;             /* Hz, which the sink gets */
    const lac_model *codec;    /* of .lac files that name it; others are looked for by id. NULL: of none */
    lac_pcm_sink sink;         /* takes pcm[frames]; returns 0 or a status, with which all ends */
    void *user;
    lac_progress *progress;    /* NULL: none is shown */

    /* What was found. */
    uint32_t source_rate, source_channels; /* of the original */
    uint64_t samples;                      /* given to the sink */
    double duration_s;                     /* of the original */
} lac_mono_in;

/* 0; LAC_EXIT_CONCEALED after a message if parts of a .lac file were damaged or missing; LAC_EXIT_FAILED after one. */
int lac_mono_in_run(lac_mono_in *in);

/* The model of a .lac file: `codec` if it is that, else one that is found, which *found owns then. NULL after a
 * message. */
const lac_model *lac_mono_in_model(const lac_model *codec, const uint8_t *id, const char *file, lac_model **found);

/* Tells of damage: 0 or LAC_EXIT_CONCEALED. */
int lac_mono_in_report_damage(const lac_stream_info *info, const char *file);

/* Is there such a channel? 0, or LAC_EXIT_FAILED after a message. */
int lac_mono_in_check_channel(uint32_t channel, uint32_t channels, const char *file);

#endif
