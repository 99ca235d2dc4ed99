/* Sources of a data set: their factors, analysed once and kept in the set's folder, and their sound. */
#ifndef LAC_TOOLS_SYNTHSOURCE_H
#define LAC_TOOLS_SYNTHSOURCE_H

#include "factorload.h"
#include "manifest.h"
#include "sound.h"

#define LAC_SOURCE_REASON  300
#define LAC_SOURCE_LONGEST 600 /* seconds of a source that are used; content must not be longer */

/* One for each thread. */
typedef struct lac_synth_reader {
    const lac_factor_source *source;
    const lac_manifest *manifest;
    const char *cache; /* folder of factors */
    lac_factor_worker *worker;
} lac_synth_reader;

/* 0, or LAC_EXIT_FAILED after a message. To be closed in either case. */
int lac_synth_reader_open(lac_synth_reader *reader, const lac_factor_source *source, const lac_manifest *manifest,
                          const char *cache);
void lac_synth_reader_close(lac_synth_reader *reader);

/* The factors of a row of the manifest: 0, or -1 with a reason; set and row are to be freed in either case. */
int lac_synth_reader_factors(lac_synth_reader *reader, uint32_t row, lac_manifest_row *about, lac_factor_set *set,
                             char *reason);

/* Mono sound at the codec's rate appended, its first LAC_SOURCE_LONGEST seconds: 0, or -1 with a reason. */
int lac_synth_reader_sound(const lac_synth_reader *reader, const char *path, lac_sound *sound, char *reason);

#endif
