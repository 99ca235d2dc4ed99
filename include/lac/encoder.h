/* Streaming encoder: PCM to tokens. SoundStream (arXiv 2107.03312) in shape; DESIGN.md for what differs.
 *
 * One encoder is one mono stream. An encoder may move between threads but is used by one at a time; different
 * encoders are independent, also on one model. No call but open and close allocates, locks or prints.
 * Any chunking of the input gives the same tokens, on every machine. */
#ifndef LAC_ENCODER_H
#define LAC_ENCODER_H

#include <stddef.h>
#include <stdint.h>

#include "lac/model.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LAC_MAX_BEAM 16

typedef struct lac_encoder lac_encoder;

typedef struct lac_encoder_settings {
    uint32_t codebooks;     /* tokens a frame, 1 .. Q; 0 means Q */
    uint32_t block_frames;  /* frames worked on together: 1 is smallest, 64 fastest for files; 1 .. 256 */
    uint32_t threads;       /* OpenMP threads for one block, 1 .. 256; the result does not depend on it. More than
                               there are idle cores are slow, unless OMP_WAIT_POLICY=passive is in the environment */
    uint32_t batch_only;    /* 1: lac_batch alone works on this encoder, which then has no memory to work in of its own
                               and is two thirds smaller; lac_encoder_write and _flush give LAC_ERROR_STATE. Else 0 */
    uint32_t beam;          /* choices of tokens that the search follows at once, 1 .. LAC_MAX_BEAM; 0 means 1, greedy.
                               More bring what all codebooks of a frame decode to closer to the latent, never further
                               from it, and take time */
} lac_encoder_settings;

/* Q codebooks, 1 frame a block, 1 thread, not only for batches, greedy search. */
LAC_API void lac_encoder_default_settings(lac_encoder_settings *settings);

/* settings NULL means the defaults. On success *encoder is owned by the caller. */
LAC_API int lac_encoder_open(lac_encoder **encoder, const lac_model *model, const lac_encoder_settings *settings);

/* Close and set *encoder to NULL; NULL and pointers to NULL are accepted. */
LAC_API void lac_encoder_close(lac_encoder **encoder);

/* Bytes allocated for this stream, beside the model. */
LAC_API size_t lac_encoder_bytes(const lac_encoder *encoder);

/* Codebooks of every frame that completes from now on, 1 .. Q. A beam serves the frame at that number: cut to fewer
 * later, its tokens may be worse than greedy ones. */
LAC_API int lac_encoder_set_codebooks(lac_encoder *encoder, uint32_t codebooks);

/* Most frames that lac_encoder_write with this many samples, or lac_encoder_flush with 0, can give now. */
LAC_API size_t lac_encoder_max_frames(const lac_encoder *encoder, size_t samples);

/* Take `samples` samples (model's rate, mono, full scale 1.0; larger values are clamped at 4.0, a NaN counts as
 * 0) and give the frames that complete.
 *   tokens  [capacity][Q], row-major; of a row the first `codebooks` are set, the rest are zero
 *   frames  how many rows were written
 * LAC_ERROR_SPACE, with nothing taken, if capacity < lac_encoder_max_frames(encoder, samples). */
LAC_API int lac_encoder_write(lac_encoder *encoder, const float *pcm, size_t samples, uint16_t *tokens,
                              size_t capacity, size_t *frames);

/* The same, with what the tokens stand for: the encoder's latents before the search, to fit a quantiser to (lac/fit.h).
 *   latents  [capacity][D] in fixed point, 512 is 1.0, -4095 .. 4095; NULL: none */
LAC_API int lac_encoder_write_latents(lac_encoder *encoder, const float *pcm, size_t samples, uint16_t *tokens,
                                      int16_t *latents, size_t capacity, size_t *frames);

/* Pad with silence until every sample written can be decoded in full: in all, a stream of N > 0 samples has
 * ceil((N + decoder_delay_samples) / frame_samples) frames; one of none has none. Then reset before more. */
LAC_API int lac_encoder_flush(lac_encoder *encoder, uint16_t *tokens, size_t capacity, size_t *frames);

/* The same, with latents as of lac_encoder_write_latents. */
LAC_API int lac_encoder_flush_latents(lac_encoder *encoder, uint16_t *tokens, int16_t *latents, size_t capacity,
                                      size_t *frames);

/* Back to the state after open, current codebooks kept. */
LAC_API void lac_encoder_reset(lac_encoder *encoder);

#ifdef __cplusplus
}
#endif

#endif
