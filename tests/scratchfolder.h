/* A folder of a test's own under /tmp, removed with all that is in it. */
#ifndef LAC_TESTS_SCRATCHFOLDER_H
#define LAC_TESTS_SCRATCHFOLDER_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fixture.h"

static char folder[64];

static inline void make_folder(void)
{
    strcpy(folder, "/tmp/lac-test-XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
}

static inline int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st, (void)type, (void)at;
    return remove(path);
}

static inline void remove_folder(void)
{
    nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* A name in it; four are good at a time. */
static inline const char *path_of(const char *name)
{
    static char path[4][160];
    static int turn;

    turn = (turn + 1) % 4;
    snprintf(path[turn], sizeof path[turn], "%s/%s", folder, name);
    return path[turn];
}

#endif
