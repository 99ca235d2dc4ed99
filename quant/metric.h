/* A metric of latents: what a quantiser's search takes for an error. A residual r counts as |A r|^2, where A [D][D] is
 * int16 in 1 / LAC_METRIC_ONE; so nearest words are those that are nearest after A, and whatever searches need not
 * know of it. */
#ifndef LAC_QUANT_METRIC_H
#define LAC_QUANT_METRIC_H

#include <stddef.h>
#include <stdint.h>

#define LAC_METRIC_ONE 1024

/* out [rows][D] = A z, z [rows][D]: each sum / LAC_METRIC_ONE rounded to the nearest, halves upwards, and clamped to
 * -4095 .. 4095. Elements of A and z are in -4095 .. 4095, D <= 64. out is neither of the others. */
void lac_metric_apply(int16_t *restrict out, const int16_t *metric, const int16_t *z, size_t rows, size_t dimension);

#endif
