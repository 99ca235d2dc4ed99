/* Latents: what an encoder's network makes of PCM and a decoder's takes, 50 rows a second of D numbers, each row of zero
 * mean and unit variance, as int16 in fixed point (LAC_LATENT_UNIT is 1.0, -4095 .. 4095).
 *
 * PCM to latents: lac_encoder_write_latents (lac/encoder.h). */
#ifndef LAC_LATENTS_H
#define LAC_LATENTS_H

#include "lac/encoder.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LAC_LATENT_UNIT 512

/* What names the latents of a model: the first bytes of the SHA-256 of its encoder's tensors and its quantiser's, in
 * file order, bytes of their values only. Models whose decoders alone differ have the same. Takes milliseconds. */
LAC_API void lac_model_latent_id(const lac_model *model, uint8_t id[LAC_MODEL_ID_SIZE]);

/* Tokens [frames][Q], of row t the first counts[t] (0 .. Q), to the latents that they stand for [frames][D].
 * LAC_ERROR_ARGUMENT, with nothing written, for a count or a token that the model does not have. */
LAC_API int lac_latents_from_tokens(const lac_model *model, const uint16_t *tokens, const uint8_t *counts,
                                    size_t frames, int16_t *latents);

/* Latents [frames][D] to tokens [frames][Q]: the encoder's search alone, at its codebooks and its beam, beyond which of
 * a row tokens are zero. Nothing is remembered from row to row, and a stream that the encoder is in the middle of is
 * not touched. */
LAC_API int lac_encoder_search(lac_encoder *encoder, const int16_t *latents, size_t frames, uint16_t *tokens);

#ifdef __cplusplus
}
#endif

#endif
