/* What `lac eval` compares: whole files as one channel, and the pairs of two folders. */
#ifndef LAC_TOOLS_EVALINPUT_H
#define LAC_TOOLS_EVALINPUT_H

#include <stddef.h>
#include <stdint.h>

typedef struct lac_clip {
    double *pcm;     /* [samples], the mean of the channels, finite */
    size_t samples;  /* a 40 ms frame or more */
    uint32_t rate;   /* Hz, 1000 .. 768000 */
} lac_clip;

/* All of a file, or of standard input ("-"): 0, or LAC_EXIT_FAILED after a message. */
int lac_clip_load(lac_clip *clip, const char *path);

/* At another rate, in place: 0, or LAC_EXIT_FAILED after a message that names `path`. */
int lac_clip_resample(lac_clip *clip, uint32_t rate, const char *path);

/* Harmless on a zeroed struct. */
void lac_clip_close(lac_clip *clip);

typedef struct lac_eval_pair {
    char *stem; /* file name without its extension */
    char *ref, *test;
} lac_eval_pair;

typedef struct lac_eval_pairs {
    lac_eval_pair *pair; /* in the order of the references' file names; test is NULL without a partner */
    size_t count;
    size_t partners; /* pairs with a test */
} lac_eval_pairs;

/* Audio files (by their extension) of two folders, by stem. Files of `tests` without a reference are passed over.
 * 0, or LAC_EXIT_FAILED after a message: unreadable, two files of one stem, no pair at all. */
int lac_eval_pairs_open(lac_eval_pairs *pairs, const char *refs, const char *tests);

/* Harmless on a zeroed struct. */
void lac_eval_pairs_close(lac_eval_pairs *pairs);

/* The part of a path after its last slash. */
const char *lac_base_name(const char *path);

#endif
