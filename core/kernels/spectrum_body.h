/* The operations on spectra and on the decoder's sources, included by spectrum_c.c and, for other instructions, by
 * spectrum_SET.c: one text, compiled for each. Nothing is contracted or reassociated.
 *
 * The includer defines LAC_KERNEL(op), the name of its function. */
#ifndef LAC_CORE_SPECTRUM_BODY_H
#define LAC_CORE_SPECTRUM_BODY_H

#include <math.h>
#include <string.h>

#include "fmath.h"
#include "inline.h"
#include "kernels.h"
#include "rng.h"

/* ---- analysis ---- */

void LAC_KERNEL(compress_spectrum)(float *restrict out, const float *restrict spectrum, size_t bins)
{
    float *restrict out_im = out + bins, *restrict out_log = out + 2 * bins;
    const float *restrict in_im = spectrum + bins;
    for (size_t k = 0; k < bins; k++) {
        float re = spectrum[k] * (1 / 15.5f), im = in_im[k] * (1 / 15.5f);
        float log_power = lac_logf(re * re + im * im + 1e-8f);
        float compress = lac_expf(-0.35f * log_power);
        out[k] = re * compress;
        out_im[k] = im * compress;
        out_log[k] = (log_power + 9) * 0.25f;
    }
}

/* `block` columns, a constant, whose sums stay in registers. */
INLINE void mix_columns(float *restrict out, const float *restrict gains, const float *restrict rows, size_t count,
                        size_t width, size_t block)
{
    float sums[64] = {0};
    for (size_t k = 0; k < count; k++)
        for (size_t i = 0; i < block; i++)
            sums[i] += gains[k] * rows[k * width + i];
    for (size_t i = 0; i < block; i++)
        out[i] = sums[i];
}

void LAC_KERNEL(mix_rows)(float *restrict out, const float *restrict gains, const float *restrict rows,
                          size_t count, size_t width)
{
    size_t c = 0;
    for (; c + 64 <= width; c += 64)
        mix_columns(out + c, gains, rows + c, count, width, 64);
    for (; c + 32 <= width; c += 32)
        mix_columns(out + c, gains, rows + c, count, width, 32);
    for (; c + 8 <= width; c += 8)
        mix_columns(out + c, gains, rows + c, count, width, 8);
    for (; c < width; c++)
        mix_columns(out + c, gains, rows + c, count, width, 1);
}

#define ALIGN_SHARP (20.0f / 3) /* how much more likely pitches count */

/* x + i y = the bins at[p] as seen from the middle of the periodicity window, a quarter of the transform's length in:
 * times i^at[p]. */
static __attribute__((noinline)) void centred(float *restrict x, float *restrict y, const float *restrict re,
                                              const float *restrict im, const int32_t *restrict at, size_t P)
{
    for (size_t p = 0; p < P; p++) {
        uint32_t k = (uint32_t)at[p], odd = 0u - (k & 1), sign = (k & 2) << 30;
        uint32_t a = lac_float_bits(re[p]), b = lac_float_bits(im[p]);
        x[p] = lac_bits_float(((a & ~odd) | ((b ^ 0x80000000u) & odd)) ^ sign);
        y[p] = lac_bits_float(((b & ~odd) | (a & odd)) ^ sign);
    }
}

/* Not inlined, for size: it is called three times. */
static __attribute__((noinline)) float sum_of(const float *x, size_t n)
{
    return lac_sum(x, n);
}

/* turn *= back; x + i y = w * (x + i y) * turn; sizes = w * |x + i y|. */
static inline void align(float *restrict x, float *restrict y, float *restrict sizes, float *restrict turn_re,
                         float *restrict turn_im, const float *restrict back_re, const float *restrict back_im,
                         const float *restrict w, size_t P)
{
    for (size_t p = 0; p < P; p++) {
        float c = turn_re[p] * back_re[p] - turn_im[p] * back_im[p];
        float d = turn_re[p] * back_im[p] + turn_im[p] * back_re[p];
        float a = x[p], b = y[p];
        turn_re[p] = c;
        turn_im[p] = d;
        x[p] = w[p] * (a * c - b * d);
        y[p] = w[p] * (a * d + b * c);
        sizes[p] = w[p] * sqrtf(a * a + b * b);
    }
}

/* The first step: w and back = turn from the fundamental's bins x + i y. */
static inline void likely(float *restrict w, float *restrict back_re, float *restrict back_im,
                          const float *restrict x, const float *restrict y, const float *restrict curve, float top,
                          size_t P)
{
    for (size_t p = 0; p < P; p++) {
        float size = sqrtf(x[p] * x[p] + y[p] * y[p]);
        w[p] = lac_expf(ALIGN_SHARP * (curve[p] - top)) * size;
        back_re[p] = x[p] / (size + 1e-6f);
        back_im[p] = -y[p] / (size + 1e-6f);
    }
}

void LAC_KERNEL(align_harmonics)(float *restrict out, const float *restrict re, const float *restrict im,
                                 const float *restrict curve, const int32_t *restrict at, size_t P, size_t harmonics)
{
    float w[LAC_MAX_BANDS], back_re[LAC_MAX_BANDS], back_im[LAC_MAX_BANDS], turn_re[LAC_MAX_BANDS],
        turn_im[LAC_MAX_BANDS], x[LAC_MAX_BANDS], y[LAC_MAX_BANDS], sizes[LAC_MAX_BANDS], top = curve[0];
    for (size_t p = 1; p < P; p++)
        top = curve[p] > top ? curve[p] : top;
    centred(x, y, re, im, at, P);
    likely(w, back_re, back_im, x, y, curve, top, P);
    size_t padded = P; /* with zeros that change no sum, but spare it a tail */
    for (; padded % LAC_LANES != 0; padded++)
        x[padded] = y[padded] = sizes[padded] = 0;
    memcpy(turn_re, back_re, P * sizeof(float));
    memcpy(turn_im, back_im, P * sizeof(float));
    for (size_t h = 1; h < harmonics; h++) {
        centred(x, y, re + h * P, im + h * P, at + h * P, P);
        align(x, y, sizes, turn_re, turn_im, back_re, back_im, w, P);
        float g = 1 / (sum_of(sizes, padded) + 1e-6f);
        out[2 * h - 2] = sum_of(x, padded) * g;
        out[2 * h - 1] = sum_of(y, padded) * g;
    }
}

/* ---- synthesis ---- */

static inline float below(float x, float limit)
{
    return x < limit ? x : limit;
}

void LAC_KERNEL(shape_spectrum)(float *restrict pulses, const float *restrict noise, const float *restrict rows,
                                size_t bins)
{
    const float *restrict voice = rows, *restrict breath = rows + bins, *restrict size = rows + 2 * bins;
    const float *restrict re = rows + 3 * bins, *restrict im = rows + 4 * bins, *restrict noise_im = noise + bins;
    float *restrict pulses_im = pulses + bins;
    for (size_t k = 0; k < bins; k++) {
        float v = lac_expf(below(voice[k], 5) - 3), b = lac_expf(below(breath[k], 5) - 4);
        float r = 15.5f * lac_expf(below(size[k], 6) - 4) / sqrtf(re[k] * re[k] + im[k] * im[k] + 1e-6f);
        pulses[k] = pulses[k] * v + noise[k] * b + re[k] * r;
        pulses_im[k] = pulses_im[k] * v + noise_im[k] * b + im[k] * r;
    }
}

void LAC_KERNEL(pulses)(float *restrict out, const uint32_t *restrict phase, size_t n, const lac_pulse_train *train)
{
    const uint32_t all = train->harmonics, low = train->leading;
    const float rest = (float)(all - low), scale = train->scale;
    for (size_t i = 0; i < n; i++)
        out[i] = lac_cos_turn(phase[i]);
    for (uint32_t h = 2; h <= low; h++) {
        const uint32_t lead = train->lead[h - 2], step = train->step[h - 2];
        for (size_t i = 0; i < n; i++)
            out[i] += lac_cos_turn(h * phase[i] + lead + ((uint32_t)i + 1) * step);
    }
    for (size_t i = 0; i < n; i++) {
        uint32_t half = phase[i] >> 1;
        float s = lac_sin_turn(half);
        /* (2 K + 1) * phase / 2 */
        float upper = (lac_sin_turn(all * phase[i] + half) - lac_sin_turn(low * phase[i] + half)) / (2 * s);
        out[i] = ((s < 1e-4f && s > -1e-4f ? rest : upper) + out[i]) * scale;
    }
}

void LAC_KERNEL(noise)(float *restrict out, uint64_t first, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = lac_noise(first + i);
}

#endif
