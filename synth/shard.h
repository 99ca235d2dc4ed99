/* A shard of outputs while it is made: a tar file as WebDataset reads it, or a folder of files, with a journal of
 * one line of JSON an output (doc/synthesis-data.md).
 *
 * FOLDER/NAME.tar.part and FOLDER/NAME.jsonl.part grow output by output and are renamed when the shard is complete.
 * An interrupted shard is opened again behind the last output whose journal line is whole and whose bytes are
 * there; what was written beyond is cut off. A shard whose tar was removed is made anew. One thread at a time, and
 * one process: a second is told so. The members of a folder are FOLDER/NAME/KEY.ENDING. */
#ifndef LAC_SYNTH_SHARD_H
#define LAC_SYNTH_SHARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct lac_shard lac_shard;

enum lac_shard_kind { LAC_SHARD_TAR, LAC_SHARD_FILES };

/* A member of an output, named after its key: KEY.ENDING. */
typedef struct lac_shard_member {
    const char *ending; /* "flac", "json", "txt" */
    const void *bytes;
    size_t size;
} lac_shard_member;

/* `next` is the number of outputs that the journal tells of already: 0 for a new shard; *complete if nothing is to
 * do. name: letters, digits, '-' and '_', at most 100. reason [200] names the file and what is wrong. 0 or -1. */
int lac_shard_open(lac_shard **shard, const char *folder, const char *name, enum lac_shard_kind kind,
                   uint64_t *next, bool *complete, char *reason);

/* An output: its members (none for one that was rejected) and its journal line, a JSON object without a newline
 * that has "key" and "accepted" and to which "file", "members", "sha256" and, of a tar, "end" (bytes of the tar
 * after it) are added (synth/journal.h). key: at most 80 letters, digits, '-' and '_'; an ending likewise, at
 * most 8. Written through to the disk now and then and at finish. 0, or -1 with a reason; the shard is then to be
 * closed and can be gone on with later. */
int lac_shard_add(lac_shard *shard, const char *key, const lac_shard_member *members, size_t count,
                  const char *line, char *reason);

/* The end of the archive, names without .part. 0 or -1. */
int lac_shard_finish(lac_shard *shard, char *reason);

/* Close and set *shard to NULL; without finish it can be opened again. */
void lac_shard_close(lac_shard **shard);

#endif
