/* An accepted output as a line of the manifests that trainers read. NULL if memory ran out, or if the record lacks
 * "samples" and "rate_hz". The caller's to free. */
#ifndef LAC_SYNTH_TRAINERROWS_H
#define LAC_SYNTH_TRAINERROWS_H

#include <stdint.h>

#include "journal.h"

/* NeMo's manifest. shard is the shard_id of a tar; -1: none. */
char *lac_nemo_row(const lac_journal_entry *entry, int64_t shard);

/* Lhotse's MonoCut with its Recording and SupervisionSegment. tar: the file that holds it; NULL: none. */
char *lac_lhotse_row(const lac_journal_entry *entry, const char *tar);

#endif
