/* One page of HTML about a data set, complete in itself: counts, distributions with the plan's thresholds, players.
 */
#ifndef LAC_SYNTH_REPORTPAGE_H
#define LAC_SYNTH_REPORTPAGE_H

#include "journalwalk.h"

/* FOLDER/report.html from synth.json, plan.yaml and the journals, whether or not all shards are there. Memory does
 * not grow with the number of outputs. reason [LAC_PLAN_REASON]. 0 or -1. */
int lac_reportpage_write(const char *folder, char *reason);

#endif
