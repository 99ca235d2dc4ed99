/* Bytes of a .lac file, or of standard input, for lac_reader. */
#ifndef LAC_TOOLS_FILEIN_H
#define LAC_TOOLS_FILEIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "lac/stream.h"
#include "tokenset.h"

#define LAC_FILE_IN_WHOLE (1u << 30) /* bytes of a file that is read whole, at most */

typedef struct lac_file_in {
    const char *name; /* for messages */
    int fd;
    int error;        /* errno of a failed read, or 0 */
    int64_t base;     /* where the file starts; -1 if it can't seek */
    size_t start, end;
    uint8_t buffer[65536];
} lac_file_in;

/* 0, or LAC_EXIT_FAILED after a message. The file must stay where it is: lac_io points to it. */
int lac_file_in_open(lac_file_in *file, const char *path);
/* A reader for it; `path` as for open. 0, or LAC_EXIT_FAILED after a message. Close the reader before the file. */
int lac_file_in_reader(lac_file_in *file, const char *path, lac_reader **reader);

/* Is it a .lac file: by its name, or, a regular file, by its first bytes, which are left unread? "-" is standard
 * input. */
bool lac_file_in_is_lac(const char *path);

/* The same of a file of factors (NumPy's .npz). */
bool lac_file_in_is_npz(const char *path);

void lac_file_in_close(lac_file_in *file);

/* All that is left of a file, at most LAC_FILE_IN_WHOLE bytes, appended: 0, or LAC_EXIT_FAILED after a message. */
int lac_file_in_whole(lac_token_bytes *bytes, FILE *file, const char *name);

#endif
