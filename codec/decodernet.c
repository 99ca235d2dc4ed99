#include "decodernet.h"

#include <string.h>

#include "costs.h"

#define INPUT_PAST 2 /* latents before its own that the first layer sees */
#define PITCH_AT (LAC_SPECTRA / LAC_GEMM_PANEL * LAC_GEMM_PANEL) /* the output that `pitch` begins with */

void lac_decoder_lane_init(lac_decoder_lane *lane, lac_workspace *w, const lac_model *m)
{
    const lac_decoder_weights *net = &m->decoder;
    lane->model = m;
    lane->last = lac_workspace_take(w, net->output.in, sizeof(int16_t));
    lac_history_init(&lane->history[LAC_DECODER_INPUT], w, 1, m->arch.latent, INPUT_PAST);
    lac_stack_history(&lane->history[LAC_DECODER_COARSE], w, net->coarse, m->arch.decoder_coarse_count);
    lac_stack_history(&lane->history[LAC_DECODER_FINE], w, net->fine, m->arch.decoder_fine_count);
}

void lac_decoder_lane_reset(lac_decoder_lane *lane)
{
    memset(&lane->conceal, 0, sizeof lane->conceal);
    memset(&lane->sounding, 0, sizeof lane->sounding);
    lane->begun = false;
    for (size_t i = 0; i < LAC_DECODER_HISTORIES; i++)
        lac_history_reset(&lane->history[i]);
}

bool lac_frames_valid(const lac_frames *frames, const lac_model *model, size_t rows)
{
    uint32_t q = model->arch.codebooks;
    for (size_t t = 0; t < rows; t++) {
        if (frames->codebooks[t] > q)
            return false;
        for (size_t i = 0; i < frames->codebooks[t]; i++)
            if (frames->tokens[t * q + i] >= model->arch.codewords)
                return false;
    }
    return true;
}

void lac_decoder_net_init(lac_decoder_net *n, lac_workspace *w, const lac_model *m, size_t lanes, size_t frames,
                          unsigned threads)
{
    const lac_decoder_weights *net = &m->decoder;
    size_t coarse_rows = lanes * frames, fine_rows = 2 * coarse_rows;
    lac_layer_needs needs = {0};
    lac_layer_needs_linear(&needs, &net->input, coarse_rows);
    lac_layer_needs_windows(&needs, INPUT_PAST, m->arch.latent);
    lac_layer_needs_blocks(&needs, net->coarse, m->arch.decoder_coarse_count, coarse_rows);
    lac_layer_needs_linear(&needs, &net->upsample, coarse_rows);
    lac_layer_needs_blocks(&needs, net->fine, m->arch.decoder_fine_count, fine_rows);
    lac_layer_needs_linear(&needs, &net->output, fine_rows);
    lac_layer_work_init(&n->work, w, &needs, &m->kernels, threads);

    n->model = m;
    lac_stack_init(&n->coarse, w, net->coarse, m->arch.decoder_coarse_count, coarse_rows);
    lac_stack_init(&n->fine, w, net->fine, m->arch.decoder_fine_count, fine_rows);
    n->pitch = lac_linear_part(&net->output, PITCH_AT, net->output.out - PITCH_AT);
    n->histories = lac_workspace_take(w, lanes, sizeof *n->histories);
    n->fixed = lac_workspace_take(w, m->arch.latent, sizeof(int16_t));
    n->latents = lac_workspace_take(w, coarse_rows * m->arch.latent, sizeof(float));
    n->gains = lac_workspace_take(w, coarse_rows, sizeof(lac_gain));
    n->rows = lac_workspace_take(w, fine_rows * net->output.out, sizeof(float));
    lac_sourcefilter_init(&n->synthesis, w, m, 2 * frames, threads);
}

static lac_history *const *gather(lac_decoder_net *net, lac_decoder_lane *const *lanes, size_t count,
                                  enum lac_decoder_histories which)
{
    for (size_t i = 0; i < count; i++)
        net->histories[i] = &lanes[i]->history[which];
    return net->histories;
}

static lac_gain load_frame(lac_decoder_net *net, lac_conceal *c, const lac_frames *from, size_t row, float *z)
{
    const lac_quantiser *q = &net->model->quantiser;
    size_t n = q->dimension;
    lac_gain gain;
    if (from->latents) {
        gain = lac_conceal_received(c, from->latents + row * n, n);
        memcpy(net->fixed, from->latents + row * n, n * sizeof(int16_t));
    } else if (from->codebooks[row] == 0) {
        gain = lac_conceal_lost(c, &net->model->predictor, net->fixed, n);
    } else {
        lac_quantiser_decode(q, from->tokens + row * q->stages, from->codebooks[row], net->fixed);
        gain = lac_conceal_received(c, net->fixed, n);
    }
    for (size_t i = 0; i < n; i++)
        z[i] = (float)net->fixed[i] * (1.0f / LAC_LATENT_ONE);
    return gain;
}

static void run_coarse(lac_decoder_net *net, lac_decoder_lane *const *lanes, size_t count, size_t rows)
{
    const lac_linear *input = &net->model->decoder.input;
    size_t all = count * rows, c = net->coarse.width;
    lac_layer_quantise_windows(&net->work, gather(net, lanes, count, LAC_DECODER_INPUT), count, net->latents, rows, 1);
    lac_layer_product(&net->work, input, 0, all, net->coarse.x, c);
    lac_tap_layer(&net->tap, "input", -1, net->coarse.x, all, c, c);
    lac_profile_linear(&net->profile, "input", input, all);
    lac_stack_run(&net->coarse, gather(net, lanes, count, LAC_DECODER_COARSE), count, rows, &net->work, &net->tap,
                  "coarse");
    lac_profile_stack(&net->profile, "coarse", &net->coarse, all);
}

static void run_fine(lac_decoder_net *net, lac_decoder_lane *const *lanes, size_t count, size_t rows)
{
    const lac_linear *up = &net->model->decoder.upsample;
    size_t all = count * rows, c = net->fine.width;
    lac_layer_quantise(&net->work, 0, net->coarse.x, all / 2, net->coarse.width);
    lac_layer_product(&net->work, up, 0, all / 2, net->fine.x, 2 * c);
    lac_tap_layer(&net->tap, "upsample", -1, net->fine.x, all, c, c);
    lac_profile_linear(&net->profile, "upsample", up, all / 2);
    lac_stack_run(&net->fine, gather(net, lanes, count, LAC_DECODER_FINE), count, rows, &net->work, &net->tap, "fine");
    lac_profile_stack(&net->profile, "fine", &net->fine, all);
}

static void keep_last(const lac_layer_work *work, lac_decoder_lane *lane, size_t row, size_t width)
{
    memcpy(lane->last, work->quantised + row * width, width * sizeof(int16_t));
    lane->last_scale = work->scale[row];
    lane->begun = true;
}

/* Up to the quantised input of the output layer. */
static void run_network(lac_decoder_net *net, lac_decoder_lane *const *lanes, size_t count, const lac_frames *from,
                        size_t first, size_t frames)
{
    size_t d = net->model->arch.latent;
    for (size_t i = 0; i < count * frames; i++)
        net->gains[i] = load_frame(net, &lanes[i / frames]->conceal, from, first + i, net->latents + i * d);
    run_coarse(net, lanes, count, frames);
    run_fine(net, lanes, count, 2 * frames);
    lac_layer_quantise_norm(&net->work, net->fine.x, count * 2 * frames, net->fine.width);
    for (size_t i = 0; i < count; i++)
        keep_last(&net->work, lanes[i], (i + 1) * 2 * frames - 1, net->fine.width);
}

static void rebuild(lac_decoder_net *net, lac_decoder_lane *lane)
{
    const lac_linear *output = &net->model->decoder.output;
    if (lane->begun) {
        memcpy(net->work.quantised, lane->last, output->in * sizeof(int16_t));
        net->work.scale[0] = lane->last_scale;
        lac_layer_product(&net->work, output, 0, 1, net->rows, output->out);
    }
    lac_sourcefilter_rebuild(&net->synthesis, &lane->sounding, lane->begun ? net->rows : NULL);
}

static void synthesise(lac_decoder_net *net, lac_decoder_lane *lane, size_t first, size_t frames, float *pcm)
{
    size_t ldo = net->model->decoder.output.out;
    lac_sourcefilter_run(&net->synthesis, &lane->sounding, net->rows + 2 * first * ldo, ldo, 2 * frames, pcm);
    for (size_t t = 0; t < frames; t++)
        lac_gain_apply(net->gains[first + t], pcm + t * LAC_FRAME);
}

void lac_decoder_net_read(lac_decoder_net *net, lac_decoder_lane *const *lanes, size_t count, const lac_frames *from,
                          size_t first, size_t frames, float *const *pcm)
{
    const lac_linear *output = &net->model->decoder.output;
    size_t rows = count * 2 * frames;
    for (size_t i = 0; i < count; i++)
        if (lanes[i]->sounding.stale)
            rebuild(net, lanes[i]);
    run_network(net, lanes, count, from, first, frames);
    lac_layer_product(&net->work, output, 0, rows, net->rows, output->out);
    lac_tap_layer(&net->tap, "output", -1, net->rows, rows, output->out, output->out);
    lac_profile_linear(&net->profile, "output", output, rows);
    for (size_t i = 0; i < count; i++)
        synthesise(net, lanes[i], i * frames, frames, pcm[i]);
}

void lac_decoder_net_skip(lac_decoder_net *net, lac_decoder_lane *lane, const lac_frames *from, size_t first,
                          size_t frames)
{
    const lac_linear *pitch = &net->pitch;
    run_network(net, &lane, 1, from, first, frames);
    lac_layer_product(&net->work, pitch, 0, 2 * frames, net->rows, pitch->out);
    lac_sourcefilter_skip(&net->synthesis, &lane->sounding, net->rows + (LAC_SPECTRA - PITCH_AT), pitch->out,
                          2 * frames);
}
