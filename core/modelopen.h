/* Where the files of models lie, .lacm and .lacf, and their bytes: mapped where the system can, read otherwise. */
#ifndef LAC_CORE_MODELOPEN_H
#define LAC_CORE_MODELOPEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LAC_MODEL_PATH_SIZE 4096
#define LAC_MODEL_DEFAULT "speech24" /* where nothing is embedded */
#define LAC_MODEL_MAX_BYTES ((size_t)1 << 28)

/* A model compiled into a library; its table ends with a NULL name. */
typedef struct lac_embedded_model {
    const char *name;
    const unsigned char *begin, *end; /* begin is aligned to 64 bytes */
} lac_embedded_model;

typedef struct lac_model_bytes {
    const uint8_t *data; /* aligned to LAC_ALIGN */
    size_t size;
    void *mapping;       /* data if it is mapped, else NULL */
    void *owned;         /* data if it was allocated, else NULL */
} lac_model_bytes;

/* A regular file of 1 .. LAC_MODEL_MAX_BYTES bytes: 0 or LAC_ERROR_NOT_FOUND, _IO, _TRUNCATED (empty), _LIMIT,
 * _MEMORY. Release after success. */
int lac_model_bytes_read(lac_model_bytes *bytes, const char *path);

/* data as it is, or a copy where it is not aligned: 0 or LAC_ERROR_TRUNCATED (empty), _LIMIT, _MEMORY. */
int lac_model_bytes_take(lac_model_bytes *bytes, const void *data, size_t size);

/* By the rules of lac_model_open, of files name + ending. */
int lac_model_bytes_open(lac_model_bytes *bytes, const char *name, const char *ending,
                         const lac_embedded_model *embedded);

void lac_model_bytes_release(lac_model_bytes *bytes);

/* A file in the directories of models with this ending that fits: 0 or LAC_ERROR_NOT_FOUND. */
int lac_model_find(char path[LAC_MODEL_PATH_SIZE], const char *ending,
                   bool (*fits)(const char *path, const void *user), const void *user);

#endif
