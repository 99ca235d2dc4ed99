/* Noise as long as a sound. */
#ifndef LAC_SYNTH_NOISE_H
#define LAC_SYNTH_NOISE_H

#include <stddef.h>

#include "chance.h"

/* out [count] = a part of noise [noise_count], noise_count >= 1, that begins where `c` says; repeated if it is too
 * short, its end then fading into its beginning over `fade` samples or an eighth of it. */
void lac_noise_take(float *out, size_t count, const float *noise, size_t noise_count, size_t fade, lac_chance *c);

#endif
