/* What an output must pass, by the thresholds of the plan. Plain functions, for any number of threads. */
#ifndef LAC_SYNTH_GATE_H
#define LAC_SYNTH_GATE_H

#include <stdbool.h>
#include <stddef.h>

#include "plan.h"

enum lac_gate {
    LAC_GATE_SPEAKER = 1,
    LAC_GATE_CONTENT = 2,
    LAC_GATE_SNR = 4,
    LAC_GATE_CLIPPING = 8,
    LAC_GATE_SILENCE = 16
};
#define LAC_GATES 5

typedef struct lac_gate_scores {
    bool measured;           /* the next three; else they are not judged */
    double speaker_cosine;   /* to the voice that was wanted, -1 .. 1 */
    double content_distance; /* to the content, 0 .. 1 */
    double snr_db;
    double clipped_share; /* of samples, 0 .. 1 */
    double silent_share;  /* of whole 20 ms below -55 dB, 0 .. 1 */
    double level_db;      /* of the others, root mean square to full scale; -100 if there are none */
    unsigned failed;      /* enum lac_gate, added up */
} lac_gate_scores;

/* The last three shares of sound at `rate` Hz, full scale 1.0. */
void lac_gate_listen(lac_gate_scores *scores, const float *pcm, size_t samples, unsigned rate);

/* `failed`; true if nothing did. */
bool lac_gate_judge(lac_gate_scores *scores, const lac_plan *plan);

/* Of gate number 0 .. LAC_GATES - 1. */
const char *lac_gate_name(unsigned number);

/* Of two vectors; 0 if one is nothing but zeros. */
double lac_gate_cosine(const float *a, const float *b, size_t size);

#endif
