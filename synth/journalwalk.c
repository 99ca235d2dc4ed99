#include "journalwalk.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

uint64_t lac_journal_outputs(const lac_set_info *set, uint64_t shard)
{
    uint64_t left = set->count - shard * set->shard_outputs;

    return left < set->shard_outputs ? left : set->shard_outputs;
}

/* The journal of a shard, complete or not; NULL if there is none. */
static FILE *open_journal(const lac_set_info *set, const char *folder, uint64_t shard, bool *complete)
{
    char name[LAC_PLAN_NAME + 20], path[4096];
    FILE *file = NULL;

    lac_set_info_shard_name(set, shard, name);
    for (int part = 0; part <= 1 && !file; part++) {
        *complete = !part;
        if (snprintf(path, sizeof path, "%s/%s.jsonl%s", folder, name, part ? ".part" : "") < (int)sizeof path)
            file = fopen(path, "r");
    }
    return file;
}

static int walk_journal(FILE *file, uint64_t shard, bool complete, lac_journal_take *take, void *user, char *reason)
{
    char *line = NULL;
    size_t capacity = 0;
    ssize_t length;
    int ended = 0;

    while (!ended && (length = getline(&line, &capacity, file)) > 0) {
        lac_journal_entry entry;

        if (line[length - 1] != '\n' || lac_journal_parse(&entry, line, (size_t)length - 1)) {
            if (complete) {
                snprintf(reason, LAC_PLAN_REASON, "the journal of shard %" PRIu64 " is damaged", shard);
                ended = -1;
            }
            break;
        }
        ended = take(user, shard, &entry);
        lac_journal_entry_free(&entry);
    }
    free(line);
    return ended;
}

int lac_journal_walk(const lac_set_info *set, const char *folder, lac_journal_take *take, void *user, char *reason)
{
    int ended = 0;

    for (uint64_t shard = 0; !ended && shard < lac_set_info_shards(set); shard++) {
        bool complete;
        FILE *file = open_journal(set, folder, shard, &complete);

        if (file) {
            ended = walk_journal(file, shard, complete, take, user, reason);
            fclose(file);
        }
    }
    return ended;
}
