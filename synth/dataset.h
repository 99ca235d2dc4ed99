/* A data set's folder as a whole: what synth.json says of it, and the journals of its shards one after the other
 * (doc/synthesis-data.md). */
#ifndef LAC_SYNTH_DATASET_H
#define LAC_SYNTH_DATASET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "journal.h"
#include "shard.h"

#define LAC_DATASET_NAME   60
#define LAC_DATASET_REASON 200

/* Output i is in shard i / shard_outputs, which is called NAME-000000, NAME-000001, ... */
typedef struct lac_dataset {
    char name[LAC_DATASET_NAME + 1];
    enum lac_shard_kind kind;
    uint64_t count;         /* outputs that are asked for, rejected ones included */
    uint64_t shard_outputs; /* of a shard; the last may have fewer */
    char plan_id[17];       /* of all that the outputs follow from */
    bool nemo, lhotse;      /* manifests to write */
} lac_dataset;

uint64_t lac_dataset_shards(const lac_dataset *set);

/* Outputs of a shard. */
uint64_t lac_dataset_outputs(const lac_dataset *set, uint64_t shard);

/* name [LAC_DATASET_NAME + 22] */
void lac_dataset_shard_name(const lac_dataset *set, uint64_t shard, char *name);

/* FOLDER/synth.json; reason [LAC_DATASET_REASON] names what is wrong. 0 or -1. */
int lac_dataset_read(lac_dataset *set, const char *folder, char *reason);

/* `more`, members of a JSON object ("\"models\":{...}"), or NULL, travels along. Written whole or not at all. 0 or -1. */
int lac_dataset_write(const lac_dataset *set, const char *folder, const char *more, char *reason);

/* Takes a whole line of a journal: its text without the newline, and what it says. Nonzero ends the walk. */
typedef int lac_dataset_take(void *user, uint64_t shard, const char *line, const lac_journal_entry *entry);

/* Every output there is, in order, of shards that are not complete too. What take ended with, or 0; -1 with a reason
 * if a journal is damaged. */
int lac_dataset_walk(const lac_dataset *set, const char *folder, lac_dataset_take *take, void *user, char *reason);

#endif
