/* What the licences of sources mean for what is made of them. A help for people, no legal advice
 * (doc/synthesis-data.md). Plain functions, for any number of threads. */
#ifndef LAC_SYNTH_LICENCE_H
#define LAC_SYNTH_LICENCE_H

#include <stdbool.h>
#include <stddef.h>

enum lac_licence_duty {
    LAC_LICENCE_ATTRIBUTION = 1, /* name the authors */
    LAC_LICENCE_SHARE_ALIKE = 2, /* under the same licence only */
    LAC_LICENCE_NON_COMMERCIAL = 4,
    LAC_LICENCE_NO_DERIVATIVES = 8, /* what is made of it must not be passed on */
    LAC_LICENCE_UNKNOWN = 16
};

typedef struct lac_licence {
    const char *name; /* SPDX's, where it has one; "unknown" */
    unsigned duties;  /* enum lac_licence_duty, added up */
} lac_licence;

/* The licence that a manifest's text tells: "CC BY 4.0 (LibriSpeech)", "CC0-1.0", "Public Domain". NULL and "" are
 * unknown. */
const lac_licence *lac_licence_find(const char *text);

#define LAC_LICENCE_NAME  640 /* all of them fit */
#define LAC_LICENCE_TERMS 400

/* What follows from all of them. */
typedef struct lac_licence_sum {
    char name[LAC_LICENCE_NAME];   /* an SPDX expression: "Apache-2.0 AND CC-BY-4.0"; "unknown" if one is */
    char terms[LAC_LICENCE_TERMS]; /* a sentence for each duty */
    unsigned duties;
} lac_licence_sum;

/* The order of the texts does not count. */
void lac_licence_add_up(lac_licence_sum *sum, const char *const *texts, size_t count);

/* Whether a text is of one of the licences `allowed`, each written as in the manifest or by its SPDX name. */
bool lac_licence_is_among(const char *text, char *const *allowed, size_t count);

#endif
