/* One sized allocation, handed out in aligned pieces at open; nothing is freed one by one.
 *
 * Use twice with the same sequence of takes: first on a workspace of lac_workspace_measure() to learn the size, then
 * on one opened with it. All memory starts zeroed. All library allocation passes through lac_alloc, so that tests can
 * make the n-th one fail. */
#ifndef LAC_CORE_WORKSPACE_H
#define LAC_CORE_WORKSPACE_H

#include <stdbool.h>
#include <stddef.h>

#define LAC_ALIGN 64 /* bytes, of every piece */

typedef struct lac_workspace {
    unsigned char *base; /* NULL while measuring */
    size_t size;         /* bytes available */
    size_t used;         /* bytes taken, or that would have been */
    bool failed;         /* a take overflowed or did not fit */
} lac_workspace;

/* A workspace that only counts: take returns NULL, used grows. */
lac_workspace lac_workspace_measure(void);

/* Allocate `size` bytes, zeroed, aligned to LAC_ALIGN: 0 or LAC_ERROR_MEMORY. */
int lac_workspace_open(lac_workspace *w, size_t size);
void lac_workspace_close(lac_workspace *w);

/* count items of item_size bytes, or NULL when measuring or failed. */
void *lac_workspace_take(lac_workspace *w, size_t count, size_t item_size);

/* Point an object's members into w and fill them; also called with a w that only measures. 0 or a status. */
typedef int lac_lay_out(void *object, lac_workspace *w);

/* Open an object in one allocation with all that lay_out takes for it. `draft` [size] holds what it is made from and
 * begins with a lac_workspace, its own. Computes in the float mode of lac_float_enter. */
int lac_object_open(void **object, void *draft, size_t size, lac_lay_out *lay_out);

/* NULL is accepted. */
void lac_object_close(void *object);

/* Bytes allocated for it. */
size_t lac_object_bytes(const void *object);

/* Zeroed memory aligned to LAC_ALIGN, or NULL; freed by lac_free. */
void *lac_alloc(size_t size);
void lac_free(void *p);

/* Tests only: make the n-th lac_alloc from now fail (1 = the next), once; 0 turns that off. */
void lac_alloc_fail_at(size_t n);

#endif
