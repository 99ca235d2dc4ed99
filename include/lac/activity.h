/* Voice activity: which frames hold only background noise, for discontinuous transmission (DTX).
 *
 * Power in three bands against a noise floor of minimum statistics (Martin, IEEE Trans. Speech and Audio Processing
 * 9(5), 2001), periodicity, and 300 ms of hangover. In doubt a frame is active. What is louder than -30 dB of full
 * scale always is; what is softer than -70 dB only is within the hangover. One detector is one mono stream; thread
 * rule as for lac_encoder. */
#ifndef LAC_ACTIVITY_H
#define LAC_ACTIVITY_H

#include "lac/model.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct lac_activity lac_activity;

/* On success *activity is owned by the caller; the model tells rate and frame. */
LAC_API int lac_activity_open(lac_activity **activity, const lac_model *model);

/* Close and set *activity to NULL; NULL and pointers to NULL are accepted. */
LAC_API void lac_activity_close(lac_activity **activity);

/* The next frame, pcm [frame_samples] at the model's rate, full scale 1.0. 1: speech or anything else worth
 * sending; 0: background noise or silence. Frames line up with the encoder's if both are given the same samples. */
LAC_API int lac_activity_frame(lac_activity *activity, const float *pcm);

/* Back to the state after open. */
LAC_API void lac_activity_reset(lac_activity *activity);

#ifdef __cplusplus
}
#endif

#endif
