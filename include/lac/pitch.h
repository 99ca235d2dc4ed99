/* Pitch, voicing and energy of speech, 50 frames a second.
 *
 * YIN's normalised difference function (de Cheveigne and Kawahara, J. Acoust. Soc. Am. 111(4), 2002) of what lies
 * below 3 kHz, in windows of 26 ms that stay centred on the frame at every lag; its minima are weighed by
 * distributions of thresholds as in pYIN (Mauch and Dixon, ICASSP 2014) and by what comes before them and
 * LAC_PITCH_DELAY - 1 frames after (forward-backward over the minima).
 *
 * Steady pitches from 51 to 590 Hz come within 0.5 cents, vowels in white noise within 4 cents at 20 dB and 20
 * cents at 10 dB, sweeps of 1.5 octaves a second within 20 cents; noise alone has none (tests/test_pitch.c).
 *
 * A tracker is one mono stream, used by one thread at a time. No call but open and close allocates, locks or
 * prints. Any chunking gives the same frames, on every machine.
 */
#ifndef LAC_PITCH_H
#define LAC_PITCH_H

#include <stddef.h>
#include <stdint.h>

#include "lac/export.h"

#ifdef __cplusplus
extern "C" {
#endif

#define LAC_PITCH_RATE 24000 /* Hz, of the samples */
#define LAC_PITCH_HOP 480    /* samples a frame */
#define LAC_PITCH_DELAY 5    /* frames held back */
#define LAC_PITCH_MIN_HZ 50.0f
#define LAC_PITCH_MAX_HZ 600.0f

typedef struct lac_pitch lac_pitch;

/* Frame t is samples 480 t .. 480 t + 479 and is centred on sample 480 t + 240. */
typedef struct lac_pitch_frame {
    float f0_hz;     /* LAC_PITCH_MIN_HZ .. LAC_PITCH_MAX_HZ, or 0 where voicing is at most 0.5 */
    float voicing;   /* probability that the frame has a pitch, 0 .. 1 */
    float energy_db; /* power of the frame, full scale sine is -3.01; -100 at least */
} lac_pitch_frame;

/* On success *pitch is owned by the caller. */
LAC_API int lac_pitch_open(lac_pitch **pitch);

/* Close and set *pitch to NULL; NULL and pointers to NULL are accepted. */
LAC_API void lac_pitch_close(lac_pitch **pitch);

LAC_API size_t lac_pitch_bytes(const lac_pitch *pitch);

/* Most frames that lac_pitch_write with this many samples, or lac_pitch_flush with 0, can give now. */
LAC_API size_t lac_pitch_max_frames(const lac_pitch *pitch, size_t samples);

/* Take `samples` samples (24 kHz, mono, full scale 1.0; larger values are clamped at 4.0, a NaN counts as 0) and
 * give the frames that complete. LAC_ERROR_SPACE, with nothing taken, if
 * capacity < lac_pitch_max_frames(pitch, samples); LAC_ERROR_STATE after a flush. */
LAC_API int lac_pitch_write(lac_pitch *pitch, const float *pcm, size_t samples, lac_pitch_frame *out,
                            size_t capacity, size_t *frames);

/* Give the last frames: in all samples / 480, rounded up; silence follows the last sample. Reset before more. */
LAC_API int lac_pitch_flush(lac_pitch *pitch, lac_pitch_frame *out, size_t capacity, size_t *frames);

/* Back to the state after open. */
LAC_API void lac_pitch_reset(lac_pitch *pitch);

#ifdef __cplusplus
}
#endif

#endif
