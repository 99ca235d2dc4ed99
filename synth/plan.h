/* A plan: what a data set is to be made of, as a YAML file (doc/synthesis-data.md).
 *
 * One table (plankeys.c) drives parser, defaults, ranges and messages. A plan is immutable once open; any number of
 * threads may read it. */
#ifndef LAC_SYNTH_PLAN_H
#define LAC_SYNTH_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "spread.h"

#define LAC_PLAN_REASON      600
#define LAC_PLAN_NAME        60  /* characters of its name, at most */
#define LAC_PLAN_KEYS        100 /* rows of the table, at most */
#define LAC_PLAN_MAX_OUTPUTS UINT64_C(999999999)

typedef struct lac_texts {
    char **item;
    size_t count;
} lac_texts;

/* A row fits if its field has one of the values. */
typedef struct lac_condition {
    char *field;
    lac_texts values;
} lac_condition;

/* A row fits if it fits all. */
typedef struct lac_where {
    lac_condition *item;
    size_t count;
} lac_where;

enum lac_balance { LAC_BALANCE_NONE, LAC_BALANCE_SPEAKER, LAC_BALANCE_TEXT };
enum lac_output_kind { LAC_OUTPUT_TAR, LAC_OUTPUT_FILES };
enum lac_output_audio { LAC_OUTPUT_WAV, LAC_OUTPUT_FLAC, LAC_OUTPUT_OPUS, LAC_OUTPUT_LAC };

/* How the factor is chosen, by weight. */
typedef struct lac_plan_factor {
    double same, neutral, seed, sampled;
    lac_where where;
} lac_plan_factor;

/* Something that happens to a share of the outputs. */
typedef struct lac_plan_effect {
    double probability;
    lac_spread amount, second;
} lac_plan_effect;

typedef struct lac_plan {
    char *name;
    uint64_t seed;
    uint64_t count; /* 0: by hours or multiply */
    double hours, multiply;
    struct {
        lac_where where;
        int balance; /* enum lac_balance */
        double untouched;
    } content;
    struct {
        double same, seed, sampled, mixed;
        lac_where where;
        double largest_cosine, spread;
        uint64_t voices;         /* sampled and mixed ones that there are; 0: each output has its own */
        lac_spread mix;          /* share of the second voice of a mixed one */
        lac_spread attribute[4]; /* enum lac_voice_attribute; count 0: as they are drawn */
    } speaker;
    struct {
        double same, seed;
        lac_where where;
        lac_spread weight, pitch_semitones, range, rate, energy_db;
    } style;
    lac_plan_factor environment, channel;
    struct {
        double noise; /* lac_generator_settings */
    } generator;
    struct {
        lac_plan_effect room, noise, babble, microphone, band, mulaw, opus, clip;
        lac_where noise_where;
        lac_texts noise_files;
        lac_spread voices;
    } simulate;
    struct {
        lac_texts never_speakers; /* those of the file too */
        char *never_speakers_file;
        char *consent_field;
        bool require_consent;
        lac_texts licences;
        uint64_t max_per_source; /* 0: any number */
    } constraints;
    struct {
        double speaker_cosine_min, content_distance_max, snr_db_min, clipped_share_max, silent_share_max;
        uint64_t attempts;
    } gates;
    struct {
        int kind;  /* enum lac_output_kind */
        int audio; /* enum lac_output_audio */
        uint64_t rate_hz, shard_outputs;
        lac_texts manifests;
    } output;

    char *path;     /* of the file, for messages; NULL: from memory */
    uint8_t *bytes; /* [size], the file as it is */
    size_t size;
    uint8_t hash[32];             /* SHA-256 of it and of what it names */
    uint32_t line[LAC_PLAN_KEYS]; /* where each key stands; 0: it is not given */
    void **kept;                  /* what is freed with it */
    size_t keeps;
} lac_plan;

/* 0, or -1 with a reason that names file, line and key; to be closed in either case. reason [LAC_PLAN_REASON] */
int lac_plan_open(lac_plan *plan, const char *path, char *reason);

/* The same of bytes; files that it names are not read. */
int lac_plan_parse(lac_plan *plan, const void *bytes, size_t size, const char *name, char *reason);

void lac_plan_close(lac_plan *plan);

/* Where a path that the plan gives leads: it is relative to the plan's folder. To be freed; NULL if out of memory.
 */
char *lac_plan_path(const lac_plan *plan, const char *path);

/* Write "FILE:LINE: KEY: text", the line that of the key, "speaker.same", or of the nearest above that is given.
 * -1. */
int lac_plan_fail(const lac_plan *plan, const char *key, char *reason, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
