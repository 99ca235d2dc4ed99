/* What the report page tells of a data set, gathered output by output in bounded memory. */
#ifndef LAC_SYNTH_REPORTSTATS_H
#define LAC_SYNTH_REPORTSTATS_H

#include <stdbool.h>
#include <stdint.h>

#include "journal.h"
#include "names.h"
#include "plan.h"

#define LAC_REPORT_BINS     1200
#define LAC_REPORT_PLAYERS  20
#define LAC_REPORT_WORST    10
#define LAC_REPORT_REJECTED 200
#define LAC_REPORT_NAMES    4000 /* different names that are counted one by one */

/* A number of the records: what it is called, where it stands, the range that bins cover, and the value that stands
 * for none. */
typedef struct lac_report_quantity {
    const char *title, *unit;
    const char *group, *subgroup, *name; /* record.group.subgroup.name; "": no such level */
    double low, high, none;
} lac_report_quantity;

enum lac_report_number {
    LAC_REPORT_DURATION,
    LAC_REPORT_COSINE,
    LAC_REPORT_DISTANCE,
    LAC_REPORT_SNR,
    LAC_REPORT_CLIPPED,
    LAC_REPORT_SILENT,
    LAC_REPORT_LEVEL,
    LAC_REPORT_F0,
    LAC_REPORT_NEAREST,
    LAC_REPORT_PITCH,
    LAC_REPORT_RANGE,
    LAC_REPORT_RATE,
    LAC_REPORT_T60,
    LAC_REPORT_NOISE,
    LAC_REPORT_BANDWIDTH,
    LAC_REPORT_ATTEMPTS,
    LAC_REPORT_NUMBERS
};

extern const lac_report_quantity lac_report_quantities[LAC_REPORT_NUMBERS];

typedef struct lac_report_histogram {
    uint64_t accepted[LAC_REPORT_BINS], rejected[LAC_REPORT_BINS];
    uint64_t count;
    double sum, least, most;
} lac_report_histogram;

/* How often each name was met; names beyond LAC_REPORT_NAMES only together. */
typedef struct lac_report_tally {
    lac_names names;
    uint64_t count[LAC_REPORT_NAMES];
    uint64_t others;
} lac_report_tally;

/* One output, and where its sound is. */
typedef struct lac_report_clip {
    uint64_t index, shard, from, end;
    char key[LAC_JOURNAL_KEY + 1], ending[9];
    char text[160], speaker[80], reason[160];
    double number[LAC_REPORT_NUMBERS]; /* NAN: not told */
    double order;                      /* which are kept: the smallest */
} lac_report_clip;

typedef struct lac_report_list {
    lac_report_clip *clip; /* [room], smallest order first */
    size_t count, room;
} lac_report_list;

typedef struct lac_report_stats {
    const lac_plan *plan;                      /* whose thresholds tell what is worst */
    uint64_t outputs, accepted, rejected, end; /* end: of the tar, after the last output */
    uint64_t shard;
    double seconds;
    lac_report_histogram histogram[LAC_REPORT_NUMBERS];
    lac_report_tally gates, speakers, kinds, effects, licences, terms, attributions;
    lac_report_list players, worst, refused;
} lac_report_stats;

/* NULL if memory ran out. `plan` is kept. */
lac_report_stats *lac_report_stats_open(const lac_plan *plan);

/* Outputs in order. */
void lac_report_stats_add(lac_report_stats *stats, uint64_t shard, const lac_journal_entry *entry);

void lac_report_stats_close(lac_report_stats *stats);

/* The plan's threshold of a number, NAN if it has none. */
double lac_report_threshold(const lac_plan *plan, enum lac_report_number number);

#endif
