/* Inside views of encoder and decoder, for lac_batch, tests and the tools that build vectors. */
#ifndef LAC_CODEC_STREAMS_H
#define LAC_CODEC_STREAMS_H

#include "decodernet.h"
#include "encodernet.h"
#include "lac/decoder.h"
#include "lac/encoder.h"

/* As lac_decoder_read, from latents [frames][D] in fixed point instead of tokens; no frame is lost. */
int lac_decoder_read_latents(lac_decoder *decoder, const int16_t *latents, size_t frames, float *pcm);

/* Called with each layer's output from now on. */
void lac_encoder_set_tap(lac_encoder *encoder, const lac_tap *tap);
void lac_decoder_set_tap(lac_decoder *decoder, const lac_tap *tap);

/* The stream's own part. */
lac_encoder_lane *lac_encoder_get_lane(lac_encoder *encoder);
lac_decoder_lane *lac_decoder_get_lane(lac_decoder *decoder);

#endif
