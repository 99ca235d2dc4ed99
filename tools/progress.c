#include "progress.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static int visible;

double lac_clock(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

void lac_progress_start(lac_progress *progress, double total)
{
    progress->total = total;
    progress->started = progress->shown = lac_clock();
    progress->on = isatty(STDERR_FILENO);
}

static int is_due(lac_progress *progress)
{
    double now;

    if (!progress->on || (now = lac_clock()) - progress->shown < 0.2)
        return 0;
    progress->shown = now;
    return 1;
}

void lac_progress_text(lac_progress *progress, const char *format, ...)
{
    va_list args;

    if (!is_due(progress))
        return;
    fputc('\r', stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputs(" \033[K", stderr);
    fflush(stderr);
    visible = 1;
}

void lac_progress_update(lac_progress *progress, double done)
{
    double speed;

    if (!is_due(progress))
        return;
    speed = done / (progress->shown - progress->started);
    if (progress->total > 0 && speed > 0) {
        double part = done < progress->total ? done / progress->total : 1.0;
        double rest = progress->total * (1.0 - part) / speed;
        int left = rest < 3.6e8 ? (int)(rest + 0.5) : 360000000;

        fprintf(stderr, "\r%5.1f %%  %.1f x real time  %d:%02d:%02d left \033[K", 100.0 * part, speed, left / 3600,
                left / 60 % 60, left % 60);
    } else {
        fprintf(stderr, "\r%.1f s  %.1f x real time \033[K", done, speed);
    }
    fflush(stderr);
    visible = 1;
}

void lac_progress_hide(void)
{
    if (visible)
        fputs("\r\033[K", stderr);
    visible = 0;
}
