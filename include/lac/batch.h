/* Many streams of one model at a time: what a server does every 20 ms.
 *
 * A batch advances each of many encoders, or of many decoders, by one frame. It reads the model's weights once for
 * many streams instead of once for each, which is several times faster; tokens and sound are the same bits. The
 * streams stay ordinary ones: they may join and leave between any two calls and be used by themselves too, unless opened with
 * batch_only, which saves memory.
 *
 *     lac_batch_open(&batch, model, &(lac_batch_settings){.max_streams = 300, .threads = 2});
 *     every 20 ms:
 *         lac_batch_encode(batch, encoders, pcm_in, n, tokens);
 *         lac_batch_decode(batch, decoders, tokens_in, codebooks, m, pcm_out);
 *
 * A batch is used by one thread at a time, and so is each stream: none of a call may be used elsewhere meanwhile. No
 * call but open and close allocates, locks or prints. Profiles of the streams are told nothing of a batch's work. */
#ifndef LAC_BATCH_H
#define LAC_BATCH_H

#include <stddef.h>
#include <stdint.h>

#include "lac/decoder.h"
#include "lac/encoder.h"
#include "lac/export.h"
#include "lac/model.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct lac_batch lac_batch;

typedef struct lac_batch_settings {
    uint32_t max_streams; /* most streams of one call, 1 .. 65536 */
    uint32_t threads;     /* OpenMP threads, each with a share of the streams, 1 .. 256; the result does not depend
                             on it */
} lac_batch_settings;

/* 64 streams, 1 thread. */
LAC_API void lac_batch_default_settings(lac_batch_settings *settings);

/* settings NULL means the defaults. On success *batch is owned by the caller; the model must outlive it. */
LAC_API int lac_batch_open(lac_batch **batch, const lac_model *model, const lac_batch_settings *settings);

/* Close and set *batch to NULL; NULL and pointers to NULL are accepted. Its streams are the caller's, before and
 * after. */
LAC_API void lac_batch_close(lac_batch **batch);

/* Bytes allocated for the batch, beside the model and the streams. */
LAC_API size_t lac_batch_bytes(const lac_batch *batch);

/* One frame of each of n encoders: as lac_encoder_write with frame_samples samples, which gives one frame wherever in
 * a frame an encoder stands.
 *   encoders  [n], all different, of the batch's model
 *   pcm       [n] pointers to [frame_samples]
 *   tokens    [n][Q], row-major; of each row as many are set as that encoder's codebooks, the rest are zero
 * LAC_ERROR_ARGUMENT if n > max_streams, one of the pointers in pcm is NULL, or an encoder is NULL, twice there
 * or of another model, LAC_ERROR_STATE if one was flushed and not reset; then nothing is taken from any. */
LAC_API int lac_batch_encode(lac_batch *batch, lac_encoder *const *encoders, const float *const *pcm, size_t n,
                             uint16_t *tokens);

/* One frame of each of n decoders, as lac_decoder_read.
 *   decoders   [n], all different, of the batch's model
 *   tokens     [n][Q], row-major
 *   codebooks  [n]: how many tokens of each row count, 0 .. Q; 0 marks a lost frame
 *   pcm        [n] pointers to [frame_samples]
 * LAC_ERROR_ARGUMENT as of lac_batch_encode and of lac_decoder_read; then nothing is decoded of any. */
LAC_API int lac_batch_decode(lac_batch *batch, lac_decoder *const *decoders, const uint16_t *tokens,
                             const uint8_t *codebooks, size_t n, float *const *pcm);

#ifdef __cplusplus
}
#endif

#endif
