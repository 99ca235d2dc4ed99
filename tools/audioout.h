/* Float samples as an audio file: a format of libsndfile by the name's ending, headerless PCM, or WAV to a pipe.
 * Integer formats have 16 bits; samples are rounded to nearest and clipped to full scale. */
#ifndef LAC_TOOLS_AUDIOOUT_H
#define LAC_TOOLS_AUDIOOUT_H

#include <stddef.h>
#include <stdint.h>

#include "lac/stream.h"
#include "pcmformat.h"

typedef struct lac_audio_out lac_audio_out;

typedef struct lac_audio_out_settings {
    const char *input;        /* the file read from, which is never overwritten */
    uint32_t rate;            /* Hz */
    uint32_t channels;        /* 1 .. LAC_MAX_CHANNELS */
    uint64_t frames;          /* sample frames to come, UINT64_MAX if unknown */
    lac_pcm_format raw;       /* LAC_PCM_NONE: a file with a header */
    int force;                /* may replace a file */
    const lac_reader *reader; /* its tags are copied; NULL: none */
    const lac_tag *tags;      /* and these; of WAV to a pipe the COMMENT alone */
    size_t tag_count;
} lac_audio_out_settings;

/* 1 if the ending of `path` names a format that can be written. */
int lac_audio_out_knows(const char *path);

/* 0, LAC_EXIT_USAGE or LAC_EXIT_FAILED after a message. */
int lac_audio_out_open(lac_audio_out **out, const char *path, const lac_audio_out_settings *settings);

/* pcm[frames][channels]. 0 or LAC_EXIT_FAILED after a message. */
int lac_audio_out_write(lac_audio_out *out, const float *pcm, size_t frames);

/* Complete the file and close it; or, with keep 0, remove it. 0 or LAC_EXIT_FAILED after a message. */
int lac_audio_out_close(lac_audio_out **out, int keep);

#endif
