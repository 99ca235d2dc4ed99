/* Samples as headerless bytes: s16, s24, s32, f32, little-endian, interleaved. */
#ifndef LAC_TOOLS_PCMFORMAT_H
#define LAC_TOOLS_PCMFORMAT_H

#include <stddef.h>
#include <stdint.h>

typedef enum lac_pcm_format { LAC_PCM_NONE, LAC_PCM_S16, LAC_PCM_S24, LAC_PCM_S32, LAC_PCM_F32 } lac_pcm_format;

/* By name ("s16"), LAC_PCM_NONE for any other word. */
lac_pcm_format lac_pcm_parse(const char *name);

/* Bytes a sample. */
size_t lac_pcm_size(lac_pcm_format format);

/* Integers are rounded to nearest and clipped to full scale, floats are kept. */
void lac_pcm_store(uint8_t *bytes, const float *pcm, size_t samples, lac_pcm_format format);
void lac_pcm_load(float *pcm, const uint8_t *bytes, size_t samples, lac_pcm_format format);

/* A sample as lac_pcm_store makes it for s16. */
int16_t lac_pcm_s16(float sample);

/* NaN becomes 0; everything beyond 4 times full scale, infinity included, becomes that. In place. */
void lac_pcm_sanitize(float *pcm, size_t samples);

#endif
