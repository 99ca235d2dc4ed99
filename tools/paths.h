/* Names of files. */
#ifndef LAC_TOOLS_PATHS_H
#define LAC_TOOLS_PATHS_H

/* `path` with its ending, if it has one, replaced by `ending`; "-" stays. To be freed; NULL if out of memory. */
char *lac_path_with_ending(const char *path, const char *ending);

/* 1 if the name ends as those of libsndfile's formats that carry their own header, and is not hidden. */
int lac_path_is_audio(const char *path);

/* 1 for a folder that is there, or a link to one. */
int lac_path_is_folder(const char *path);

/* folder/name. To be freed; NULL if out of memory. */
char *lac_path_join(const char *folder, const char *name);

#endif
