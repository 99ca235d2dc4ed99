/* Where a decoded file was damaged. */
#ifndef LAC_TOOLS_CONCEALED_H
#define LAC_TOOLS_CONCEALED_H

#include <stdint.h>

#include "lac/stream.h"

#define LAC_CONCEALED_PLACES 8

typedef struct lac_concealed {
    uint64_t pages;                     /* damaged ones known so far */
    double at[LAC_CONCEALED_PLACES];    /* seconds where new ones were met */
    unsigned places;                    /* how many there were, also those that `at` has no room for */
} lac_concealed;

/* After a read that began at `seconds`. */
void lac_concealed_note(lac_concealed *concealed, const lac_reader *reader, double seconds);

/* Once all is read: LAC_EXIT_OK, or LAC_EXIT_CONCEALED after a message. */
int lac_concealed_report(const lac_concealed *concealed, const lac_reader *reader, const char *file);

#endif
