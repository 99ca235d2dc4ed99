#include "fitcorpus.h"

#include <stdlib.h>
#include <string.h>

#include "audiopump.h"
#include "report.h"

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
    if (!corpus->tokens || !corpus->latents || !corpus->held || !corpus->pcm)
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

/* Sink of the pump. */
static int code(void *user, const float *pcm, size_t frames)
{
    source *s = user;
    int status = LAC_OK;

    for (size_t at = 0, n; !status && at < frames; at += n) {
        n = frames - at < PIECE ? frames - at : PIECE;
        for (uint32_t c = 0; !status && c < s->channels; c++)
            status = code_channel(s, c, pcm + at * s->channels, n);
    }
    return status;
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

int lac_fit_corpus_add(lac_fit_corpus *corpus, const char *path)
{
    source s = {corpus, 0};
    lac_audio_pump pump = {.rate = corpus->info.sample_rate, .sink = code, .user = &s};
    int failed = lac_audio_in_open(&pump.in, path, NULL), status;

    if (failed)
        return failed;
    const lac_audio_in_info *audio = lac_audio_in_get_info(pump.in);
    s.channels = audio->channels;
    status = start_encoders(corpus, audio->channels);
    if (!status) {
        failed = lac_audio_pump_run(&pump);
        status = pump.status;
    }
    if (status)
        failed = lac_report_status(audio->name, status, 0);
    lac_audio_in_close(&pump.in);
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
    memset(corpus, 0, sizeof *corpus);
}
