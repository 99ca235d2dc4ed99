/* Names, each with a number: 0, 1, ... in the order in which they were met. */
#ifndef LAC_SYNTH_NAMES_H
#define LAC_SYNTH_NAMES_H

#include <stdint.h>

#define LAC_NAMES_NONE UINT32_MAX

typedef struct lac_names {
    char **item; /* [count] */
    uint32_t count;
    uint32_t *slot; /* [room], number + 1, 0: free */
    uint32_t room;  /* a power of two */
} lac_names;

/* Its number, a new one if it was not there; LAC_NAMES_NONE if memory ran out. */
uint32_t lac_names_add(lac_names *names, const char *name);

/* LAC_NAMES_NONE if it is not there. */
uint32_t lac_names_find(const lac_names *names, const char *name);

/* Harmless on a zeroed struct. */
void lac_names_free(lac_names *names);

#endif
