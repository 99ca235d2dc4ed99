#include "fitcorpus.h"

#include <stdlib.h>
#include <string.h>

#include "audioin.h"
#include "report.h"
#include "resample.h"

#define BLOCK 16384 /* sample frames read at once */
#define PIECE 48000 /* samples coded at once */
#define STRETCH 100 /* latent frames that stay together */
#define EVERY 10    /* of such stretches one is held out */

int lac_fit_corpus_open(lac_fit_corpus *corpus, const lac_model *model, uint32_t threads)
{
    size_t capacity;

    memset(corpus, 0, sizeof *corpus);
    corpus->model = model;
    corpus->threads = threads;
    lac_model_get_info(model, &corpus->info);
    capacity = PIECE / corpus->info.frame_samples + 1;
    corpus->tokens = calloc(capacity * corpus->info.codebooks, sizeof *corpus->tokens);
    corpus->latents = calloc(capacity * corpus->info.latent_size, sizeof *corpus->latents);
    corpus->held = calloc((size_t)LAC_FIT_HELD_ROWS * corpus->info.latent_size, sizeof *corpus->held);
    corpus->pcm = calloc(PIECE, sizeof *corpus->pcm);
    corpus->block = calloc((size_t)BLOCK * LAC_MAX_CHANNELS, sizeof *corpus->block);
    if (!corpus->tokens || !corpus->latents || !corpus->held || !corpus->pcm || !corpus->block)
        return lac_report(corpus->info.name, "out of memory");
    return 0;
}

/* One stretch, or a part of one. */
static int take_rows(lac_fit_corpus *corpus, const int16_t *latents, size_t rows)
{
    size_t size = corpus->info.latent_size;
    int holds = corpus->frames / STRETCH % EVERY == EVERY / 2 - 1 && corpus->held_rows + rows <= LAC_FIT_HELD_ROWS;

    corpus->frames += rows;
    if (!holds)
        return lac_fit_add(corpus->fit, latents, rows);
    memcpy(corpus->held + corpus->held_rows * size, latents, rows * size * sizeof *latents);
    corpus->held_rows += (uint32_t)rows;
    return LAC_OK;
}

static int take_latents(lac_fit_corpus *corpus, size_t rows)
{
    int status = LAC_OK;

    for (size_t at = 0, n; !status && at < rows; at += n) {
        n = STRETCH - corpus->frames % STRETCH;
        n = rows - at < n ? rows - at : n;
        status = take_rows(corpus, corpus->latents + at * corpus->info.latent_size, n);
    }
    return status;
}

typedef struct source {
    lac_fit_corpus *corpus;
    uint32_t channels;
    int status;
} source;

static int code_channel(source *s, uint32_t channel, const float *pcm, size_t frames)
{
    lac_fit_corpus *c = s->corpus;
    size_t rows;
    int status;

    for (size_t i = 0; i < frames; i++)
        c->pcm[i] = pcm[i * s->channels + channel];
    status = lac_encoder_write_latents(c->encoder[channel], c->pcm, frames, c->tokens, c->latents,
                                       PIECE / c->info.frame_samples + 1, &rows);
    return status ? status : take_latents(c, rows);
}

/* Sink of the resampler. */
static int code(void *user, const float *pcm, size_t frames)
{
    source *s = user;

    for (size_t at = 0, n; !s->status && at < frames; at += n) {
        n = frames - at < PIECE ? frames - at : PIECE;
        for (uint32_t c = 0; !s->status && c < s->channels; c++)
            s->status = code_channel(s, c, pcm + at * s->channels, n);
    }
    return s->status;
}

static int start_encoders(lac_fit_corpus *corpus, uint32_t channels)
{
    lac_encoder_settings settings;
    int status = LAC_OK;

    lac_encoder_default_settings(&settings);
    settings.codebooks = 1;
    settings.block_frames = 64;
    settings.threads = corpus->threads;
    for (uint32_t c = 0; !status && c < channels; c++) {
        if (corpus->encoder[c])
            lac_encoder_reset(corpus->encoder[c]);
        else
            status = lac_encoder_open(&corpus->encoder[c], corpus->model, &settings);
    }
    return status;
}

static int code_file(lac_fit_corpus *corpus, lac_audio_in *in, lac_resampler *resampler, const source *s)
{
    const lac_audio_in_info *audio = lac_audio_in_get_info(in);
    uint64_t total = 0;
    size_t frames;
    int failed, wrong = 0;

    while ((failed = lac_audio_in_read(in, corpus->block, BLOCK, &frames)) == 0 && frames > 0 && !wrong) {
        wrong = lac_resampler_write(resampler, corpus->block, frames);
        total += frames;
    }
    if (!failed && !wrong)
        wrong = lac_resampler_finish(resampler, lac_rescale_up(total, corpus->info.sample_rate, audio->rate));
    if (!wrong)
        return failed;
    return s->status ? lac_report_status(audio->name, s->status, 0)
                     : lac_report(audio->name, "rate conversion failed");
}

int lac_fit_corpus_add(lac_fit_corpus *corpus, const char *path)
{
    lac_audio_in *in = NULL;
    lac_resampler *resampler;
    source s = {corpus, 0, LAC_OK};
    const char *reason = NULL;
    int failed = lac_audio_in_open(&in, path, NULL);

    if (failed)
        return failed;
    const lac_audio_in_info *audio = lac_audio_in_get_info(in);
    s.channels = audio->channels;
    s.status = start_encoders(corpus, audio->channels);
    resampler = lac_resampler_open(audio->rate, corpus->info.sample_rate, audio->channels, code, &s, &reason);
    if (s.status)
        failed = lac_report_status(audio->name, s.status, 0);
    else if (!resampler)
        failed = lac_report(audio->name, "%s", reason);
    else
        failed = code_file(corpus, in, resampler, &s);
    lac_resampler_close(&resampler);
    lac_audio_in_close(&in);
    return failed;
}

void lac_fit_corpus_close(lac_fit_corpus *corpus)
{
    for (size_t c = 0; c < LAC_MAX_CHANNELS; c++)
        lac_encoder_close(&corpus->encoder[c]);
    free(corpus->tokens);
    free(corpus->latents);
    free(corpus->held);
    free(corpus->pcm);
    free(corpus->block);
    memset(corpus, 0, sizeof *corpus);
}
