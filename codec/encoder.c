#include "lac/encoder.h"

#include "encodernet.h"
#include "fmath.h"
#include "lac/latents.h"
#include "streams.h"
#include "workspace.h"

#define MAX_BLOCK_FRAMES 256
#define MAX_THREADS 256

struct lac_encoder {
    lac_workspace memory;
    lac_encoder_settings settings;
    lac_encoder_lane lane;
    lac_encoder_net net;
};

void lac_encoder_default_settings(lac_encoder_settings *settings)
{
    *settings = (lac_encoder_settings){.codebooks = 0, .block_frames = 1, .threads = 1};
}

static int lay_out(void *object, lac_workspace *w)
{
    lac_encoder *e = object;
    const lac_encoder_settings *s = &e->settings;
    lac_encoder_lane_init(&e->lane, w, e->lane.model, s->batch_only ? 1 : s->block_frames);
    if (!s->batch_only)
        lac_encoder_net_init(&e->net, w, e->lane.model, 1, s->block_frames, s->threads);
    return LAC_OK;
}

static bool settings_valid(const lac_encoder_settings *s, const lac_model *model)
{
    return s->codebooks <= model->arch.codebooks && s->block_frames >= 1 && s->block_frames <= MAX_BLOCK_FRAMES &&
           s->threads >= 1 && s->threads <= MAX_THREADS && s->batch_only <= 1 &&
           s->beam <= LAC_MAX_BEAM;
}

int lac_encoder_open(lac_encoder **encoder, const lac_model *model, const lac_encoder_settings *settings)
{
    lac_encoder draft = {.lane.model = model};
    void *opened;
    if (!encoder || !model)
        return LAC_ERROR_ARGUMENT;
    lac_encoder_default_settings(&draft.settings);
    if (settings)
        draft.settings = *settings;
    if (!settings_valid(&draft.settings, model))
        return LAC_ERROR_ARGUMENT;
    draft.lane.codebooks = draft.settings.codebooks ? draft.settings.codebooks : model->arch.codebooks;
    draft.lane.beam = draft.settings.beam ? draft.settings.beam : 1;
    int status = lac_object_open(&opened, &draft, sizeof draft, lay_out);
    if (!status)
        *encoder = opened;
    return status;
}

void lac_encoder_close(lac_encoder **encoder)
{
    if (!encoder)
        return;
    lac_object_close(*encoder);
    *encoder = NULL;
}

size_t lac_encoder_bytes(const lac_encoder *encoder)
{
    return encoder->memory.size;
}

int lac_encoder_set_codebooks(lac_encoder *encoder, uint32_t codebooks)
{
    if (codebooks < 1 || codebooks > encoder->lane.model->arch.codebooks)
        return LAC_ERROR_ARGUMENT;
    encoder->lane.codebooks = codebooks;
    return LAC_OK;
}

lac_encoder_lane *lac_encoder_get_lane(lac_encoder *encoder)
{
    return &encoder->lane;
}

void lac_encoder_set_tap(lac_encoder *encoder, const lac_tap *tap)
{
    encoder->net.tap = *tap;
}

void lac_encoder_set_profile(lac_encoder *encoder, const lac_profile *profile)
{
    encoder->net.profile = profile ? *profile : (lac_profile){0};
}

void lac_encoder_reset(lac_encoder *e)
{
    lac_encoder_lane_reset(&e->lane);
}

static size_t frames_completed(const lac_encoder *e, size_t samples)
{
    return samples / LAC_FRAME + (e->lane.pending + samples % LAC_FRAME) / LAC_FRAME;
}

static size_t frames_at_flush(const lac_encoder *e)
{
    bool due = e->lane.begun && !e->lane.flushed;
    return due ? (e->lane.pending + LAC_HOP + LAC_FRAME - 1) / LAC_FRAME : 0;
}

size_t lac_encoder_max_frames(const lac_encoder *encoder, size_t samples)
{
    return samples > 0 ? frames_completed(encoder, samples) : frames_at_flush(encoder);
}

/* pcm NULL is silence. */
static size_t encode(lac_encoder *e, const float *pcm, size_t samples, uint16_t *tokens, int16_t *latents)
{
    lac_encoder_lane *lane = &e->lane;
    const lac_arch *arch = &lane->model->arch;
    size_t done = 0, frames = 0, room = (size_t)e->settings.block_frames * LAC_FRAME;
    while (done < samples) {
        size_t n = room - lane->pending < samples - done ? room - lane->pending : samples - done;
        lac_encoder_lane_take(lane, pcm ? pcm + done : NULL, n);
        done += n;
        size_t block = lane->pending / LAC_FRAME;
        if (block > 0)
            lac_encoder_net_run(&e->net, &lane, 1, block, tokens + frames * arch->codebooks,
                                latents ? latents + frames * arch->latent : NULL);
        frames += block;
    }
    return frames;
}

int lac_encoder_write_latents(lac_encoder *encoder, const float *pcm, size_t samples, uint16_t *tokens,
                              int16_t *latents, size_t capacity, size_t *frames)
{
    if (!encoder || !frames || (samples > 0 && !pcm) || (capacity > 0 && !tokens))
        return LAC_ERROR_ARGUMENT;
    if (encoder->lane.flushed || encoder->settings.batch_only)
        return LAC_ERROR_STATE;
    if (capacity < frames_completed(encoder, samples))
        return LAC_ERROR_SPACE;
    lac_float_mode mode = lac_float_enter();
    *frames = encode(encoder, pcm, samples, tokens, latents);
    lac_float_leave(mode);
    return LAC_OK;
}

int lac_encoder_write(lac_encoder *encoder, const float *pcm, size_t samples, uint16_t *tokens, size_t capacity,
                      size_t *frames)
{
    return lac_encoder_write_latents(encoder, pcm, samples, tokens, NULL, capacity, frames);
}

int lac_encoder_flush_latents(lac_encoder *encoder, uint16_t *tokens, int16_t *latents, size_t capacity,
                              size_t *frames)
{
    if (!encoder || !frames || (capacity > 0 && !tokens))
        return LAC_ERROR_ARGUMENT;
    if (encoder->lane.flushed || encoder->settings.batch_only)
        return LAC_ERROR_STATE;
    size_t rest = frames_at_flush(encoder);
    if (capacity < rest)
        return LAC_ERROR_SPACE;
    lac_float_mode mode = lac_float_enter();
    *frames = encode(encoder, NULL, rest * LAC_FRAME - (rest > 0 ? encoder->lane.pending : 0), tokens, latents);
    encoder->lane.flushed = true;
    lac_float_leave(mode);
    return LAC_OK;
}

int lac_encoder_flush(lac_encoder *encoder, uint16_t *tokens, size_t capacity, size_t *frames)
{
    return lac_encoder_flush_latents(encoder, tokens, NULL, capacity, frames);
}

static bool latents_valid(const int16_t *latents, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (latents[i] != lac_rvq_clamp(latents[i]))
            return false;
    return true;
}

int lac_encoder_search(lac_encoder *encoder, const int16_t *latents, size_t frames, uint16_t *tokens)
{
    if (!encoder || (frames > 0 && (!latents || !tokens)))
        return LAC_ERROR_ARGUMENT;
    if (encoder->settings.batch_only)
        return LAC_ERROR_STATE;
    lac_encoder_lane *lane = &encoder->lane;
    const lac_arch *arch = &lane->model->arch;
    size_t block = encoder->settings.block_frames;
    if (!latents_valid(latents, frames * arch->latent))
        return LAC_ERROR_ARGUMENT;
    for (size_t done = 0; done < frames; done += block)
        lac_encoder_net_search(&encoder->net, &lane, 1, frames - done < block ? frames - done : block,
                               latents + done * arch->latent, tokens + done * arch->codebooks);
    return LAC_OK;
}
