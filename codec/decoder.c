#include "lac/decoder.h"

#include <string.h>

#include "conceal.h"
#include "costs.h"
#include "fmath.h"
#include "network.h"
#include "rvq.h"
#include "sourcefilter.h"
#include "streams.h"
#include "workspace.h"

#define MAX_BLOCK_FRAMES 256
#define MAX_THREADS 256
#define INPUT_PAST 2 /* latents before its own that the first layer sees */
#define PITCH_AT (LAC_SPECTRA / LAC_GEMM_PANEL * LAC_GEMM_PANEL) /* the output that `pitch` begins with */

struct lac_decoder {
    lac_workspace memory;
    const lac_model *model;
    lac_decoder_settings settings;
    lac_rvq rvq;
    lac_tap tap;
    lac_profile profile;
    lac_layer_work work;
    lac_stack coarse, fine;
    lac_linear pitch;    /* the part of the output layer that ends in the pitch logits */
    lac_sourcefilter synthesis;
    lac_sourcefilter_state sounding;
    lac_conceal conceal;
    int16_t *fixed;      /* [D] */
    float *latents;      /* [INPUT_PAST + block_frames][D] */
    lac_gain *gains;     /* [block_frames] */
    float *rows;         /* [2 * block_frames][output.out] */
};

void lac_decoder_default_settings(lac_decoder_settings *settings)
{
    *settings = (lac_decoder_settings){.block_frames = 1, .threads = 1};
}

/* Point d's members into w. */
static int lay_out(lac_decoder *d, lac_workspace *w)
{
    const lac_model *m = d->model;
    const lac_decoder_weights *net = &m->decoder;
    size_t coarse_rows = d->settings.block_frames, fine_rows = 2 * coarse_rows;
    lac_layer_needs needs = {0};
    lac_layer_needs_linear(&needs, &net->input, coarse_rows);
    lac_layer_needs_blocks(&needs, net->coarse, m->arch.decoder_coarse_count, coarse_rows);
    lac_layer_needs_linear(&needs, &net->upsample, coarse_rows);
    lac_layer_needs_blocks(&needs, net->fine, m->arch.decoder_fine_count, fine_rows);
    lac_layer_needs_linear(&needs, &net->output, fine_rows);
    lac_layer_work_init(&d->work, w, &needs, &m->kernels, d->settings.threads);

    lac_stack_init(&d->coarse, w, net->coarse, m->arch.decoder_coarse_count, coarse_rows);
    lac_stack_init(&d->fine, w, net->fine, m->arch.decoder_fine_count, fine_rows);
    d->pitch = lac_linear_part(&net->output, PITCH_AT, net->output.out - PITCH_AT);
    d->fixed = lac_workspace_take(w, m->arch.latent, sizeof(int16_t));
    d->latents = lac_workspace_take(w, (INPUT_PAST + coarse_rows) * m->arch.latent, sizeof(float));
    d->gains = lac_workspace_take(w, coarse_rows, sizeof(lac_gain));
    d->rows = lac_workspace_take(w, fine_rows * net->output.out, sizeof(float));
    int status = lac_sourcefilter_init(&d->synthesis, w, m, fine_rows, d->settings.threads);
    if (!status && w->failed)
        status = LAC_ERROR_MEMORY;
    return status;
}

static bool settings_valid(const lac_decoder_settings *s)
{
    return s->block_frames >= 1 && s->block_frames <= MAX_BLOCK_FRAMES && s->threads >= 1 && s->threads <= MAX_THREADS;
}

int lac_decoder_open(lac_decoder **decoder, const lac_model *model, const lac_decoder_settings *settings)
{
    lac_decoder draft = {.model = model};
    if (!decoder || !model)
        return LAC_ERROR_ARGUMENT;
    lac_decoder_default_settings(&draft.settings);
    if (settings)
        draft.settings = *settings;
    if (!settings_valid(&draft.settings))
        return LAC_ERROR_ARGUMENT;
    draft.rvq = (lac_rvq){model->arch.codebooks, model->arch.codewords, model->arch.latent, model->codes,
                          model->half_norm};

    lac_float_mode mode = lac_float_enter();
    lac_workspace measure = lac_workspace_measure();
    lac_workspace_take(&measure, 1, sizeof draft);
    int status = lay_out(&draft, &measure);
    if (!status)
        status = lac_workspace_open(&draft.memory, measure.used);
    if (!status) {
        lac_decoder *d = lac_workspace_take(&draft.memory, 1, sizeof draft);
        status = lay_out(&draft, &draft.memory);
        if (status) {
            lac_workspace_close(&draft.memory);
        } else {
            *d = draft;
            *decoder = d;
        }
    }
    lac_float_leave(mode);
    return status;
}

void lac_decoder_close(lac_decoder **decoder)
{
    if (!decoder || !*decoder)
        return;
    lac_workspace memory = (*decoder)->memory;
    lac_workspace_close(&memory);
    *decoder = NULL;
}

size_t lac_decoder_bytes(const lac_decoder *decoder)
{
    return decoder->memory.size;
}

void lac_decoder_set_tap(lac_decoder *decoder, const lac_tap *tap)
{
    decoder->tap = *tap;
}

void lac_decoder_set_profile(lac_decoder *decoder, const lac_profile *profile)
{
    decoder->profile = profile ? *profile : (lac_profile){0};
    decoder->synthesis.profile = decoder->profile;
}

void lac_decoder_reset(lac_decoder *d)
{
    memset(&d->conceal, 0, sizeof d->conceal);
    memset(d->latents, 0, INPUT_PAST * d->model->arch.latent * sizeof(float));
    lac_stack_reset(&d->coarse);
    lac_stack_reset(&d->fine);
    memset(&d->sounding, 0, sizeof d->sounding);
}

/* Where frames come from: tokens and their counts, or latents. */
typedef struct frame_source {
    const uint16_t *tokens;
    const uint8_t *codebooks;
    const int16_t *latents;
} frame_source;

static void load_frame(lac_decoder *d, const frame_source *from, size_t t, float *z, lac_gain *gain)
{
    size_t n = d->model->arch.latent;
    if (from->latents) {
        *gain = lac_conceal_received(&d->conceal, from->latents + t * n, n);
        memcpy(d->fixed, from->latents + t * n, n * sizeof(int16_t));
    } else if (from->codebooks[t] == 0) {
        *gain = lac_conceal_lost(&d->conceal, d->fixed, n);
    } else {
        lac_rvq_decode(&d->rvq, from->tokens + t * d->rvq.stages, from->codebooks[t], d->fixed);
        *gain = lac_conceal_received(&d->conceal, d->fixed, n);
    }
    for (size_t i = 0; i < n; i++)
        z[i] = (float)d->fixed[i] * (1.0f / LAC_LATENT_ONE);
}

/* Frames from `first` on up to the quantised input of the output layer. */
static void run_network(lac_decoder *d, const frame_source *from, size_t first, size_t frames)
{
    const lac_decoder_weights *net = &d->model->decoder;
    size_t n = d->model->arch.latent, past = INPUT_PAST * n;
    for (size_t t = 0; t < frames; t++)
        load_frame(d, from, first + t, d->latents + past + t * n, &d->gains[t]);
    lac_layer_quantise(&d->work, d->latents, n, frames, past + n);
    memmove(d->latents, d->latents + frames * n, past * sizeof(float));
    lac_layer_product(&d->work, &net->input, 0, frames, d->coarse.x, d->coarse.width);
    lac_tap_layer(&d->tap, "input", -1, d->coarse.x, frames, d->coarse.width, d->coarse.width);
    lac_profile_linear(&d->profile, "input", &net->input, frames);
    lac_stack_run(&d->coarse, frames, &d->work, &d->tap, "coarse");
    lac_profile_stack(&d->profile, "coarse", &d->coarse, frames);

    lac_layer_quantise(&d->work, d->coarse.x, d->coarse.width, frames, d->coarse.width);
    lac_layer_product(&d->work, &net->upsample, 0, frames, d->fine.x, 2 * d->fine.width);
    lac_tap_layer(&d->tap, "upsample", -1, d->fine.x, 2 * frames, d->fine.width, d->fine.width);
    lac_profile_linear(&d->profile, "upsample", &net->upsample, frames);
    lac_stack_run(&d->fine, 2 * frames, &d->work, &d->tap, "fine");
    lac_profile_stack(&d->profile, "fine", &d->fine, 2 * frames);
    lac_layer_quantise_norm(&d->work, d->fine.x, 2 * frames, d->fine.width);
}

static void read_block(lac_decoder *d, size_t frames, float *pcm)
{
    const lac_linear *output = &d->model->decoder.output;
    lac_layer_product(&d->work, output, 0, 2 * frames, d->rows, output->out);
    lac_tap_layer(&d->tap, "output", -1, d->rows, 2 * frames, output->out, output->out);
    lac_profile_linear(&d->profile, "output", output, 2 * frames);
    lac_sourcefilter_run(&d->synthesis, &d->sounding, d->rows, output->out, 2 * frames, pcm);
    for (size_t t = 0; t < frames; t++)
        lac_gain_apply(d->gains[t], pcm + t * LAC_FRAME);
}

static void skip_block(lac_decoder *d, size_t frames, bool last)
{
    const lac_linear *output = &d->model->decoder.output;
    lac_layer_product(&d->work, &d->pitch, 0, 2 * frames, d->rows, d->pitch.out);
    lac_sourcefilter_skip(&d->synthesis, &d->sounding, d->rows + (LAC_SPECTRA - PITCH_AT), d->pitch.out, 2 * frames);
    if (last) {
        lac_layer_product(&d->work, output, 2 * frames - 1, 1, d->rows, output->out);
        lac_sourcefilter_rebuild(&d->synthesis, &d->sounding, d->rows);
    }
}

/* pcm NULL skips. */
static void decode(lac_decoder *d, const frame_source *from, size_t frames, float *pcm)
{
    lac_float_mode mode = lac_float_enter();
    size_t block = d->settings.block_frames;
    for (size_t done = 0, n; done < frames; done += n) {
        n = frames - done < block ? frames - done : block;
        run_network(d, from, done, n);
        if (pcm)
            read_block(d, n, pcm + done * LAC_FRAME);
        else
            skip_block(d, n, done + n == frames);
    }
    lac_float_leave(mode);
}

static bool tokens_valid(const lac_decoder *d, const uint16_t *tokens, const uint8_t *codebooks, size_t frames)
{
    uint32_t q = d->rvq.stages;
    for (size_t t = 0; t < frames; t++) {
        if (codebooks[t] > q)
            return false;
        for (size_t i = 0; i < codebooks[t]; i++)
            if (tokens[t * q + i] >= d->rvq.codewords)
                return false;
    }
    return true;
}

int lac_decoder_read(lac_decoder *decoder, const uint16_t *tokens, const uint8_t *codebooks, size_t frames, float *pcm)
{
    if (!decoder || (frames > 0 && (!tokens || !codebooks || !pcm)) ||
        !tokens_valid(decoder, tokens, codebooks, frames))
        return LAC_ERROR_ARGUMENT;
    decode(decoder, &(frame_source){.tokens = tokens, .codebooks = codebooks}, frames, pcm);
    return LAC_OK;
}

int lac_decoder_skip(lac_decoder *decoder, const uint16_t *tokens, const uint8_t *codebooks, size_t frames)
{
    if (!decoder || (frames > 0 && (!tokens || !codebooks)) || !tokens_valid(decoder, tokens, codebooks, frames))
        return LAC_ERROR_ARGUMENT;
    decode(decoder, &(frame_source){.tokens = tokens, .codebooks = codebooks}, frames, NULL);
    return LAC_OK;
}

int lac_decoder_read_latents(lac_decoder *decoder, const int16_t *latents, size_t frames, float *pcm)
{
    if (!decoder || (frames > 0 && (!latents || !pcm)))
        return LAC_ERROR_ARGUMENT;
    decode(decoder, &(frame_source){.latents = latents}, frames, pcm);
    return LAC_OK;
}

/* A sync point sits between frames: what sounds across it must follow from the sync alone. */
static void move_to(lac_decoder *d, uint64_t hop, uint32_t phase)
{
    lac_float_mode mode = lac_float_enter();
    lac_sourcefilter_sync(&d->synthesis, &d->sounding, hop, phase & UINT32_C(0xffff0000));
    lac_float_leave(mode);
}

void lac_decoder_get_sync(lac_decoder *decoder, lac_decoder_sync *sync)
{
    const lac_sourcefilter_state *s = &decoder->sounding;
    move_to(decoder, s->hop, s->phase);
    sync->frame = s->hop / 2;
    sync->pulse_phase = s->phase;
}

void lac_decoder_set_sync(lac_decoder *decoder, const lac_decoder_sync *sync)
{
    move_to(decoder, 2 * sync->frame, sync->pulse_phase);
}
