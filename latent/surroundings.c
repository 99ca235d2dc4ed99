#include "surroundings.h"

#include "fmath.h"

void lac_surroundings_needs(lac_layer_needs *needs, const lac_factor_model *m, size_t rows)
{
    const lac_surroundings_weights *net = &m->surroundings;
    lac_trunk_needs(needs, &net->trunk, &m->arch.surroundings, rows);
    lac_layer_needs_linear(needs, &net->weigh, rows);
    lac_layer_needs_linear(needs, &net->environment, 1);
    lac_layer_needs_linear(needs, &net->environment_hidden, 1);
    lac_layer_needs_linear(needs, &net->environment_output, 1);
}

void lac_surroundings_init(lac_surroundings *s, lac_workspace *w, const lac_factor_model *m, size_t rows)
{
    size_t width = m->arch.surroundings.width;
    s->weights = &m->surroundings;
    lac_trunk_init(&s->trunk, w, &m->surroundings.trunk, &m->arch.surroundings, rows);
    lac_pool_init(&s->pool, w, width);
    s->row_weights = lac_workspace_take(w, rows, sizeof(float));
    s->statistics = lac_workspace_take(w, 2 * width, sizeof(float));
}

void lac_surroundings_reset(lac_surroundings *s)
{
    lac_trunk_reset(&s->trunk);
    lac_pool_reset(&s->pool);
}

void lac_surroundings_run(lac_surroundings *s, size_t rows, lac_layer_work *work, const lac_tap *tap)
{
    const float *x = s->trunk.stack.x;
    lac_trunk_run(&s->trunk, rows, work, tap, "surroundings.blocks");
    lac_layer_apply(work, &s->weights->weigh, x, rows, s->row_weights);
    for (size_t t = 0; t < rows; t++, x += s->trunk.stack.width)
        lac_pool_add(&s->pool, x, lac_sigmoidf(s->row_weights[t]));
}

/* A vector, and what its head reads off it. */
static void read_vector(const lac_surroundings *s, lac_layer_work *work, const lac_linear *layers[3], float *vector,
                        float *head)
{
    float hidden[LAC_HEAD_WIDTH];
    lac_layer_apply(work, layers[0], s->statistics, 1, vector);
    for (size_t i = 0; i < layers[0]->out; i++)
        vector[i] = lac_bounded(vector[i], 1e6f);
    lac_layer_apply(work, layers[1], vector, 1, hidden);
    work->kernels->gelu(hidden, LAC_HEAD_WIDTH);
    lac_layer_apply(work, layers[2], hidden, 1, head);
}

static float within(float x, float least, float most)
{
    return x > least ? x < most ? x : most : least;
}

/* Log odds to probabilities. */
static void read_codec(const float *odds, float *codec)
{
    float top = lac_bounded(odds[0], 1e6f), sum = 0;
    for (size_t i = 1; i < LAC_CODEC_CLASSES; i++)
        top = odds[i] > top ? lac_bounded(odds[i], 1e6f) : top;
    for (size_t i = 0; i < LAC_CODEC_CLASSES; i++)
        sum += codec[i] = lac_expf(lac_bounded(odds[i], 1e6f) - top);
    for (size_t i = 0; i < LAC_CODEC_CLASSES; i++)
        codec[i] /= sum;
}

void lac_surroundings_get(const lac_surroundings *s, lac_layer_work *work, lac_factors *f)
{
    const float log_2 = 0.693147181f;
    const lac_surroundings_weights *net = s->weights;
    const lac_linear *environment[] = {&net->environment, &net->environment_hidden, &net->environment_output};
    const lac_linear *channel[] = {&net->channel, &net->channel_hidden, &net->channel_output};
    float room[LAC_ROOM_SIZE], line[LAC_LINE_SIZE];
    if (s->pool.rows == 0)
        return;
    lac_pool_get(&s->pool, s->statistics);
    read_vector(s, work, environment, f->environment, room);
    read_vector(s, work, channel, f->channel, line);
    f->snr_db = within(20 * room[0], -10, 60);
    f->t60_s = within(0.4f * lac_expf(lac_bounded(room[1], 10) * log_2), 0.05f, 3);
    f->bandwidth_hz = within(6000 * line[0], 500, 12000);
    read_codec(line + 1, f->codec);
}
