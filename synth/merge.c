#include "merge.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mergefiles.h"

#define TRAILER         1024 /* bytes that end a tar: zeros */
#define DUPLICATES_TOLD 20   /* one by one; the rest is counted */

/* What tells one output's tokens from another's. */
typedef struct mark {
    uint64_t hash, index;
} mark;

typedef struct merging {
    lac_merge *m;
    lac_set_info set;
    lac_merge_files files;
    mark *marks;
    size_t mark_count, mark_room;
} merging;

/* A shard that is read. */
typedef struct reading {
    uint64_t shard, next; /* the index that comes next */
    char name[LAC_PLAN_NAME + 20];
    char *journal, *tar, *folder; /* paths; tar is NULL, or folder */
    FILE *lines;
    int tar_fd;
    uint64_t end; /* bytes of the tar so far */
    lac_sha256 journal_hash, tar_hash;
} reading;

static void tell(merging *w, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void tell(merging *w, const char *format, ...)
{
    char text[512];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (w->m->problem)
        w->m->problem(w->m->user, text);
}

#define TELL_PROBLEM(w, ...) (tell(w, __VA_ARGS__), (w)->m->problems++)

static int out_of_memory(merging *w)
{
    snprintf(w->m->reason, sizeof w->m->reason, "out of memory");
    return -1;
}

/* Nothing is written any more once something is wrong. */
static bool is_writing(const merging *w)
{
    return w->m->write && w->m->problems == 0;
}

/* ---- one output ---- */

static int add_mark(merging *w, const lac_journal_entry *entry, uint64_t index)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(entry->record, "token_hash"));

    if (!text || strspn(text, "0123456789abcdef") != 16 || text[16])
        return 0;
    if (w->mark_count == w->mark_room) {
        size_t room = w->mark_room ? 2 * w->mark_room : 1024;
        mark *marks = realloc(w->marks, room * sizeof *marks);

        if (!marks)
            return out_of_memory(w);
        w->marks = marks;
        w->mark_room = room;
    }
    w->marks[w->mark_count++] = (mark){strtoull(text, NULL, 16), index};
    return 0;
}

/* Whether the record is of this place in the data set. */
static void check_record(merging *w, reading *r, const lac_journal_entry *entry)
{
    const cJSON *index = cJSON_GetObjectItemCaseSensitive(entry->record, "index"),
                *plan = cJSON_GetObjectItemCaseSensitive(entry->record, "plan_id");
    const char *id = cJSON_GetStringValue(plan);

    if (!cJSON_IsNumber(index) || index->valuedouble != (double)r->next)
        TELL_PROBLEM(w, "%s: output %" PRIu64 " stands where %" PRIu64 " should", r->journal,
                     cJSON_IsNumber(index) && index->valuedouble >= 0 && index->valuedouble < 1e15
                         ? (uint64_t)index->valuedouble
                         : 0,
                     r->next);
    if (id && *w->set.plan_id && strcmp(id, w->set.plan_id) != 0)
        TELL_PROBLEM(w, "%s: %s is of another plan, or of other sources", r->journal, entry->key);
}

static int take_entry(merging *w, reading *r, const char *line, const lac_journal_entry *entry)
{
    const cJSON *samples = cJSON_GetObjectItemCaseSensitive(entry->record, "samples"),
                *rate = cJSON_GetObjectItemCaseSensitive(entry->record, "rate_hz");

    check_record(w, r, entry);
    if (entry->accepted && !entry->file)
        TELL_PROBLEM(w, "%s: %s is accepted but has no sound", r->journal, entry->key);
    if (!lac_journal_holds(entry, r->tar_fd, r->end, r->folder, &r->tar_hash))
        TELL_PROBLEM(w, "%s: the bytes of %s are not those recorded", r->tar ? r->tar : r->folder, entry->key);
    if (entry->end > r->end)
        r->end = entry->end;
    w->m->outputs++;
    *(entry->accepted ? &w->m->accepted : &w->m->rejected) += 1;
    if (entry->accepted && cJSON_IsNumber(samples) && cJSON_IsNumber(rate) && rate->valuedouble > 0)
        w->m->seconds += samples->valuedouble / rate->valuedouble;
    if (entry->accepted && add_mark(w, entry, r->next))
        return -1;
    return is_writing(w) ? lac_merge_files_add(&w->files, line, entry, w->m->reason) : 0;
}

/* ---- one shard ---- */

static int read_lines(merging *w, reading *r)
{
    char *line = NULL;
    size_t capacity = 0;
    ssize_t length;
    int failed = 0;

    while (!failed && (length = getline(&line, &capacity, r->lines)) > 0) {
        lac_journal_entry entry;

        lac_sha256_update(&r->journal_hash, line, (size_t)length);
        if (line[length - 1] != '\n' || lac_journal_parse(&entry, line, (size_t)length - 1)) {
            TELL_PROBLEM(w, "%s: line %" PRIu64 " is damaged", r->journal,
                         r->next - r->shard * w->set.shard_outputs + 1);
        } else {
            line[length - 1] = 0;
            failed = take_entry(w, r, line, &entry);
            lac_journal_entry_free(&entry);
        }
        r->next++;
    }
    free(line);
    return failed;
}

static void check_trailer(merging *w, reading *r)
{
    uint8_t bytes[TRAILER + 1];
    ssize_t got = pread(r->tar_fd, bytes, sizeof bytes, (off_t)r->end);
    bool sound = got == TRAILER;

    for (int i = 0; sound && i < TRAILER; i++)
        sound = bytes[i] == 0;
    if (sound)
        lac_sha256_update(&r->tar_hash, bytes, TRAILER);
    else
        TELL_PROBLEM(w, "%s: does not end behind its last output", r->tar);
}

static int read_shard(merging *w, reading *r)
{
    uint64_t wanted = lac_journal_outputs(&w->set, r->shard), first = r->next;

    lac_sha256_init(&r->journal_hash);
    lac_sha256_init(&r->tar_hash);
    if ((is_writing(w) && lac_merge_files_begin(&w->files, r->shard, w->m->reason)) || read_lines(w, r))
        return -1;
    if (r->next - first != wanted)
        TELL_PROBLEM(w, "%s: has %" PRIu64 " outputs, not %" PRIu64, r->journal, r->next - first, wanted);
    if (r->tar)
        check_trailer(w, r);
    return is_writing(w) ? lac_merge_files_end(&w->files, &r->journal_hash, &r->tar_hash, w->m->reason) : 0;
}

static char *path_of(const merging *w, const reading *r, const char *ending)
{
    size_t size = strlen(w->m->folder) + sizeof r->name + 16;
    char *path = malloc(size);

    if (path)
        snprintf(path, size, "%s/%s%s", w->m->folder, r->name, ending);
    return path;
}

/* False after telling what is missing. */
static bool open_shard(merging *w, reading *r)
{
    struct stat st;
    char *part = path_of(w, r, ".jsonl.part");
    bool begun = part && stat(part, &st) == 0;

    free(part);
    r->lines = fopen(r->journal, "r");
    if (!r->lines) {
        TELL_PROBLEM(w, "%s: %s", r->journal,
                     errno == ENOENT && begun ? "this shard is not complete" : strerror(errno));
        return false;
    }
    if (!r->tar)
        return true;
    r->tar_fd = open(r->tar, O_RDONLY | O_CLOEXEC);
    if (r->tar_fd < 0)
        TELL_PROBLEM(w, "%s: %s", r->tar, strerror(errno));
    return r->tar_fd >= 0;
}

static int merge_shard(merging *w, uint64_t shard)
{
    reading r = {.shard = shard, .next = shard * w->set.shard_outputs, .tar_fd = -1};
    bool tar = w->set.kind == LAC_OUTPUT_TAR;
    int failed = 0;

    lac_set_info_shard_name(&w->set, shard, r.name);
    r.journal = path_of(w, &r, ".jsonl");
    r.tar = tar ? path_of(w, &r, ".tar") : NULL;
    r.folder = tar ? NULL : path_of(w, &r, "");
    if (!r.journal || !(tar ? r.tar : r.folder))
        failed = out_of_memory(w);
    else if (open_shard(w, &r))
        failed = read_shard(w, &r);
    if (r.lines)
        fclose(r.lines);
    if (r.tar_fd >= 0)
        close(r.tar_fd);
    free(r.journal);
    free(r.tar);
    free(r.folder);
    return failed;
}

/* ---- all ---- */

static int compare_marks(const void *a, const void *b)
{
    const mark *x = a, *y = b;

    if (x->hash != y->hash)
        return x->hash < y->hash ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

static void find_duplicates(merging *w)
{
    if (w->mark_count > 0)
        qsort(w->marks, w->mark_count, sizeof *w->marks, compare_marks);
    for (size_t i = 1; i < w->mark_count; i++)
        if (w->marks[i].hash == w->marks[i - 1].hash) {
            if (++w->m->duplicates <= DUPLICATES_TOLD)
                tell(w, "outputs %" PRIu64 " and %" PRIu64 " have the same tokens", w->marks[i - 1].index,
                     w->marks[i].index);
        }
}

static int merge_shards(merging *w)
{
    int failed = 0;

    for (uint64_t shard = 0; !failed && shard < lac_set_info_shards(&w->set); shard++)
        failed = merge_shard(w, shard);
    return failed;
}

int lac_merge_run(lac_merge *merge)
{
    merging w = {.m = merge};
    int failed;

    merge->outputs = merge->accepted = merge->rejected = merge->duplicates = merge->problems = 0;
    merge->seconds = 0;
    failed = lac_set_info_read(&w.set, merge->folder, merge->reason);
    if (failed > 0)
        snprintf(merge->reason, sizeof merge->reason, "%s: no data set: it has no synth.json", merge->folder);
    if (failed)
        return -1;
    failed = merge->write ? lac_merge_files_open(&w.files, &w.set, merge->folder, merge->reason) : 0;
    if (!failed)
        failed = merge_shards(&w);
    if (!failed)
        find_duplicates(&w);
    if (!failed && is_writing(&w))
        failed = lac_merge_files_commit(&w.files, merge->reason);
    lac_merge_files_discard(&w.files);
    free(w.marks);
    return failed ? -1 : 0;
}
