#include "paths.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

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

int lac_path_is_audio(const char *path)
{
    static const char *const extensions[] = {
        "wav", "wave", "flac", "ogg", "oga",  "opus", "mp3", "aif", "aiff", "aifc", "au",  "snd", "caf", "w64",
        "rf64", "voc", "sph", "nist", "avr", "iff", "svx", "htk", "mat", "paf", "pvf", "sd2", "sf", "xi"};
    const char *slash = strrchr(path, '/');
    const char *base = slash ? slash + 1 : path;
    const char *dot = strrchr(base, '.');

    if (!dot || dot == base || *base == '.')
        return 0;
    for (size_t i = 0; i < sizeof extensions / sizeof *extensions; i++)
        if (strcasecmp(dot + 1, extensions[i]) == 0)
            return 1;
    return 0;
}

int lac_path_is_folder(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

char *lac_path_join(const char *folder, const char *name)
{
    size_t length = strlen(folder), size = length + strlen(name) + 2;
    char *path = malloc(size);

    if (path)
        snprintf(path, size, "%s%s%s", folder, length == 0 || folder[length - 1] == '/' ? "" : "/", name);
    return path;
}
