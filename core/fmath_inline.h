/* Bodies of the elementary functions of fmath.h, inline so that loops over them vectorise. Included by fmath.h only.
 *
 * Polynomials are minimax fits of our own (Remez); all are branch-free. */
#ifndef LAC_CORE_FMATH_INLINE_H
#define LAC_CORE_FMATH_INLINE_H

#include <stdint.h>
#include <string.h>

static inline uint32_t lac_float_bits(float x)
{
    uint32_t u;
    memcpy(&u, &x, sizeof(u));
    return u;
}

static inline float lac_bits_float(uint32_t u)
{
    float x;
    memcpy(&x, &u, sizeof(x));
    return x;
}

/* exp(x), -87 <= x <= 88. */
static inline float lac_expf_core(float x)
{
    /* Adding 1.5 * 2^23 rounds to an integer, which then stands in the low bits. */
    float shifted = x * 1.44269504f + 12582912.0f;
    float k = shifted - 12582912.0f;
    /* log 2 in two parts; k times the first is exact. */
    float r = (x - k * 0.693359375f) - k * -2.12194440e-4f;
    float p = 1.39506022e-3f;
    p = p * r + 8.36895313e-3f;
    p = p * r + 4.16662060e-2f;
    p = p * r + 0.166665182f;
    p = p * r + 0.5f;
    p = (p * r) * r + r + 1.0f;
    return p * lac_bits_float((lac_float_bits(shifted) << 23) + 0x3f800000u);
}

static inline float lac_expf(float x)
{
    x = -87.0f > x ? -87.0f : x;
    x = 88.0f < x ? 88.0f : x;
    return lac_expf_core(x);
}

static inline float lac_logf(float x)
{
    /* x = 2^k * m, m in sqrt(1/2) .. sqrt(2). */
    uint32_t u = lac_float_bits(x) + (0x3f800000u - 0x3f3504f3u);
    float k = (float)((int32_t)(u >> 23) - 127);
    float f = lac_bits_float((u & 0x007fffffu) + 0x3f3504f3u) - 1.0f;
    float s = f / (2.0f + f);
    float z = s * s;
    float p = (0.299627066f * z + 0.399735481f) * z + 0.666668177f;
    /* log m = 2 s + s^3 p; f - s f = 2 s keeps the leading term exact. */
    float tail = k * -2.12194440e-4f + s * (z * p - f);
    return (tail + f) + k * 0.693359375f;
}

static inline float lac_sin_turn(uint32_t phase)
{
    uint32_t half = phase & 0x7fffffffu;
    uint32_t mirrored = 0x80000000u - half;
    uint32_t quarter = half < mirrored ? half : mirrored;
    float a = (float)(int32_t)quarter * (1.0f / 1073741824.0f);
    float u = a * a;
    float p = 1.50822642e-4f;
    p = p * u - 4.67223302e-3f;
    p = p * u + 7.96884820e-2f;
    p = p * u - 0.645963371f;
    p = (p * u + 4.83790154e-4f) + 1.5703125f;
    return lac_bits_float(lac_float_bits(a * p) ^ (phase & 0x80000000u));
}

static inline float lac_cos_turn(uint32_t phase)
{
    return lac_sin_turn(phase + 0x40000000u);
}

static inline uint32_t lac_angle_turn(float y, float x)
{
    float ax = lac_bits_float(lac_float_bits(x) & 0x7fffffffu), ay = lac_bits_float(lac_float_bits(y) & 0x7fffffffu);
    float t = ax < ay ? ax / ay : ay / ax;
    t = t >= 0 && t <= 1 ? t : 0;
    float u = t * t;
    float p = -1.86515786e-3f;
    p = p * u + 8.37908499e-3f;
    p = p * u - 1.85298491e-2f;
    p = p * u + 3.08029074e-2f;
    p = p * u - 5.29385656e-2f;
    p = p * u + 0.159151316f;
    uint32_t angle = (uint32_t)(int32_t)((p * t) * 4294967296.0f);
    angle = ax < ay ? 0x40000000u - angle : angle;
    angle = x < 0 ? 0x80000000u - angle : angle;
    return y < 0 ? 0u - angle : angle;
}

static inline float lac_sigmoidf(float x)
{
    /* |x| <= 87 keeps 1 / (1 + e) above the denormals. Clamped as an integer: of a comparison of floats, gcc 12 makes
     * branches whose masked-out products are denormal, hence slow. */
    uint32_t u = lac_float_bits(x);
    int32_t magnitude = (int32_t)(u & 0x7fffffffu);
    magnitude = magnitude < 0x42ae0000 ? magnitude : 0x42ae0000;
    float e = lac_expf_core(lac_bits_float((uint32_t)magnitude | (~u & 0x80000000u)));
    return 1.0f / (1.0f + e);
}

static inline float lac_sum(const float *x, size_t n)
{
    float lanes[LAC_LANES] = {0};
    size_t t = 0;
    for (; t + LAC_LANES <= n; t += LAC_LANES)
        for (size_t i = 0; i < LAC_LANES; i++)
            lanes[i] += x[t + i];
    for (size_t i = 0; t + i < n; i++)
        lanes[i] += x[t + i];
    return lac_reduce16(lanes);
}

static inline float lac_geluf(float x)
{
    return x * lac_sigmoidf(1.59576912f * (x + 0.044715f * ((x * x) * x)));
}

#endif
