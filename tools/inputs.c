#include "inputs.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "paths.h"
#include "report.h"

/* Takes both strings, which are NULL if memory ran out. */
static int add(lac_inputs *list, char *path, char *name)
{
    size_t room = 16;

    while (room <= list->count)
        room *= 2;
    lac_input *bigger = path && name ? realloc(list->item, room * sizeof *bigger) : NULL;
    if (!bigger) {
        free(path);
        free(name);
        return lac_report("input", "out of memory");
    }
    list->item = bigger;
    list->item[list->count++] = (lac_input){path, name};
    return 0;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const lac_input *)a)->name, ((const lac_input *)b)->name);
}

static int is_wanted(const lac_inputs *list, const char *name)
{
    const char *dot = name[0] != '.' ? strrchr(name, '.') : NULL;

    return lac_path_is_audio(name) || ((list->kinds & LAC_INPUTS_LAC) && dot && strcmp(dot, ".lac") == 0) ||
           ((list->kinds & LAC_INPUTS_NPZ) && dot && strcmp(dot, ".npz") == 0);
}

static int scan(lac_inputs *list, const char *folder, const char *prefix);

/* One entry of a folder, at `path`, which is `name` below the operand. */
static int enter(lac_inputs *list, const char *entry, char *path, char *name)
{
    struct stat st;
    int failed = 0;

    if (!path || !name || lstat(path, &st))
        failed = lac_report(path ? path : "input", "%s", path && name ? strerror(errno) : "out of memory");
    else if (S_ISDIR(st.st_mode))
        failed = scan(list, path, name);
    else if (is_wanted(list, entry) && stat(path, &st) == 0 && S_ISREG(st.st_mode))
        return add(list, path, name);
    free(path);
    free(name);
    return failed;
}

static int scan(lac_inputs *list, const char *folder, const char *prefix)
{
    DIR *directory = opendir(folder);
    int failed = 0;

    if (!directory)
        return lac_report(folder, "%s", strerror(errno));
    for (const struct dirent *d; (d = readdir(directory)) != NULL;)
        if (d->d_name[0] != '.')
            failed |= enter(list, d->d_name, lac_path_join(folder, d->d_name),
                            *prefix ? lac_path_join(prefix, d->d_name) : strdup(d->d_name));
    closedir(directory);
    return failed;
}

static int add_operand(lac_inputs *list, const char *operand)
{
    size_t before = list->count;
    const char *slash = strrchr(operand, '/');
    struct stat st;

    if (strcmp(operand, "-") == 0 || stat(operand, &st) || !S_ISDIR(st.st_mode))
        return add(list, strdup(operand), strdup(slash ? slash + 1 : operand));
    int failed = scan(list, operand, "");
    if (!failed && list->count == before)
        failed = lac_report(operand, list->kinds ? "holds no .lac and no audio files" : "holds no audio files");
    if (list->count > before)
        qsort(list->item + before, list->count - before, sizeof *list->item, by_name);
    return failed;
}

int lac_inputs_open(lac_inputs *inputs, char **operands, size_t count, unsigned kinds)
{
    int failed = 0;

    *inputs = (lac_inputs){.kinds = kinds};
    for (size_t i = 0; i < count; i++)
        failed |= add_operand(inputs, operands[i]);
    return failed;
}

void lac_inputs_close(lac_inputs *inputs)
{
    for (size_t i = 0; i < inputs->count; i++) {
        free(inputs->item[i].path);
        free(inputs->item[i].name);
    }
    free(inputs->item);
    memset(inputs, 0, sizeof *inputs);
}
