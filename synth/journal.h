/* A line of a shard's journal: the record of one output, to which the shard adds where it is and its hash
 * (doc/synthesis-data.md). Lines come from disk and are not trusted. Any number of threads at once. */
#ifndef LAC_SYNTH_JOURNAL_H
#define LAC_SYNTH_JOURNAL_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bytes.h"

#define LAC_JOURNAL_MEMBERS 16 /* of an output, at most */
#define LAC_JOURNAL_KEY     80 /* characters of a key, at most */

typedef struct lac_journal_entry {
    cJSON *record;   /* all of the line; what follows points into it */
    const char *key; /* letters, digits, '-' and '_' */
    bool accepted;
    const char *file;                         /* as the manifests name it; NULL: the output wrote nothing */
    const char *members[LAC_JOURNAL_MEMBERS]; /* their endings, in order */
    size_t member_count;
    uint64_t end;       /* bytes of the tar after the output; 0 of a folder */
    uint8_t sha256[32]; /* of the tar from the output before to `end`, or of the members' bytes, in order */
} lac_journal_entry;

/* True for a key, or an ending, of which a file's name can be made. */
bool lac_journal_is_name(const char *text, size_t longest);

/* text[size] is a line without its newline. 0, or -1 with nothing to free if it is not such a record. */
int lac_journal_parse(lac_journal_entry *entry, const char *text, size_t size);

void lac_journal_entry_free(lac_journal_entry *entry);

/* `line`, a JSON object, with the entry's fields behind its own, and a newline; key and accepted are the line's.
 * malloc'ed; NULL if memory ran out. */
char *lac_journal_print(const lac_journal_entry *entry, const char *line);

/* Whether the bytes that the entry tells of are there. tar is a file descriptor, read from byte `from`; -1: the
 * members are files in `folder`. Bytes of the tar are added to *whole too; NULL: not. */
bool lac_journal_holds(const lac_journal_entry *entry, int tar, uint64_t from, const char *folder,
                       lac_sha256 *whole);

#endif
