/* Recombination: frames and factors of one utterance, changed by those of others, ready for a generator
 * (lac/generator.h). The content's tokens and their order stay; what is swapped, interpolated, scaled, removed or
 * sampled is who says it, how, where, and through what.
 *
 * Plain functions of their arguments, on every machine the same; they allocate nothing and may be called by any
 * number of threads. */
#ifndef LAC_RECOMBINE_H
#define LAC_RECOMBINE_H

#include "lac/factors.h"

#ifdef __cplusplus
extern "C" {
#endif

enum lac_factor_kind {
    LAC_FACTOR_SPEAKER,
    LAC_FACTOR_STYLE,
    LAC_FACTOR_ENVIRONMENT,
    LAC_FACTOR_CHANNEL,
    LAC_FACTOR_KINDS
};

/* How style is changed. An absolute value is reached, as far as the content's own can be moved; scales come after.
 */
typedef struct lac_style_change {
    float f0_median_hz;     /* median pitch of voiced frames, 50 .. 600; 0: the content's own */
    float f0_deviation;     /* of voiced frames, semitones, 0 .. 12; negative: the content's own */
    float energy_deviation; /* of speech, dB, 0 .. 30; negative: the content's own */
    float rate_phones;      /* phones a second of speech, at most 50; 0: the content's own */
    float pitch_semitones;  /* added, -24 .. 24 */
    float range;            /* factor on the distance of log F0 from its median, 0 .. 4 */
    float rate;             /* factor on the speed, 0.5 .. 2 */
    float energy_db;        /* added, -40 .. 20 */
} lac_style_change;

/* Changes nothing. */
LAC_API void lac_style_change_default(lac_style_change *change);

/* Towards the style of another utterance: its median is left alone (it belongs to the speaker), its deviations and
 * its rate are taken by `weight`, 0 .. 1. */
LAC_API void lac_style_change_towards(lac_style_change *change, const lac_factors *content,
                                      const lac_factors *style, float weight);

/* Interpolate one kind of factor: *into becomes (1 - weight) * into + weight * from, the speaker vector made a unit
 * vector again, with the speaker's median pitch interpolated in octaves (where both have one). weight 0 .. 1.
 * LAC_FACTOR_STYLE is LAC_ERROR_ARGUMENT: lac_style_change_towards. */
LAC_API int lac_factors_mix(lac_factors *into, const lac_factors *from, enum lac_factor_kind kind, float weight);

/* Frames that lac_frames_restyle gives for `count` frames at most: of the slowest rate. */
LAC_API size_t lac_frames_restyled_bound(size_t count);

/* Apply a change of style to all frames of an utterance, whose factors are *content. out [*frames], at most
 * lac_frames_restyled_bound(count); content tokens are repeated or left out, pitch and energy interpolated. With
 * the default change the frames come out as they are. LAC_ERROR_ARGUMENT for a change out of range, LAC_ERROR_SPACE
 * if capacity is too small, nothing written in either case. */
LAC_API int lac_frames_restyle(const lac_factor_frame *in, size_t count, const lac_factors *content,
                               const lac_style_change *change, lac_factor_frame *out, size_t capacity,
                               size_t *frames);

#ifdef __cplusplus
}
#endif

#endif
