/* New voices, rooms and lines: vectors drawn from what a factor model has learnt of how they are distributed
 * (doc/sampling.md). A draw is a function of (model, settings, seed) alone, on every machine.
 *
 * Plain functions on an open factor model, for any number of threads; nothing is allocated. */
#ifndef LAC_SAMPLER_H
#define LAC_SAMPLER_H

#include "lac/factors.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LAC_VOICE_ATTRIBUTES 4

/* Directions found in the voices that the model was fitted to; values in deviations of the training speakers. None of
 * them had an age or an accent written down: the last two are stand-ins (doc/sampling.md). */
enum lac_voice_attribute {
    LAC_VOICE_PITCH = 0, /* high or low */
    LAC_VOICE_FORMANTS,  /* a short vocal tract or a long one */
    LAC_VOICE_AGE,       /* like children, high with a short tract, or like adults */
    LAC_VOICE_ACCENT     /* along the widest direction between collections of speakers */
};

typedef struct lac_voice_settings {
    float spread;                          /* factor on the deviation, 0 .. 2: 1 as the real ones, 0 their middle */
    float attribute[LAC_VOICE_ATTRIBUTES]; /* wanted value, -3 .. 3; NAN: as it is drawn */
    const float (*avoid)[LAC_SPEAKER_SIZE]; /* real people's unit vectors that must not be met; may be NULL */
    size_t avoid_count;
    float largest_cosine; /* to any of avoid, at most, -1 .. 1 */
    uint32_t attempts;    /* draws until one is far enough, 1 .. 10000 */
} lac_voice_settings;

/* Spread 1, no attribute wanted, nobody to avoid, a cosine of at most 0.6, 100 attempts. */
LAC_API void lac_voice_default_settings(lac_voice_settings *settings);

/* A voice: of *voice, speaker and f0_median_hz are written, the rest is left. *cosine (may be NULL): to the nearest
 * of avoid, -1 if there are none. settings NULL means the defaults. LAC_ERROR_NOT_FOUND if no draw is far enough,
 * with nothing written; LAC_ERROR_ARGUMENT for settings out of range; LAC_ERROR_VERSION if the model's file has no
 * distribution (lac_factor_info.voices). */
LAC_API int lac_voice_sample(const lac_factor_model *model, const lac_voice_settings *settings, uint64_t seed,
                             lac_factors *voice, float *cosine);

/* Attributes of a speaker vector, in deviations. */
LAC_API int lac_voice_attributes(const lac_factor_model *model, const float speaker[LAC_SPEAKER_SIZE],
                                 float attribute[LAC_VOICE_ATTRIBUTES]);

/* The vector of a quiet, dry place (kind LAC_FACTOR_ENVIRONMENT, lac/recombine.h) or of a wide, uncoded line
 * (LAC_FACTOR_CHANNEL) into that part of *factors: what removes noise and reverberation, or band limits. */
LAC_API int lac_factors_neutral(const lac_factor_model *model, int kind, lac_factors *factors);

/* A place or a line drawn at random, likewise. */
LAC_API int lac_factors_sample(const lac_factor_model *model, int kind, uint64_t seed, lac_factors *factors);

#ifdef __cplusplus
}
#endif

#endif
