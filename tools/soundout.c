#include "soundout.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "fileout.h"
#include "lac/decoder.h"
#include "report.h"
#include "resample.h"

#define BLOCK 64 /* frames decoded at once */

struct lac_sound_out {
    lac_sound_out_settings settings;
    int reported;

    lac_file_out file; /* of a .lac file */
    lac_writer *writer;

    lac_audio_out *audio;
    lac_decoder *decoder;
    lac_resampler *resampler;
    uint32_t skip;     /* samples of the decoder's delay that are still to come */
    uint64_t left;     /* samples behind them, until the sound ends */
    lac_model_info about;
    float *pcm;        /* [BLOCK][frame_samples] */
};

int lac_sound_out_is_lac(const char *path)
{
    const char *dot = strrchr(path, '.');

    return dot && strcasecmp(dot, ".lac") == 0;
}

/* ---- .lac ---- */

static int open_writer(lac_sound_out *o, const char *path)
{
    const lac_sound_out_settings *s = &o->settings;
    lac_writer_settings settings;
    int failed = lac_file_out_open(&o->file, path, s->input, s->force);

    if (failed)
        return failed;
    lac_io io = lac_file_out_io(&o->file);
    lac_writer_default_settings(&settings);
    settings.original_rate = s->rate;
    settings.threads = s->threads;
    settings.tags = s->tags;
    settings.tag_count = s->tag_count;
    int status = lac_writer_open(&o->writer, s->model, &io, &settings);
    return status ? lac_report_status(o->file.name, status, o->file.error) : 0;
}

static int finish_writer(lac_sound_out *o)
{
    int status = lac_writer_finish(o->writer, o->settings.samples);

    return status ? lac_report_status(o->file.name, status, o->file.error) : lac_file_out_commit(&o->file);
}

/* ---- audio ---- */

/* Sink of the resampler. */
static int deliver(void *user, const float *pcm, size_t frames)
{
    lac_sound_out *o = user;

    o->reported = lac_audio_out_write(o->audio, pcm, frames);
    return o->reported;
}

static int open_decoder(lac_sound_out *o)
{
    lac_decoder_settings settings;

    lac_decoder_default_settings(&settings);
    settings.block_frames = BLOCK;
    settings.threads = o->settings.threads;
    o->skip = o->about.decoder_delay_samples;
    o->left = lac_rescale_up(o->settings.samples, o->about.sample_rate, o->settings.rate);
    o->pcm = calloc((size_t)BLOCK * o->about.frame_samples, sizeof *o->pcm);
    return o->pcm ? lac_decoder_open(&o->decoder, o->settings.model, &settings) : LAC_ERROR_MEMORY;
}

static int open_audio(lac_sound_out *o, const char *path)
{
    const lac_sound_out_settings *s = &o->settings;
    lac_audio_out_settings settings = {.input = s->input, .rate = s->rate, .channels = 1, .frames = s->samples,
                                       .force = s->force, .tags = s->tags, .tag_count = s->tag_count};
    const char *reason = NULL;
    int status = open_decoder(o);

    if (status)
        return lac_report_status(path, status, 0);
    o->resampler = lac_resampler_open(o->about.sample_rate, s->rate, 1, deliver, o, &reason);
    return o->resampler ? lac_audio_out_open(&o->audio, path, &settings) : lac_report(path, "%s", reason);
}

static int decode(lac_sound_out *o, const uint16_t *tokens, const uint8_t *codebooks, size_t frames)
{
    int status = lac_decoder_read(o->decoder, tokens, codebooks, frames, o->pcm);
    size_t samples = frames * o->about.frame_samples, skip = o->skip < samples ? o->skip : samples;
    size_t count = samples - skip < o->left ? samples - skip : (size_t)o->left;

    if (status)
        return status;
    o->skip -= (uint32_t)skip;
    o->left -= count;
    return lac_resampler_write(o->resampler, o->pcm + skip, count) ? LAC_ERROR_IO : 0;
}

static int finish_audio(lac_sound_out *o)
{
    if (lac_resampler_finish(o->resampler, o->settings.samples))
        return o->reported ? o->reported : lac_report("recombine", "rate conversion failed");
    return lac_audio_out_close(&o->audio, 1);
}

/* ---- */

int lac_sound_out_open(lac_sound_out **out, const char *path, const lac_sound_out_settings *settings)
{
    lac_sound_out *o = calloc(1, sizeof *o);
    int failed;

    if (!o)
        return lac_report(path, "out of memory");
    o->settings = *settings;
    o->file.fd = -1;
    lac_model_get_info(settings->model, &o->about);
    failed = settings->lac ? open_writer(o, path) : open_audio(o, path);
    if (failed)
        lac_sound_out_close(&o, 0);
    *out = o;
    return failed;
}

int lac_sound_out_write(void *out, const uint16_t *tokens, const uint8_t *codebooks, size_t frames)
{
    lac_sound_out *o = out;
    int status = 0;

    if (o->writer) {
        status = lac_writer_write_tokens(o->writer, tokens, codebooks, frames);
        if (status && o->file.error)
            o->reported = lac_report_status(o->file.name, status, o->file.error);
        return status;
    }
    for (size_t done = 0, n; done < frames && !status; done += n) {
        n = frames - done < BLOCK ? frames - done : BLOCK;
        status = decode(o, tokens + done * o->about.codebooks, codebooks + done, n);
    }
    return status;
}

int lac_sound_out_reported(const lac_sound_out *out)
{
    return out->reported;
}

int lac_sound_out_close(lac_sound_out **out, int keep)
{
    lac_sound_out *o = *out;
    int failed = 0;

    if (!o)
        return 0;
    if (keep)
        failed = o->writer ? finish_writer(o) : finish_audio(o);
    lac_writer_close(&o->writer);
    lac_file_out_discard(&o->file);
    lac_audio_out_close(&o->audio, 0);
    lac_resampler_close(&o->resampler);
    lac_decoder_close(&o->decoder);
    free(o->pcm);
    free(o);
    *out = NULL;
    return failed;
}
