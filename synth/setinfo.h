/* What a data set's folder is of: its synth.json (doc/synthesis-data.md). */
#ifndef LAC_SYNTH_SETINFO_H
#define LAC_SYNTH_SETINFO_H

#include <stdint.h>

#include "cast.h"

#define LAC_SET_ID    17 /* bytes of an id as text */
#define LAC_SET_MODEL 33

typedef struct lac_set_info {
    char name[LAC_PLAN_NAME + 1];
    char plan_id[LAC_SET_ID]; /* of plan, manifest and seed */
    char codec[LAC_SET_MODEL], factors[LAC_SET_MODEL];
    char version[16]; /* of Lac */
    uint64_t count, shard_outputs;
    int kind, audio; /* enum lac_output_kind, lac_output_audio */
    uint32_t rate_hz;
    bool nemo, lhotse; /* manifests that are wanted */
} lac_set_info;

/* All but the models and the version. */
void lac_set_info_init(lac_set_info *set, const lac_plan *plan, const lac_manifest *manifest, const lac_cast *cast);

/* Shards that there are, and the name of one, NAME-000000. name [LAC_PLAN_NAME + 20] */
uint64_t lac_set_info_shards(const lac_set_info *set);
void lac_set_info_shard_name(const lac_set_info *set, uint64_t shard, char *name);

/* FOLDER/synth.json, which appears when it is complete; another process may write the same at once. 0, or -1 with a
 * reason [LAC_PLAN_REASON]. */
int lac_set_info_write(const lac_set_info *set, const char *folder, char *reason);

/* 0; 1 if there is none; -1 with a reason. */
int lac_set_info_read(lac_set_info *set, const char *folder, char *reason);

/* A reason why results of both can't be in one folder, or NULL. */
const char *lac_set_info_differs(const lac_set_info *a, const lac_set_info *b);

/* "tar", "flac": as in plans. */
const char *lac_set_info_kind_name(int kind);
const char *lac_set_info_audio_name(int audio);

#endif
