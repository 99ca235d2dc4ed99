#include "jobs.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "report.h"

#define AHEAD 2 /* results that may wait, for each thread */

typedef struct slot {
    bool done;
    int status;
    void *result;
    char *messages;
    size_t size;
} slot;

typedef struct pool {
    const lac_jobs *jobs;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    slot *slots;           /* [room], item i in i % room */
    size_t room;
    size_t next, taken;    /* items begun, and taken */
    bool stop;
} pool;

typedef struct worker {
    pool *p;
    pthread_t thread;
    uint32_t number;
} worker;

uint32_t lac_jobs_processors(void)
{
    long count = sysconf(_SC_NPROCESSORS_ONLN);

    return count < 1 ? 1 : count > 256 ? 256 : (uint32_t)count;
}

/* The next item that there is room for; false if there is none left. */
static bool begin(pool *p, size_t *index)
{
    bool found;

    pthread_mutex_lock(&p->lock);
    while (!p->stop && p->next < p->jobs->count && p->next >= p->taken + p->room)
        pthread_cond_wait(&p->changed, &p->lock);
    found = !p->stop && p->next < p->jobs->count;
    if (found)
        *index = p->next++;
    pthread_mutex_unlock(&p->lock);
    return found;
}

static void *run_worker(void *user)
{
    worker *w = user;
    pool *p = w->p;
    size_t index;

    while (begin(p, &index)) {
        slot s = {.done = true};
        FILE *messages = open_memstream(&s.messages, &s.size);

        lac_report_to(messages);
        s.status = p->jobs->work(p->jobs->user, w->number, index, &s.result);
        lac_report_to(NULL);
        if (messages)
            fclose(messages);
        pthread_mutex_lock(&p->lock);
        p->slots[index % p->room] = s;
        pthread_cond_broadcast(&p->changed);
        pthread_mutex_unlock(&p->lock);
    }
    return NULL;
}

static slot wait_for(pool *p, size_t index)
{
    slot *at = &p->slots[index % p->room];

    pthread_mutex_lock(&p->lock);
    while (!at->done)
        pthread_cond_wait(&p->changed, &p->lock);
    slot s = *at;
    memset(at, 0, sizeof *at);
    p->taken = index + 1;
    pthread_cond_broadcast(&p->changed);
    pthread_mutex_unlock(&p->lock);
    return s;
}

static int take_all(pool *p)
{
    int ended = 0;

    for (size_t i = 0; i < p->jobs->count && !ended; i++) {
        slot s = wait_for(p, i);

        lac_report_text(s.messages);
        free(s.messages);
        ended = p->jobs->take(p->jobs->user, i, s.status, s.result);
    }
    pthread_mutex_lock(&p->lock);
    p->stop = true;
    pthread_cond_broadcast(&p->changed);
    pthread_mutex_unlock(&p->lock);
    return ended;
}

static void drop_rest(pool *p)
{
    for (size_t i = 0; i < p->room; i++) {
        free(p->slots[i].messages);
        if (p->slots[i].result)
            p->jobs->drop(p->slots[i].result);
    }
}

static int run_threads(const lac_jobs *jobs)
{
    pool p = {.jobs = jobs, .room = (size_t)jobs->threads * AHEAD};
    worker *workers = calloc(jobs->threads, sizeof *workers);
    uint32_t started = 0;
    int failed = 0;

    p.slots = calloc(p.room, sizeof *p.slots);
    pthread_mutex_init(&p.lock, NULL);
    pthread_cond_init(&p.changed, NULL);
    while (workers && p.slots && started < jobs->threads) {
        workers[started] = (worker){.p = &p, .number = started};
        if (pthread_create(&workers[started].thread, NULL, run_worker, &workers[started]))
            break;
        started++;
    }
    failed = started > 0 ? take_all(&p) : lac_report("threads", "could not be started");
    for (uint32_t i = 0; i < started; i++)
        pthread_join(workers[i].thread, NULL);
    if (p.slots)
        drop_rest(&p);
    pthread_cond_destroy(&p.changed);
    pthread_mutex_destroy(&p.lock);
    free(p.slots);
    free(workers);
    return failed;
}

int lac_jobs_run(const lac_jobs *jobs)
{
    int ended = 0;

    if (jobs->threads > 1 && jobs->count > 1)
        return run_threads(jobs);
    for (size_t i = 0; i < jobs->count && !ended; i++) {
        void *result = NULL;
        int status = jobs->work(jobs->user, 0, i, &result);

        ended = jobs->take(jobs->user, i, status, result);
    }
    return ended;
}
