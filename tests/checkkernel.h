/* What the checks of the kernels share. One file for each family of operations: check_OP compares, bench_OP measures. */
#ifndef LAC_TESTS_CHECKKERNEL_H
#define LAC_TESTS_CHECKKERNEL_H

#include <stddef.h>
#include <stdint.h>

#include "kernels.h"

typedef void check_function(void); /* a kernel of any operation */

/* Compare `tested` with the C definition on what check_random gives; every difference goes to check_fail. */
#define CHECK_DECLARE(op)                                    \
    void check_##op(check_function *tested);                 \
    void bench_##op(const char *name, check_function *tested);
LAC_OPERATIONS(CHECK_DECLARE)
#undef CHECK_DECLARE

/* ---- buffers ---- */

#define CHECK_BYTES ((size_t)1 << 21) /* of the largest buffer */

/* Memory between two pages that fault when they are touched. The first lets what comes before a buffer be found, the
 * second what comes after. */
typedef enum check_side { CHECK_BEFORE, CHECK_AFTER, CHECK_SIDES } check_side;

/* Buffer `index` (0 .. 7) of `bytes`, at the page before it or ending at the page after it: aligned to what `bytes`
 * is a multiple of. Its contents are left from earlier uses. */
void *check_buffer(int index, size_t bytes, check_side side);

/* ---- random values ---- */

uint32_t check_random(uint32_t below);

/* Floats: `kind` 0 of normal size; 1 of all sizes, denormal ones too; 2 also zeros, infinities and NaN. */
#define CHECK_FLOAT_KINDS 3
void check_fill_floats(float *x, size_t n, int kind);

/* ---- results ---- */

/* The first few are printed. */
void check_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same bits, or both NaN. */
int check_same_floats(const float *a, const float *b, size_t n);

/* Seconds of the fastest of several runs of work(user), each of `count` calls. */
double check_seconds(void (*work)(void *user), void *user, int count);

/* A line of a benchmark: `rate` of `unit` at `shape`; kept for the C definition, and divided by it. */
void check_rate(const char *name, const char *shape, double rate, const char *unit);

/* Billions of int16 multiply-accumulates a second that the best of the processor's instructions reach, 0 if unknown. */
double check_peak(void);

#endif
