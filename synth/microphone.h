#ifndef LAC_SYNTH_MICROPHONE_H
#define LAC_SYNTH_MICROPHONE_H

#include <stddef.h>
#include <stdint.h>

/* A microphone's response, linear phase. */
typedef struct lac_microphone {
    float *response; /* [2 * side + 1] */
    size_t side;     /* its delay, samples */
} lac_microphone;

/* A smooth curve drawn by the seed, whose root mean square deviation from flat over 100 Hz to 10 kHz, all octaves
 * alike, is `db`, and which falls off below. The curve is the same at any rate. 0 or LAC_ERROR_MEMORY; free with
 * lac_microphone_close, which allows a zeroed one. */
int lac_microphone_open(lac_microphone *m, double db, double rate, uint64_t seed);
void lac_microphone_close(lac_microphone *m);

/* pcm [count] in place, without delay: 0 or LAC_ERROR_MEMORY. */
int lac_microphone_run(const lac_microphone *m, float *pcm, size_t count);

#endif
