#define _GNU_SOURCE /* ppoll */
#include "pace.h"

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#define BILLION UINT64_C(1000000000)
#define UNIX_EPOCH UINT64_C(2208988800) /* in seconds since 1900 */

static uint64_t clock_ns(clockid_t id)
{
    struct timespec t;

    clock_gettime(id, &t);
    return (uint64_t)t.tv_sec * BILLION + (uint64_t)t.tv_nsec;
}

void lac_pace_start(lac_pace *pace, double speed)
{
    pace->start_ns = clock_ns(CLOCK_MONOTONIC);
    pace->speed = speed;
}

uint64_t lac_pace_now(const lac_pace *pace)
{
    return (uint64_t)((double)(clock_ns(CLOCK_MONOTONIC) - pace->start_ns) * pace->speed / 1000.0);
}

void lac_pace_wait(const lac_pace *pace, uint64_t until_us, int fd, int other_fd)
{
    uint64_t now = lac_pace_now(pace);
    uint64_t ns = until_us > now ? (uint64_t)((double)(until_us - now) * 1000.0 / pace->speed) : 0;
    struct timespec wait = {(time_t)(ns / BILLION), (long)(ns % BILLION)};
    struct pollfd readable[] = {{fd, POLLIN, 0}, {other_fd, POLLIN, 0}};

    ppoll(readable, 2, &wait, NULL);
}

uint64_t lac_pace_ntp(void)
{
    static uint64_t offset;
    uint64_t ns = clock_ns(CLOCK_MONOTONIC);

    if (!offset)
        offset = clock_ns(CLOCK_REALTIME) - ns;
    ns += offset;
    return (ns / BILLION + UNIX_EPOCH) << 32 | ((ns % BILLION) << 32) / BILLION;
}

/* ---- signals ---- */

static const int ending[] = {SIGINT, SIGTERM, SIGHUP};
#define ENDING (sizeof ending / sizeof *ending)

static struct sigaction earlier[ENDING];
static volatile sig_atomic_t stopped;

static void stop(int number)
{
    if (stopped)
        for (size_t i = 0; i < ENDING; i++)
            if (ending[i] == number) {
                sigaction(number, &earlier[i], NULL);
                raise(number);
            }
    stopped = 1;
}

void lac_pace_catch_stop(void)
{
    struct sigaction action;

    memset(&action, 0, sizeof action);
    action.sa_handler = stop;
    for (size_t i = 0; i < ENDING; i++)
        if (!sigaction(ending[i], NULL, &earlier[i]) && earlier[i].sa_handler != SIG_IGN)
            sigaction(ending[i], &action, NULL);
}

int lac_pace_stopped(void)
{
    return stopped;
}
