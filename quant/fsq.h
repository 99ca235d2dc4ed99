/* Finite scalar quantiser (Mentzer et al., "Finite scalar quantization: VQ-VAE made simple", arXiv 2309.15505).
 *
 * Each of a few dimensions is bounded by a tanh and rounded to one of its levels; a codeword is a choice of levels, so
 * no codebook is stored. Levels are counted from 0 here: level l stands for the integer l - floor(L / 2), which the
 * paper's code divides by floor(L / 2). The index of a codeword is the sum of its levels, each times the product of the
 * levels that the dimensions before it have: the first counts least.
 *
 * All float arithmetic is that of fmath.h: the same bits everywhere. */
#ifndef LAC_QUANT_FSQ_H
#define LAC_QUANT_FSQ_H

#include <stdint.h>

#define LAC_FSQ_MAX_DIMENSIONS 16
#define LAC_FSQ_MAX_LEVELS 64
#define LAC_FSQ_MAX_CODEWORDS (UINT32_C(1) << 31)

typedef struct lac_fsq {
    uint32_t dimensions;                    /* d */
    uint8_t levels[LAC_FSQ_MAX_DIMENSIONS]; /* [d]: L of each */
} lac_fsq;

/* The product of the levels, or 0 if something is out of range: 1 .. LAC_FSQ_MAX_DIMENSIONS dimensions of
 * 2 .. LAC_FSQ_MAX_LEVELS levels, at most LAC_FSQ_MAX_CODEWORDS in all. */
uint32_t lac_fsq_codewords(const lac_fsq *q);

/* The most thresholds that a dimension has. */
uint32_t lac_fsq_slots(const lac_fsq *q);

/* The paper's bound (section 3.1, appendix A.1): z, finite, -> a value whose nearest integer is that of its level. */
float lac_fsq_bound(float z, uint32_t levels);

/* The values of z at which the rounded bound changes: thresholds [levels - 1], ascending. The level of z is how many
 * of them are not above it. */
void lac_fsq_thresholds(uint32_t levels, float *thresholds);

/* z [d] -> level [d], by thresholds; a NaN has level 0. */
void lac_fsq_quantise(const lac_fsq *q, const float *z, uint8_t *level);

/* level [d], each below its L, <-> index below lac_fsq_codewords(q). Exact inverses. */
uint32_t lac_fsq_index(const lac_fsq *q, const uint8_t *level);
void lac_fsq_levels(const lac_fsq *q, uint32_t index, uint8_t *level);

/* level [d] -> the paper's code [d], -1 .. 1. */
void lac_fsq_code(const lac_fsq *q, const uint8_t *level, float *code);

#endif
