/* Tokens of one channel as a file: .lac, or audio that they are decoded to. */
#ifndef LAC_TOOLS_SOUNDOUT_H
#define LAC_TOOLS_SOUNDOUT_H

#include "audioout.h"

typedef struct lac_sound_out lac_sound_out;

typedef struct lac_sound_out_settings {
    const char *input;      /* the file read from, which is never overwritten */
    const lac_model *model; /* of the tokens */
    int lac;                /* a .lac file */
    uint32_t rate;          /* Hz of the sound */
    uint64_t samples;       /* that there will be, at `rate` */
    uint32_t codebooks;     /* of each frame */
    uint32_t threads;
    int force;              /* may replace a file */
    const lac_tag *tags;
    size_t tag_count;
} lac_sound_out_settings;

/* 1 if the ending of `path` is that of .lac files. */
int lac_sound_out_is_lac(const char *path);

/* 0, LAC_EXIT_USAGE or LAC_EXIT_FAILED after a message. */
int lac_sound_out_open(lac_sound_out **out, const char *path, const lac_sound_out_settings *settings);

/* The sink of render.h. 0, or a status after which only close is allowed; if a message was given already, it is the
 * one that lac_sound_out_reported tells. */
int lac_sound_out_write(void *out, const uint16_t *tokens, const uint8_t *codebooks, size_t frames);
int lac_sound_out_reported(const lac_sound_out *out);

/* Complete the file and close it; or, with keep 0, remove it. 0 or LAC_EXIT_FAILED after a message. */
int lac_sound_out_close(lac_sound_out **out, int keep);

#endif
