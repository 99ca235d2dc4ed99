/* The files that `lac fit` reads. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "fitcorpus.h"
#include "paths.h"
#include "report.h"

#define MOST_NESTED 32 /* folders in folders: links may lead round in circles */

/* Takes the path over. */
static int append(lac_fit_inputs *inputs, char *path)
{
    char **more = path ? realloc(inputs->path, (inputs->count + 1) * sizeof *more) : NULL;

    if (!more) {
        free(path);
        return lac_report("fit", "out of memory");
    }
    inputs->path = more;
    inputs->path[inputs->count++] = path;
    return 0;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_seen(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static int append_folder(lac_fit_inputs *inputs, const char *folder, int depth);

/* What lies in a folder under `path`, which it takes over. */
static int append_entry(lac_fit_inputs *inputs, char *path, int depth)
{
    struct stat st;
    int failed = 0;

    if (!path)
        return lac_report("fit", "out of memory");
    if (stat(path, &st) == 0 && S_ISREG(st.st_mode) && lac_path_is_audio(path))
        return append(inputs, path);
    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        failed = append_folder(inputs, path, depth + 1);
    free(path);
    return failed;
}

static int append_folder(lac_fit_inputs *inputs, const char *folder, int depth)
{
    struct dirent **entries;
    int failed = 0;
    int count = depth < MOST_NESTED ? scandir(folder, &entries, is_seen, by_name) : 0;

    if (count < 0)
        return lac_report(folder, "%s", strerror(errno));
    for (int i = 0; i < count; i++) {
        if (append_entry(inputs, lac_path_join(folder, entries[i]->d_name), depth))
            failed = LAC_EXIT_FAILED;
        free(entries[i]);
    }
    if (count > 0 || depth < MOST_NESTED)
        free(entries);
    return failed;
}

int lac_fit_inputs_open(lac_fit_inputs *inputs, char *const *names, size_t count)
{
    int failed = 0;

    memset(inputs, 0, sizeof *inputs);
    for (size_t i = 0; i < count; i++) {
        size_t before = inputs->count;
        struct stat st;

        if (stat(names[i], &st) != 0 || !S_ISDIR(st.st_mode)) {
            failed |= append(inputs, strdup(names[i]));
            continue;
        }
        failed |= append_folder(inputs, names[i], 0);
        if (inputs->count == before)
            failed = lac_report(names[i], "holds no audio files");
    }
    return failed ? LAC_EXIT_FAILED : 0;
}

void lac_fit_inputs_close(lac_fit_inputs *inputs)
{
    for (size_t i = 0; i < inputs->count; i++)
        free(inputs->path[i]);
    free(inputs->path);
    memset(inputs, 0, sizeof *inputs);
}
