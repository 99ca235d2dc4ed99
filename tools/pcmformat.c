#include "pcmformat.h"

#include <math.h>
#include <string.h>

#define LOUDEST 4.0f /* where lac_encoder_write clamps */

lac_pcm_format lac_pcm_parse(const char *name)
{
    static const char *const names[] = {"", "s16", "s24", "s32", "f32"};

    for (int i = LAC_PCM_S16; i <= LAC_PCM_F32; i++)
        if (strcmp(name, names[i]) == 0)
            return (lac_pcm_format)i;
    return LAC_PCM_NONE;
}

size_t lac_pcm_size(lac_pcm_format format)
{
    static const size_t sizes[] = {0, 2, 3, 4, 4};

    return sizes[format];
}

static int32_t to_integer(float sample, double scale)
{
    double value = rint((double)sample * scale);

    if (!(value < scale - 1.0))
        return value >= scale - 1.0 ? (int32_t)(scale - 1.0) : 0; /* 0 for a NaN */
    return value < -scale ? (int32_t)-scale : (int32_t)value;
}

int16_t lac_pcm_s16(float sample)
{
    return (int16_t)to_integer(sample, 32768.0);
}

static void put(uint8_t *p, uint32_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        p[i] = (uint8_t)(value >> (8 * i));
}

void lac_pcm_store(uint8_t *bytes, const float *pcm, size_t samples, lac_pcm_format format)
{
    size_t size = lac_pcm_size(format);
    double scale = format == LAC_PCM_S16 ? 32768.0 : format == LAC_PCM_S24 ? 8388608.0 : 2147483648.0;

    for (size_t i = 0; i < samples; i++) {
        uint32_t value;

        if (format == LAC_PCM_F32)
            memcpy(&value, &pcm[i], sizeof value);
        else
            value = (uint32_t)to_integer(pcm[i], scale);
        put(bytes + i * size, value, size);
    }
}

void lac_pcm_load(float *pcm, const uint8_t *bytes, size_t samples, lac_pcm_format format)
{
    size_t size = lac_pcm_size(format);

    for (size_t i = 0; i < samples; i++) {
        const uint8_t *p = bytes + i * size;
        uint32_t value = 0;

        for (size_t k = 0; k < size; k++)
            value |= (uint32_t)p[k] << (8 * (4 - size + k));
        if (format == LAC_PCM_F32)
            memcpy(&pcm[i], &value, sizeof value);
        else
            pcm[i] = (float)((double)(int32_t)value / 2147483648.0);
    }
}

void lac_pcm_sanitize(float *pcm, size_t samples)
{
    for (size_t i = 0; i < samples; i++) {
        if (!(pcm[i] <= LOUDEST))
            pcm[i] = pcm[i] > LOUDEST ? LOUDEST : 0.0f;
        else if (pcm[i] < -LOUDEST)
            pcm[i] = -LOUDEST;
    }
}
