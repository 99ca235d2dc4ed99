#include "lac/encoder.h"

#include <string.h>

#include "costs.h"
#include "frontend.h"
#include "fmath.h"
#include "kernels.h"
#include "network.h"
#include "parallel.h"
#include "rvq.h"
#include "streams.h"
#include "workspace.h"

#define MAX_BLOCK_FRAMES 256
#define MAX_THREADS 256
#define DOWN_PAST 2 /* fine frames before its own two that a coarse frame sees */

typedef struct encoder_state {
    size_t pending; /* samples of the frame begun */
    bool begun, flushed;
} encoder_state;

struct lac_encoder {
    lac_workspace memory;
    const lac_model *model;
    lac_encoder_settings settings;
    lac_rvq rvq;
    lac_tap tap;
    lac_profile profile;
    lac_features features;
    lac_layer_work work;
    lac_stack fine, coarse;
    float *pcm;          /* [LAC_FEATURE_PAST] history, [block_frames * LAC_FRAME] */
    float *rows;         /* [2 * block_frames][features.width] */
    float *down_history; /* [DOWN_PAST][fine.width] */
    float *latents;      /* [block_frames][D] */
    int16_t *fixed;      /* [block_frames][D] */
    int16_t *residual;   /* [block_frames][D] */
    encoder_state state;
};

void lac_encoder_default_settings(lac_encoder_settings *settings)
{
    *settings = (lac_encoder_settings){.codebooks = 0, .block_frames = 1, .threads = 1};
}

/* Point e's members into w. */
static int lay_out(lac_encoder *e, lac_workspace *w)
{
    const lac_model *m = e->model;
    const lac_encoder_weights *net = &m->encoder;
    size_t coarse_rows = e->settings.block_frames, fine_rows = 2 * coarse_rows;
    lac_layer_needs needs = {0};
    lac_layer_needs_linear(&needs, &net->input, fine_rows);
    lac_layer_needs_blocks(&needs, net->fine, m->arch.encoder_fine_count, fine_rows);
    lac_layer_needs_linear(&needs, &net->downsample, coarse_rows);
    lac_layer_needs_blocks(&needs, net->coarse, m->arch.encoder_coarse_count, coarse_rows);
    lac_layer_needs_linear(&needs, &net->output, coarse_rows);
    lac_layer_work_init(&e->work, w, &needs, &m->kernels, e->settings.threads);

    lac_stack_init(&e->fine, w, net->fine, m->arch.encoder_fine_count, fine_rows);
    lac_stack_init(&e->coarse, w, net->coarse, m->arch.encoder_coarse_count, coarse_rows);
    e->pcm = lac_workspace_take(w, LAC_FEATURE_PAST + coarse_rows * LAC_FRAME, sizeof(float));
    e->down_history = lac_workspace_take(w, DOWN_PAST * e->fine.width, sizeof(float));
    e->latents = lac_workspace_take(w, coarse_rows * m->arch.latent, sizeof(float));
    e->fixed = lac_workspace_take(w, coarse_rows * m->arch.latent, sizeof(int16_t));
    e->residual = lac_workspace_take(w, coarse_rows * m->arch.latent, sizeof(int16_t));
    int status = lac_features_init(&e->features, w, m, fine_rows, e->settings.threads);
    e->rows = lac_workspace_take(w, fine_rows * e->features.width, sizeof(float));
    if (!status && w->failed)
        status = LAC_ERROR_MEMORY;
    return status;
}

static bool settings_valid(const lac_encoder_settings *s, const lac_model *model)
{
    return s->codebooks <= model->arch.codebooks && s->block_frames >= 1 && s->block_frames <= MAX_BLOCK_FRAMES &&
           s->threads >= 1 && s->threads <= MAX_THREADS;
}

int lac_encoder_open(lac_encoder **encoder, const lac_model *model, const lac_encoder_settings *settings)
{
    lac_encoder draft = {.model = model};
    if (!encoder || !model)
        return LAC_ERROR_ARGUMENT;
    lac_encoder_default_settings(&draft.settings);
    if (settings)
        draft.settings = *settings;
    if (!settings_valid(&draft.settings, model))
        return LAC_ERROR_ARGUMENT;
    if (draft.settings.codebooks == 0)
        draft.settings.codebooks = model->arch.codebooks;
    draft.rvq = (lac_rvq){model->arch.codebooks, model->arch.codewords, model->arch.latent, model->codes,
                          model->half_norm};

    lac_float_mode mode = lac_float_enter();
    lac_workspace measure = lac_workspace_measure();
    lac_workspace_take(&measure, 1, sizeof draft);
    int status = lay_out(&draft, &measure);
    if (!status)
        status = lac_workspace_open(&draft.memory, measure.used);
    if (!status) {
        lac_encoder *e = lac_workspace_take(&draft.memory, 1, sizeof draft);
        status = lay_out(&draft, &draft.memory);
        if (status) {
            lac_workspace_close(&draft.memory);
        } else {
            *e = draft;
            *encoder = e;
        }
    }
    lac_float_leave(mode);
    return status;
}

void lac_encoder_close(lac_encoder **encoder)
{
    if (!encoder || !*encoder)
        return;
    lac_workspace memory = (*encoder)->memory;
    lac_workspace_close(&memory);
    *encoder = NULL;
}

size_t lac_encoder_bytes(const lac_encoder *encoder)
{
    return encoder->memory.size;
}

int lac_encoder_set_codebooks(lac_encoder *encoder, uint32_t codebooks)
{
    if (codebooks < 1 || codebooks > encoder->model->arch.codebooks)
        return LAC_ERROR_ARGUMENT;
    encoder->settings.codebooks = codebooks;
    return LAC_OK;
}

void lac_encoder_set_tap(lac_encoder *encoder, const lac_tap *tap)
{
    encoder->tap = *tap;
}

void lac_encoder_set_profile(lac_encoder *encoder, const lac_profile *profile)
{
    encoder->profile = profile ? *profile : (lac_profile){0};
}

void lac_encoder_reset(lac_encoder *e)
{
    memset(&e->state, 0, sizeof e->state);
    memset(e->pcm, 0, LAC_FEATURE_PAST * sizeof(float));
    memset(e->down_history, 0, DOWN_PAST * e->fine.width * sizeof(float));
    lac_stack_reset(&e->fine);
    lac_stack_reset(&e->coarse);
}

static size_t frames_completed(const lac_encoder *e, size_t samples)
{
    return samples / LAC_FRAME + (e->state.pending + samples % LAC_FRAME) / LAC_FRAME;
}

static size_t frames_at_flush(const lac_encoder *e)
{
    return e->state.begun && !e->state.flushed ? (e->state.pending + LAC_HOP + LAC_FRAME - 1) / LAC_FRAME : 0;
}

size_t lac_encoder_max_frames(const lac_encoder *encoder, size_t samples)
{
    return samples > 0 ? frames_completed(encoder, samples) : frames_at_flush(encoder);
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

/* e->pcm -> e->fixed */
static void run_network(lac_encoder *e, size_t frames)
{
    const lac_encoder_weights *net = &e->model->encoder;
    size_t rows = 2 * frames, c = e->fine.width, d = e->model->arch.latent, f = e->features.width;
    lac_features_run(&e->features, e->pcm + LAC_FEATURE_PAST, rows, e->rows);
    lac_tap_layer(&e->tap, "features", -1, e->rows, rows, f, f);
    lac_profile_plain(&e->profile, "features");
    lac_layer_quantise(&e->work, e->rows, f, rows, f);
    lac_layer_product(&e->work, &net->input, 0, rows, e->fine.x, c);
    lac_tap_layer(&e->tap, "input", -1, e->fine.x, rows, c, c);
    lac_profile_linear(&e->profile, "input", &net->input, rows);
    lac_stack_run(&e->fine, rows, &e->work, &e->tap, "fine");
    lac_profile_stack(&e->profile, "fine", &e->fine, rows);

    float *past = e->fine.x - DOWN_PAST * c;
    memcpy(past, e->down_history, DOWN_PAST * c * sizeof(float));
    memcpy(e->down_history, past + rows * c, DOWN_PAST * c * sizeof(float));
    lac_layer_quantise(&e->work, past, 2 * c, frames, 4 * c);
    lac_layer_product(&e->work, &net->downsample, 0, frames, e->coarse.x, e->coarse.width);
    lac_tap_layer(&e->tap, "downsample", -1, e->coarse.x, frames, e->coarse.width, e->coarse.width);
    lac_profile_linear(&e->profile, "downsample", &net->downsample, frames);
    lac_stack_run(&e->coarse, frames, &e->work, &e->tap, "coarse");
    lac_profile_stack(&e->profile, "coarse", &e->coarse, frames);

    lac_layer_quantise_norm(&e->work, e->coarse.x, frames, e->coarse.width);
    lac_layer_product(&e->work, &net->output, 0, frames, e->latents, d);
    for (size_t t = 0; t < frames; t++)
        e->model->kernels.norm_row(e->latents + t * d, e->latents + t * d, d);
    lac_tap_layer(&e->tap, "latent", -1, e->latents, frames, d, d);
    for (size_t i = 0; i < frames * d; i++)
        e->fixed[i] = to_fixed(e->latents[i]);
    lac_profile_linear(&e->profile, "output", &net->output, frames);
}

typedef struct search_job {
    const lac_encoder *e;
    uint16_t *tokens;
} search_job;

static void search_rows(void *user, size_t part, size_t first, size_t end)
{
    const lac_encoder *e = ((search_job *)user)->e;
    uint16_t *tokens = ((search_job *)user)->tokens;
    (void)part;
    const size_t q = e->rvq.stages, d = e->rvq.dimension;
    for (size_t t = first; t < end; t++)
        lac_rvq_encode(&e->rvq, e->fixed + t * d, e->settings.codebooks, tokens + t * q, e->residual + t * d);
}

/* The complete frames of e->pcm, which holds at most a block. */
static void encode_block(lac_encoder *e, size_t frames, uint16_t *tokens, int16_t *latents)
{
    run_network(e, frames);
    if (latents)
        memcpy(latents, e->fixed, frames * e->rvq.dimension * sizeof(int16_t));
    memset(tokens, 0, frames * e->rvq.stages * sizeof(uint16_t));
    lac_parallel(frames, e->settings.threads, search_rows, &(search_job){e, tokens});
    lac_profile_search(&e->profile, &e->rvq, e->settings.codebooks, frames);
    memmove(e->pcm, e->pcm + frames * LAC_FRAME, (LAC_FEATURE_PAST + e->state.pending) * sizeof(float));
}

static float clean_sample(float x)
{
    if (x > 4)
        return 4;
    if (x < -4)
        return -4;
    return x == x ? x : 0;
}

/* pcm NULL is silence. */
static size_t encode(lac_encoder *e, const float *pcm, size_t samples, uint16_t *tokens, int16_t *latents)
{
    size_t done = 0, frames = 0, room = (size_t)e->settings.block_frames * LAC_FRAME;
    while (done < samples) {
        size_t n = room - e->state.pending < samples - done ? room - e->state.pending : samples - done;
        float *to = e->pcm + LAC_FEATURE_PAST + e->state.pending;
        for (size_t i = 0; i < n; i++)
            to[i] = pcm ? clean_sample(pcm[done + i]) : 0;
        done += n;
        size_t filled = e->state.pending + n, block = filled / LAC_FRAME;
        e->state.pending = filled % LAC_FRAME;
        if (block > 0)
            encode_block(e, block, tokens + frames * e->rvq.stages,
                         latents ? latents + frames * e->rvq.dimension : NULL);
        frames += block;
    }
    return frames;
}

int lac_encoder_write_latents(lac_encoder *encoder, const float *pcm, size_t samples, uint16_t *tokens,
                              int16_t *latents, size_t capacity, size_t *frames)
{
    if (encoder->state.flushed)
        return LAC_ERROR_STATE;
    if (capacity < frames_completed(encoder, samples))
        return LAC_ERROR_SPACE;
    lac_float_mode mode = lac_float_enter();
    encoder->state.begun |= samples > 0;
    *frames = encode(encoder, pcm, samples, tokens, latents);
    lac_float_leave(mode);
    return LAC_OK;
}

int lac_encoder_write(lac_encoder *encoder, const float *pcm, size_t samples, uint16_t *tokens, size_t capacity,
                      size_t *frames)
{
    if (!encoder || !frames || (samples > 0 && !pcm) || (capacity > 0 && !tokens))
        return LAC_ERROR_ARGUMENT;
    return lac_encoder_write_latents(encoder, pcm, samples, tokens, NULL, capacity, frames);
}

int lac_encoder_flush(lac_encoder *encoder, uint16_t *tokens, size_t capacity, size_t *frames)
{
    if (!encoder || !frames || (capacity > 0 && !tokens))
        return LAC_ERROR_ARGUMENT;
    if (encoder->state.flushed)
        return LAC_ERROR_STATE;
    size_t rest = frames_at_flush(encoder);
    if (capacity < rest)
        return LAC_ERROR_SPACE;
    lac_float_mode mode = lac_float_enter();
    *frames = encode(encoder, NULL, rest * LAC_FRAME - (rest > 0 ? encoder->state.pending : 0), tokens, NULL);
    encoder->state.flushed = true;
    lac_float_leave(mode);
    return LAC_OK;
}
