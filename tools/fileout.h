/* An output file that appears under its name only when it is complete.
 *
 * Bytes go to a temporary file beside it, which commit renames; standard output and what is no regular file are
 * written to directly. A signal that ends the program removes the temporary file; one file may be open at a time. */
#ifndef LAC_TOOLS_FILEOUT_H
#define LAC_TOOLS_FILEOUT_H

#include <stddef.h>
#include <stdint.h>

#include "lac/stream.h"

typedef struct lac_file_out {
    const char *name; /* for messages */
    char *path;       /* where it will appear; NULL if written to directly */
    char *temporary;  /* where it is written; NULL likewise */
    int fd;
    int force;        /* may replace a file */
    int error;        /* errno of the first failed write, or 0 */
} lac_file_out;

/* 0, LAC_EXIT_USAGE (binary data to a terminal) or LAC_EXIT_FAILED after a message. `input` is the file read from,
 * which is not overwritten even with `force`. Check tells what open would refuse, before long work. */
int lac_file_out_check(const char *path, const char *input, int force);
int lac_file_out_open(lac_file_out *file, const char *path, const char *input, int force);

/* All bytes: 0, or -1 with `error` set. */
int lac_file_out_write(lac_file_out *file, const void *data, size_t size);

lac_io lac_file_out_io(lac_file_out *file);

/* Close, and give the file its name. 0, or LAC_EXIT_FAILED after a message and with nothing left behind. */
int lac_file_out_commit(lac_file_out *file);

/* Close and remove what was written; harmless after commit and on a zeroed struct. */
void lac_file_out_discard(lac_file_out *file);

/* Remove the temporary file when SIGINT, SIGTERM, SIGHUP or SIGQUIT ends the program; writes that fail
 * give an error, not a signal (SIGPIPE, SIGXFSZ). Call once. */
void lac_file_out_signals(void);

#endif
