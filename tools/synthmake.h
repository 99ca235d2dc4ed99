/* One output of a data set, from the draw to the bytes of its files. */
#ifndef LAC_TOOLS_SYNTHMAKE_H
#define LAC_TOOLS_SYNTHMAKE_H

#include "record.h"
#include "synthsource.h"

/* What all threads share while outputs are made. */
typedef struct lac_synth {
    lac_factor_source source;
    lac_plan plan;
    lac_manifest manifest;
    lac_cast cast;
    lac_set_info set;
    const char *folder;
    char *cache;                      /* FOLDER/factors */
    float (*avoid)[LAC_SPEAKER_SIZE]; /* real people, whom sampled voices must not meet */
    size_t avoid_count;
} lac_synth;

/* Generator, encoder, decoder, analyser; one for each thread. */
typedef struct lac_synth_worker lac_synth_worker;

/* What an output became. */
typedef struct lac_synth_output {
    char key[LAC_PLAN_NAME + 20];
    char *line;     /* the record */
    char *text;     /* that is said; NULL: not known */
    uint8_t *audio; /* NULL: rejected */
    size_t audio_size;
    double seconds;
    bool unsound; /* a source could not be read: another was taken, or it is rejected */
    char reason[LAC_RECORD_REASON]; /* which source */
} lac_synth_output;

/* 0, or LAC_EXIT_FAILED after a message. */
int lac_synth_worker_open(lac_synth_worker **worker, const lac_synth *synth);
void lac_synth_worker_close(lac_synth_worker **worker);

/* 0, also for one that is rejected; LAC_EXIT_FAILED after a message if it can't be told what becomes of it
 * (memory). *output is to be freed in either case. */
int lac_synth_worker_make(lac_synth_worker *worker, uint64_t index, lac_synth_output *output);

void lac_synth_output_free(lac_synth_output *output);

/* The voice that a seed gives, at the plan's distance from everybody. attribute [4], NAN: as it comes. 0 or a
 * status of lac_voice_sample. */
int lac_synth_sample(const lac_synth *synth, uint64_t seed, const double *attribute, lac_factors *voice,
                     float *cosine);

#endif
