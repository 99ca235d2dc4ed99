/* Threads that do a step at every tick, a frame's length apart, in real time. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"
#include "progress.h"

#define GIVE_UP_SECONDS 1.0 /* behind by this much at the end: what is left counts as late */
#define LEAD_SECONDS 0.05   /* until the first tick */

typedef struct ticker {
    const lac_bench_share *share;
    double start, frame;       /* of the first tick, on the monotonic clock; seconds */
    double *finished;          /* [steps] seconds after the tick */
    size_t steps;
    uint64_t late;
    int status;
    pthread_t thread;
} ticker;

static void sleep_until(double when)
{
    struct timespec t = {(time_t)when, (long)((when - (double)(time_t)when) * 1e9)};

    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR)
        continue;
}

static void *run_ticker(void *user)
{
    ticker *t = user;
    double end = t->start + (double)t->steps * t->frame + GIVE_UP_SECONDS;

    for (size_t step = 0; !t->status && step < t->steps; step++) {
        double tick = t->start + (double)step * t->frame;

        sleep_until(tick);
        if (lac_clock() < end)
            t->status = t->share->step(t->share->user, step);
        t->finished[step] = lac_clock() - tick;
        t->late += t->finished[step] > t->frame ? t->share->count : 0;
    }
    return NULL;
}

static int start(ticker *tickers, uint32_t count, uint32_t *started)
{
    double first = lac_clock() + LEAD_SECONDS;

    for (*started = 0; *started < count; ++*started) {
        ticker *t = &tickers[*started];

        t->start = first;
        if (pthread_create(&t->thread, NULL, run_ticker, t))
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

static void gather(const ticker *tickers, double *steps, lac_bench_ticks *r)
{
    size_t count = tickers->steps;

    for (uint32_t i = 0; i < r->threads; i++) {
        r->late += tickers[i].late;
        r->frames += tickers[i].share->count * count;
        for (size_t k = 0; k < count; k++)
            steps[k] = tickers[i].finished[k] > steps[k] ? tickers[i].finished[k] : steps[k];
    }
    lac_bench_sort(steps, count);
    r->step_ms[0] = 1000 * lac_bench_percentile(steps, count, 0.50);
    r->step_ms[1] = 1000 * lac_bench_percentile(steps, count, 0.95);
    r->step_ms[2] = 1000 * lac_bench_percentile(steps, count, 0.99);
}

static int run(const lac_bench *b, ticker *tickers, double *steps, lac_bench_ticks *r)
{
    uint32_t started = 0;
    int status = start(tickers, r->threads, &started);

    if (!status)
        show_progress(b);
    for (uint32_t i = 0; i < started; i++) {
        pthread_join(tickers[i].thread, NULL);
        status = status ? status : tickers[i].status;
    }
    lac_progress_hide();
    if (!status)
        gather(tickers, steps, r);
    return status;
}

uint32_t lac_bench_share_count(const lac_bench *b, uint32_t streams)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    uint32_t threads = b->threads ? b->threads : cores > 0 ? (uint32_t)cores : 1;

    return threads < streams ? threads : streams;
}

int lac_bench_run_ticks(const lac_bench *b, const lac_bench_share *shares, uint32_t count, lac_bench_ticks *r)
{
    double frame = (double)b->info.frame_samples / b->info.sample_rate;
    size_t steps = 1 + (size_t)(b->seconds / frame);
    ticker *tickers = calloc(count, sizeof *tickers);
    double *times = calloc((1 + (size_t)count) * steps, sizeof *times);
    int status = LAC_ERROR_MEMORY;

    memset(r, 0, sizeof *r);
    r->threads = count;
    for (uint32_t i = 0; tickers && times && i < count; i++) {
        tickers[i].share = &shares[i];
        tickers[i].frame = frame;
        tickers[i].finished = times + (1 + (size_t)i) * steps;
        tickers[i].steps = steps;
    }
    if (tickers && times)
        status = run(b, tickers, times, r);
    free(tickers);
    free(times);
    return status;
}
