/* What `lac fit` tells of its result. */
#ifndef LAC_TOOLS_FITREPORT_H
#define LAC_TOOLS_FITREPORT_H

#include "lac/fit.h"

typedef struct lac_fit_result {
    const char *model, *name;     /* fitted from; the new one's */
    uint8_t id[LAC_MODEL_ID_SIZE]; /* of the new one */
    uint64_t files, failed;
    double seconds;               /* of audio, all channels */
    uint64_t kept;                /* frames fitted to */
    int held_out;                 /* 1: measured on frames held out; 0: on those fitted to */
    lac_fit_report before, after; /* stages 0: there is none */
} lac_fit_result;

void lac_fit_result_print(const lac_fit_result *result);

/* 0 or LAC_EXIT_FAILED after a message. */
int lac_fit_result_print_json(const lac_fit_result *result);

#endif
