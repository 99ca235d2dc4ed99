/* The sound of factors as tokens, block by block: generator, search, and what an analyser hears of it. */
#ifndef LAC_TOOLS_RENDER_H
#define LAC_TOOLS_RENDER_H

#include "factorload.h"
#include "lac/generator.h"

typedef struct lac_render {
    const lac_factor_source *source;  /* open */
    const lac_factor_set *set;        /* what is to be heard */
    lac_generator_settings generator;
    uint32_t codebooks;               /* of each frame */
    uint64_t samples;                 /* of the sound, at the model's rate */
    /* Takes tokens [frames][Q], of row t the first codebooks[t]; in all as many frames as lac_writer_finish wants
     * for `samples`. 0 or a status, with which all ends. NULL: nobody takes them. */
    int (*sink)(void *user, const uint16_t *tokens, const uint8_t *codebooks, size_t frames);
    void *user;
    lac_progress *progress;           /* started */
    lac_factor_set *heard;            /* is filled with the factors of the tokens; NULL: not wanted */
} lac_render;

/* 0 or a status of lac/status.h, the sink's among them. */
int lac_render_run(const lac_render *render);

#endif
