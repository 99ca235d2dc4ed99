/* The float operations, included by float_c.c and, for other instructions, by float_SET.c: one text, compiled for
 * each, so that only the compiler's choice of instructions differs. Loops are written in LAC_LANES lanes, which every
 * compiler turns into vectors; nothing is contracted or reassociated.
 *
 * The includer defines LAC_KERNEL(op), the name of its function. */
#ifndef LAC_CORE_FLOAT_BODY_H
#define LAC_CORE_FLOAT_BODY_H

#include <math.h>

#include "fmath.h"
#include "kernels.h"

/* ---- quantisation ---- */

static inline int32_t magnitude_bits(float x)
{
    return (int32_t)(lac_float_bits(x) & 0x7fffffffu);
}

/* Largest |x|, where infinity and NaN count as FLT_MAX. Magnitudes order like their bits, and a maximum of integers
 * vectorises. */
static float max_magnitude(const float *x, size_t n)
{
    int32_t m = 0;
    for (size_t i = 0; i < n; i++) {
        int32_t bits = magnitude_bits(x[i]);
        m = bits > m ? bits : m;
    }
    return lac_bits_float(m < 0x7f7fffff ? (uint32_t)m : 0x7f7fffffu);
}

/* v rounded half away from zero, at most LAC_ACT_MAX in magnitude. Clamped as an integer: that vectorises, and clamps
 * infinity and NaN too, so that the conversions are always defined. */
static inline int32_t round_activation(float v)
{
    const int32_t limit = 0x457ff000; /* 4095.0f */
    int32_t bits = magnitude_bits(v);
    uint32_t sign = v < 0 ? 0x80000000u : 0;
    float clamped = lac_bits_float((uint32_t)(bits < limit ? bits : limit) | sign);
    int32_t whole = (int32_t)clamped;
    float rest = clamped - (float)whole;
    return whole + (int32_t)(rest + rest);
}

void LAC_KERNEL(quantize_row)(int16_t *q, float *scale, const float *x, size_t n)
{
    float m = max_magnitude(x, n);
    if (m < 1e-20f) {
        for (size_t i = 0; i < n; i++)
            q[i] = 0;
        *scale = 0;
        return;
    }
    float factor = (float)LAC_ACT_MAX / m;
    for (size_t i = 0; i < n; i++)
        q[i] = (int16_t)round_activation(x[i] * factor);
    *scale = m * (1.0f / LAC_ACT_MAX);
}

/* ---- rows ---- */

/* As lac_sum. */
static inline float sum_of_squares(const float *x, size_t n)
{
    float lanes[LAC_LANES] = {0};
    size_t t = 0;
    for (; t + LAC_LANES <= n; t += LAC_LANES)
        for (size_t i = 0; i < LAC_LANES; i++)
            lanes[i] += x[t + i] * x[t + i];
    for (size_t i = 0; t + i < n; i++)
        lanes[i] += x[t + i] * x[t + i];
    return lac_reduce16(lanes);
}

void LAC_KERNEL(depthwise)(float *out, const float *in, const float *w, const float *bias, size_t T, size_t C, size_t k)
{
    for (size_t t = 0; t < T; t++, in += C, out += C) {
        size_t c = 0;
        for (; c + LAC_LANES <= C; c += LAC_LANES) {
            float sums[LAC_LANES];
            for (size_t i = 0; i < LAC_LANES; i++)
                sums[i] = bias[c + i];
            for (size_t j = 0; j < k; j++)
                for (size_t i = 0; i < LAC_LANES; i++)
                    sums[i] += w[j * C + c + i] * in[j * C + c + i];
            for (size_t i = 0; i < LAC_LANES; i++)
                out[c + i] = sums[i];
        }
        for (; c < C; c++) {
            float sum = bias[c];
            for (size_t j = 0; j < k; j++)
                sum += w[j * C + c] * in[j * C + c];
            out[c] = sum;
        }
    }
}

void LAC_KERNEL(norm_row)(float *out, const float *x, size_t n)
{
    float mean = lac_sum(x, n) / (float)n;
    for (size_t i = 0; i < n; i++)
        out[i] = x[i] - mean;
    float variance = sum_of_squares(out, n) / (float)n;
    float factor = 1.0f / sqrtf(variance + 1e-5f);
    for (size_t i = 0; i < n; i++)
        out[i] *= factor;
}

void LAC_KERNEL(gelu)(float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        x[i] = lac_geluf(x[i]);
}

#endif
