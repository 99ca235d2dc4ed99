#include "lac/decoder.h"

#include "decodernet.h"
#include "fmath.h"
#include "streams.h"
#include "workspace.h"

#define MAX_BLOCK_FRAMES 256
#define MAX_THREADS 256

struct lac_decoder {
    lac_workspace memory;
    lac_decoder_settings settings;
    lac_decoder_lane lane;
    lac_decoder_net net;
};

void lac_decoder_default_settings(lac_decoder_settings *settings)
{
    *settings = (lac_decoder_settings){.block_frames = 1, .threads = 1};
}

static int lay_out(void *object, lac_workspace *w)
{
    lac_decoder *d = object;
    const lac_decoder_settings *s = &d->settings;
    lac_decoder_lane_init(&d->lane, w, d->lane.model);
    if (!s->batch_only)
        lac_decoder_net_init(&d->net, w, d->lane.model, 1, s->block_frames, s->threads);
    return LAC_OK;
}

static bool settings_valid(const lac_decoder_settings *s)
{
    return s->block_frames >= 1 && s->block_frames <= MAX_BLOCK_FRAMES && s->threads >= 1 &&
           s->threads <= MAX_THREADS && s->batch_only <= 1;
}

int lac_decoder_open(lac_decoder **decoder, const lac_model *model, const lac_decoder_settings *settings)
{
    lac_decoder draft = {.lane.model = model};
    void *opened;
    if (!decoder || !model)
        return LAC_ERROR_ARGUMENT;
    lac_decoder_default_settings(&draft.settings);
    if (settings)
        draft.settings = *settings;
    if (!settings_valid(&draft.settings))
        return LAC_ERROR_ARGUMENT;
    int status = lac_object_open(&opened, &draft, sizeof draft, lay_out);
    if (!status)
        *decoder = opened;
    return status;
}

void lac_decoder_close(lac_decoder **decoder)
{
    if (!decoder)
        return;
    lac_object_close(*decoder);
    *decoder = NULL;
}

size_t lac_decoder_bytes(const lac_decoder *decoder)
{
    return decoder->memory.size;
}

lac_decoder_lane *lac_decoder_get_lane(lac_decoder *decoder)
{
    return &decoder->lane;
}

void lac_decoder_set_tap(lac_decoder *decoder, const lac_tap *tap)
{
    decoder->net.tap = *tap;
}

void lac_decoder_set_profile(lac_decoder *decoder, const lac_profile *profile)
{
    decoder->net.profile = profile ? *profile : (lac_profile){0};
    decoder->net.synthesis.profile = decoder->net.profile;
}

void lac_decoder_reset(lac_decoder *d)
{
    lac_decoder_lane_reset(&d->lane);
}

/* pcm NULL skips. */
static int decode(lac_decoder *d, const lac_frames *from, size_t frames, float *pcm)
{
    if (d->settings.batch_only)
        return LAC_ERROR_STATE;
    lac_float_mode mode = lac_float_enter();
    lac_decoder_lane *lane = &d->lane;
    size_t block = d->settings.block_frames;
    for (size_t done = 0, n; done < frames; done += n) {
        n = frames - done < block ? frames - done : block;
        float *to = pcm ? pcm + done * LAC_FRAME : NULL;
        if (to)
            lac_decoder_net_read(&d->net, &lane, 1, from, done, n, &to);
        else
            lac_decoder_net_skip(&d->net, lane, from, done, n);
    }
    lac_float_leave(mode);
    return LAC_OK;
}

int lac_decoder_read(lac_decoder *decoder, const uint16_t *tokens, const uint8_t *codebooks, size_t frames, float *pcm)
{
    lac_frames from = {.tokens = tokens, .codebooks = codebooks};
    if (!decoder || (frames > 0 && (!tokens || !codebooks || !pcm)) ||
        !lac_frames_valid(&from, decoder->lane.model, frames))
        return LAC_ERROR_ARGUMENT;
    return decode(decoder, &from, frames, pcm);
}

int lac_decoder_skip(lac_decoder *decoder, const uint16_t *tokens, const uint8_t *codebooks, size_t frames)
{
    lac_frames from = {.tokens = tokens, .codebooks = codebooks};
    if (!decoder || (frames > 0 && (!tokens || !codebooks)) || !lac_frames_valid(&from, decoder->lane.model, frames))
        return LAC_ERROR_ARGUMENT;
    return decode(decoder, &from, frames, NULL);
}

int lac_decoder_read_latents(lac_decoder *decoder, const int16_t *latents, size_t frames, float *pcm)
{
    if (!decoder || (frames > 0 && (!latents || !pcm)))
        return LAC_ERROR_ARGUMENT;
    return decode(decoder, &(lac_frames){.latents = latents}, frames, pcm);
}

/* A sync point sits between frames: what sounds across it must follow from the sync alone. */
static void move_to(lac_decoder *d, uint64_t hop, uint32_t phase)
{
    lac_sourcefilter_sync(&d->lane.sounding, hop, phase & UINT32_C(0xffff0000));
}

void lac_decoder_get_sync(lac_decoder *decoder, lac_decoder_sync *sync)
{
    const lac_sourcefilter_state *s = &decoder->lane.sounding;
    move_to(decoder, s->hop, s->phase);
    sync->frame = s->hop / 2;
    sync->pulse_phase = s->phase;
}

void lac_decoder_set_sync(lac_decoder *decoder, const lac_decoder_sync *sync)
{
    move_to(decoder, 2 * sync->frame, sync->pulse_phase);
}
