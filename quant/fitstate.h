/* What a fit consists of, for the files that share the work. */
#ifndef LAC_QUANT_FITSTATE_H
#define LAC_QUANT_FITSTATE_H

#include <stdbool.h>

#include "kmeans.h"
#include "lac/fit.h"
#include "quantiser.h"

struct lac_fit {
    lac_workspace memory;
    lac_fit_settings settings;
    bool warm;              /* there is a start */
    const int16_t *given;   /* it, while open runs; NULL: it comes later */
    const lac_fit_maps *given_maps;
    uint64_t seen;          /* rows taken */
    uint32_t kept, done;
    uint32_t left_stage;    /* what `left` is left for; any number above Q: nothing */
    lac_kmeans kmeans;
    int16_t *z, *left;      /* [rows][D]: kept; [rows][spread][D]: what the stages below left_stage leave of them,
                               of each row one to begin with */
    int16_t *codes, *start; /* [Q][K][D]; LAC_FIT_FSQ: into [Q][d][D], back [Q][d][D], bias [Q][D] */
    int32_t *half_norm;     /* [Q][K] */
    uint8_t *packed;        /* [Q] books */
    size_t packed_bytes;    /* of a book */
    uint16_t *tokens;       /* [rows][Q], for refinements */
    int64_t *counts, *sums; /* [K], [K][D]: moving averages of the stage in work */
    uint64_t *usage;        /* [Q][K], for reports */
    lac_fsq fsq;            /* LAC_FIT_FSQ; else no dimensions, and nothing of what follows */
    uint32_t slots;
    int32_t *thresholds;    /* [Q][d][slots] */
    int64_t *gram;          /* [threads]: sums of products */
    double *matrix;
};

/* The stage's codebook in fit->kmeans, to work on. */
lac_kmeans *lac_fit_stage_of(lac_fit *fit, uint32_t stage);

/* The best choices of one more stage, from fit->left of the stages below to that of one more. */
void lac_fit_spread(lac_fit *fit, uint32_t stage);

/* fit->left [rows][D] less the codewords assigned. */
void lac_fit_subtract(lac_fit *fit, size_t rows);

/* Make fit->left what the stages below `stage` leave. */
void lac_fit_leave(lac_fit *fit, uint32_t stage);

/* One pass over all stages together. */
void lac_fit_refine(lac_fit *fit);

lac_rvq lac_fit_rvq(const lac_fit *fit);

/* LAC_FIT_FSQ: the levels; what there is so far; memory for it, and its start; one stage's words subtracted from
 * fit->left, its tokens in fit->kmeans; a pass over a stage. */
lac_fsq lac_fit_fsq(const lac_fit_settings *s);
lac_rfsq lac_fit_rfsq(const lac_fit *fit);
void lac_fit_lay_maps(lac_fit *fit, lac_workspace *w);
void lac_fit_take(lac_fit *fit, uint32_t stage, size_t rows);
void lac_fit_scalar_pass(lac_fit *fit, uint32_t stage, uint32_t pass);

/* Values of fit->codes. */
size_t lac_fit_values(const lac_fit_settings *s);

bool lac_fit_settings_valid(const lac_fit_settings *s);

/* All of v [n] are latents. */
bool lac_fit_in_range(const int16_t *v, size_t n);

/* An object like the draft, whose settings, warm, given, rows and steps are set. */
int lac_fit_create(lac_fit **fit, lac_fit *draft);

#endif
