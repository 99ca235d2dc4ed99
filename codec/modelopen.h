/* Where model files lie, and their bytes: mapped where the system can, read otherwise. */
#ifndef LAC_CODEC_MODELOPEN_H
#define LAC_CODEC_MODELOPEN_H

#include <stddef.h>
#include <stdint.h>

#define LAC_MODEL_PATH_SIZE 4096
#define LAC_MODEL_DEFAULT "speech24" /* where nothing is embedded */

typedef struct lac_model_bytes {
    const uint8_t *data; /* aligned to LAC_ALIGN */
    size_t size;
    void *mapping;       /* data if it is mapped, else NULL */
    void *owned;         /* data if it was allocated, else NULL */
} lac_model_bytes;

/* A regular file of 1 .. LAC_MODEL_MAX_BYTES bytes: 0 or LAC_ERROR_NOT_FOUND, _IO, _TRUNCATED (empty), _LIMIT,
 * _MEMORY. Release after success. */
int lac_model_bytes_read(lac_model_bytes *bytes, const char *path);
void lac_model_bytes_release(lac_model_bytes *bytes);

/* The file that `name` means, embedded models apart, by the rules of lac_model_open: 0 or LAC_ERROR_NOT_FOUND. */
int lac_model_find(char path[LAC_MODEL_PATH_SIZE], const char *name);

/* A file *.lacm in the directories of models whose id begins with id [bytes]: 0 or LAC_ERROR_NOT_FOUND. */
int lac_model_find_id(char path[LAC_MODEL_PATH_SIZE], const uint8_t *id, size_t bytes);

#endif
