/* Shards as one data set: manifests over all of them, and every kind of damage told. */
#define _XOPEN_SOURCE 700
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "merge.h"
#include "scratchfolder.h"
#include "shard.h"

#define COUNT  7
#define SHARDS 3

static char told[4096]; /* problems, a line each */

TestSuite(merge, .init = make_folder, .fini = remove_folder);

static char *read_text(const char *name)
{
    FILE *file = fopen(path_of(name), "rb");
    char *text = test_alloc(1, 1 << 16);

    cr_assert_not_null(file, "%s", name);
    text[fread(text, 1, (1 << 16) - 1, file)] = 0;
    fclose(file);
    return text;
}

static int lines_of(const char *name)
{
    char *text = read_text(name);
    int lines = 0;

    for (const char *c = text; *c; c++)
        lines += *c == '\n';
    free(text);
    return lines;
}

/* Output 1 was rejected; outputs 0 and 5 have the same tokens. */
static void add(lac_shard *s, uint64_t index, const char *plan_id)
{
    char key[32], line[512], sound[100], reason[200];
    lac_shard_member members[] = {{"flac", sound, sizeof sound}, {"txt", key, 5}};

    memset(sound, 'a' + (int)index, sizeof sound);
    snprintf(key, sizeof key, "p-%09d", (int)index);
    snprintf(line, sizeof line,
             "{\"index\":%d,\"key\":\"%s\",\"accepted\":%s,\"duration_s\":1.5,\"rate_hz\":24000,\"samples\":36000,"
             "\"text\":\"say \\\"%d\\\"\",\"lang\":\"en\",\"speaker\":\"s%d\","
             "\"labels\":{\"accent\":\"x\",\"text\":\"no\",\"offset\":3},"
             "\"token_hash\":\"%016x\",\"licence\":{\"name\":\"CC0-1.0\"},\"plan_id\":\"%s\"}",
             (int)index, key, index == 1 ? "false" : "true", (int)index, (int)index % 2,
             index == 5 ? 0 : (unsigned)index, plan_id);
    cr_assert_eq(lac_shard_add(s, key, members, index == 1 ? 0 : 2, line, reason), 0, "%s", reason);
}

static void make_shard(uint64_t shard, enum lac_shard_kind kind, uint64_t from, uint64_t to, const char *plan_id)
{
    char name[32], reason[200];
    uint64_t next;
    bool complete;
    lac_shard *s;

    snprintf(name, sizeof name, "p-%06d", (int)shard);
    cr_assert_eq(lac_shard_open(&s, folder, name, kind, &next, &complete, reason), 0, "%s", reason);
    for (uint64_t i = from; i < to; i++)
        add(s, i, plan_id);
    cr_assert_eq(lac_shard_finish(s, reason), 0, "%s", reason);
    lac_shard_close(&s);
}

/* Three shards of 3, 3 and 1 outputs. */
static void make_set(enum lac_shard_kind kind)
{
    lac_set_info set = {.name = "p",
                        .plan_id = "0123456789abcdef",
                        .codec = "c",
                        .factors = "f",
                        .version = "1",
                        .count = COUNT,
                        .shard_outputs = 3,
                        .kind = (int)kind,
                        .audio = LAC_OUTPUT_FLAC,
                        .rate_hz = 24000,
                        .nemo = true,
                        .lhotse = true};
    char reason[LAC_PLAN_REASON];

    cr_assert_eq(lac_set_info_write(&set, folder, reason), 0, "%s", reason);
    for (uint64_t k = 0; k < SHARDS; k++)
        make_shard(k, kind, 3 * k, 3 * k + lac_journal_outputs(&set, k), set.plan_id);
}

static void keep(void *user, const char *text)
{
    (void)user;
    snprintf(told + strlen(told), sizeof told - strlen(told), "%s\n", text);
}

static lac_merge run(bool write)
{
    lac_merge m = {.folder = folder, .write = write, .problem = keep};

    told[0] = 0;
    cr_assert_eq(lac_merge_run(&m), 0, "%s", m.reason);
    return m;
}

/* One problem at least, of which `text` is told, and nothing written. */
static void check_problem(const char *text)
{
    lac_merge m = run(true);

    cr_assert_gt(m.problems, 0, "%s: nothing is told", text);
    cr_assert_not_null(strstr(told, text), "'%s' is not in '%s'", text, told);
    cr_assert_neq(access(path_of("p.jsonl"), F_OK), 0);
}

static void check_line(const char *name, const char *line)
{
    char *text = read_text(name);

    cr_assert_not_null(strstr(text, line), "%s has no %s but %s", name, line, text);
    free(text);
}

static void check_sound(lac_merge m)
{
    cr_assert_eq(m.problems, 0, "%s", told);
    cr_assert_eq(m.outputs, COUNT);
    cr_assert_eq(m.accepted, COUNT - 1);
    cr_assert_eq(m.rejected, 1);
    cr_assert_eq(m.duplicates, 1);
    cr_assert_eq(m.seconds, 1.5 * (COUNT - 1));
    cr_assert_str_eq(told, "outputs 0 and 5 have the same tokens\n");
}

Test(merge, of_tars)
{
    make_set(LAC_SHARD_TAR);
    check_sound(run(false));
    cr_assert_neq(access(path_of("p.jsonl"), F_OK), 0);
    check_sound(run(true));
    check_sound(run(true));
    cr_assert_eq(lines_of("p.jsonl"), COUNT);
    cr_assert_eq(lines_of("rejected.jsonl"), 1);
    cr_assert_eq(lines_of("p.nemo.jsonl"), COUNT - 1);
    cr_assert_eq(lines_of("p.cuts.jsonl"), COUNT - 1);
    cr_assert_eq(lines_of("shards.sha256"), 2 * SHARDS);
    cr_assert_eq(lines_of("nemo/manifest_0.json"), 2);
    cr_assert_eq(lines_of("nemo/manifest_2.json"), 1);
    cr_assert_eq(access(path_of("nemo/audio_2.tar"), R_OK), 0);
    check_line("p.jsonl", ",\"shard\":\"p-000001.tar\"}\n");
    check_line("rejected.jsonl", "\"index\":1,");
    check_line(
        "p.nemo.jsonl",
        "{\"audio_filepath\":\"p-000000003.flac\",\"duration\":1.5,\"text\":\"say \\\"3\\\"\",\"lang\":\"en\","
        "\"speaker\":\"s1\",\"sampling_rate\":24000,\"shard_id\":1,\"licence\":\"CC0-1.0\",\"accent\":\"x\"}\n");
    check_line("p.cuts.jsonl", "\"source\":\"p-000001.tar/p-000000003.flac\"");
}

Test(merge, of_folders)
{
    make_set(LAC_SHARD_FILES);
    check_sound(run(true));
    cr_assert_eq(lines_of("shards.sha256"), SHARDS);
    cr_assert_neq(access(path_of("nemo"), F_OK), 0);
    check_line("p.nemo.jsonl", "{\"audio_filepath\":\"p-000001/p-000000003.flac\",");
    check_line("p.cuts.jsonl", "\"source\":\"p-000001/p-000000003.flac\"");
    cr_assert_eq(truncate(path_of("p-000001/p-000000003.flac"), 99), 0);
    unlink(path_of("p.jsonl"));
    check_problem("the bytes of p-000000003 are not");
}

Test(merge, hashes_are_those_of_sha256sum)
{
    char command[256];

    make_set(LAC_SHARD_TAR);
    run(true);
    snprintf(command, sizeof command, "cd %s && sha256sum --quiet -c shards.sha256", folder);
    cr_assert_eq(system(command), 0);
}

static void damage(const char *name, long at)
{
    FILE *file = fopen(path_of(name), "r+b");

    cr_assert_not_null(file);
    fseek(file, at, SEEK_SET);
    int byte = getc(file);
    fseek(file, at, SEEK_SET);
    putc(byte ^ 1, file);
    fclose(file);
}

Test(merge, finds_a_changed_bit)
{
    random_source r = random_start();
    struct stat st;

    make_set(LAC_SHARD_TAR);
    cr_assert_eq(stat(path_of("p-000001.tar"), &st), 0);
    for (int i = 0; i < rounds(50); i++) {
        long at = (long)random_below(&r, (uint32_t)st.st_size);

        damage("p-000001.tar", at);
        check_problem("p-000001.tar: ");
        damage("p-000001.tar", at);
    }
    cr_assert_eq(run(false).problems, 0);
    damage("p-000002.jsonl", 0);
    check_problem("p-000002.jsonl: line 1 is damaged");
}

Test(merge, finds_what_is_missing)
{
    make_set(LAC_SHARD_TAR);
    rename(path_of("p-000001.jsonl"), path_of("p-000001.jsonl.part"));
    check_problem("p-000001.jsonl: this shard is not complete");
    unlink(path_of("p-000001.jsonl.part"));
    check_problem("p-000001.jsonl: No such file");
    unlink(path_of("p-000001.tar"));
    make_shard(1, LAC_SHARD_TAR, 3, 5, "0123456789abcdef");
    check_problem("has 2 outputs, not 3");
    unlink(path_of("p-000001.tar"));
    make_shard(1, LAC_SHARD_TAR, 3, 6, "fedcba9876543210");
    check_problem("of another plan");
    unlink(path_of("p-000001.tar"));
    make_shard(1, LAC_SHARD_TAR, 2, 5, "0123456789abcdef");
    check_problem("output 2 stands where 3 should");
    unlink(path_of("p-000001.tar"));
    make_shard(1, LAC_SHARD_TAR, 3, 6, "0123456789abcdef");
    cr_assert_eq(run(true).problems, 0);
    cr_assert_eq(truncate(path_of("p-000002.tar"), 100), 0);
    unlink(path_of("p.jsonl"));
    check_problem("p-000002.tar: does not end");
    unlink(path_of("p-000002.tar"));
    check_problem("p-000002.tar: No such file");
}

Test(merge, needs_a_data_set)
{
    lac_merge m = {.folder = folder};

    cr_assert_eq(lac_merge_run(&m), -1);
    cr_assert_not_null(strstr(m.reason, "no synth.json"), "%s", m.reason);
}
