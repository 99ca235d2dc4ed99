/* A text file that appears under its name only when it is complete. */
#ifndef LAC_SYNTH_TEXTFILE_H
#define LAC_SYNTH_TEXTFILE_H

#include <stdio.h>

typedef struct lac_textfile {
    FILE *file; /* NULL: not open */
    char *path, *temporary;
} lac_textfile;

/* FOLDER/NAME; what was there stays until commit. reason [200]. 0 or -1. */
int lac_textfile_open(lac_textfile *text, const char *folder, const char *name, char *reason);

/* To the disk, and under its name; closed in either case. 0 or -1 with a reason. */
int lac_textfile_commit(lac_textfile *text, char *reason);

/* Close and remove; harmless after commit and on a zeroed struct. */
void lac_textfile_discard(lac_textfile *text);

#endif
