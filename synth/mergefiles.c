#include "mergefiles.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "trainerrows.h"

static int fail(char *reason, const char *path, int error)
{
    snprintf(reason, LAC_PLAN_REASON, "%.400s: %s", path, strerror(error));
    return -1;
}

static int open_file(lac_merge_files *files, enum lac_merge_file which, const char *folder, const char *ending,
                     char *reason)
{
    char name[LAC_PLAN_NAME + 16];

    snprintf(name, sizeof name, "%s%s", *ending == '.' ? files->set->name : "", ending);
    return lac_textfile_open(&files->file[which], folder, name, reason);
}

static int make_nemo_folder(lac_merge_files *files, const char *folder, char *reason)
{
    size_t size = strlen(folder) + sizeof "/nemo";

    files->nemo_folder = malloc(size);
    if (!files->nemo_folder)
        return fail(reason, folder, ENOMEM);
    snprintf(files->nemo_folder, size, "%s/nemo", folder);
    return mkdir(files->nemo_folder, 0777) && errno != EEXIST ? fail(reason, files->nemo_folder, errno) : 0;
}

int lac_merge_files_open(lac_merge_files *files, const lac_set_info *set, const char *folder, char *reason)
{
    memset(files, 0, sizeof *files);
    files->set = set;
    if (open_file(files, LAC_MERGE_ALL, folder, ".jsonl", reason) ||
        open_file(files, LAC_MERGE_REJECTED, folder, "rejected.jsonl", reason) ||
        open_file(files, LAC_MERGE_HASHES, folder, "shards.sha256", reason) ||
        (set->nemo && open_file(files, LAC_MERGE_NEMO, folder, ".nemo.jsonl", reason)) ||
        (set->lhotse && open_file(files, LAC_MERGE_LHOTSE, folder, ".cuts.jsonl", reason)))
        return -1;
    return set->nemo && set->kind == LAC_OUTPUT_TAR ? make_nemo_folder(files, folder, reason) : 0;
}

/* NeMo knows the shard of a tar, and of its manifest, by the number in their names. */
static int link_tar(const lac_merge_files *files, char *reason)
{
    char path[4096], target[sizeof files->name + 8];

    snprintf(target, sizeof target, "../%s.tar", files->name);
    if (snprintf(path, sizeof path, "%s/audio_%" PRIu64 ".tar", files->nemo_folder, files->shard) >=
        (int)sizeof path)
        return fail(reason, files->nemo_folder, ENAMETOOLONG);
    if (unlink(path) && errno != ENOENT)
        return fail(reason, path, errno);
    return symlink(target, path) ? fail(reason, path, errno) : 0;
}

int lac_merge_files_begin(lac_merge_files *files, uint64_t shard, char *reason)
{
    char name[48];

    files->shard = shard;
    lac_set_info_shard_name(files->set, shard, files->name);
    if (!files->nemo_folder)
        return 0;
    snprintf(name, sizeof name, "manifest_%" PRIu64 ".json", shard);
    return link_tar(files, reason) || lac_textfile_open(&files->nemo_shard, files->nemo_folder, name, reason) ? -1
                                                                                                              : 0;
}

/* Takes the row. */
static int put_row(FILE *file, FILE *second, char *row, const lac_journal_entry *entry, char *reason)
{
    if (!row) {
        snprintf(reason, LAC_PLAN_REASON, "%s: no row can be made of its record", entry->key);
        return -1;
    }
    fprintf(file, "%s\n", row);
    if (second)
        fprintf(second, "%s\n", row);
    free(row);
    return 0;
}

int lac_merge_files_add(lac_merge_files *files, const char *line, const lac_journal_entry *entry, char *reason)
{
    bool tar = files->set->kind == LAC_OUTPUT_TAR;
    char name[sizeof files->name + 8];

    snprintf(name, sizeof name, "%s.tar", files->name);
    if (tar && entry->file)
        fprintf(files->file[LAC_MERGE_ALL].file, "%.*s,\"shard\":\"%s\"}\n", (int)strlen(line) - 1, line, name);
    else
        fprintf(files->file[LAC_MERGE_ALL].file, "%s\n", line);
    if (!entry->accepted)
        fprintf(files->file[LAC_MERGE_REJECTED].file, "%s\n", line);
    else if ((files->set->nemo && put_row(files->file[LAC_MERGE_NEMO].file, files->nemo_shard.file,
                                          lac_nemo_row(entry, tar ? (int64_t)files->shard : -1), entry, reason)) ||
             (files->set->lhotse && put_row(files->file[LAC_MERGE_LHOTSE].file, NULL,
                                            lac_lhotse_row(entry, tar ? name : NULL), entry, reason)))
        return -1;
    return 0;
}

static void put_hash(lac_merge_files *files, lac_sha256 *hash, const char *ending)
{
    uint8_t digest[32];
    FILE *file = files->file[LAC_MERGE_HASHES].file;

    lac_sha256_final(hash, digest);
    for (int i = 0; i < 32; i++)
        fprintf(file, "%02x", digest[i]);
    fprintf(file, "  %s.%s\n", files->name, ending);
}

int lac_merge_files_end(lac_merge_files *files, lac_sha256 *journal, lac_sha256 *tar, char *reason)
{
    if (files->set->kind == LAC_OUTPUT_TAR)
        put_hash(files, tar, "tar");
    put_hash(files, journal, "jsonl");
    return files->nemo_folder ? lac_textfile_commit(&files->nemo_shard, reason) : 0;
}

int lac_merge_files_commit(lac_merge_files *files, char *reason)
{
    for (int i = 0; i < LAC_MERGE_FILES; i++)
        if (files->file[i].file && lac_textfile_commit(&files->file[i], reason))
            return -1;
    return 0;
}

void lac_merge_files_discard(lac_merge_files *files)
{
    for (int i = 0; i < LAC_MERGE_FILES; i++)
        lac_textfile_discard(&files->file[i]);
    lac_textfile_discard(&files->nemo_shard);
    free(files->nemo_folder);
    memset(files, 0, sizeof *files);
}
