#include <math.h>

#include "fmath.h"
#include "trunk.h"
#include "unitvector.h"

/* Root mean square of the differences, each in its deviations. */
static float distance_of(const float *a, const float *b, const float *deviations, size_t n)
{
    float sum = 0;
    for (size_t i = 0; i < n; i++) {
        float d = lac_bounded((a[i] - b[i]) / deviations[i], 1e6f);
        sum += d * d;
    }
    return sqrtf(sum / (float)n);
}

void lac_factors_compare(const lac_factor_model *model, const lac_factors *a, const lac_factors *b,
                         lac_factor_distance *d)
{
    const lac_factor_calibration *c = &model->calibration;
    lac_float_mode mode = lac_float_enter();
    d->speaker_cosine = lac_unit_cosine(a->speaker, b->speaker, LAC_SPEAKER_SIZE);
    d->same_speaker_probability = 0.5f;
    if (a->confidence > 0 && b->confidence > 0)
        d->same_speaker_probability = lac_sigmoidf(c->speaker[0] * d->speaker_cosine + c->speaker[1]);
    d->style_distance = distance_of(a->style, b->style, c->style, LAC_STYLE_SIZE);
    d->environment_distance =
        distance_of(a->environment, b->environment, c->environment, LAC_ENVIRONMENT_SIZE);
    d->channel_distance = distance_of(a->channel, b->channel, c->channel, LAC_CHANNEL_SIZE);
    lac_float_leave(mode);
}
