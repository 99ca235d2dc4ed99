/* Names of files. */
#ifndef LAC_TOOLS_PATHS_H
#define LAC_TOOLS_PATHS_H

/* `path` with its ending, if it has one, replaced by `ending`; "-" stays. To be freed; NULL if out of memory. */
char *lac_path_with_ending(const char *path, const char *ending);

#endif
