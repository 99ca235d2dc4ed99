/* Audio files as blocks of float samples: whatever libsndfile reads, or headerless PCM. */
#ifndef LAC_TOOLS_AUDIOIN_H
#define LAC_TOOLS_AUDIOIN_H

#include <stddef.h>
#include <stdint.h>

#include "options.h"
#include "tags.h"

typedef struct lac_audio_in lac_audio_in;

typedef struct lac_audio_in_info {
    const char *name;     /* for messages */
    uint32_t rate;        /* Hz, 1 .. LAC_MAX_RATE */
    uint32_t channels;    /* 1 .. LAC_MAX_CHANNELS */
    uint64_t frames;      /* expected, for progress only; UINT64_MAX if unknown */
    lac_tag_list tags;
} lac_audio_in_info;

/* `raw` NULL: the file has a header. A pipe is copied to a temporary file first unless it is raw, since libsndfile
 * seeks. 0 or LAC_EXIT_FAILED after a message. */
int lac_audio_in_open(lac_audio_in **in, const char *path, const lac_raw_input *raw);

/* Standard input, if it is a pipe, becomes a nameless file that holds all of it, so that "-" can be looked into and read
 * again. 0 or LAC_EXIT_FAILED after a message. */
int lac_audio_in_keep_stdin(void);

const lac_audio_in_info *lac_audio_in_get_info(const lac_audio_in *in);

/* Up to `capacity` sample frames to pcm[capacity][channels], full scale 1.0, finite, within 4.0; *frames is 0 at the
 * end. Raw input from a pipe gives what has arrived. 0 or LAC_EXIT_FAILED after a message. */
int lac_audio_in_read(lac_audio_in *in, float *pcm, size_t capacity, size_t *frames);

/* NULL and pointers to NULL are accepted. */
void lac_audio_in_close(lac_audio_in **in);

#endif
