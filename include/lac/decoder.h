/* Streaming decoder: tokens to PCM, a source-filter synthesis driven by the network.
 *
 * One decoder is one mono stream. Thread rule as for lac_encoder. No call but open and close allocates, locks or
 * prints. Any chunking of the frames gives the same PCM, on every machine. */
#ifndef LAC_DECODER_H
#define LAC_DECODER_H

#include <stddef.h>
#include <stdint.h>

#include "lac/model.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct lac_decoder lac_decoder;

typedef struct lac_decoder_settings {
    uint32_t block_frames;  /* frames worked on together, 1 .. 256 */
    uint32_t threads;       /* OpenMP threads for one block, 1 .. 256; the result does not depend on it. More than
                               there are idle cores are slow, unless OMP_WAIT_POLICY=passive is in the environment */
    uint32_t batch_only;    /* 1: lac_batch alone works on this decoder, which then has no memory to work in of its own
                               and is half as large; lac_decoder_read and _skip give LAC_ERROR_STATE. Else 0 */
} lac_decoder_settings;

/* 1 frame a block, 1 thread, not only for batches. */
LAC_API void lac_decoder_default_settings(lac_decoder_settings *settings);

/* settings NULL means the defaults. On success *decoder is owned by the caller. */
LAC_API int lac_decoder_open(lac_decoder **decoder, const lac_model *model, const lac_decoder_settings *settings);

/* Close and set *decoder to NULL; NULL and pointers to NULL are accepted. */
LAC_API void lac_decoder_close(lac_decoder **decoder);

/* Bytes allocated for this stream, beside the model. */
LAC_API size_t lac_decoder_bytes(const lac_decoder *decoder);

/* Decode frames.
 *   tokens     [frames][Q], row-major, each below K; LAC_ERROR_ARGUMENT, with nothing decoded, if one is not
 *   codebooks  [frames]: how many tokens of each row count, 0 .. Q; 0 marks a lost frame, which is concealed
 *   pcm        [frames * frame_samples], full scale 1.0, not clipped. The whole stream's output lags the input
 *              by decoder_delay_samples: drop that many samples at its start. */
LAC_API int lac_decoder_read(lac_decoder *decoder, const uint16_t *tokens, const uint8_t *codebooks, size_t frames,
                             float *pcm);

/* As lac_decoder_read without sound: brings the state to where decoding would have brought it. */
LAC_API int lac_decoder_skip(lac_decoder *decoder, const uint16_t *tokens, const uint8_t *codebooks, size_t frames);

/* What a decoder can't rebuild from the last `receptive_frames` frames of tokens. */
typedef struct lac_decoder_sync {
    uint64_t frame;        /* frames since the stream's start: seeds the noise */
    uint32_t pulse_phase;  /* of the pulse train, in 2^-32 of a period; the low 16 bits are zero */
} lac_decoder_sync;

/* Round the pulse phase down to 16 bits and report where the stream stands. Rounding is part of decoding: whoever
 * later continues from *sync must start at a point where the first decoder called this. */
LAC_API void lac_decoder_get_sync(lac_decoder *decoder, lac_decoder_sync *sync);

/* Continue as the decoder that reported *sync. If the last `receptive_frames` frames before it were read or
 * skipped first, all that follows is the same bit for bit. */
LAC_API void lac_decoder_set_sync(lac_decoder *decoder, const lac_decoder_sync *sync);

/* Back to the state after open. */
LAC_API void lac_decoder_reset(lac_decoder *decoder);

#ifdef __cplusplus
}
#endif

#endif
