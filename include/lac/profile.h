/* Where the time of an encoder or decoder goes, for benchmarks.
 *
 * A profile is told whenever a layer has run; its own clock tells how long that took since the layer before, or since
 * the call began. Layers of a call run one after another. Without a profile it costs one comparison a layer. Thread
 * rule as for lac_encoder; the callback runs in the thread of the call. */
#ifndef LAC_PROFILE_H
#define LAC_PROFILE_H

#include <stdint.h>

#include "lac/decoder.h"
#include "lac/encoder.h"
#include "lac/export.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct lac_profile {
    /* A layer has run on a block of frames.
     *   layer         static storage. Encoder: features, input, fine, downsample, coarse, output, search. Decoder:
     *                 input, coarse, upsample, fine, output, sources (pitch, pulses, noise), spectra, overlap. fine and
     *                 coarse are all blocks of that frame rate; lac_decoder_skip reports input to fine.
     *   macs          its multiply-accumulates, counted as in lac_model_info; 0 where it has no weights
     *   weight_bytes  of its weights in the model file, which are read once a block
     * It must not call the encoder or decoder. */
    void (*layer_done)(void *user, const char *layer, uint64_t macs, uint64_t weight_bytes);
    void *user;
} lac_profile;

/* From now on; *profile is copied, NULL ends it. */
LAC_API void lac_encoder_set_profile(lac_encoder *encoder, const lac_profile *profile);
LAC_API void lac_decoder_set_profile(lac_decoder *decoder, const lac_profile *profile);

#ifdef __cplusplus
}
#endif

#endif
