/* Where things stand in a .lacm file beside what all files of models have in common, for those that read and write
 * one. doc/model-format.md is normative. */
#ifndef LAC_CODEC_MODELLAYOUT_H
#define LAC_CODEC_MODELLAYOUT_H

#include "tensortable.h"

#define LAC_MODEL_LEVELS_AT 24 /* of a scalar quantiser */
#define LAC_MODEL_FIXED_AT 128
#define LAC_MODEL_QUANTISER_AT 140
#define LAC_MODEL_ARCH_AT 144
#define LAC_MODEL_CODEBOOKS_AT 156
#define LAC_MODEL_CODEWORDS_AT 160
#define LAC_MODEL_EXTENSION_PREDICTOR 1u
#define LAC_MODEL_EXTENSION_PRIOR 2u
#define LAC_MODEL_EXTENSION_METRIC 3u

#endif
