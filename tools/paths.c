#include "paths.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *lac_path_with_ending(const char *path, const char *ending)
{
    const char *slash = strrchr(path, '/');
    const char *base = slash ? slash + 1 : path;
    const char *dot = strrchr(base, '.');
    size_t stem = dot && dot != base ? (size_t)(dot - path) : strlen(path);
    size_t size = stem + strlen(ending) + 2;
    char *made;

    if (strcmp(path, "-") == 0)
        return strdup(path);
    made = malloc(size);
    if (made)
        snprintf(made, size, "%.*s.%s", (int)stem, path, ending);
    return made;
}
