/* Where things stand in a model file, for those that read and write one. doc/model-format.md is normative. */
#ifndef LAC_CODEC_MODELLAYOUT_H
#define LAC_CODEC_MODELLAYOUT_H

#include <stddef.h>

#define LAC_MODEL_ALIGN 64
#define LAC_MODEL_HEADER_BYTES 64
#define LAC_MODEL_COUNT_AT 20 /* of tensors */
#define LAC_MODEL_LEVELS_AT 24 /* of a scalar quantiser */
#define LAC_MODEL_NAME_AT 64
#define LAC_MODEL_FIXED_AT 128
#define LAC_MODEL_QUANTISER_AT 140
#define LAC_MODEL_ARCH_AT 144
#define LAC_MODEL_CODEBOOKS_AT 156
#define LAC_MODEL_CODEWORDS_AT 160
#define LAC_MODEL_TABLE_AT 384
#define LAC_MODEL_ENTRY_BYTES 80
#define LAC_MODEL_ENTRY_NAME 40
#define LAC_MODEL_ENTRY_OFFSET 64
#define LAC_MODEL_ENTRY_SIZE 72
#define LAC_MODEL_EXTENSION_PREDICTOR 1u
#define LAC_MODEL_EXTENSION_PRIOR 2u

enum lac_dtype { LAC_INT8 = 1, LAC_INT16 = 2, LAC_FLOAT32 = 3 };

static inline size_t lac_model_align(size_t n)
{
    return (n + LAC_MODEL_ALIGN - 1) & ~(size_t)(LAC_MODEL_ALIGN - 1);
}

#endif
