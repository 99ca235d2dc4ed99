#include "outputs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "paths.h"
#include "report.h"

static char *name_one(const lac_input *input, const char *folder, const char *ending)
{
    if (!ending)
        return strdup(folder);
    char *path = folder ? lac_path_join(folder, strcmp(input->name, "-") == 0 ? "stdin" : input->name)
                        : strdup(input->path);
    char *named = path ? lac_path_with_ending(path, ending) : NULL;

    free(path);
    return named;
}

char **lac_outputs_name(const lac_inputs *inputs, const char *folder, const char *ending)
{
    char **outputs = calloc(inputs->count + 1, sizeof *outputs);
    size_t named = 0;

    while (outputs && named < inputs->count && (outputs[named] = name_one(&inputs->item[named], folder, ending)))
        named++;
    if (outputs && named == inputs->count)
        return outputs;
    lac_outputs_free(outputs, named);
    lac_report("output", "out of memory");
    return NULL;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

int lac_outputs_check(char **outputs, size_t count)
{
    char **sorted = malloc((count + 1) * sizeof *sorted);
    int failed = sorted ? 0 : lac_report("output", "out of memory");

    if (sorted)
        memcpy(sorted, outputs, count * sizeof *sorted);
    if (sorted && count > 1)
        qsort(sorted, count, sizeof *sorted, by_text);
    for (size_t i = 1; i < count && !failed; i++)
        if (strcmp(sorted[i - 1], sorted[i]) == 0)
            failed = lac_report(sorted[i], "would be the output of two inputs");
    free(sorted);
    return failed;
}

int lac_outputs_make_folders(const char *path)
{
    char *copy = strdup(path);
    int failed = copy ? 0 : lac_report(path, "out of memory");

    for (char *slash = copy ? strchr(copy + 1, '/') : NULL; slash && !failed; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        if (mkdir(copy, 0777) && errno != EEXIST)
            failed = lac_report(copy, "%s", strerror(errno));
        *slash = '/';
    }
    free(copy);
    return failed;
}

void lac_outputs_free(char **outputs, size_t count)
{
    for (size_t i = 0; outputs && i < count; i++)
        free(outputs[i]);
    free(outputs);
}
