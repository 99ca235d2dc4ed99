/* Shards, made by whatever machines, as one data set: checked to the last byte, with manifests over all of them. */
#ifndef LAC_SYNTH_MERGE_H
#define LAC_SYNTH_MERGE_H

#include <stdbool.h>
#include <stdint.h>

#include "journalwalk.h"

typedef struct lac_merge {
    const char *folder;
    bool write; /* false: check only */
    /* Takes a line about something that is wrong, without a newline; all of them are told. */
    void (*problem)(void *user, const char *text);
    void *user;
    char reason[LAC_PLAN_REASON]; /* why it could not be done */

    /* Results. */
    uint64_t outputs, accepted, rejected;
    uint64_t duplicates; /* accepted ones whose tokens an earlier one has: no damage; 20 are told of */
    uint64_t problems;   /* shards, lines or bytes that are missing or damaged */
    double seconds;      /* of sound that is accepted */
} lac_merge;

/* Reads all shards of synth.json. Without a problem, and if asked to, writes in `folder`
 *   NAME.jsonl        every record; of a tar with "shard", the file that holds it
 *   rejected.jsonl    those that were rejected
 *   NAME.nemo.jsonl   NeMo's manifest; of tars also nemo/manifest_0.json, ... with links nemo/audio_0.tar, ...
 *   NAME.cuts.jsonl   Lhotse's cuts, paths relative to `folder`
 *   shards.sha256     of tars and journals, as sha256sum checks them
 * Memory: 16 bytes an output, and one record. 0, also with problems; -1 with a reason. */
int lac_merge_run(lac_merge *merge);

#endif
