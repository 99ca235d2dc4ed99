/* The record of an output: one JSON object, its line in the journal and its .json member (doc/synthesis-data.md).
 */
#ifndef LAC_SYNTH_RECORD_H
#define LAC_SYNTH_RECORD_H

#include "draw.h"
#include "gate.h"
#include "setinfo.h"
#include "simulate.h"

#define LAC_RECORD_SOURCES 20
#define LAC_RECORD_REASON  300

typedef struct lac_record_source {
    const char *factor;             /* "content", "speaker", ... */
    char *path, *speaker, *licence; /* as in the manifest, NULL: not told; freed with the record */
    double weight;
} lac_record_source;

typedef struct lac_record {
    const lac_plan *plan;
    const lac_set_info *set;
    lac_draw draw; /* of the last attempt */
    uint32_t attempts;
    char key[LAC_PLAN_NAME + 20];
    char speaker[256]; /* of the output; "": not known */
    lac_manifest_row content;
    lac_record_source source[LAC_RECORD_SOURCES];
    size_t sources;
    lac_gate_scores scores;
    double f0_median_hz, nearest_cosine; /* of the voice; NAN: not known */
    lac_simulated simulated;
    uint32_t rate;
    uint64_t samples;
    uint8_t token_hash[8];
    cJSON *failures;                /* reasons of the attempts before the last; an array, NULL: none */
    char reason[LAC_RECORD_REASON]; /* of a rejected one; "": accepted */
} lac_record;

/* NAME-000000017 */
void lac_record_key(char *key, const lac_plan *plan, uint64_t index);

/* Add what a row gives. 0, or -1 if memory runs out. */
int lac_record_add_source(lac_record *record, const char *factor, const lac_manifest_row *row, double weight);

/* All but the content. */
void lac_record_clear_sources(lac_record *record);

/* A line without its newline, to be freed; NULL if memory ran out. The same record gives the same bytes. */
char *lac_record_print(const lac_record *record);

/* The reason becomes one of the failures. 0, or -1 if memory ran out. */
int lac_record_add_failure(lac_record *record);

/* Sources, row and failures. */
void lac_record_free(lac_record *record);

#endif
