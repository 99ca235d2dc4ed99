/* Many full-duplex streams in real time, through lac_batch: each is fed a frame at every tick. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"
#include "lac/batch.h"
#include "progress.h"
#include "report.h"

#define GIVE_UP_SECONDS 1.0 /* behind by this much at the end: what is left counts as late */
#define LEAD_SECONDS 0.05   /* until the first tick */

/* The streams of one thread. */
typedef struct share {
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
    double start;              /* of the first tick, on the monotonic clock */
    double *finished;          /* [steps] seconds after the tick */
    size_t steps;
    uint64_t late;
    int status;
    pthread_t thread;
} share;

static double frame_seconds(const lac_bench *b)
{
    return (double)b->info.frame_samples / b->info.sample_rate;
}

/* Each stream is somewhere else in the audio. */
static const float *frame_of(const share *s, size_t i, size_t step)
{
    size_t samples = s->b->info.frame_samples;
    size_t frames = s->b->frames / samples ? s->b->frames / samples : 1;

    return s->b->mono + ((s->first + i) * 37 + step) % frames * samples;
}

/* A frame into every stream and one out of it. */
static int run_step(share *s, size_t step)
{
    int status;

    for (size_t i = 0; i < s->count; i++)
        s->in[i] = frame_of(s, i, step);
    status = lac_batch_encode(s->batch, s->encoders, s->in, s->count, s->tokens);
    return status ? status : lac_batch_decode(s->batch, s->decoders, s->tokens, s->codebooks, s->count, s->out);
}

static int allocate(share *s)
{
    size_t samples = s->b->info.frame_samples;

    s->encoders = calloc(s->count, sizeof(lac_encoder *));
    s->decoders = calloc(s->count, sizeof(lac_decoder *));
    s->in = calloc(s->count, sizeof(float *));
    s->out = calloc(s->count, sizeof(float *));
    s->pcm = calloc(s->count * samples, sizeof *s->pcm);
    s->tokens = calloc(s->count * s->b->info.codebooks, sizeof *s->tokens);
    s->codebooks = malloc(s->count);
    s->finished = calloc(s->steps, sizeof *s->finished);
    if (!s->encoders || !s->decoders || !s->in || !s->out || !s->pcm || !s->tokens || !s->codebooks || !s->finished)
        return LAC_ERROR_MEMORY;
    memset(s->codebooks, (int)s->b->codebooks, s->count);
    for (size_t i = 0; i < s->count; i++)
        s->out[i] = s->pcm + i * samples;
    return 0;
}

/* One frame into each touches all memory before time counts. */
static int open_streams(share *s)
{
    lac_encoder_settings encoder = {s->b->codebooks, 1, 1, 1};
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

static void close_streams(share *s)
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
    free(s->finished);
}

static void sleep_until(double when)
{
    struct timespec t = {(time_t)when, (long)((when - (double)(time_t)when) * 1e9)};

    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR)
        continue;
}

static void *run_share(void *user)
{
    share *s = user;
    double frame = frame_seconds(s->b), end = s->start + (double)s->steps * frame + GIVE_UP_SECONDS;

    for (size_t step = 0; !s->status && step < s->steps; step++) {
        double tick = s->start + (double)step * frame;

        sleep_until(tick);
        if (lac_clock() < end)
            s->status = run_step(s, step);
        s->finished[step] = lac_clock() - tick;
        s->late += s->finished[step] > frame ? s->count : 0;
    }
    return NULL;
}

/* ---- */

static int start(share *shares, uint32_t threads, uint32_t *started)
{
    double first = lac_clock() + LEAD_SECONDS;

    for (*started = 0; *started < threads; ++*started) {
        share *s = &shares[*started];

        s->start = first;
        if (pthread_create(&s->thread, NULL, run_share, s))
            return LAC_ERROR_MEMORY;
    }
    return 0;
}

static void show_progress(const lac_bench *b)
{
    lac_progress progress;

    lac_progress_start(&progress, b->seconds);
    for (double now = 0; progress.on && now < b->seconds; now = lac_clock() - progress.started) {
        lac_progress_update(&progress, now);
        sleep_until(lac_clock() + 0.25);
    }
}

static void gather(const share *shares, uint32_t threads, double *steps, lac_bench_streams_result *r)
{
    size_t count = shares->steps;

    for (uint32_t i = 0; i < threads; i++) {
        r->late += shares[i].late;
        r->frames += shares[i].count * count;
        for (size_t k = 0; k < count; k++)
            steps[k] = shares[i].finished[k] > steps[k] ? shares[i].finished[k] : steps[k];
    }
    lac_bench_sort(steps, count);
    r->step_ms[0] = 1000 * lac_bench_percentile(steps, count, 0.50);
    r->step_ms[1] = 1000 * lac_bench_percentile(steps, count, 0.95);
    r->step_ms[2] = 1000 * lac_bench_percentile(steps, count, 0.99);
}

static int run(const lac_bench *b, share *shares, double *steps, lac_bench_streams_result *r)
{
    uint32_t started = 0;
    int status = 0;

    for (uint32_t i = 0; !status && i < r->threads; i++)
        status = open_streams(&shares[i]);
    if (status)
        return status;
    status = start(shares, r->threads, &started);
    if (!status)
        show_progress(b);
    for (uint32_t i = 0; i < started; i++) {
        pthread_join(shares[i].thread, NULL);
        status = status ? status : shares[i].status;
    }
    lac_progress_hide();
    if (!status)
        gather(shares, r->threads, steps, r);
    return status;
}

static uint32_t share_count(const lac_bench *b)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    uint32_t threads = b->threads ? b->threads : cores > 0 ? (uint32_t)cores : 1;

    return threads < b->streams ? threads : b->streams;
}

int lac_bench_run_streams(const lac_bench *b, lac_bench_streams_result *r)
{
    size_t count = 1 + (size_t)(b->seconds / frame_seconds(b));
    share *shares;
    double *steps = calloc(count, sizeof *steps);
    int status = LAC_ERROR_MEMORY;

    memset(r, 0, sizeof *r);
    r->threads = share_count(b);
    shares = calloc(r->threads, sizeof *shares);
    for (uint32_t i = 0; shares && i < r->threads; i++) {
        share *s = &shares[i];

        s->b = b;
        s->steps = count;
        s->first = (size_t)b->streams * i / r->threads;
        s->count = (size_t)b->streams * (i + 1) / r->threads - s->first;
    }
    if (shares && steps)
        status = run(b, shares, steps, r);
    for (uint32_t i = 0; shares && i < r->threads; i++)
        close_streams(&shares[i]);
    free(shares);
    free(steps);
    return status ? lac_report_status("bench", status, 0) : 0;
}
