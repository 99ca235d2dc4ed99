/* Many full-duplex streams in real time, through lac_batch: each is fed a frame at every tick. */
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "lac/batch.h"
#include "report.h"

/* The streams of one thread. */
typedef struct group {
    const lac_bench *b;
    size_t first, count;       /* numbers of the streams, over all shares */
    lac_batch *batch;
    lac_encoder **encoders;    /* [count] */
    lac_decoder **decoders;    /* [count] */
    const float **in;          /* [count], into the audio */
    float **out;               /* [count], into pcm */
    float *pcm;                /* [count][frame_samples] */
    uint16_t *tokens;          /* [count][Q] */
    uint8_t *codebooks;        /* [count] */
} group;

/* Each stream is somewhere else in the audio. */
static const float *frame_of(const group *s, size_t i, size_t step)
{
    size_t samples = s->b->info.frame_samples;
    size_t frames = s->b->frames / samples ? s->b->frames / samples : 1;

    return s->b->mono + ((s->first + i) * 37 + step) % frames * samples;
}

/* A frame into every stream and one out of it. */
static int run_step(void *user, size_t step)
{
    group *s = user;
    int status;

    for (size_t i = 0; i < s->count; i++)
        s->in[i] = frame_of(s, i, step);
    status = lac_batch_encode(s->batch, s->encoders, s->in, s->count, s->tokens);
    return status ? status : lac_batch_decode(s->batch, s->decoders, s->tokens, s->codebooks, s->count, s->out);
}

static int allocate(group *s)
{
    size_t samples = s->b->info.frame_samples;

    s->encoders = calloc(s->count, sizeof(lac_encoder *));
    s->decoders = calloc(s->count, sizeof(lac_decoder *));
    s->in = calloc(s->count, sizeof(float *));
    s->out = calloc(s->count, sizeof(float *));
    s->pcm = calloc(s->count * samples, sizeof *s->pcm);
    s->tokens = calloc(s->count * s->b->info.codebooks, sizeof *s->tokens);
    s->codebooks = malloc(s->count);
    if (!s->encoders || !s->decoders || !s->in || !s->out || !s->pcm || !s->tokens || !s->codebooks)
        return LAC_ERROR_MEMORY;
    memset(s->codebooks, (int)s->b->codebooks, s->count);
    for (size_t i = 0; i < s->count; i++)
        s->out[i] = s->pcm + i * samples;
    return 0;
}

/* One frame into each touches all memory before time counts. */
static int open_streams(group *s)
{
    lac_encoder_settings encoder = {s->b->codebooks, 1, 1, 1, s->b->beam};
    lac_decoder_settings decoder = {1, 1, 1};
    lac_batch_settings batch = {(uint32_t)s->count, 1};
    int status = allocate(s);

    if (!status)
        status = lac_batch_open(&s->batch, s->b->model, &batch);
    for (size_t i = 0; !status && i < s->count; i++) {
        status = lac_encoder_open(&s->encoders[i], s->b->model, &encoder);
        if (!status)
            status = lac_decoder_open(&s->decoders[i], s->b->model, &decoder);
    }
    return status ? status : run_step(s, 0);
}

static void close_streams(group *s)
{
    for (size_t i = 0; s->encoders && s->decoders && i < s->count; i++) {
        lac_encoder_close(&s->encoders[i]);
        lac_decoder_close(&s->decoders[i]);
    }
    lac_batch_close(&s->batch);
    free(s->encoders);
    free(s->decoders);
    free(s->in);
    free(s->out);
    free(s->pcm);
    free(s->tokens);
    free(s->codebooks);
}

static int run(const lac_bench *b, group *groups, lac_bench_share *shares, lac_bench_ticks *r)
{
    uint32_t count = lac_bench_share_count(b, b->streams);
    int status = 0;

    for (uint32_t i = 0; !status && i < count; i++) {
        group *s = &groups[i];

        s->b = b;
        s->first = (size_t)b->streams * i / count;
        s->count = (size_t)b->streams * (i + 1) / count - s->first;
        shares[i] = (lac_bench_share){run_step, s, s->count};
        status = open_streams(s);
    }
    return status ? status : lac_bench_run_ticks(b, shares, count, r);
}

int lac_bench_run_streams(const lac_bench *b, lac_bench_ticks *r)
{
    uint32_t count = lac_bench_share_count(b, b->streams);
    group *groups = calloc(count, sizeof *groups);
    lac_bench_share *shares = calloc(count, sizeof *shares);
    int status = groups && shares ? run(b, groups, shares, r) : LAC_ERROR_MEMORY;

    for (uint32_t i = 0; groups && i < count; i++)
        close_streams(&groups[i]);
    free(groups);
    free(shares);
    return status ? lac_report_status("bench", status, 0) : 0;
}
