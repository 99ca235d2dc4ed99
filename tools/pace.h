/* The clock that a session sends and plays by, and how it is told to end. */
#ifndef LAC_TOOLS_PACE_H
#define LAC_TOOLS_PACE_H

#include <stdint.h>

/* A steady clock that runs `speed` times as fast as time. */
typedef struct lac_pace {
    uint64_t start_ns;
    double speed;
} lac_pace;

void lac_pace_start(lac_pace *pace, double speed);

/* Microseconds since start. */
uint64_t lac_pace_now(const lac_pace *pace);

/* Wait until then, until one of the sockets (-1: none) can be read, or until a signal comes. */
void lac_pace_wait(const lac_pace *pace, uint64_t until_us, int fd, int other_fd);

/* NTP's time, seconds since 1900 in the upper 32 bits: the time of day at the first call, then a steady clock. */
uint64_t lac_pace_ntp(void);

/* From now on the first SIGINT, SIGTERM or SIGHUP only sets what lac_pace_stopped returns; the next one ends the
 * program as it would have. */
void lac_pace_catch_stop(void);
int lac_pace_stopped(void);

#endif
