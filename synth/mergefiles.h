/* What merging writes. */
#ifndef LAC_SYNTH_MERGEFILES_H
#define LAC_SYNTH_MERGEFILES_H

#include "journalwalk.h"
#include "textfile.h"

enum lac_merge_file {
    LAC_MERGE_ALL,
    LAC_MERGE_REJECTED,
    LAC_MERGE_HASHES,
    LAC_MERGE_NEMO,
    LAC_MERGE_LHOTSE,
    LAC_MERGE_FILES
};

typedef struct lac_merge_files {
    const lac_set_info *set;
    char *nemo_folder;                  /* of tars, which NeMo wants with a manifest each; else NULL */
    lac_textfile file[LAC_MERGE_FILES]; /* not open: not asked for */
    lac_textfile nemo_shard;
    uint64_t shard;                /* the one begun */
    char name[LAC_PLAN_NAME + 20]; /* its name */
} lac_merge_files;

/* Each: 0, or -1 with a reason [LAC_PLAN_REASON]. `set` is kept. */
int lac_merge_files_open(lac_merge_files *files, const lac_set_info *set, const char *folder, char *reason);

int lac_merge_files_begin(lac_merge_files *files, uint64_t shard, char *reason);

/* An output of the shard, with its journal's line. */
int lac_merge_files_add(lac_merge_files *files, const char *line, const lac_journal_entry *entry, char *reason);

/* Behind the shard's last output. Takes the hashes of its journal and, of a tar, of that. */
int lac_merge_files_end(lac_merge_files *files, lac_sha256 *journal, lac_sha256 *tar, char *reason);

/* All files that are of more than one shard get their names. */
int lac_merge_files_commit(lac_merge_files *files, char *reason);

/* Harmless after commit and on a zeroed struct. */
void lac_merge_files_discard(lac_merge_files *files);

#endif
