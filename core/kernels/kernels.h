/* The operations that a processor's vector instructions make fast.
 *
 * The C functions (*_c.c and the *_body.h that they include) are the definition; every other gives the same bits. A model chooses its
 * functions once, when it is opened; encoders and decoders call through its lac_kernels.
 *
 * Activations are float32 [frames][channels], row-major. Pointers need no more than their type's alignment. */
#ifndef LAC_CORE_KERNELS_H
#define LAC_CORE_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#include "fft.h"

#define LAC_ACT_MAX 4095    /* a quantised activation is in -4095 .. 4095 */
#define LAC_GEMM_MAX_K 4128 /* 4128 * 4095 * 127 is below 2^31 */
#define LAC_MAX_BANDS 512   /* pitch classes */
#define LAC_GEMM_PANEL 16   /* outputs whose weights are packed together */
#define LAC_CODE_PANEL 16   /* codewords that are packed together */
#if defined(__aarch64__)
#define LAC_GEMM_GROUP 4 /* inputs of one output whose weights are neighbours: what sdot sums */
#define LAC_GEMM_PAD 8   /* zeros make the packed inputs a multiple of this */
#else
#define LAC_GEMM_GROUP 2
#define LAC_GEMM_PAD 4
#endif

/* Matrix product: weights int8, a scale an output, bias; both NULL where only dot_s16s8 uses it. */
typedef struct lac_linear {
    uint32_t in, out;      /* K <= LAC_GEMM_MAX_K, N */
    const int8_t *weight;  /* [N][K], -127 .. 127 */
    const float *scale;    /* [N] */
    const float *bias;     /* [N] */
    const uint8_t *packed; /* by lac_linear_pack, for kernels with `packed` set; else NULL */
} lac_linear;

/* out[m][n] = ((float)sum_k a[m][k] * w[n][k]) * a_scale[m] * w.scale[n] + w.bias[n], from left to right, for the
 * outputs n in [first, end); `first` is a multiple of LAC_GEMM_PANEL.
 *   out [M] rows of ldo floats, a [M][K] */
typedef void lac_gemm_s16s8_fn(float *out, size_t ldo, const int16_t *a, const float *a_scale, const lac_linear *w,
                               size_t first, size_t end, size_t M);

/* out[n] = sum_k a[k] * w[n][k] for all outputs.  out [N], a [K] in -LAC_ACT_MAX .. LAC_ACT_MAX */
typedef void lac_dot_s16s8_fn(int32_t *out, const int16_t *a, const lac_linear *w);

/* out[i] = floor(sum_t sums[t][i] * multipliers[t][i] / 2^32) + biases[i], clamped to -limit .. limit - 1: fixed point.
 *   sums, multipliers  [terms][n], terms 1 or 2; sums below 2^30, multipliers >= 0, biases within +-2^29 */
typedef void lac_scale_sums_fn(int32_t *out, const int32_t *sums, const int32_t *multipliers, const int32_t *biases,
                               size_t n, size_t terms, int32_t limit);

/* One row to 13 bits: m = max |x|; if m < 1e-20 all zero and *scale = 0; else q = round half away from zero of
 * x * (4095 / m), clamped, and *scale = m * (1 / 4095). Both factors are computed once, in float. Infinity and NaN,
 * which only a hostile model makes, count as FLT_MAX of their sign (a NaN's as positive). */
typedef void lac_quantize_row_fn(int16_t *q, float *scale, const float *x, size_t n);

/* out[t][c] = bias[c] + sum_j w[j][c] * in[t + j][c], j ascending.  in [T + k - 1][C], w [k][C], out [T][C]. */
typedef void lac_depthwise_fn(float *out, const float *in, const float *w, const float *bias, size_t T, size_t C,
                              size_t k);

/* out = (x - mean) / sqrt(variance + 1e-5) over one row; sums as in fmath.h, variance of the centred values,
 * one reciprocal 1 / sqrtf(v) a row. out may be x. */
typedef void lac_norm_row_fn(float *out, const float *x, size_t n);

/* x = gelu(x), see lac_geluf. */
typedef void lac_gelu_fn(float *x, size_t n);

/* Real samples in [n] -> spectrum out [2][n / 2 + 1], real parts, then imaginary ones, unscaled:
 * out[k] = sum in[t] exp(-2 pi i k t / n). The order of operations is that of doc/arithmetic.md. */
typedef void lac_fft_forward_fn(const lac_fft *plan, const float *in, float *out, float *scratch);

/* in [2][n / 2 + 1] -> out [n] real, scaled by 1 / n: undoes forward. The imaginary parts of bins 0 and n / 2 count
 * as 0. */
typedef void lac_fft_inverse_fn(const lac_fft *plan, const float *in, float *out, float *scratch);

/* What the encoder's network sees of a spectrum [2][bins]: out [3][bins] = real and imaginary parts times
 * power^-0.35, log power. */
typedef void lac_compress_spectrum_fn(float *out, const float *spectrum, size_t bins);

/* out[c] = sum_k gains[k] * rows[k][c], k ascending, from 0.  rows [count][width]. */
typedef void lac_mix_rows_fn(float *out, const float *gains, const float *rows, size_t count, size_t width);

/* The decoder's spectrum of both sources and the rest, into pulses [2][bins]; noise [2][bins]; rows [5][bins]: log
 * gains of pulses and of noise, log magnitude and direction (re, im) of the rest. */
typedef void lac_shape_spectrum_fn(float *pulses, const float *noise, const float *rows, size_t bins);

/* For h = 2 .. harmonics, averaged over classes p of the fundamental: what the h-th harmonic's phase is ahead of h times
 * the fundamental's, as a vector out[h - 2] = (re, im); doc/model-format.md has the formula.
 *   re, im  [harmonics][P]: the bins `at` of the periodicity window's transform, zeros appended to twice its length
 *   curve   [P]: three times the periodicity;  P at most LAC_MAX_BANDS */
typedef void lac_align_harmonics_fn(float *out, const float *re, const float *im, const float *curve,
                                    const int32_t *at, size_t P, size_t harmonics);

/* Sums of cosines, phases in 2^-32 of a turn. */
typedef struct lac_pulse_train {
    uint32_t harmonics;  /* K >= L */
    uint32_t leading;    /* L */
    const uint32_t *lead; /* [L - 1]: what harmonics 2 .. L are ahead at the sample before the first */
    const uint32_t *step; /* [L - 1]: how that grows a sample */
    float scale;
} lac_pulse_train;

/* out[i] = scale * (sum of K cosines of equal size at phase[i], the first L by themselves, with their leads, the
 * others as a difference of Dirichlet kernels); doc/synthesis.md has the order of operations. */
typedef void lac_pulses_fn(float *out, const uint32_t *phase, size_t n, const lac_pulse_train *train);

/* out[i] = lac_noise(first + i) */
typedef void lac_noise_fn(float *out, uint64_t first, size_t n);

/* A stage of a residual quantiser. All values are in -4095 .. 4095, so that its sums are exact in int32. */
typedef struct lac_codebook {
    uint32_t codewords, dimension; /* K <= 65536, D <= 64 */
    const int16_t *codes;          /* [K][D] */
    const int32_t *half_norm;      /* [K]: sum(code[k]^2) >> 1 */
    const uint8_t *packed;         /* by lac_codebook_pack, for all kernels but the C one */
} lac_codebook;

/* tokens[i] = the k with the largest sum_d rows[i][d] * codes[k][d] - half_norm[k], the lowest among equals.
 *   rows [count] pointers to [D] */
typedef void lac_nearest_fn(uint16_t *tokens, const int16_t *const *rows, size_t count, const lac_codebook *book);

/* All that `nearest` compares: scores[i][k], and in tops[i][l] the largest of them with k % LAC_CODE_PANEL == l.
 *   scores [count][K rounded up to LAC_CODE_PANEL]: INT32_MIN where there is no codeword
 *   tops   [count][LAC_CODE_PANEL]
 *   rows   [count] pointers to [D] */
typedef void lac_scores_fn(int32_t *scores, int32_t *tops, const int16_t *const *rows, size_t count,
                           const lac_codebook *book);

/* SHA-256's state h after `blocks` more blocks of 64 bytes. */
typedef void lac_sha256_blocks_fn(uint32_t h[8], const uint8_t *data, size_t blocks);

/* Every operation OP: its type lac_OP_fn, its member of lac_kernels, its functions lac_OP_c, lac_OP_avx2 .. */
#define LAC_OPERATIONS(X) \
    X(gemm_s16s8)         \
    X(dot_s16s8)          \
    X(scale_sums)         \
    X(quantize_row)       \
    X(depthwise)          \
    X(norm_row)           \
    X(gelu)               \
    X(fft_forward)        \
    X(fft_inverse)        \
    X(compress_spectrum)  \
    X(mix_rows)           \
    X(align_harmonics)    \
    X(shape_spectrum)     \
    X(pulses)             \
    X(noise)              \
    X(nearest)            \
    X(scores)             \
    X(sha256_blocks)

enum lac_operation {
#define LAC_INDEX(op) LAC_OPERATION_##op,
    LAC_OPERATIONS(LAC_INDEX)
#undef LAC_INDEX
    LAC_OPERATION_COUNT
};

#define LAC_DECLARE(op)                                                                                          \
    lac_##op##_fn lac_##op##_c, lac_##op##_avx2, lac_##op##_avx512, lac_##op##_avx512vnni, lac_##op##_neon,       \
        lac_##op##_neondot, lac_##op##_simd128, lac_##op##_shani, lac_##op##_neonsha2;
LAC_OPERATIONS(LAC_DECLARE)
#undef LAC_DECLARE

/* The functions in use. */
typedef struct lac_kernels {
#define LAC_MEMBER(op) lac_##op##_fn *op;
    LAC_OPERATIONS(LAC_MEMBER)
#undef LAC_MEMBER
    int packed;                            /* gemm_s16s8, dot_s16s8, nearest and scores read packed weights and codes */
    const char *names[LAC_OPERATION_COUNT]; /* "gemm_s16s8_avx2" .. */
} lac_kernels;

/* For each operation the first function of its table that needs no more than `flags` (cpu.h). */
void lac_kernels_choose(lac_kernels *kernels, uint32_t flags);

/* The table of one operation, best first: the last, without flags, is the C definition. For tests. */
typedef struct lac_kernel_entry {
    const char *name;
    void (*function)(void); /* cast to lac_OP_fn to call */
    uint32_t flags;         /* what it needs */
} lac_kernel_entry;

const lac_kernel_entry *lac_kernels_table(enum lac_operation operation, size_t *count);

/* ---- matrix products ---- */

/* A panel of LAC_GEMM_PANEL outputs is packed as their scales, their biases, then [K / LAC_GEMM_GROUP][outputs]
 * [LAC_GEMM_GROUP] weights, with zeros where the matrix ends, K rounded up to a multiple of LAC_GEMM_PAD. It stands at
 * a multiple of 64 bytes. All kernels but the C one read this layout. */
size_t lac_linear_panel_bytes(size_t in);
size_t lac_linear_packed_bytes(const lac_linear *l);

/* l->packed = to [lac_linear_packed_bytes], aligned to 64 bytes, filled. */
void lac_linear_pack(lac_linear *l, uint8_t *to);

/* Outputs [first, first + count) of l as a layer; `first` is a multiple of LAC_GEMM_PANEL. */
lac_linear lac_linear_part(const lac_linear *l, uint32_t first, uint32_t count);

/* kernels->gemm_s16s8 of all outputs, over `threads` threads. */
void lac_gemm(const lac_kernels *kernels, float *out, size_t ldo, const int16_t *a, const float *a_scale,
              const lac_linear *w, size_t M, unsigned threads);

/* ---- codebooks ---- */

/* A panel of LAC_CODE_PANEL codewords is packed as what their scores begin with, -half_norm, then
 * [ceil(D / 2)][codewords][2] elements, zeros where the book ends, where scores begin with INT32_MIN. All kernels but
 * the C one read this layout. */
size_t lac_codebook_panel_bytes(size_t dimension);
size_t lac_codebook_packed_bytes(const lac_codebook *book);

/* book->packed = to [lac_codebook_packed_bytes], filled. */
void lac_codebook_pack(lac_codebook *book, uint8_t *to);

/* ---- SHA-256 ---- */

extern const uint32_t lac_sha256_constants[64]; /* of the rounds */

#endif
