/* The keys of a plan. */
#ifndef LAC_SYNTH_PLANKEYS_H
#define LAC_SYNTH_PLANKEYS_H

#include "plan.h"

enum lac_plan_type {
    LAC_PLAN_GROUP,  /* keys of its own below */
    LAC_PLAN_TEXT,   /* char * */
    LAC_PLAN_COUNT,  /* uint64_t */
    LAC_PLAN_REAL,   /* double */
    LAC_PLAN_SPREAD, /* lac_spread */
    LAC_PLAN_FLAG,   /* bool */
    LAC_PLAN_WORD,   /* int: one of `words`, counted from 0 */
    LAC_PLAN_TEXTS,  /* lac_texts */
    LAC_PLAN_WHERE   /* lac_where */
};

typedef struct lac_plan_key {
    const char *name; /* with the groups it is in: "speaker.same" */
    enum lac_plan_type type;
    size_t offset;     /* in lac_plan */
    double low, high;  /* of numbers */
    double preset;     /* of numbers; NAN: a spread with nothing to draw */
    const char *words; /* "none|speaker|text"; of texts: what they may be, NULL: anything */
} lac_plan_key;

extern const lac_plan_key lac_plan_keys[];
extern const size_t lac_plan_key_count;

/* Index, or -1. */
int lac_plan_key_find(const char *name);

/* What the values say together: 0, or -1 with a reason. */
int lac_plan_check(lac_plan *plan, char *reason);

#endif
