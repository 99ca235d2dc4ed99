/* Many full-duplex streams in real time: each is fed a frame at every tick. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"
#include "progress.h"
#include "report.h"

#define GIVE_UP_SECONDS 1.0 /* behind by this much at the end: what is left counts as late */
#define LEAD_SECONDS 0.05   /* until the first tick */

typedef struct stream {
    lac_encoder *encoder;
    lac_decoder *decoder;
} stream;

/* The streams of one thread. */
typedef struct share {
    const lac_bench *b;
    stream *streams;
    size_t first, count;   /* numbers of the streams, over all shares */
    uint16_t *tokens;      /* [Q] */
    float *pcm;            /* [frame_samples] */
    double start;          /* of the first tick, on the monotonic clock */
    double *finished;      /* [steps] seconds after the tick */
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

/* A frame into every stream and one out of it; how many were done more than a frame's time after `tick`. */
static int run_step(share *s, size_t step, double tick, uint64_t *late)
{
    uint8_t codebooks = (uint8_t)s->b->codebooks;
    int status = 0;

    for (size_t i = 0; !status && i < s->count; i++) {
        size_t frames;

        status = lac_encoder_write(s->streams[i].encoder, frame_of(s, i, step), s->b->info.frame_samples, s->tokens, 1,
                                   &frames);
        if (!status)
            status = lac_decoder_read(s->streams[i].decoder, s->tokens, &codebooks, frames, s->pcm);
        *late += lac_clock() - tick > frame_seconds(s->b);
    }
    return status;
}

/* One frame into each touches all memory before time counts. */
static int warm_up(share *s)
{
    uint64_t late = 0;

    return run_step(s, 0, 0, &late);
}

static int open_streams(share *s)
{
    lac_encoder_settings encoder = {s->b->codebooks, 1, 1};
    lac_decoder_settings decoder = {1, 1};
    int status = 0;

    s->streams = calloc(s->count, sizeof *s->streams);
    s->tokens = calloc(s->b->info.codebooks, sizeof *s->tokens);
    s->pcm = calloc(s->b->info.frame_samples, sizeof *s->pcm);
    s->finished = calloc(s->steps, sizeof *s->finished);
    if (!s->streams || !s->tokens || !s->pcm || !s->finished)
        return LAC_ERROR_MEMORY;
    for (size_t i = 0; !status && i < s->count; i++) {
        status = lac_encoder_open(&s->streams[i].encoder, s->b->model, &encoder);
        if (!status)
            status = lac_decoder_open(&s->streams[i].decoder, s->b->model, &decoder);
    }
    return status ? status : warm_up(s);
}

static void close_streams(share *s)
{
    for (size_t i = 0; s->streams && i < s->count; i++) {
        lac_encoder_close(&s->streams[i].encoder);
        lac_decoder_close(&s->streams[i].decoder);
    }
    free(s->streams);
    free(s->tokens);
    free(s->pcm);
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
        if (lac_clock() > end)
            s->late += s->count;
        else
            s->status = run_step(s, step, tick, &s->late);
        s->finished[step] = lac_clock() - tick;
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
