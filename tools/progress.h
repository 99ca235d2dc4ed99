/* One line on standard error while it is a terminal; nothing otherwise. */
#ifndef LAC_TOOLS_PROGRESS_H
#define LAC_TOOLS_PROGRESS_H

typedef struct lac_progress {
    double total;    /* seconds of audio in all, negative if unknown */
    double started;  /* on the monotonic clock */
    double shown;    /* when the line was last drawn */
    int on;
} lac_progress;

/* Seconds on the monotonic clock. */
double lac_clock(void);

void lac_progress_start(lac_progress *progress, double total);

/* `done` seconds of audio are through; draws at most five times a second. */
void lac_progress_update(lac_progress *progress, double done);

/* The line is this text; draws at most five times a second. */
void lac_progress_text(lac_progress *progress, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Erase the line, if one is drawn. */
void lac_progress_hide(void);

#endif
