#include "render.h"

#include <stdlib.h>
#include <string.h>

#include "lac/encoder.h"
#include "lac/latents.h"

#define BLOCK 256 /* frames at once */

typedef struct renderer {
    const lac_render *asked;
    lac_generator *generator;
    lac_encoder *encoder;
    lac_analyser *analyser;   /* NULL: nothing is to be heard */
    size_t room;              /* frames of the following */
    int16_t *latents;         /* [room][D] */
    int16_t *last;            /* [D], the last row so far */
    uint16_t *tokens;         /* [room][Q] */
    uint8_t *counts;          /* [room] */
    lac_factor_frame *frames; /* [room + delay] */
    uint64_t given;           /* frames */
} renderer;

static int open_streams(renderer *r)
{
    const lac_factor_source *source = r->asked->source;
    lac_encoder_settings settings;
    int status;

    lac_encoder_default_settings(&settings);
    settings.codebooks = r->asked->codebooks;
    settings.threads = r->asked->generator.threads;
    status = lac_generator_open(&r->generator, source->model, &r->asked->generator);
    if (!status)
        status = lac_generator_set(r->generator, &r->asked->set->factors);
    if (!status)
        status = lac_encoder_open(&r->encoder, source->codec, &settings);
    if (!status && r->asked->heard)
        status = lac_analyser_open(&r->analyser, source->model, NULL);
    return status;
}

static int open_all(renderer *r, const lac_render *asked)
{
    const lac_factor_info *about = &asked->source->about;
    uint32_t delay = about->generator_delay_frames;

    r->asked = asked;
    r->room = delay > BLOCK ? delay : BLOCK;
    r->latents = calloc(r->room, about->latent_size * sizeof *r->latents);
    r->last = calloc(about->latent_size, sizeof *r->last);
    r->tokens = calloc(r->room, asked->source->codec_about.codebooks * sizeof *r->tokens);
    r->counts = malloc(r->room);
    r->frames = calloc(r->room + about->delay_frames, sizeof *r->frames);
    if (!r->latents || !r->last || !r->tokens || !r->counts || !r->frames)
        return LAC_ERROR_MEMORY;
    memset(r->counts, (int)asked->codebooks, r->room);
    return open_streams(r);
}

static void close_all(renderer *r)
{
    lac_generator_close(&r->generator);
    lac_encoder_close(&r->encoder);
    lac_analyser_close(&r->analyser);
    free(r->latents);
    free(r->last);
    free(r->tokens);
    free(r->counts);
    free(r->frames);
}

static int keep_heard(renderer *r, int status, size_t frames)
{
    char reason[LAC_TOKENS_REASON];

    if (status)
        return status;
    return lac_factor_set_append(r->asked->heard, r->frames, frames, reason) ? LAC_ERROR_MEMORY : 0;
}

/* What the tokens in hand stand for. */
static int hear(renderer *r, size_t rows)
{
    const lac_factor_source *source = r->asked->source;
    size_t got = 0;
    int status = lac_latents_from_tokens(source->codec, r->tokens, r->counts, rows, r->latents);

    if (!status)
        status = lac_analyser_write(r->analyser, r->latents, rows, r->frames, r->room + source->about.delay_frames,
                                    &got);
    return keep_heard(r, status, got);
}

static int take_latents(renderer *r, size_t rows)
{
    const lac_render *asked = r->asked;
    size_t d = asked->source->about.latent_size;
    int status = lac_encoder_search(r->encoder, r->latents, rows, r->tokens);

    if (rows > 0)
        memcpy(r->last, r->latents + (rows - 1) * d, d * sizeof *r->last);
    if (!status && asked->sink)
        status = asked->sink(asked->user, r->tokens, r->counts, rows);
    if (!status && r->analyser && r->given < asked->set->count) /* the codec's delay behind is no sound */
        status = hear(r, rows);
    r->given += rows;
    lac_progress_update(asked->progress, (double)r->given / LAC_FACTOR_RATE);
    return status;
}

/* The last row goes on for as long as the codec's delay. */
static int pad(renderer *r)
{
    const lac_model_info *about = &r->asked->source->codec_about;
    size_t d = r->asked->source->about.latent_size;
    uint64_t wanted =
        (r->asked->samples + about->decoder_delay_samples + about->frame_samples - 1) / about->frame_samples;
    int status = 0;

    while (!status && r->given < wanted) {
        memcpy(r->latents, r->last, d * sizeof *r->latents);
        status = take_latents(r, 1);
    }
    return status;
}

static int run(renderer *r)
{
    const lac_factor_set *set = r->asked->set;
    size_t rows = 0;
    int status = 0;

    for (uint64_t done = 0, n; done < set->count && !status; done += n) {
        n = set->count - done < BLOCK ? set->count - done : BLOCK;
        status = lac_generator_write(r->generator, set->frames + done, (size_t)n, r->latents, r->room, &rows);
        if (!status)
            status = take_latents(r, rows);
    }
    if (!status)
        status = lac_generator_flush(r->generator, r->latents, r->room, &rows);
    if (!status)
        status = take_latents(r, rows);
    return status ? status : pad(r);
}

static int finish_hearing(renderer *r)
{
    size_t got = 0;
    int status =
        lac_analyser_flush(r->analyser, r->frames, r->room + r->asked->source->about.delay_frames, &got);

    lac_analyser_get(r->analyser, &r->asked->heard->factors);
    return keep_heard(r, status, got);
}

int lac_render_run(const lac_render *asked)
{
    renderer r = {0};
    int status = open_all(&r, asked);

    if (!status)
        status = run(&r);
    if (!status && r.analyser)
        status = finish_hearing(&r);
    close_all(&r);
    return status;
}
