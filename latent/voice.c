#include "voice.h"

#include <string.h>

#include "fmath.h"
#include "unitvector.h"

void lac_voice_needs(lac_layer_needs *needs, const lac_factor_model *m, size_t rows)
{
    lac_trunk_needs(needs, &m->speaker.trunk, &m->arch.speaker, rows);
    lac_layer_needs_linear(needs, &m->speaker.weigh, rows);
    lac_layer_needs_linear(needs, &m->speaker.output, 1);
}

void lac_voice_init(lac_voice *v, lac_workspace *w, const lac_factor_model *m, size_t rows)
{
    size_t width = m->arch.speaker.width;
    v->weights = &m->speaker;
    lac_trunk_init(&v->trunk, w, &m->speaker.trunk, &m->arch.speaker, rows);
    lac_pool_init(&v->all, w, width);
    lac_pool_init(&v->stretch, w, width);
    v->row_weights = lac_workspace_take(w, rows, sizeof(float));
    v->statistics = lac_workspace_take(w, 2 * width, sizeof(float));
}

void lac_voice_reset(lac_voice *v)
{
    lac_trunk_reset(&v->trunk);
    lac_pool_reset(&v->all);
    lac_pool_reset(&v->stretch);
    memset(v->sum, 0, sizeof v->sum);
    v->weight = v->squares = 0;
}

static void vector_of(const lac_voice *v, const lac_pool *pool, lac_layer_work *work, float *vector)
{
    lac_pool_get(pool, v->statistics);
    lac_layer_apply(work, &v->weights->output, v->statistics, 1, vector);
    lac_unit_make(vector, LAC_SPEAKER_SIZE);
}

static void close_stretch(lac_voice *v, lac_layer_work *work)
{
    float vector[LAC_SPEAKER_SIZE], weight = lac_pool_weight(&v->stretch);
    vector_of(v, &v->stretch, work, vector);
    for (size_t i = 0; i < LAC_SPEAKER_SIZE; i++)
        v->sum[i] += lac_pool_fixed(weight * vector[i]);
    v->weight += lac_pool_fixed(weight);
    v->squares += lac_pool_fixed(weight * weight);
    lac_pool_reset(&v->stretch);
}

void lac_voice_run(lac_voice *v, size_t rows, lac_layer_work *work, const lac_tap *tap)
{
    const float *x = v->trunk.stack.x;
    lac_trunk_run(&v->trunk, rows, work, tap, "speaker.blocks");
    lac_layer_apply(work, &v->weights->weigh, x, rows, v->row_weights);
    for (size_t t = 0; t < rows; t++, x += v->trunk.stack.width) {
        float weight = lac_sigmoidf(v->row_weights[t]);
        lac_pool_add(&v->all, x, weight);
        lac_pool_add(&v->stretch, x, weight);
        if (v->stretch.rows == LAC_VOICE_STRETCH)
            close_stretch(v, work);
    }
}

void lac_voice_get(const lac_voice *v, lac_layer_work *work, float vector[LAC_SPEAKER_SIZE])
{
    vector_of(v, &v->all, work, vector);
}

float lac_voice_agreement(const lac_voice *v)
{
    const double one = (double)LAC_POOL_ONE;
    double weight = (double)v->weight / one, squares = (double)v->squares / one, length = 0;
    double pairs = weight * weight - squares;
    for (size_t i = 0; i < LAC_SPEAKER_SIZE; i++)
        length += (double)v->sum[i] / one * ((double)v->sum[i] / one);
    if (!(pairs > 1e-3 * squares)) /* of one stretch nothing is left but what rounding leaves */
        return 1;
    return lac_bounded((float)((length - squares) / pairs), 1);
}
