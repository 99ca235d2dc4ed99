#include "tags.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "report.h"

static const struct {
    int string;
    const char *name;
} known[] = {
    {SF_STR_TITLE, "TITLE"},   {SF_STR_ARTIST, "ARTIST"},           {SF_STR_ALBUM, "ALBUM"},
    {SF_STR_GENRE, "GENRE"},   {SF_STR_TRACKNUMBER, "TRACKNUMBER"}, {SF_STR_DATE, "DATE"},
    {SF_STR_COMMENT, "COMMENT"}, {SF_STR_COPYRIGHT, "COPYRIGHT"},   {SF_STR_LICENSE, "LICENSE"},
};
#define KNOWN (sizeof known / sizeof *known)

/* Bytes of the UTF-8 character at s (RFC 3629), or 0 if there is none. */
static size_t character(const unsigned char *s)
{
    size_t more = s[0] < 0x80 ? 0 : s[0] < 0xc2 ? 4 : s[0] < 0xe0 ? 1 : s[0] < 0xf0 ? 2 : s[0] < 0xf5 ? 3 : 4;

    if (more == 4)
        return 0;
    for (size_t i = 1; i <= more; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) || (s[0] == 0xf0 && s[1] < 0x90) ||
        (s[0] == 0xf4 && s[1] > 0x8f))
        return 0;
    return more + 1;
}

static int is_utf8(const unsigned char *s)
{
    while (*s) {
        size_t bytes = character(s);

        if (!bytes)
            return 0;
        s += bytes;
    }
    return 1;
}

static char *to_utf8(const char *text)
{
    const unsigned char *s = (const unsigned char *)text;
    char *copy = malloc(2 * strlen(text) + 1);
    char *p = copy;

    if (!copy || is_utf8(s))
        return copy ? strcpy(copy, text) : NULL;
    for (; *s; s++) {
        if (*s >= 0x80) {
            *p++ = (char)(0xc0 | *s >> 6);
            *p++ = (char)(0x80 | (*s & 0x3f));
        } else {
            *p++ = (char)*s;
        }
    }
    *p = 0;
    return copy;
}

int lac_tags_load(lac_tag_list *list, SNDFILE *snd, const char *file)
{
    size_t bytes = 0;

    list->count = 0;
    for (size_t i = 0; i < KNOWN; i++) {
        const char *text = sf_get_string(snd, known[i].string);
        char *value;
        size_t size;

        if (!text || !*text)
            continue;
        value = to_utf8(text);
        if (!value)
            return lac_report(file, "out of memory");
        size = strlen(known[i].name) + strlen(value) + 2;
        if (bytes + size > LAC_MAX_TAG_BYTES) {
            lac_report(file, "its %s is too long and is left out", known[i].name);
            free(value);
            continue;
        }
        bytes += size;
        list->tags[list->count].name = known[i].name;
        list->tags[list->count++].value = value;
    }
    return 0;
}

void lac_tags_free(lac_tag_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free((void *)(uintptr_t)list->tags[i].value);
    list->count = 0;
}

void lac_tags_put(SNDFILE *snd, const lac_tag *tags, size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < KNOWN; k++)
            if (strcasecmp(tags[i].name, known[k].name) == 0)
                sf_set_string(snd, known[k].string, tags[i].value);
}

void lac_tags_store(SNDFILE *snd, const lac_reader *reader)
{
    for (size_t i = 0; i < lac_reader_tag_count(reader); i++) {
        lac_tag tag;

        if (!lac_reader_tag(reader, i, &tag))
            lac_tags_put(snd, &tag, 1);
    }
}
