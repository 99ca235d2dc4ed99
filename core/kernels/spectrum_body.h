/* The operations on spectra and on the decoder's sources, included by spectrum_c.c and, for other instructions, by
 * spectrum_SET.c: one text, compiled for each. Nothing is contracted or reassociated.
 *
 * The includer defines LAC_KERNEL(op), the name of its function. */
#ifndef LAC_CORE_SPECTRUM_BODY_H
#define LAC_CORE_SPECTRUM_BODY_H

#include <math.h>

#include "fmath.h"
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
static inline __attribute__((always_inline)) void
mix_columns(float *restrict out, const float *restrict gains, const float *restrict rows, size_t count, size_t width,
            size_t block)
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

void LAC_KERNEL(pulses)(float *restrict out, const uint32_t *restrict phase, size_t n, uint32_t harmonics,
                        float scale)
{
    const float all = (float)harmonics;
    for (size_t i = 0; i < n; i++) {
        float s = lac_sin_turn(phase[i] >> 1);
        /* (2 * harmonics + 1) * phase / 2 */
        float ratio = lac_sin_turn(harmonics * phase[i] + (phase[i] >> 1)) / (2 * s) - 0.5f;
        out[i] = (s < 1e-4f && s > -1e-4f ? all : ratio) * scale;
    }
}

void LAC_KERNEL(noise)(float *restrict out, uint64_t first, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = lac_noise(first + i);
}

#endif
