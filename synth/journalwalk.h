/* The journals of a data set's shards, one after the other. */
#ifndef LAC_SYNTH_JOURNALWALK_H
#define LAC_SYNTH_JOURNALWALK_H

#include <stdint.h>

#include "journal.h"
#include "setinfo.h"

/* Outputs of a shard: output i is in shard i / shard_outputs. */
uint64_t lac_journal_outputs(const lac_set_info *set, uint64_t shard);

/* Takes an output: what its line says, and the shard that holds it. Nonzero ends the walk. */
typedef int lac_journal_take(void *user, uint64_t shard, const lac_journal_entry *entry);

/* Every output there is, in order, of shards that are not complete too. What take ended with, or 0; -1 with a
 * reason [LAC_PLAN_REASON] if a journal is damaged. */
int lac_journal_walk(const lac_set_info *set, const char *folder, lac_journal_take *take, void *user, char *reason);

#endif
