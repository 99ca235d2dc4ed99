/* Latents of audio files, for `lac fit`: most to fit to, some held out to measure on. */
#ifndef LAC_TOOLS_FITCORPUS_H
#define LAC_TOOLS_FITCORPUS_H

#include <stddef.h>
#include <stdint.h>

#include "lac/encoder.h"
#include "lac/fit.h"
#include "lac/stream.h"

#define LAC_FIT_HELD_ROWS 32768 /* held out at most */

typedef struct lac_fit_corpus {
    const lac_model *model;
    lac_model_info info;
    uint32_t threads;
    lac_fit *fit;       /* takes the rows; not owned */
    lac_encoder *encoder[LAC_MAX_CHANNELS]; /* as many as were needed */
    uint16_t *tokens;   /* scratch */
    int16_t *latents;
    float *pcm;
    uint64_t frames;    /* latent frames so far */
    int16_t *held;      /* [LAC_FIT_HELD_ROWS][D] */
    uint32_t held_rows;
} lac_fit_corpus;

/* 0 or LAC_EXIT_FAILED after a message. The model must outlive the corpus. */
int lac_fit_corpus_open(lac_fit_corpus *corpus, const lac_model *model, uint32_t threads);

/* All channels of a file, each by itself: of its latents every tenth stretch of 2 seconds is held out, while there
 * is room. 0, or LAC_EXIT_FAILED after a message; what was read before the fault counts. */
int lac_fit_corpus_add(lac_fit_corpus *corpus, const char *path);

/* Harmless on a zeroed struct. */
void lac_fit_corpus_close(lac_fit_corpus *corpus);

#endif
