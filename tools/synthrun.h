/* A data set: its folder, and its outputs made by several threads. */
#ifndef LAC_TOOLS_SYNTHRUN_H
#define LAC_TOOLS_SYNTHRUN_H

#include "synthmake.h"

typedef struct lac_synth_job {
    lac_synth synth;
    const char *plan, *manifest, *folder;
    uint32_t shard, shards; /* shard of shards; from 1 */
    bool resume;

    /* What this run did. */
    uint64_t outputs; /* that are this run's, made before or now */
    uint64_t found;   /* made before */
    uint64_t made, accepted;
    uint64_t unsound; /* that met a source which can't be read */
    double seconds;   /* of accepted sound, made now */
    double wall_s;
} lac_synth_job;

/* Plan, manifest, models: all that can be known without work. 0 or an exit status after messages. To be closed in
 * either case. */
int lac_synth_open(lac_synth_job *job);

/* The folder and the people whom sampled voices must not meet. 0 or an exit status after messages. */
int lac_synth_prepare(lac_synth_job *job);

/* Makes the outputs. 0, or LAC_EXIT_FAILED after messages: what is made stays, and can be gone on with. */
int lac_synth_run(lac_synth_job *job);

void lac_synth_close(lac_synth_job *job);

#endif
