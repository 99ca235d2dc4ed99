/* The report: a page complete in itself, whatever the texts are, of a size that does not grow with the data set. */
#define _XOPEN_SOURCE 700
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clip.h"
#include "reportpage.h"
#include "scratchfolder.h"
#include "shard.h"

#define SAMPLES 24000

static char reason[LAC_PLAN_REASON];
static float sound[SAMPLES];

static void make_sound(void)
{
    make_folder();
    generate_sound(sound, SAMPLES);
}

TestSuite(reportpage, .init = make_sound, .fini = remove_folder);

static void write_plan(const char *text)
{
    FILE *file = fopen(path_of("plan.yaml"), "w");

    cr_assert_not_null(file);
    fputs(text, file);
    fclose(file);
}

static void write_set(uint64_t count, int kind, int audio)
{
    lac_set_info set = {.name = "p",
                        .plan_id = "0123456789abcdef",
                        .codec = "c",
                        .factors = "f",
                        .version = "1",
                        .count = count,
                        .shard_outputs = count,
                        .kind = kind,
                        .audio = audio,
                        .rate_hz = 24000};

    cr_assert_eq(lac_set_info_write(&set, folder, reason), 0, "%s", reason);
    write_plan("name: p\ncount: 9\ncontent: {}\nspeaker: {same: 1}\n"
               "gates: {speaker_cosine_min: 0.5, content_distance_max: 0.4} # <script> & such\n");
}

/* Every seventh is rejected. The texts are an attacker's. */
static void add(lac_shard *s, uint64_t index, const uint8_t *bytes, size_t size, const char *ending)
{
    char key[32], line[1024];
    bool accepted = index % 7 != 3;
    lac_shard_member member = {ending, bytes, size};

    snprintf(key, sizeof key, "p-%09d", (int)index);
    snprintf(
        line, sizeof line,
        "{\"index\":%d,\"key\":\"%s\",\"accepted\":%s,\"reason\":\"<i>why</i>\",\"attempts\":1,\"duration_s\":1,"
        "\"rate_hz\":24000,\"samples\":24000,\"text\":\"</table><script>alert(%d)</script>\\u0001\","
        "\"speaker\":\"a\\\"b'%d\",\"factors\":{\"speaker\":{\"kind\":\"sampled\",\"f0_median_hz\":%d}},"
        "\"simulation\":{\"t60_s\":0.%d,\"mulaw\":true},\"gates\":{\"speaker_cosine\":0.%02d,"
        "\"content_distance\":0.%02d,\"snr_db\":%d,\"failed\":[%s]},"
        "\"licence\":{\"name\":\"<b>CC0\",\"attribution\":[\"x&y, %d\"],\"terms\":\"none\"}}",
        (int)index, key, accepted ? "true" : "false", (int)index, (int)index, 80 + (int)index % 200,
        (int)index % 10, accepted ? 50 + (int)index % 45 : 10, 5 + (int)index % 30, (int)index % 60,
        accepted ? "" : "\"speaker\"", (int)index);
    cr_assert_eq(lac_shard_add(s, key, &member, accepted ? 1 : 0, line, reason), 0, "%s", reason);
}

static void make_set(uint64_t count, enum lac_shard_kind kind, enum lac_clip_format format, const uint8_t *bytes,
                     size_t size)
{
    uint64_t next;
    bool complete;
    lac_shard *s;

    write_set(count, (int)kind, (int)format);
    cr_assert_eq(lac_shard_open(&s, folder, "p-000000", kind, &next, &complete, reason), 0, "%s", reason);
    for (uint64_t i = 0; i < count; i++)
        add(s, i, bytes, size, lac_clip_format_name(format));
    lac_shard_close(&s); /* not finished: the report is of what there is */
}

static char *write_report(void)
{
    char path[128], *page = test_alloc(1, 12 << 20);
    FILE *file;

    cr_assert_eq(lac_reportpage_write(folder, reason), 0, "%s", reason);
    snprintf(path, sizeof path, "%s/report.html", folder);
    file = fopen(path, "r");
    cr_assert_not_null(file);
    cr_assert_lt(fread(page, 1, (12 << 20) - 1, file), 10 << 20);
    fclose(file);
    return page;
}

static int count_of(const char *page, const char *what)
{
    int n = 0;

    for (const char *at = page; (at = strstr(at, what)) != NULL; at++)
        n++;
    return n;
}

static void check_page(const char *page)
{
    static const char *const never[] = {"<script", "</table><s", "<i>why", "<b>CC0",
                                        "http:",   "https:",     "a\"b",   "\x01"};

    for (size_t i = 0; i < sizeof never / sizeof *never; i++)
        cr_assert_null(strstr(page, never[i]), "%s", never[i]);
    cr_assert_not_null(strstr(page, "&lt;script&gt;alert("));
    cr_assert_not_null(strstr(page, "threshold 0.5"));
    cr_assert_not_null(strstr(page, "</html>\n"));
    cr_assert_eq(count_of(page, "<table"), count_of(page, "</table"));
    cr_assert_eq(count_of(page, "<svg"), count_of(page, "</svg"));
}

static void check_format(enum lac_shard_kind kind, enum lac_clip_format format, const char *type)
{
    lac_model *model = format == LAC_CLIP_LAC ? open_tiny() : NULL;
    lac_clip clip = {.pcm = sound, .samples = SAMPLES, .rate = 24000, .model = model};
    uint8_t *bytes;
    size_t size;
    char *page, start[64];

    cr_assert_eq(lac_clip_write(&clip, format, &bytes, &size), 0);
    make_set(40, kind, format, bytes, size);
    page = write_report();
    check_page(page);
    snprintf(start, sizeof start, "src=\"data:%s;base64,", type);
    cr_assert_eq(count_of(page, start), 30, "%s: %d players", lac_clip_format_name(format), count_of(page, start));
    free(page);
    free(bytes);
    lac_model_close(&model);
}

Test(reportpage, plays_tars_of_flac)
{
    check_format(LAC_SHARD_TAR, LAC_CLIP_FLAC, "audio/flac");
}

Test(reportpage, plays_folders_of_wav)
{
    check_format(LAC_SHARD_FILES, LAC_CLIP_WAV, "audio/wav");
}

Test(reportpage, plays_opus)
{
    check_format(LAC_SHARD_TAR, LAC_CLIP_OPUS, "audio/ogg");
}

/* A model is looked for where lac_model_open_id does. */
Test(reportpage, plays_lac)
{
    setenv("LAC_MODEL_PATH", getenv("LAC_VECTORS"), 1);
    check_format(LAC_SHARD_TAR, LAC_CLIP_LAC, "audio/flac");
}

Test(reportpage, of_many_long_outputs_stays_small)
{
    size_t size = 400000;
    uint8_t *bytes = test_alloc(1, size);
    char *page;

    make_set(3000, LAC_SHARD_TAR, LAC_CLIP_FLAC, bytes, size / 100);
    page = write_report();
    check_page(page);
    cr_assert_lt(strlen(page), 1 << 20);
    free(page);
    remove_folder();
    make_folder();
    make_set(60, LAC_SHARD_TAR, LAC_CLIP_FLAC, bytes, size);
    page = write_report();
    cr_assert_not_null(strstr(page, "too long for this page"));
    free(page);
    free(bytes);
}

Test(reportpage, says_what_is_missing)
{
    cr_assert_eq(lac_reportpage_write(folder, reason), -1);
    cr_assert_not_null(strstr(reason, "synth.json"), "%s", reason);
    write_set(3, LAC_OUTPUT_TAR, LAC_OUTPUT_FLAC);
    cr_assert_eq(lac_reportpage_write(folder, reason), 0, "%s", reason);
    write_plan("name: [\n");
    cr_assert_eq(lac_reportpage_write(folder, reason), -1);
    cr_assert_not_null(strstr(reason, "plan.yaml"), "%s", reason);
}

Test(reportpage, of_a_long_plan)
{
    size_t size = 2 << 20;
    char *plan = test_alloc(1, size + 100), *page;

    write_set(3, LAC_OUTPUT_TAR, LAC_OUTPUT_FLAC);
    memset(plan, '#', size);
    memcpy(plan + size, "\nname: p\ncount: 3\n", 19);
    write_plan(plan);
    page = write_report();
    cr_assert_lt(strlen(page), 2 << 20);
    free(page);
    free(plan);
}
