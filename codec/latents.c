#include "lac/latents.h"

#include <string.h>

#include "bytes.h"
#include "decodernet.h"
#include "modellayout.h"

void lac_model_latent_id(const lac_model *model, uint8_t id[LAC_MODEL_ID_SIZE])
{
    const uint8_t *data = model->data, *entry = data + LAC_MODEL_TABLE_AT;
    uint8_t digest[32];
    lac_sha256 sha;
    lac_sha256_init(&sha);
    for (uint32_t n = lac_load32(data + LAC_MODEL_COUNT_AT); n > 0; n--, entry += LAC_MODEL_ENTRY_BYTES)
        if (strncmp((const char *)entry, "decoder.", 8) != 0)
            lac_sha256_update(&sha, data + lac_load64(entry + LAC_MODEL_ENTRY_OFFSET),
                              (size_t)lac_load64(entry + LAC_MODEL_ENTRY_SIZE));
    lac_sha256_final(&sha, digest);
    memcpy(id, digest, LAC_MODEL_ID_SIZE);
}

int lac_latents_from_tokens(const lac_model *model, const uint16_t *tokens, const uint8_t *counts, size_t frames,
                            int16_t *latents)
{
    if (!model || (frames > 0 && (!tokens || !counts || !latents)))
        return LAC_ERROR_ARGUMENT;
    const lac_quantiser *q = &model->quantiser;
    if (!lac_frames_valid(&(lac_frames){.tokens = tokens, .codebooks = counts}, model, frames))
        return LAC_ERROR_ARGUMENT;
    for (size_t t = 0; t < frames; t++)
        lac_quantiser_decode(q, tokens + t * q->stages, counts[t], latents + t * q->dimension);
    return LAC_OK;
}
