/* The prior of a model file: extension kind 2 of doc/model-format.md. */
#ifndef LAC_CODEC_PRIORFILE_H
#define LAC_CODEC_PRIORFILE_H

#include <stddef.h>
#include <stdint.h>

#include "weights.h"

#define LAC_PRIORFILE_VERSION 1

/* Validate all of the extension p [bytes], whose head has been, for a model's sizes; *w leads into it. 0, or
 * LAC_ERROR_FORMAT, _VERSION or _LIMIT, with *w undefined. */
int lac_priorfile_parse(lac_prior_weights *w, const lac_arch *a, const uint8_t *p, size_t bytes);

#endif
