#include "shard.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bytes.h"
#include "journal.h"

#define REASON       200
#define SYNC_EVERY   (UINT64_C(64) << 20) /* bytes written between two calls of fsync */
#define LONGEST_NAME 100

/* Bytes of the archive that are not written yet. */
typedef struct pending {
    uint8_t *bytes;
    size_t size, capacity;
} pending;

struct lac_shard {
    enum lac_shard_kind kind;
    char *name;
    char *folder;         /* of the members of a shard of files */
    char *tar, *tar_part; /* NULL: a shard of files */
    char *journal, *journal_part;
    int tar_fd, journal_fd; /* the latter is locked; -1: not open */
    struct archive *archive;
    pending pending;
    uint64_t end;    /* bytes of the tar */
    uint64_t synced; /* bytes of it that are on the disk */
    bool failed;
};

static int fail(char *reason, const char *format, ...) __attribute__((format(printf, 2, 3)));

static int fail(char *reason, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(reason, REASON, format, args);
    va_end(args);
    return -1;
}

static int fail_errno(char *reason, const char *path)
{
    return fail(reason, "%s: %s", path, strerror(errno));
}

static char *join(const char *folder, const char *name, const char *ending)
{
    size_t size = strlen(folder) + strlen(name) + strlen(ending) + 2;
    char *path = malloc(size);

    if (path)
        snprintf(path, size, "%s/%s%s", folder, name, ending);
    return path;
}

static bool exists(const char *path)
{
    return access(path, F_OK) == 0;
}

static int make_folder(const char *path, char *reason)
{
    return mkdir(path, 0777) && errno != EEXIST ? fail_errno(reason, path) : 0;
}

static int set_paths(lac_shard *s, const char *folder, const char *name, char *reason)
{
    bool tar = s->kind == LAC_SHARD_TAR;

    s->name = strdup(name);
    s->journal = join(folder, name, ".jsonl");
    s->journal_part = join(folder, name, ".jsonl.part");
    if (tar) {
        s->tar = join(folder, name, ".tar");
        s->tar_part = join(folder, name, ".tar.part");
    } else {
        s->folder = join(folder, name, "");
    }
    if (!s->name || !s->journal || !s->journal_part || (tar ? !s->tar || !s->tar_part : !s->folder))
        return fail(reason, "out of memory");
    return 0;
}

/* ---- opening ---- */

/* The journal gets its name last. Without its tar, which somebody may have removed to have it made anew, it is
 * void. */
static bool is_complete(const lac_shard *s)
{
    return exists(s->journal) && exists(s->tar ? s->tar : s->folder);
}

static int count_lines(const lac_shard *s, uint64_t *lines, char *reason)
{
    FILE *file = fopen(s->journal, "r");
    int c;

    if (!file)
        return fail_errno(reason, s->journal);
    for (*lines = 0; (c = getc(file)) != EOF;)
        *lines += c == '\n';
    int failed = ferror(file) ? fail_errno(reason, s->journal) : 0;
    fclose(file);
    return failed;
}

/* Only one process at a time writes a shard: it holds the lock of the journal. */
static int lock_journal(lac_shard *s, char *reason)
{
    s->journal_fd = open(s->journal_part, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (s->journal_fd < 0)
        return fail_errno(reason, s->journal_part);
    if (flock(s->journal_fd, LOCK_EX | LOCK_NB) == 0)
        return 0;
    if (errno == EWOULDBLOCK)
        return fail(reason, "%s: another process writes this shard", s->journal_part);
    return fail_errno(reason, s->journal_part);
}

/* Interrupted between the two names, the tar has its own already. */
static int open_tar(lac_shard *s, char *reason)
{
    if (exists(s->tar) && rename(s->tar, s->tar_part))
        return fail_errno(reason, s->tar);
    s->tar_fd = open(s->tar_part, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    return s->tar_fd < 0 ? fail_errno(reason, s->tar_part) : 0;
}

/* Counts the outputs of which the journal's lines and the bytes are whole, and the bytes of both. */
static int read_journal(lac_shard *s, uint64_t *next, uint64_t *kept, char *reason)
{
    FILE *file = fopen(s->journal_part, "r");
    char *line = NULL;
    size_t capacity = 0;
    ssize_t length;

    if (!file)
        return fail_errno(reason, s->journal_part);
    while ((length = getline(&line, &capacity, file)) > 0 && line[length - 1] == '\n') {
        lac_journal_entry entry;

        if (lac_journal_parse(&entry, line, (size_t)length - 1))
            break;
        bool holds = lac_journal_holds(&entry, s->tar_fd, s->end, s->folder, NULL);
        if (holds)
            s->end = entry.end;
        lac_journal_entry_free(&entry);
        if (!holds)
            break;
        *kept += (uint64_t)length;
        ++*next;
    }
    free(line);
    fclose(file);
    return 0;
}

static int cut(int fd, const char *path, uint64_t size, char *reason)
{
    if (ftruncate(fd, (off_t)size) || lseek(fd, (off_t)size, SEEK_SET) < 0)
        return fail_errno(reason, path);
    return 0;
}

static int resume(lac_shard *s, uint64_t *next, char *reason)
{
    uint64_t kept = 0;

    if (exists(s->journal) && unlink(s->journal))
        return fail_errno(reason, s->journal);
    if (s->tar ? open_tar(s, reason) : make_folder(s->folder, reason))
        return -1;
    if (read_journal(s, next, &kept, reason) || cut(s->journal_fd, s->journal_part, kept, reason))
        return -1;
    s->synced = s->end;
    return s->tar ? cut(s->tar_fd, s->tar_part, s->end, reason) : 0;
}

static la_ssize_t take_bytes(struct archive *archive, void *user, const void *data, size_t size)
{
    pending *p = user;

    if (size > p->capacity - p->size) {
        size_t capacity = 2 * (p->size + size);
        uint8_t *bytes = realloc(p->bytes, capacity);

        if (!bytes) {
            archive_set_error(archive, ENOMEM, "out of memory");
            return -1;
        }
        p->bytes = bytes;
        p->capacity = capacity;
    }
    memcpy(p->bytes + p->size, data, size);
    p->size += size;
    return (la_ssize_t)size;
}

/* Members of a tar stand for themselves, so one that is gone on with has the bytes of one written at once. */
static int open_archive(lac_shard *s, char *reason)
{
    s->archive = archive_write_new();
    if (!s->archive || archive_write_set_format_ustar(s->archive) ||
        archive_write_set_bytes_per_block(s->archive, 0) ||
        archive_write_open(s->archive, &s->pending, NULL, take_bytes, NULL))
        return fail(reason, "%s: %s", s->tar_part, s->archive ? archive_error_string(s->archive) : "out of memory");
    return 0;
}

static int open_parts(lac_shard *s, uint64_t *next, bool *complete, char *reason)
{
    *next = 0;
    *complete = is_complete(s);
    if (*complete)
        return count_lines(s, next, reason);
    if (lock_journal(s, reason))
        return -1;
    if (is_complete(s)) { /* by somebody else meanwhile */
        unlink(s->journal_part);
        *complete = true;
        return count_lines(s, next, reason);
    }
    if (resume(s, next, reason))
        return -1;
    return s->tar ? open_archive(s, reason) : 0;
}

int lac_shard_open(lac_shard **shard, const char *folder, const char *name, enum lac_shard_kind kind,
                   uint64_t *next, bool *complete, char *reason)
{
    lac_shard *s;

    if (!lac_journal_is_name(name, LONGEST_NAME))
        return fail(reason, "%s: not a name of letters, digits, '-' and '_'", name);
    s = calloc(1, sizeof *s);
    if (!s)
        return fail(reason, "out of memory");
    s->kind = kind;
    s->tar_fd = s->journal_fd = -1;
    if (make_folder(folder, reason) || set_paths(s, folder, name, reason) ||
        open_parts(s, next, complete, reason)) {
        lac_shard_close(&s);
        return -1;
    }
    *shard = s;
    return 0;
}

/* ---- writing ---- */

static int write_all(int fd, const char *path, const void *data, size_t size, char *reason)
{
    const char *bytes = data;

    while (size > 0) {
        ssize_t done = write(fd, bytes, size);

        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return fail_errno(reason, path);
        bytes += done;
        size -= (size_t)done;
    }
    return 0;
}

static int write_pending(lac_shard *s, char *reason)
{
    if (write_all(s->tar_fd, s->tar_part, s->pending.bytes, s->pending.size, reason))
        return -1;
    s->end += s->pending.size;
    s->pending.size = 0;
    return 0;
}

static int archive_member(lac_shard *s, const char *key, const lac_shard_member *member, char *reason)
{
    char name[100];
    struct archive_entry *entry = archive_entry_new();
    int failed = !entry;

    if (entry) {
        snprintf(name, sizeof name, "%s.%s", key, member->ending);
        archive_entry_set_pathname(entry, name);
        archive_entry_set_size(entry, (la_int64_t)member->size);
        archive_entry_set_filetype(entry, AE_IFREG);
        archive_entry_set_perm(entry, 0644);
        archive_entry_set_mtime(entry, 0, 0);
        failed = archive_write_header(s->archive, entry) ||
                 archive_write_data(s->archive, member->bytes, member->size) != (la_ssize_t)member->size ||
                 archive_write_finish_entry(s->archive);
        archive_entry_free(entry);
    }
    return failed ? fail(reason, "%s: %s", s->tar_part, archive_error_string(s->archive)) : 0;
}

static int write_file(const lac_shard *s, const char *key, const lac_shard_member *member, char *reason)
{
    char name[100];
    char *path;
    int fd, failed;

    snprintf(name, sizeof name, "%s.%s", key, member->ending);
    path = join(s->folder, name, "");
    if (!path)
        return fail(reason, "out of memory");
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    failed = fd < 0 ? fail_errno(reason, path) : write_all(fd, path, member->bytes, member->size, reason);
    if (!failed && fsync(fd))
        failed = fail_errno(reason, path);
    if (fd >= 0)
        close(fd);
    free(path);
    return failed;
}

static int write_members(lac_shard *s, const char *key, const lac_shard_member *members, size_t count,
                         uint8_t digest[32], char *reason)
{
    lac_sha256 hash;

    lac_sha256_init(&hash);
    for (size_t i = 0; i < count; i++) {
        if (s->tar ? archive_member(s, key, &members[i], reason) : write_file(s, key, &members[i], reason))
            return -1;
        if (!s->tar)
            lac_sha256_update(&hash, members[i].bytes, members[i].size);
    }
    if (s->tar)
        lac_sha256_update(&hash, s->pending.bytes, s->pending.size);
    lac_sha256_final(&hash, digest);
    return s->tar ? write_pending(s, reason) : 0;
}

/* What is written must be found again by resume. */
static bool is_readable(const char *text, const char *key)
{
    lac_journal_entry entry;

    if (lac_journal_parse(&entry, text, strlen(text) - 1))
        return false;
    bool same = strcmp(entry.key, key) == 0;
    lac_journal_entry_free(&entry);
    return same;
}

static int write_line(lac_shard *s, lac_journal_entry *entry, const char *line, char *reason)
{
    char file[LONGEST_NAME + LAC_JOURNAL_KEY + 12];
    char *text;
    int failed;

    if (entry->member_count > 0)
        snprintf(file, sizeof file, "%s%s%s.%s", s->tar ? "" : s->name, s->tar ? "" : "/", entry->key,
                 entry->members[0]);
    entry->file = file;
    entry->end = s->end;
    text = lac_journal_print(entry, line);
    if (!text)
        return fail(reason, "out of memory");
    failed = is_readable(text, entry->key) ? write_all(s->journal_fd, s->journal_part, text, strlen(text), reason)
                                           : fail(reason, "%s: not a record: %s", entry->key, line);
    free(text);
    return failed;
}

static int synchronise(lac_shard *s, char *reason)
{
    if (s->tar && fsync(s->tar_fd))
        return fail_errno(reason, s->tar_part);
    if (fsync(s->journal_fd))
        return fail_errno(reason, s->journal_part);
    s->synced = s->end;
    return 0;
}

static int add(lac_shard *s, const char *key, const lac_shard_member *members, size_t count, const char *line,
               char *reason)
{
    lac_journal_entry entry = {.key = key, .member_count = count};

    if (!lac_journal_is_name(key, LAC_JOURNAL_KEY) || count > LAC_JOURNAL_MEMBERS)
        return fail(reason, "%s: not a key", key);
    for (size_t i = 0; i < count; i++)
        entry.members[i] = members[i].ending;
    if ((count > 0 && write_members(s, key, members, count, entry.sha256, reason)) ||
        write_line(s, &entry, line, reason))
        return -1;
    return s->end - s->synced >= SYNC_EVERY ? synchronise(s, reason) : 0;
}

int lac_shard_add(lac_shard *shard, const char *key, const lac_shard_member *members, size_t count,
                  const char *line, char *reason)
{
    if (shard->failed || shard->journal_fd < 0)
        return fail(reason, "%s: nothing can be added", shard->journal);
    shard->failed = add(shard, key, members, count, line, reason) != 0;
    return shard->failed ? -1 : 0;
}

static int finish(lac_shard *s, char *reason)
{
    if (s->tar && (archive_write_close(s->archive) || write_pending(s, reason)))
        return -1;
    if (synchronise(s, reason))
        return -1;
    if (s->tar && rename(s->tar_part, s->tar))
        return fail_errno(reason, s->tar);
    return rename(s->journal_part, s->journal) ? fail_errno(reason, s->journal) : 0;
}

int lac_shard_finish(lac_shard *shard, char *reason)
{
    if (shard->failed || shard->journal_fd < 0)
        return fail(reason, "%s: nothing to finish", shard->journal);
    shard->failed = true; /* nothing can be added any more */
    return finish(shard, reason);
}

void lac_shard_close(lac_shard **shard)
{
    lac_shard *s = *shard;

    if (!s)
        return;
    archive_write_free(s->archive);
    if (s->tar_fd >= 0)
        close(s->tar_fd);
    if (s->journal_fd >= 0)
        close(s->journal_fd);
    free(s->pending.bytes);
    free(s->name);
    free(s->folder);
    free(s->tar);
    free(s->tar_part);
    free(s->journal);
    free(s->journal_part);
    free(s);
    *shard = NULL;
}
