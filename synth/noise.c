#include "noise.h"

#include <string.h>

/* Sample `at` of a loop of `length` whose first `fade` samples take in the `fade` that follow its end. */
static float looped(const float *noise, size_t length, size_t fade, size_t at)
{
    if (at >= fade)
        return noise[at];
    double part = ((double)at + 0.5) / (double)fade;
    return (float)(sqrt(part) * (double)noise[at] + sqrt(1 - part) * (double)noise[length + at]);
}

void lac_noise_take(float *out, size_t count, const float *noise, size_t noise_count, size_t fade, lac_chance *c)
{
    if (noise_count >= count) {
        memcpy(out, noise + lac_chance_index(c, noise_count - count + 1), count * sizeof *out);
        return;
    }
    if (fade > noise_count / 8)
        fade = noise_count / 8;
    size_t length = noise_count - fade, at = lac_chance_index(c, length);
    for (size_t i = 0; i < count; i++) {
        out[i] = looped(noise, length, fade, at);
        at = at + 1 < length ? at + 1 : 0;
    }
}
