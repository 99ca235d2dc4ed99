/* Which rows of a manifest may serve as what under a plan. Immutable once open, for any number of threads.
 *
 * A row whose speaker is never to be used, whose consent is refused, or whose licence is not among the allowed ones
 * has no role at all, not even as noise. */
#ifndef LAC_SYNTH_CAST_H
#define LAC_SYNTH_CAST_H

#include "manifest.h"
#include "plan.h"

#define LAC_CAST_NOBODY UINT32_MAX

typedef struct lac_rows {
    uint32_t *item;
    uint32_t count;
} lac_rows;

/* Rows in groups, those of group g from start[g] on. */
typedef struct lac_grouped {
    uint32_t *row;   /* [start[groups]] */
    uint32_t *start; /* [groups + 1] */
    uint32_t groups;
} lac_grouped;

typedef struct lac_cast {
    lac_grouped content; /* one group without balance */
    lac_grouped voices;  /* by speaker; rows without one are not there */
    lac_rows styles, environments, channels, noises;
    lac_grouped people; /* all speakers that have a role: whom a sampled voice must not meet */
    uint32_t *speaker;  /* [rows]: number of the row's speaker, or LAC_CAST_NOBODY */
    uint32_t *voice_of; /* [speakers]: group of `voices`, or LAC_CAST_NOBODY */
    uint32_t rows, speakers;
    uint64_t count;   /* of outputs */
    double content_s; /* of all content, as far as told */
    /* Rows that the constraints keep out, and sources that are not there, with the first of them. */
    uint32_t never, refused, unlicensed, missing;
    char *missing_path;
} lac_cast;

/* 0, or -1 with a reason that names what contradicts; to be closed in either case. reason [LAC_PLAN_REASON] */
int lac_cast_open(lac_cast *cast, const lac_plan *plan, const lac_manifest *manifest, char *reason);

/* Harmless on a zeroed struct. */
void lac_cast_close(lac_cast *cast);

#endif
