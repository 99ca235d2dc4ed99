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

/* How style is changed. An absolute value is reached, as far as the content's own can be moved: deviations by a
 * factor of at most 4, the rate, with `rate`, by one of 0.5 .. 2. Scales come after. */
typedef struct lac_style_change {
    float f0_median_hz;     /* median pitch of voiced frames, 50 .. 600; 0: the content's own */
    float f0_deviation;     /* of voiced frames, semitones, 0 .. 12; negative: the content's own */
    float energy_deviation; /* of the frames that are speech in the content, dB, 0 .. 30; negative: its own */
    float rate_phones;      /* phones a second of speech, at most 50; 0: the content's own */
    float pitch_semitones;  /* added, -24 .. 24 */
    float range;            /* factor on the distance of log F0 from its median, 0 .. 4 */
    float rate;             /* factor on the speed, 0.5 .. 2 */
    float energy_db;        /* added, -40 .. 20 */
} lac_style_change;

/* Changes nothing. */
LAC_API void lac_style_change_default(lac_style_change *change);

/* Towards the style of another utterance: its median is left alone (it belongs to the speaker), its deviations and
 * its rate, where it has them, are taken by `weight`, 0 .. 1. */
LAC_API void lac_style_change_towards(lac_style_change *change, const lac_factors *content,
                                      const lac_factors *style, float weight);

/* Interpolate one kind of factor: *into becomes (1 - weight) * into + weight * from, the speaker vector made a unit
 * vector again, and with each vector what is told of it: the speaker's median pitch, in octaves, if both have one,
 * and confidence; snr_db and t60_s of the environment; bandwidth_hz and codec of the channel. weight 0 .. 1; the
 * same factors, or weight 0, change nothing, weight 1 copies. LAC_ERROR_ARGUMENT for another weight and for
 * LAC_FACTOR_STYLE, which lac_style_change_towards is for. */
LAC_API int lac_factors_mix(lac_factors *into, const lac_factors *from, enum lac_factor_kind kind, float weight);

/* What the frames of an utterance say of it, as an analyser counts it: frames, speech_s, f0_median_hz and style of
 * *factors, the rest is left. */
LAC_API void lac_factors_measure(const lac_factor_frame *frames, size_t count, lac_factors *factors);

/* Frames that lac_frames_restyle gives for `count` frames at most: of the slowest rate. */
LAC_API size_t lac_frames_restyled_bound(size_t count);

/* Apply a change of style to all frames of an utterance; `stride` is content_stride of lac_factor_info. out
 * [*frames], at most lac_frames_restyled_bound(count), not overlapping in: round(count / rate). Content tokens are
 * repeated or left out, in their order, `stride` frames each; the phone of one is the first, but for blanks, of
 * those that it stands for. Pitch, where both neighbours have one, voicing and energy are interpolated. What is
 * changed stays within 50 .. 600 Hz and -100 .. 0 dB. With the default change the frames come out as they are.
 * LAC_ERROR_ARGUMENT for a change out of range, LAC_ERROR_SPACE if capacity is too small, nothing written in either
 * case. */
LAC_API int lac_frames_restyle(const lac_factor_frame *in, size_t count, uint32_t stride,
                               const lac_style_change *change, lac_factor_frame *out, size_t capacity,
                               size_t *frames);

#ifdef __cplusplus
}
#endif

#endif
