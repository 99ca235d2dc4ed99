/* The sound of an output as a browser plays it. */
#ifndef LAC_SYNTH_REPORTSOUND_H
#define LAC_SYNTH_REPORTSOUND_H

#include <stddef.h>
#include <stdint.h>

#include "lac/model.h"
#include "reportstats.h"
#include "setinfo.h"

typedef struct lac_report_sounds {
    const lac_set_info *set;
    const char *folder;
    lac_model *model; /* of the first .lac; to be closed with the last */
} lac_report_sounds;

/* malloc'ed bytes [*size] of a file, and their MIME type: as they are in the shard, or, of .lac, decoded and as
 * FLAC. NULL if they can't be read, or exceed `most`. */
uint8_t *lac_report_sound(lac_report_sounds *sounds, const lac_report_clip *clip, size_t most, size_t *size,
                          const char **type);

#endif
