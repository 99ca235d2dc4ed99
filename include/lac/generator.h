/* Synthesis: factors back to a codec's latents, which lac_encoder_search (lac/latents.h) turns into tokens.
 *
 * A generator is one mono stream, used by one thread at a time. No call but open and close allocates, locks or prints.
 * Any chunking gives the same latents, on every machine. A rectified flow (arXiv 2209.03003, 2403.03206) from noise,
 * whose seed is part of the settings, in a fixed number of steps; or plain regression (lac_factor_info). */
#ifndef LAC_GENERATOR_H
#define LAC_GENERATOR_H

#include "lac/factors.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct lac_generator lac_generator;

typedef struct lac_generator_settings {
    uint32_t block_frames; /* frames worked on together, 1 .. 256 */
    uint32_t threads;      /* OpenMP threads, 1 .. 256; the result does not depend on it */
    uint64_t seed;         /* of the noise */
    float noise;           /* its deviation, 0 .. 2: 1 as trained; less is duller, steadier and clearer */
} lac_generator_settings;

/* 64 frames a block, 1 thread, seed 0, noise 0.3: clearest; 0.6 moves more like people do (train/EXPERIMENTS.md). */
LAC_API void lac_generator_default_settings(lac_generator_settings *settings);

/* settings NULL means the defaults. On success *generator is owned by the caller. */
LAC_API int lac_generator_open(lac_generator **generator, const lac_factor_model *model,
                               const lac_generator_settings *settings);

LAC_API void lac_generator_close(lac_generator **generator);

LAC_API size_t lac_generator_bytes(const lac_generator *generator);

/* Speaker, environment and channel of all that is written from now on: of *factors these three vectors count,
 * nothing else. Before the first call they are zeros. LAC_ERROR_ARGUMENT, with nothing changed, for an element beyond
 * +-1000000. */
LAC_API int lac_generator_set(lac_generator *generator, const lac_factors *factors);

/* As if it had been opened with this seed. LAC_ERROR_STATE, with nothing changed, once frames were written, until a
 * reset. */
LAC_API int lac_generator_set_seed(lac_generator *generator, uint64_t seed);

/* Take frames (content, f0_hz in absolute Hz, energy_db count) and give the latents that complete, at most
 * count rows of D. f0_hz is kept within 50 .. 600 unless it is not above 0, energy_db within -100 .. 0.
 * LAC_ERROR_SPACE, with nothing taken, if capacity is less than what completes. LAC_ERROR_ARGUMENT, with nothing
 * taken, for a token that the model does not have or a number that is not finite. LAC_ERROR_STATE after a flush. */
LAC_API int lac_generator_write(lac_generator *generator, const lac_factor_frame *frames, size_t count,
                                int16_t *latents, size_t capacity, size_t *rows);

/* Give the last latents: in all as many as frames were written. Then reset before more: LAC_ERROR_STATE. */
LAC_API int lac_generator_flush(lac_generator *generator, int16_t *latents, size_t capacity, size_t *rows);

/* Back to the state after open and the last set; the noise starts anew. */
LAC_API void lac_generator_reset(lac_generator *generator);

#ifdef __cplusplus
}
#endif

#endif
