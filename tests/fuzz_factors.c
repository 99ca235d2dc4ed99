/* Fuzz target of factor models, and of the networks of what passes. The first byte chooses: bit 0, size and checksum
 * are put right, so that what lies behind them is reached; else the bytes as they are. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "lac/generator.h"
#include "lac/recombine.h"
#include "lac/sampler.h"

#define FRAMES 24
#define MOST 65536 /* a model of more multiplications a frame is only opened */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int holds)
{
    if (!holds)
        abort();
}

static void repair(uint8_t *p, size_t size)
{
    if (size < 64)
        return;
    lac_store64(p + 8, size / 64 * 64);
    lac_store32(p + 16, 0);
    lac_store32(p + 16, lac_crc32c(0, p, size / 64 * 64));
}

/* The file's own bytes serve as latents. */
static void analyse(const lac_factor_model *model, const lac_factor_info *info, const uint8_t *bytes, size_t size,
                    lac_factor_frame *frames, lac_factors *factors)
{
    int16_t latents[FRAMES * 64];
    lac_analyser *a = NULL;
    size_t given, rest;
    for (size_t i = 0; i < FRAMES * info->latent_size; i++)
        latents[i] = (int16_t)((bytes[i % size] - 128) * 31);
    must(lac_analyser_open(&a, model, &(lac_analyser_settings){5, 1}) == 0);
    must(lac_analyser_write(a, latents, FRAMES, frames, FRAMES, &given) == 0);
    must(lac_analyser_flush(a, frames + given, FRAMES - given, &rest) == 0);
    must(given + rest == FRAMES);
    lac_analyser_get(a, factors);
    for (size_t t = 0; t < FRAMES; t++) {
        must(frames[t].content < info->content_tokens && frames[t].phone < info->phones);
        must(frames[t].voicing >= 0 && frames[t].voicing <= 1);
    }
    must(factors->snr_db >= -10 && factors->snr_db <= 60 && factors->confidence >= 0 && factors->confidence <= 1);
    lac_analyser_close(&a);
}

static void generate(const lac_factor_model *model, const lac_factor_info *info, const lac_factor_frame *frames,
                     const lac_factors *factors)
{
    int16_t latents[FRAMES * 64];
    lac_generator *g = NULL;
    size_t given, rest;
    must(lac_generator_open(&g, model, NULL) == 0);
    if (lac_generator_set(g, factors) == 0) {
        must(lac_generator_write(g, frames, FRAMES, latents, FRAMES, &given) == 0);
        must(lac_generator_flush(g, latents + given * info->latent_size, FRAMES - given, &rest) == 0);
        must(given + rest == FRAMES);
        for (size_t i = 0; i < FRAMES * info->latent_size; i++)
            must(latents[i] >= -4095 && latents[i] <= 4095);
    }
    lac_generator_close(&g);
}

/* Draws, then the generator's view of them. */
static void sample(const lac_factor_model *model, const lac_factor_info *info)
{
    lac_voice_settings s;
    lac_factors f = {0};
    lac_generator *g = NULL;
    lac_voice_default_settings(&s);
    must(lac_voice_sample(model, NULL, 1, &f, NULL) == (info->voices ? 0 : LAC_ERROR_VERSION));
    if (!info->voices)
        return;
    s.attribute[LAC_VOICE_PITCH] = s.attribute[LAC_VOICE_ACCENT] = 3;
    s.avoid = (const float (*)[LAC_SPEAKER_SIZE]) & f.speaker;
    s.avoid_count = 1;
    must(lac_voice_sample(model, &s, 2, &f, NULL) <= 0);
    must(lac_factors_sample(model, LAC_FACTOR_ENVIRONMENT, 1, &f) == 0);
    must(lac_factors_sample(model, LAC_FACTOR_CHANNEL, 1, &f) == 0);
    must(f.f0_median_hz >= 50 && f.f0_median_hz <= 600);
    for (size_t i = 0; i < LAC_SPEAKER_SIZE; i++)
        must(f.speaker[i] >= -1.001f && f.speaker[i] <= 1.001f);
    must(lac_generator_open(&g, model, NULL) == 0);
    must(lac_generator_set(g, &f) == 0);
    lac_generator_close(&g);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    uint8_t *copy = malloc(size);
    if (copy == NULL)
        return 0;
    memcpy(copy, data + 1, size - 1);
    if (data[0] & 1)
        repair(copy, size - 1);
    lac_factor_model *model = NULL;
    if (lac_factor_model_open_memory(&model, copy, size - 1) == 0) {
        lac_factor_frame frames[FRAMES];
        lac_factor_info info;
        lac_factors factors;
        lac_factor_model_get_info(model, &info);
        if ((info.analyser_macs + info.generator_macs) / LAC_FACTOR_RATE <= MOST) {
            analyse(model, &info, copy, size - 1, frames, &factors);
            generate(model, &info, frames, &factors);
            sample(model, &info);
        }
    }
    lac_factor_model_close(&model);
    free(copy);
    return 0;
}
