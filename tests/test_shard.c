/* Shards: the same bytes however often they are interrupted, and at whatever byte. */
#define _XOPEN_SOURCE 700
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "journal.h"
#include "scratchfolder.h"
#include "shard.h"

#define OUTPUTS      4
#define FINISH_EVERY 199 /* cuts are gone on with to the end, which takes the disk's time */

static char reason[200];

TestSuite(shard, .init = make_folder, .fini = remove_folder);

static char *read_file(const char *name, size_t *size)
{
    FILE *file = fopen(path_of(name), "rb");
    char *bytes = test_alloc(1, 1 << 16);

    cr_assert_not_null(file, "%s", name);
    *size = fread(bytes, 1, 1 << 16, file);
    fclose(file);
    return bytes;
}

static void write_file(const char *name, const char *bytes, size_t size)
{
    FILE *file;

    unlink(path_of(name)); /* file systems write through what replaces a file's bytes */
    file = fopen(path_of(name), "wb");
    cr_assert_not_null(file);
    cr_assert_eq(fwrite(bytes, 1, size, file), size);
    fclose(file);
}

static void check_file(const char *name, const char *bytes, size_t size)
{
    size_t got;
    char *there = read_file(name, &got);

    cr_assert_eq(got, size, "%s: %zu bytes, not %zu", name, got, size);
    cr_assert_eq(memcmp(there, bytes, size), 0, "%s", name);
    free(there);
}

/* Output 1 is one that was rejected; output 2 has a member without bytes. */
static void add(lac_shard *s, uint64_t index)
{
    char key[32], line[128], sound[64];
    lac_shard_member members[] = {{"flac", sound, sizeof sound - (size_t)index}, {"txt", key, index == 2 ? 0 : 5}};

    snprintf(key, sizeof key, "p-%09llu", (unsigned long long)index);
    snprintf(line, sizeof line, "{\"index\":%llu,\"key\":\"%s\",\"accepted\":%s}", (unsigned long long)index, key,
             index == 1 ? "false" : "true");
    memset(sound, 'a' + (int)index, sizeof sound);
    cr_assert_eq(lac_shard_add(s, key, members, index == 1 ? 0 : 2, line, reason), 0, "%s", reason);
}

static uint64_t open_shard(lac_shard **s, enum lac_shard_kind kind, bool *complete)
{
    uint64_t next;

    cr_assert_eq(lac_shard_open(s, folder, "p-000000", kind, &next, complete, reason), 0, "%s", reason);
    return next;
}

/* From where it stands to `end`; how many were there already. */
static uint64_t go_on(enum lac_shard_kind kind, uint64_t end)
{
    bool complete;
    lac_shard *s;
    uint64_t next = open_shard(&s, kind, &complete);

    cr_assert(!complete);
    for (uint64_t i = next; i < end; i++)
        add(s, i);
    if (end == OUTPUTS)
        cr_assert_eq(lac_shard_finish(s, reason), 0, "%s", reason);
    lac_shard_close(&s);
    cr_assert_null(s);
    return next;
}

static void check_complete(enum lac_shard_kind kind)
{
    bool complete;
    lac_shard *s;

    cr_assert_eq(open_shard(&s, kind, &complete), OUTPUTS);
    cr_assert(complete);
    cr_assert_eq(lac_shard_add(s, "p", NULL, 0, "{\"key\":\"p\",\"accepted\":false}", reason), -1);
    cr_assert_eq(lac_shard_finish(s, reason), -1);
    lac_shard_close(&s);
}

Test(shard, stops_after_any_output)
{
    size_t tar_size, size;
    char *tar, *journal;

    cr_assert_eq(go_on(LAC_SHARD_TAR, OUTPUTS), 0);
    check_complete(LAC_SHARD_TAR);
    tar = read_file("p-000000.tar", &tar_size);
    journal = read_file("p-000000.jsonl", &size);
    for (uint64_t stop = 0; stop < OUTPUTS; stop++) {
        unlink(path_of("p-000000.jsonl"));
        unlink(path_of("p-000000.tar"));
        cr_assert_eq(go_on(LAC_SHARD_TAR, stop), 0);
        cr_assert_eq(go_on(LAC_SHARD_TAR, stop), stop);
        cr_assert_eq(go_on(LAC_SHARD_TAR, OUTPUTS), stop);
        check_file("p-000000.tar", tar, tar_size);
        check_file("p-000000.jsonl", journal, size);
        cr_assert_neq(access(path_of("p-000000.tar.part"), F_OK), 0);
        cr_assert_neq(access(path_of("p-000000.jsonl.part"), F_OK), 0);
    }
    free(tar);
    free(journal);
}

/* Lines of which all bytes, and those of their outputs, are there. */
static uint64_t whole(const char *journal, size_t size, size_t tar_size)
{
    uint64_t lines = 0;

    for (const char *end; (end = memchr(journal, '\n', size)) != NULL; journal = end + 1, lines++) {
        lac_journal_entry entry;

        cr_assert_eq(lac_journal_parse(&entry, journal, (size_t)(end - journal)), 0);
        bool there = entry.end <= tar_size;
        lac_journal_entry_free(&entry);
        if (!there)
            break;
        size -= (size_t)(end + 1 - journal);
    }
    return lines;
}

static void check_cut(const char *tar, size_t tar_size, size_t tar_cut, const char *journal, size_t size,
                      size_t cut)
{
    unlink(path_of("p-000000.jsonl"));
    unlink(path_of("p-000000.tar"));
    write_file("p-000000.tar.part", tar, tar_cut);
    write_file("p-000000.jsonl.part", journal, cut);
    cr_assert_eq(go_on(LAC_SHARD_TAR, 0), whole(journal, cut, tar_cut), "cut at %zu and %zu", tar_cut, cut);
    if ((cut + tar_cut) % FINISH_EVERY == 0) {
        cr_assert_eq(go_on(LAC_SHARD_TAR, OUTPUTS), whole(journal, cut, tar_cut));
        check_file("p-000000.tar", tar, tar_size);
        check_file("p-000000.jsonl", journal, size);
    }
}

Test(shard, is_cut_at_any_byte)
{
    size_t tar_size, size;
    char *tar, *journal;

    go_on(LAC_SHARD_TAR, OUTPUTS);
    tar = read_file("p-000000.tar", &tar_size);
    journal = read_file("p-000000.jsonl", &size);
    for (size_t cut = 0; cut <= size; cut++)
        check_cut(tar, tar_size, tar_size, journal, size, cut);
    for (size_t cut = 0; cut <= tar_size; cut++)
        check_cut(tar, tar_size, cut, journal, size, size);
    free(tar);
    free(journal);
}

/* Sizes as written, but bytes that never reached the disk, as after a loss of power. */
Test(shard, has_bytes_that_changed)
{
    random_source r = random_start();
    size_t tar_size, size;
    char *tar, *journal, *changed;

    go_on(LAC_SHARD_TAR, OUTPUTS);
    tar = read_file("p-000000.tar", &tar_size);
    changed = read_file("p-000000.tar", &tar_size);
    journal = read_file("p-000000.jsonl", &size);
    for (int i = 0; i < rounds(10); i++) {
        size_t at = random_below(&r, (uint32_t)tar_size - 1024);

        memset(changed + at, 0xee, tar_size - at);
        unlink(path_of("p-000000.jsonl"));
        unlink(path_of("p-000000.tar"));
        write_file("p-000000.tar.part", changed, tar_size);
        write_file("p-000000.jsonl.part", journal, size);
        cr_assert_eq(go_on(LAC_SHARD_TAR, OUTPUTS), whole(journal, size, at));
        check_file("p-000000.tar", tar, tar_size);
        check_file("p-000000.jsonl", journal, size);
        memcpy(changed, tar, tar_size);
    }
    free(tar);
    free(changed);
    free(journal);
}

Test(shard, stops_between_the_names)
{
    size_t tar_size, size;
    char *tar, *journal;

    go_on(LAC_SHARD_TAR, OUTPUTS);
    tar = read_file("p-000000.tar", &tar_size);
    journal = read_file("p-000000.jsonl", &size);
    rename(path_of("p-000000.jsonl"), path_of("p-000000.jsonl.part"));
    cr_assert_eq(go_on(LAC_SHARD_TAR, OUTPUTS), OUTPUTS);
    check_file("p-000000.tar", tar, tar_size);
    check_file("p-000000.jsonl", journal, size);
    unlink(path_of("p-000000.tar")); /* to have it made anew */
    cr_assert_eq(go_on(LAC_SHARD_TAR, OUTPUTS), 0);
    check_file("p-000000.tar", tar, tar_size);
    check_file("p-000000.jsonl", journal, size);
    free(tar);
    free(journal);
}

Test(shard, is_a_folder)
{
    size_t size, sound;
    char *journal, *bytes;

    cr_assert_eq(go_on(LAC_SHARD_FILES, OUTPUTS), 0);
    check_complete(LAC_SHARD_FILES);
    journal = read_file("p-000000.jsonl", &size);
    bytes = read_file("p-000000/p-000000003.flac", &sound);
    cr_assert_eq(sound, 61);
    cr_assert_not_null(strstr(journal, "\"file\":\"p-000000/p-000000003.flac\",\"members\":[\"flac\",\"txt\"]"));
    for (size_t cut = 0; cut <= size; cut += 23) {
        unlink(path_of("p-000000.jsonl"));
        write_file("p-000000.jsonl.part", journal, cut);
        write_file("p-000000/p-000000003.flac", bytes, cut % 61);
        cr_assert_eq(go_on(LAC_SHARD_FILES, OUTPUTS), whole(journal, cut < size ? cut : size - 1, 0));
        check_file("p-000000.jsonl", journal, size);
        check_file("p-000000/p-000000003.flac", bytes, sound);
    }
    free(journal);
    free(bytes);
}

Test(shard, is_written_by_one)
{
    lac_shard *a, *b;
    uint64_t next;
    bool complete;

    open_shard(&a, LAC_SHARD_TAR, &complete);
    cr_assert_eq(lac_shard_open(&b, folder, "p-000000", LAC_SHARD_TAR, &next, &complete, reason), -1);
    cr_assert_not_null(strstr(reason, "another process"), "%s", reason);
    lac_shard_close(&a);
}

Test(shard, refuses_what_it_could_not_read)
{
    static const char *const lines[] = {"",
                                        "x",
                                        "{}",
                                        "[]",
                                        "{\"key\":\"p\"}",
                                        "{\"key\":\"q\",\"accepted\":true}",
                                        "{\"key\":\"p\",\"accepted\":true}}",
                                        "{\"key\":\"p\",\"accepted\":1}"};
    lac_shard_member odd = {"a/b", "", 0};
    uint64_t next;
    bool complete;
    lac_shard *s;

    cr_assert_eq(lac_shard_open(&s, folder, "../p", LAC_SHARD_TAR, &next, &complete, reason), -1);
    cr_assert_eq(lac_shard_open(&s, path_of("none/none"), "p", LAC_SHARD_TAR, &next, &complete, reason), -1);
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        open_shard(&s, LAC_SHARD_TAR, &complete);
        cr_assert_eq(lac_shard_add(s, "p", NULL, 0, lines[i], reason), -1, "%s", lines[i]);
        cr_assert_eq(lac_shard_finish(s, reason), -1);
        lac_shard_close(&s);
    }
    open_shard(&s, LAC_SHARD_TAR, &complete);
    cr_assert_eq(lac_shard_add(s, "p", &odd, 1, "{\"key\":\"p\",\"accepted\":true}", reason), -1);
    lac_shard_close(&s);
    open_shard(&s, LAC_SHARD_TAR, &complete);
    cr_assert_eq(lac_shard_add(s, "p.q", NULL, 0, "{\"key\":\"p.q\",\"accepted\":true}", reason), -1);
    lac_shard_close(&s);
}
