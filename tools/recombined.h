/* Factors of one utterance with those of others: what `lac recombine` makes, before it becomes sound. */
#ifndef LAC_TOOLS_RECOMBINED_H
#define LAC_TOOLS_RECOMBINED_H

#include "factorload.h"
#include "lac/recombine.h"
#include "lac/sampler.h"

/* Where a factor comes from. */
enum lac_part_origin { LAC_PART_SAME, LAC_PART_OTHER, LAC_PART_NEUTRAL, LAC_PART_SAMPLED };

typedef struct lac_part {
    enum lac_part_origin origin;
    const char *path;    /* of LAC_PART_OTHER */
    float weight;        /* 0 .. 1: how far towards it; negative: not told, all of it */
    lac_factors factors; /* that go into the mixture */
} lac_part;

typedef struct lac_recombined {
    /* What is asked. */
    lac_factor_source *source;         /* open */
    const char *path;                  /* of the content */
    lac_part part[LAC_FACTOR_KINDS];   /* by enum lac_factor_kind */
    lac_style_change change;           /* f0_median_hz 0: it goes with the speaker */
    lac_voice_settings voice;
    uint64_t seed;                     /* of what is sampled */
    uint32_t rate;                     /* Hz of the sound to be made */

    /* What is there. */
    lac_factor_set content, made;
    uint64_t samples;                  /* of the sound, at `rate` */
    float nearest_cosine;              /* of a sampled voice to the speakers that were given */
} lac_recombined;

/* Nothing changed, seed 0. */
void lac_recombined_init(lac_recombined *r, lac_factor_source *source);

const char *lac_part_name(enum lac_factor_kind kind);
const char *lac_part_origin_name(enum lac_part_origin origin);

/* `text` as the origin of a factor: a path, "neutral" or "sampled". 0, or LAC_EXIT_USAGE after a message if the
 * factor can't be that. */
int lac_part_parse(lac_recombined *r, enum lac_factor_kind kind, const char *text);

/* Is a source standard input? Twice it can't be: LAC_EXIT_USAGE. It is then made readable in parts. */
int lac_recombined_keep_stdin(const lac_recombined *r);

/* Nothing but OUT may be written: what lac_file_out_check says of each source. */
int lac_recombined_check_output(const lac_recombined *r, const char *output, int force);

/* All sources: 0, LAC_EXIT_CONCEALED or LAC_EXIT_FAILED after messages. */
int lac_recombined_load(lac_recombined *r, lac_progress *progress);

/* `made` and what follows it: 0, or LAC_EXIT_FAILED after a message. */
int lac_recombined_make(lac_recombined *r);

void lac_recombined_close(lac_recombined *r);

#endif
