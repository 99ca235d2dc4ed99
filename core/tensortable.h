/* What the files of models have in common, .lacm and .lacf (doc/model-format.md, doc/factor-format.md): header,
 * name, table of tensors, and the checks of all that. */
#ifndef LAC_CORE_TENSORTABLE_H
#define LAC_CORE_TENSORTABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lac/model.h"
#include "network.h"

#define LAC_MODEL_ALIGN 64
#define LAC_MODEL_HEADER_BYTES 64
#define LAC_MODEL_COUNT_AT 20 /* of tensors */
#define LAC_MODEL_NAME_AT 64
#define LAC_MODEL_TABLE_AT 384
#define LAC_MODEL_ENTRY_BYTES 80
#define LAC_MODEL_ENTRY_NAME 40
#define LAC_MODEL_ENTRY_OFFSET 64
#define LAC_MODEL_ENTRY_SIZE 72
#define LAC_MODEL_MAX_RANK 4
#define LAC_MODEL_MAX_FLOAT 1000.0f /* no weight is larger, so that no activation can overflow */
#define LAC_MODEL_MAX_WIDTH 1024    /* channels of a block */

#define LAC_SHAPE(...) ((const uint32_t[LAC_MODEL_MAX_RANK]){__VA_ARGS__}) /* zeros after the rank */

enum lac_dtype { LAC_INT8 = 1, LAC_INT16 = 2, LAC_FLOAT32 = 3, LAC_UINT8 = 4 };

static inline size_t lac_model_align(size_t n)
{
    return (n + LAC_MODEL_ALIGN - 1) & ~(size_t)(LAC_MODEL_ALIGN - 1);
}

bool lac_all_zero(const uint8_t *p, size_t n);

/* The CRC-32C at data + at is that of data[size], its own four bytes counted as zero. */
bool lac_crc_matches(const uint8_t *data, size_t size, size_t at);

/* *core = the bytes that the header counts, a multiple of LAC_MODEL_ALIGN from LAC_MODEL_TABLE_AT to size, their
 * checksum right: 0, or LAC_ERROR_FORMAT, _VERSION, _TRUNCATED, _LIMIT, _CHECKSUM. */
int lac_model_check_header(const uint8_t *data, size_t size, const char magic[4], uint32_t version, size_t *core);

/* The first bytes of a SHA-256. */
void lac_model_take_id(uint8_t id[LAC_MODEL_ID_SIZE], const uint8_t *data, size_t size);

int lac_model_read_name(char name[LAC_MODEL_NAME_SIZE], const uint8_t *p);

/* Walks the table of a core; the first failure sticks in status, and all that is taken after it is NULL. */
typedef struct lac_tensor_table {
    const uint8_t *data;
    size_t core;    /* bytes */
    uint32_t count; /* tensors the header promises */
    uint32_t next;  /* entry to read */
    size_t end;     /* of the tensors so far */
    int status;
} lac_tensor_table;

lac_tensor_table lac_tensor_table_begin(const uint8_t *data, size_t core);

/* The next tensor must be this one: where its values, all checked, lie. */
const void *lac_tensor_take(lac_tensor_table *t, const char *name, enum lac_dtype dtype,
                            const uint32_t shape[LAC_MODEL_MAX_RANK]);

/* "prefix.weight", "prefix.scale", "prefix.bias" */
void lac_tensor_take_linear(lac_tensor_table *t, const char *prefix, lac_linear *l, uint32_t in, uint32_t out);

/* The same of "prefix.0" .., one after the other. */
void lac_tensor_take_linears(lac_tensor_table *t, const char *prefix, lac_linear *l, uint32_t count, uint32_t in,
                             uint32_t out);

/* "prefix.0.depthwise.weight" .. */
void lac_tensor_take_blocks(lac_tensor_table *t, const char *prefix, lac_block *blocks, uint32_t count,
                            uint32_t width, uint32_t expand, uint32_t kernel);

/* Nothing may be left. The status. */
int lac_tensor_table_end(const lac_tensor_table *t);

#endif
