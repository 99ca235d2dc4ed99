/* Arrays in NumPy's format (numpy.lib.format): magic, a header that is a Python dictionary, little-endian data in C
 * order. */
#ifndef LAC_TOOLS_NPYARRAY_H
#define LAC_TOOLS_NPYARRAY_H

#include <stddef.h>
#include <stdint.h>

#include "tokenset.h"

#define LAC_NPY_DIMENSIONS 3

typedef struct lac_npy_array {
    char kind;           /* of NumPy: 'u', 'i', 'f', 'c', 'b', 'U', 'S' */
    size_t item;         /* bytes: 1, 2, 4, 8 or 16; of 'U' any multiple of 4, of 'S' any */
    uint64_t shape[LAC_NPY_DIMENSIONS];
    unsigned dimensions; /* 0: one value */
    uint64_t count;      /* of items */
    const uint8_t *data; /* [count][item] */
} lac_npy_array;

/* The header of format 1.0 before an array: descr as "<u2", shape as "" (one value), "5," or "5, 2". */
void lac_npy_write_header(lac_token_bytes *out, const char *descr, const char *shape);

/* Little-endian. */
void lac_npy_put(lac_token_bytes *out, uint64_t value, size_t bytes);

/* Formats 1.0 to 3.0, all of `data`, which the array then points into. 0, or -1 with a reason: not such an array,
 * big-endian, Fortran order, more dimensions, not as many bytes as its shape says. reason [LAC_TOKENS_REASON] */
int lac_npy_open(lac_npy_array *a, const uint8_t *data, size_t size, char *reason);

/* Item `index` of any kind, its first 8 bytes as a little-endian number. */
uint64_t lac_npy_get(const lac_npy_array *a, uint64_t index);

#endif
