/* A whole audio file through rate conversion into a sink. */
#ifndef LAC_TOOLS_AUDIOPUMP_H
#define LAC_TOOLS_AUDIOPUMP_H

#include <stdint.h>

#include "audioin.h"
#include "progress.h"
#include "resample.h"

typedef struct lac_audio_pump {
    lac_audio_in *in;
    uint32_t rate;          /* Hz, which the sink wants */
    lac_pcm_sink sink;      /* returns 0 or a status, with which all ends */
    void *user;             /* of the sink */
    lac_progress *progress; /* NULL: none is shown */
    int status;             /* what the sink ended with */
    uint64_t frames;        /* read, at the file's rate */
} lac_audio_pump;

/* Set in, rate, sink, user and progress, the rest zeros. 0, or LAC_EXIT_FAILED: after a message, or without one if
 * `status` says why. */
int lac_audio_pump_run(lac_audio_pump *pump);

#endif
