/* The network's operations. These C functions are the definition; a faster one gives the same bits.
 *
 * Activations are float32 [frames][channels], row-major. */
#ifndef LAC_CORE_KERNELS_H
#define LAC_CORE_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#define LAC_ACT_MAX 4095  /* a quantised activation is in -4095 .. 4095 */
#define LAC_GEMM_MAX_K 4128 /* 4128 * 4095 * 127 is below 2^31 */

/* One row to 13 bits: m = max |x|; if m < 1e-20 all zero and *scale = 0; else q = round half away from zero of
 * x * (4095 / m), clamped, and *scale = m * (1 / 4095). Both factors are computed once, in float. Infinity and NaN,
 * which only a hostile model makes, count as FLT_MAX of their sign (a NaN's as positive). */
void lac_quantize_row(int16_t *q, float *scale, const float *x, size_t n);

/* out[m][n] = ((float)sum_k a[m][k] * w[n][k]) * a_scale[m] * w_scale[n] + bias[n], from left to right.
 *   out [M] rows of ldo floats, a [M][K], w [N][K] row-major, K <= LAC_GEMM_MAX_K
 *   threads: OpenMP threads over independent tiles */
void lac_gemm_s16s8(float *out, size_t ldo, const int16_t *a, const float *a_scale, const int8_t *w,
                    const float *w_scale, const float *bias, size_t M, size_t N, size_t K, unsigned threads);

/* out[t][c] = bias[c] + sum_j w[j][c] * in[t + j][c], j ascending.  in [T + k - 1][C], w [k][C], out [T][C]. */
void lac_depthwise(float *out, const float *in, const float *w, const float *bias, size_t T, size_t C, size_t k);

/* out = (x - mean) / sqrt(variance + 1e-5) over one row; sums as in fmath.h, variance of the centred values,
 * one reciprocal 1 / sqrtf(v) a row. out may be x. */
void lac_norm_row(float *out, const float *x, size_t n);

/* x = gelu(x), see lac_geluf. */
void lac_gelu(float *x, size_t n);

#endif
