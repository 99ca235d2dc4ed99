/* The folder of a data set. */
#ifndef LAC_TOOLS_SYNTHFOLDER_H
#define LAC_TOOLS_SYNTHFOLDER_H

#include "synthmake.h"

/* Make it, or check that it is this plan's and that what is there may be gone on with. `mine` tells which shards
 * this run has. *begun: it was there already. 0, or LAC_EXIT_FAILED after a message. */
int lac_synth_folder_open(const lac_synth *synth, bool resume, bool (*mine)(void *user, uint64_t shard), void *user,
                          bool *begun);

#endif
