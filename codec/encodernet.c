#include "encodernet.h"

#include <string.h>

#include "costs.h"
#include "parallel.h"

#define DOWN_PAST 2 /* fine frames before its own two that a coarse frame sees */

void lac_encoder_lane_init(lac_encoder_lane *lane, lac_workspace *w, const lac_model *m, size_t frames)
{
    const lac_encoder_weights *net = &m->encoder;
    lane->model = m;
    lane->pcm = lac_workspace_take(w, LAC_FEATURE_PAST + frames * LAC_FRAME, sizeof(float));
    lac_stack_history(&lane->history[LAC_ENCODER_FINE], w, net->fine, m->arch.encoder_fine_count);
    lac_history_init(&lane->history[LAC_ENCODER_DOWN], w, 1, net->fine[0].width, DOWN_PAST);
    lac_stack_history(&lane->history[LAC_ENCODER_COARSE], w, net->coarse, m->arch.encoder_coarse_count);
}

void lac_encoder_lane_reset(lac_encoder_lane *lane)
{
    lane->pending = 0;
    lane->begun = lane->flushed = false;
    memset(lane->pcm, 0, LAC_FEATURE_PAST * sizeof(float));
    for (size_t i = 0; i < LAC_ENCODER_HISTORIES; i++)
        lac_history_reset(&lane->history[i]);
}

static float clean_sample(float x)
{
    if (x > 4)
        return 4;
    if (x < -4)
        return -4;
    return x == x ? x : 0;
}

void lac_encoder_lane_take(lac_encoder_lane *lane, const float *pcm, size_t samples)
{
    float *to = lane->pcm + LAC_FEATURE_PAST + lane->pending;
    for (size_t i = 0; i < samples; i++)
        to[i] = pcm ? clean_sample(pcm[i]) : 0;
    lane->pending += samples;
    lane->begun |= samples > 0;
}

void lac_encoder_net_init(lac_encoder_net *n, lac_workspace *w, const lac_model *m, size_t lanes, size_t frames,
                          unsigned threads)
{
    const lac_encoder_weights *net = &m->encoder;
    size_t coarse_rows = lanes * frames, fine_rows = 2 * coarse_rows;
    lac_layer_needs needs = {0};
    lac_layer_needs_linear(&needs, &net->input, fine_rows);
    lac_layer_needs_blocks(&needs, net->fine, m->arch.encoder_fine_count, fine_rows);
    lac_layer_needs_linear(&needs, &net->downsample, coarse_rows);
    lac_layer_needs_windows(&needs, DOWN_PAST, net->fine[0].width);
    lac_layer_needs_blocks(&needs, net->coarse, m->arch.encoder_coarse_count, coarse_rows);
    lac_layer_needs_linear(&needs, &net->output, coarse_rows);
    lac_layer_work_init(&n->work, w, &needs, &m->kernels, threads);

    n->model = m;
    n->threads = threads;
    lac_stack_init(&n->fine, w, net->fine, m->arch.encoder_fine_count, fine_rows);
    lac_stack_init(&n->coarse, w, net->coarse, m->arch.encoder_coarse_count, coarse_rows);
    n->histories = lac_workspace_take(w, lanes, sizeof *n->histories);
    n->latents = lac_workspace_take(w, coarse_rows * m->arch.latent, sizeof(float));
    n->fixed = lac_workspace_take(w, coarse_rows * m->arch.latent, sizeof(int16_t));
    n->stages = lac_workspace_take(w, coarse_rows, sizeof *n->stages);
    n->residual = lac_workspace_take(w, coarse_rows * m->arch.latent, sizeof(int16_t));
    lac_features_init(&n->features, w, m, 2 * frames, threads);
    n->rows = lac_workspace_take(w, 2 * frames * n->features.width, sizeof(float));
}

static lac_history *const *gather(lac_encoder_net *net, lac_encoder_lane *const *lanes, size_t count,
                                  enum lac_encoder_histories which)
{
    for (size_t i = 0; i < count; i++)
        net->histories[i] = &lanes[i]->history[which];
    return net->histories;
}

/* Lane by lane, so that a lane's features are quantised while they are in the cache. */
static void run_features(lac_encoder_net *net, lac_encoder_lane *const *lanes, size_t count, size_t rows)
{
    size_t f = net->features.width;
    for (size_t i = 0; i < count; i++) {
        lac_features_run(&net->features, lanes[i]->pcm + LAC_FEATURE_PAST, rows, net->rows);
        lac_tap_layer(&net->tap, "features", -1, net->rows, rows, f, f);
        lac_layer_quantise(&net->work, i * rows, net->rows, rows, f);
    }
    lac_profile_plain(&net->profile, "features");
}

static void run_fine(lac_encoder_net *net, lac_encoder_lane *const *lanes, size_t count, size_t rows)
{
    const lac_linear *input = &net->model->encoder.input;
    size_t all = count * rows, c = net->fine.width;
    lac_layer_product(&net->work, input, 0, all, net->fine.x, c);
    lac_tap_layer(&net->tap, "input", -1, net->fine.x, all, c, c);
    lac_profile_linear(&net->profile, "input", input, all);
    lac_stack_run(&net->fine, gather(net, lanes, count, LAC_ENCODER_FINE), count, rows, &net->work, &net->tap, "fine");
    lac_profile_stack(&net->profile, "fine", &net->fine, all);
}

static void run_coarse(lac_encoder_net *net, lac_encoder_lane *const *lanes, size_t count, size_t rows)
{
    const lac_linear *down = &net->model->encoder.downsample;
    size_t all = count * rows, c = net->coarse.width;
    lac_layer_quantise_windows(&net->work, gather(net, lanes, count, LAC_ENCODER_DOWN), count, net->fine.x, 2 * rows,
                               2);
    lac_layer_product(&net->work, down, 0, all, net->coarse.x, c);
    lac_tap_layer(&net->tap, "downsample", -1, net->coarse.x, all, c, c);
    lac_profile_linear(&net->profile, "downsample", down, all);
    lac_stack_run(&net->coarse, gather(net, lanes, count, LAC_ENCODER_COARSE), count, rows, &net->work, &net->tap,
                  "coarse");
    lac_profile_stack(&net->profile, "coarse", &net->coarse, all);
}

/* A value not above 4095, or the nearest end; halves away from zero. */
static int16_t to_fixed(float z)
{
    float v = z * LAC_LATENT_ONE, size = v < 0 ? -v : v;
    if (!(size < LAC_RVQ_MAX))
        size = size >= LAC_RVQ_MAX ? LAC_RVQ_MAX : 0;
    int whole = (int)size;
    if (size - (float)whole >= 0.5f)
        whole++;
    return (int16_t)(v < 0 ? -whole : whole);
}

static void run_output(lac_encoder_net *net, size_t rows)
{
    const lac_linear *output = &net->model->encoder.output;
    size_t d = output->out;
    lac_layer_quantise_norm(&net->work, net->coarse.x, rows, net->coarse.width);
    lac_layer_product(&net->work, output, 0, rows, net->latents, d);
    for (size_t t = 0; t < rows; t++)
        net->model->kernels.norm_row(net->latents + t * d, net->latents + t * d, d);
    lac_tap_layer(&net->tap, "latent", -1, net->latents, rows, d, d);
    for (size_t i = 0; i < rows * d; i++)
        net->fixed[i] = to_fixed(net->latents[i]);
    lac_profile_linear(&net->profile, "output", output, rows);
}

typedef struct search_job {
    const lac_encoder_net *net;
    lac_encoder_lane *const *lanes;
    size_t frames; /* of each lane */
    const int16_t *latents;
    uint16_t *tokens;
} search_job;

static uint32_t beam_of(const search_job *job, size_t row)
{
    return job->lanes[row / job->frames]->beam;
}

static void search_rows(void *user, size_t part, size_t first, size_t end)
{
    const search_job *job = user;
    const lac_encoder_net *net = job->net;
    const lac_quantiser *q = &net->model->quantiser;
    (void)part;
    for (size_t n; first < end; first += n) {
        const int16_t *z = job->latents + first * q->dimension;
        const uint32_t *stages = net->stages + first;
        uint16_t *tokens = job->tokens + first * q->stages;
        uint32_t beam = beam_of(job, first);
        for (n = 1; first + n < end && beam_of(job, first + n) == beam; n++)
            continue;
        lac_quantiser_encode(q, beam, z, stages, n, tokens, net->residual + first * q->dimension);
    }
}

void lac_encoder_net_search(lac_encoder_net *net, lac_encoder_lane *const *lanes, size_t count, size_t frames,
                            const int16_t *latents, uint16_t *tokens)
{
    size_t rows = count * frames;
    for (size_t i = 0; i < rows; i++)
        net->stages[i] = lanes[i / frames]->codebooks;
    lac_parallel(rows, net->threads, search_rows, &(search_job){net, lanes, frames, latents, tokens});
    lac_profile_search(&net->profile, &net->model->quantiser, lanes[0]->codebooks, lanes[0]->beam, rows);
}

/* The samples coded become history. */
static void consume(lac_encoder_lane *lane, size_t frames)
{
    lane->pending -= frames * LAC_FRAME;
    memmove(lane->pcm, lane->pcm + frames * LAC_FRAME, (LAC_FEATURE_PAST + lane->pending) * sizeof(float));
}

void lac_encoder_net_run(lac_encoder_net *net, lac_encoder_lane *const *lanes, size_t count, size_t frames,
                         uint16_t *tokens, int16_t *latents)
{
    size_t rows = count * frames;
    run_features(net, lanes, count, 2 * frames);
    run_fine(net, lanes, count, 2 * frames);
    run_coarse(net, lanes, count, frames);
    run_output(net, rows);
    if (latents)
        memcpy(latents, net->fixed, rows * net->model->arch.latent * sizeof(int16_t));
    lac_encoder_net_search(net, lanes, count, frames, net->fixed, tokens);
    for (size_t i = 0; i < count; i++)
        consume(lanes[i], frames);
}
