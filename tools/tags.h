/* Titles and the like: libsndfile's strings as tags of a .lac file, and back. */
#ifndef LAC_TOOLS_TAGS_H
#define LAC_TOOLS_TAGS_H

#include <sndfile.h>
#include <stddef.h>

#include "lac/stream.h"

#define LAC_TAG_LIST_MAX 16

typedef struct lac_tag_list {
    lac_tag tags[LAC_TAG_LIST_MAX]; /* names are static, values owned */
    size_t count;
} lac_tag_list;

/* All strings of `snd`; text that is no UTF-8 is taken for Latin-1. What exceeds a .lac file's limits is left out
 * with a message naming `file`. 0 or LAC_EXIT_FAILED. */
int lac_tags_load(lac_tag_list *list, SNDFILE *snd, const char *file);

void lac_tags_free(lac_tag_list *list);

/* Every tag of a reader, or of these, that libsndfile has a string for; before any audio is written. */
void lac_tags_store(SNDFILE *snd, const lac_reader *reader);
void lac_tags_put(SNDFILE *snd, const lac_tag *tags, size_t count);

#endif
