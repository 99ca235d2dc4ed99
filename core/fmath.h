/* Elementary functions in float32 with one fixed order of operations: the same bits from every compiler and CPU.
 *
 * Only +, -, *, /, sqrtf (correctly rounded by IEEE 754), comparisons and integer operations; compiled with
 * -ffp-contract=off. Inputs are finite unless said otherwise. Sums of vectors run in LAC_LANES interleaved partial
 * sums, lane i taking elements i, i + 16, ..., and end in the fixed tree of lac_reduce16. */
#ifndef LAC_CORE_FMATH_H
#define LAC_CORE_FMATH_H

#include <stddef.h>
#include <stdint.h>

#define LAC_LANES 16

static inline float lac_expf(float x);            /* relative error below 3e-7; clamped to x in [-87, 88] */
static inline float lac_logf(float x);            /* x normal and positive; absolute error below 3e-7 * max(1, |log x|) */
static inline float lac_sin_turn(uint32_t phase); /* sin(2 pi phase / 2^32), absolute error below 2e-7, exact symmetry */
static inline float lac_cos_turn(uint32_t phase); /* of a quarter turn more */
static inline uint32_t lac_angle_turn(float y, float x); /* direction of (x, y) from (1, 0), in 2^-32 of a turn: error
                                                            below 3e-7 turns. 0 for (0, 0) and where a NaN or two
                                                            infinities leave none */
static inline float lac_sigmoidf(float x);        /* 1 / (1 + exp(-x)) */
static inline float lac_geluf(float x);           /* tanh form: x * sigmoid(2 sqrt(2 / pi) (x + 0.044715 x^3)) */

/* ((l0+l8)+(l4+l12)) + ((l2+l10)+(l6+l14)), plus the same of the odd lanes: pairs 8 apart, then 4, 2, 1. */
float lac_reduce16(const float lanes[LAC_LANES]);
static inline float lac_sum(const float *x, size_t n);

#include "fmath_inline.h"

/* sin and cos of 2 pi k / n in double, for tables; own polynomial, error below 1e-15. 0 <= k < n. */
void lac_sincos_table(uint32_t k, uint32_t n, double *s, double *c);

/* Save the floating-point environment and set rounding to nearest, denormals kept, exceptions masked; restore it.
 * Every API call that computes is bracketed by these. */
typedef struct lac_float_mode {
    uint64_t saved;
} lac_float_mode;

lac_float_mode lac_float_enter(void);
void lac_float_leave(lac_float_mode mode);

#endif
