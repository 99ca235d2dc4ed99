/* An audio file or pipe as frames of mono samples at a model's rate. Channels are averaged. */
#ifndef LAC_TOOLS_SPEECH_H
#define LAC_TOOLS_SPEECH_H

#include <stddef.h>
#include <stdint.h>

#include "audioin.h"

typedef struct lac_speech lac_speech;

/* `raw` as for lac_audio_in_open. `loop`: the file begins again at its end. 0, or LAC_EXIT_FAILED after a
 * message. */
int lac_speech_open(lac_speech **speech, const char *path, const lac_raw_input *raw, uint32_t rate, int loop);

/* The next `samples` samples, fewer at the end: *got. 0, or LAC_EXIT_FAILED after a message. */
int lac_speech_read(lac_speech *speech, float *pcm, size_t samples, size_t *got);

/* NULL and pointers to NULL are accepted. */
void lac_speech_close(lac_speech **speech);

#endif
