#include "textfile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define REASON 200

static int fail(char *reason, const char *path, int error)
{
    snprintf(reason, REASON, "%.120s: %s", path, strerror(error));
    return -1;
}

/* Several processes may write the same file at once, each to a name of its own. */
static int set_names(lac_textfile *text, const char *folder, const char *name)
{
    size_t size = strlen(folder) + strlen(name) + 32;

    text->path = malloc(size);
    text->temporary = malloc(size);
    if (!text->path || !text->temporary)
        return -1;
    snprintf(text->path, size, "%s/%s", folder, name);
    snprintf(text->temporary, size, "%s/.%s.%ld", folder, name, (long)getpid());
    return 0;
}

int lac_textfile_open(lac_textfile *text, const char *folder, const char *name, char *reason)
{
    memset(text, 0, sizeof *text);
    if (set_names(text, folder, name)) {
        lac_textfile_discard(text);
        return fail(reason, name, ENOMEM);
    }
    text->file = fopen(text->temporary, "w");
    if (text->file)
        return 0;
    fail(reason, text->path, errno);
    lac_textfile_discard(text);
    return -1;
}

int lac_textfile_commit(lac_textfile *text, char *reason)
{
    int failed = fflush(text->file) || fsync(fileno(text->file)) || ferror(text->file) ||
                 rename(text->temporary, text->path);

    if (failed)
        fail(reason, text->path, errno);
    else
        text->temporary[0] = 0;
    lac_textfile_discard(text);
    return failed ? -1 : 0;
}

void lac_textfile_discard(lac_textfile *text)
{
    if (text->file)
        fclose(text->file);
    if (text->file && text->temporary[0])
        unlink(text->temporary);
    free(text->path);
    free(text->temporary);
    memset(text, 0, sizeof *text);
}
