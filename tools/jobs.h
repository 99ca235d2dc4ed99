/* Items worked on by several threads, whose results and messages come in the items' order. */
#ifndef LAC_TOOLS_JOBS_H
#define LAC_TOOLS_JOBS_H

#include <stddef.h>
#include <stdint.h>

typedef struct lac_jobs {
    size_t count;
    uint32_t threads; /* at least 1 */
    void *user;
    /* On the thread `worker`, 0 .. threads - 1: an exit status and, with 0 or LAC_EXIT_CONCEALED, *result. */
    int (*work)(void *user, uint32_t worker, size_t index, void **result);
    /* On the calling thread, in order, of every item: takes the result, NULL if there is none. Nonzero ends all. */
    int (*take)(void *user, size_t index, int status, void *result);
    /* A result that is not taken any more. */
    void (*drop)(void *result);
} lac_jobs;

/* What work reports (report.h) is printed when the item is taken. 0, what take ended with, or LAC_EXIT_FAILED after
 * a message. */
int lac_jobs_run(const lac_jobs *jobs);

/* Processors there are, at most 256. */
uint32_t lac_jobs_processors(void);

#endif
