/* lac eval: distances between decoded audio and its reference, and a picture of both. */
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cjson/cJSON.h>

#include "align.h"
#include "command.h"
#include "distance.h"
#include "evalinput.h"
#include "fileout.h"
#include "lac/status.h"
#include "picture.h"
#include "polyphase.h"
#include "report.h"

#define ALIGN_PAIRS 20 /* pairs that decide the common delay, as score.py has it */

static const char usage[] =
    "usage: lac eval [--json] [--png OUT.png] [-f] REF TEST\n"
    "\n"
    "Compares decoded audio with its reference: two files, or two folders whose files are paired by name without\n"
    "extension. TEST is converted to REF's rate, channels are averaged, and a constant delay of up to 300 ms (one\n"
    "for all files) is removed.\n"
    "\n"
    "      --json          as one JSON object: summary, files, delay_ms, missing, failed\n"
    "      --png OUT.png   draw both mel spectrograms and their difference (two files only)\n"
    "  -f, --force         overwrite OUT.png\n"
    "  -h, --help          this text\n"
    "\n"
    "  mel24, mel16   mean |ln| difference of 80 mel bands at 24 kHz (only for references with content above\n"
    "                 8.5 kHz) and at 16 kHz\n"
    "  si_sdr_db      scale-invariant signal-to-distortion ratio, dB\n"
    "  level_db       level of TEST over REF, dB of RMS\n"
    "  stft_sc        spectral convergence, and\n"
    "  stft_mag       mean |ln| difference of magnitudes, over three STFTs (Yamamoto et al. 2020) at 24 kHz\n"
    "  delay          of TEST behind REF\n";

typedef struct options {
    bool json, force;
    const char *png; /* or NULL */
    const char *ref, *test;
} options;

static const struct metric {
    const char *key;
    size_t offset; /* in lac_distances */
    int decimals;
} metrics[] = {
    {"mel24", offsetof(lac_distances, mel24), 3},         {"mel16", offsetof(lac_distances, mel16), 3},
    {"si_sdr_db", offsetof(lac_distances, si_sdr_db), 2}, {"level_db", offsetof(lac_distances, level_db), 2},
    {"stft_sc", offsetof(lac_distances, stft_sc), 3},     {"stft_mag", offsetof(lac_distances, stft_mag), 3},
};

#define METRICS (sizeof metrics / sizeof *metrics)

/* NaN where the metric does not apply. */
static double value_of(const lac_distances *d, size_t metric)
{
    double value;
    memcpy(&value, (const char *)d + metrics[metric].offset, sizeof value);
    return value;
}

typedef struct row {
    const char *name; /* stem; NULL: nothing was measured */
    bool failed;
    lac_distances distances;
    long delay_samples; /* at the reference's rate */
} row;

typedef struct summary {
    double mean, ci95;
    size_t count;
} summary;

typedef struct evaluation {
    lac_alignment *alignment;
    double delay_ms;
    row *rows;
    size_t count;
} evaluation;

static summary summarise(const evaluation *e, size_t metric)
{
    summary s = {0, 0, 0};
    double squares = 0;
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < e->count; i++) {
            double value = e->rows[i].name == NULL ? NAN : value_of(&e->rows[i].distances, metric);
            if (isnan(value))
                continue;
            if (pass == 0) {
                s.mean += value;
                s.count++;
            } else {
                squares += (value - s.mean) * (value - s.mean);
            }
        }
        if (pass == 0 && s.count > 0)
            s.mean /= (double)s.count;
    }
    if (s.count > 1)
        s.ci95 = 1.96 * sqrt(squares / (double)(s.count - 1)) / sqrt((double)s.count);
    return s;
}

/* A reference and what is compared with it, at the reference's rate. */
typedef struct clips {
    lac_clip ref, test;
    const char *ref_path, *test_path;
} clips;

static void clips_close(clips *c)
{
    lac_clip_close(&c->ref);
    lac_clip_close(&c->test);
}

static int clips_load(clips *c, const char *ref, const char *test)
{
    *c = (clips){.ref_path = ref, .test_path = test};
    int failed = lac_clip_load(&c->ref, ref);
    if (!failed)
        failed = lac_clip_load(&c->test, test);
    if (!failed)
        failed = lac_clip_resample(&c->test, c->ref.rate, test);
    if (failed)
        clips_close(c);
    return failed;
}

static int report_pair(const clips *c, int status)
{
    return lac_report_status(lac_report_name(c->ref_path, 0), status, 0);
}

/* Adds the pair to those that decide the delay. */
static int align(evaluation *e, const clips *c)
{
    double *ref = NULL, *test = NULL;
    size_t ref_samples, test_samples;
    int status = lac_polyphase(c->ref.pcm, c->ref.samples, c->ref.rate, LAC_ALIGN_RATE, &ref, &ref_samples);
    if (status == LAC_OK)
        status = lac_polyphase(c->test.pcm, c->test.samples, c->test.rate, LAC_ALIGN_RATE, &test, &test_samples);
    if (status == LAC_OK)
        status = lac_alignment_add(e->alignment, ref, ref_samples, test, test_samples);
    free(ref);
    free(test);
    return status == LAC_OK ? 0 : report_pair(c, status);
}

/* Removes the delay from c->test, which takes the reference's length, and fills the row. */
static int measure(const evaluation *e, clips *c, row *r)
{
    double *shifted = malloc(c->ref.samples * sizeof *shifted);
    if (shifted == NULL)
        return report_pair(c, LAC_ERROR_MEMORY);
    r->delay_samples = lrint(e->delay_ms / 1000 * c->ref.rate);
    lac_shift(c->test.pcm, c->test.samples, r->delay_samples, shifted, c->ref.samples);
    lac_clip_close(&c->test);
    c->test = (lac_clip){shifted, c->ref.samples, c->ref.rate};
    int status = lac_distances_measure(&r->distances, c->ref.pcm, c->test.pcm, c->ref.samples, c->ref.rate);
    return status == LAC_OK ? 0 : report_pair(c, status);
}

static void find_delay(evaluation *e)
{
    e->delay_ms = lac_alignment_lag(e->alignment) * 1000.0 / LAC_ALIGN_RATE;
}

static int write_picture(const options *o, const clips *c, const lac_distances *d)
{
    char titles[3][256], mel24[32] = "";
    const char *const title[3] = {titles[0], titles[1], titles[2]};
    uint8_t *png;
    size_t size;
    if (!isnan(d->mel24))
        snprintf(mel24, sizeof mel24, "mel24 %.3f, ", d->mel24);
    snprintf(titles[0], sizeof titles[0], "Reference: %s", lac_base_name(lac_report_name(c->ref_path, 0)));
    snprintf(titles[1], sizeof titles[1], "Test: %s", lac_base_name(lac_report_name(c->test_path, 0)));
    snprintf(titles[2], sizeof titles[2], "Difference (test - reference): %smel16 %.3f", mel24, d->mel16);
    int status = lac_picture_compare(c->ref.pcm, c->test.pcm, c->ref.samples, c->ref.rate, title, &png, &size);
    if (status != LAC_OK)
        return lac_report_status(o->png, status, 0);
    lac_file_out out;
    const char *guarded = strcmp(o->png, o->test) == 0 ? o->test : o->ref;
    int failed = lac_file_out_open(&out, o->png, guarded, o->force);
    if (!failed) {
        lac_file_out_write(&out, png, size);
        failed = lac_file_out_commit(&out);
    }
    free(png);
    return failed;
}

/* The stem of a file, owned by the caller; NULL without memory. */
static char *stem_of(const char *path)
{
    const char *name = lac_base_name(path), *dot = strrchr(name, '.');
    return dot == NULL || dot == name ? strdup(name) : strndup(name, (size_t)(dot - name));
}

static cJSON *json_summary(const evaluation *e)
{
    cJSON *all = cJSON_CreateObject();
    for (size_t m = 0; m < METRICS; m++) {
        summary s = summarise(e, m);
        if (s.count == 0)
            continue;
        cJSON *one = cJSON_AddObjectToObject(all, metrics[m].key);
        cJSON_AddNumberToObject(one, "mean", s.mean);
        if (s.count > 1)
            cJSON_AddNumberToObject(one, "ci95", s.ci95);
        else
            cJSON_AddNullToObject(one, "ci95");
        cJSON_AddNumberToObject(one, "n", (double)s.count);
    }
    return all;
}

static cJSON *json_files(const evaluation *e)
{
    cJSON *all = cJSON_CreateObject();
    for (size_t i = 0; i < e->count; i++) {
        const row *r = &e->rows[i];
        if (r->name == NULL)
            continue;
        cJSON *one = cJSON_AddObjectToObject(all, r->name);
        for (size_t m = 0; m < METRICS; m++)
            if (!isnan(value_of(&r->distances, m)))
                cJSON_AddNumberToObject(one, metrics[m].key, value_of(&r->distances, m));
        cJSON_AddNumberToObject(one, "delay_ms", e->delay_ms);
        cJSON_AddNumberToObject(one, "delay_samples", (double)r->delay_samples);
    }
    return all;
}

/* Pairs that could not be compared. */
static cJSON *json_failed(const evaluation *e, const lac_eval_pairs *pairs)
{
    cJSON *all = cJSON_CreateArray();
    for (size_t i = 0; pairs != NULL && i < pairs->count; i++)
        if (e->rows[i].failed)
            cJSON_AddItemToArray(all, cJSON_CreateString(pairs->pair[i].stem));
    return all;
}

static cJSON *json_missing(const lac_eval_pairs *pairs)
{
    cJSON *all = cJSON_CreateArray();
    for (size_t i = 0; pairs != NULL && i < pairs->count; i++)
        if (pairs->pair[i].test == NULL)
            cJSON_AddItemToArray(all, cJSON_CreateString(pairs->pair[i].stem));
    return all;
}

static int print_json(const evaluation *e, const lac_eval_pairs *pairs)
{
    cJSON *json = cJSON_CreateObject();
    cJSON_AddItemToObject(json, "summary", json_summary(e));
    cJSON_AddItemToObject(json, "files", json_files(e));
    cJSON_AddNumberToObject(json, "delay_ms", e->delay_ms);
    cJSON_AddItemToObject(json, "missing", json_missing(pairs));
    cJSON_AddItemToObject(json, "failed", json_failed(e, pairs));
    char *text = cJSON_Print(json);
    cJSON_Delete(json);
    if (text == NULL)
        return lac_report("eval", "out of memory");
    puts(text);
    cJSON_free(text);
    return 0;
}

static void print_table(const evaluation *e, const lac_eval_pairs *pairs)
{
    for (size_t m = 0; m < METRICS; m++) {
        summary s = summarise(e, m);
        int decimals = metrics[m].decimals;
        if (s.count > 0 && pairs != NULL)
            printf("%-10s %8.*f +- %.*f  (%zu files)\n", metrics[m].key, decimals, s.mean, decimals, s.ci95, s.count);
        else if (s.count > 0)
            printf("%-10s %8.*f\n", metrics[m].key, decimals, s.mean);
    }
    printf("%-10s %8.1f ms ", "delay", e->delay_ms);
    if (pairs != NULL)
        printf("removed; %zu of %zu references had a partner\n", pairs->partners, pairs->count);
    else
        printf("(%ld samples) removed\n", e->rows[0].delay_samples);
}

static int print_results(const options *o, const evaluation *e, const lac_eval_pairs *pairs)
{
    int failed = 0;
    if (o->json)
        failed = print_json(e, pairs);
    else
        print_table(e, pairs);
    if (fflush(stdout) != 0)
        failed = lac_report("standard output", "%s", strerror(errno));
    return failed;
}

static int compare_files(const options *o, evaluation *e)
{
    clips c;
    row only = {0};
    int failed = clips_load(&c, o->ref, o->test);
    if (failed)
        return failed;
    failed = align(e, &c);
    if (!failed) {
        find_delay(e);
        failed = measure(e, &c, &only);
    }
    if (!failed && o->png != NULL)
        failed = write_picture(o, &c, &only.distances);
    char *name = failed ? NULL : stem_of(lac_report_name(o->ref, 0));
    if (!failed) {
        only.name = name == NULL ? "" : name;
        e->rows = &only;
        e->count = 1;
        failed = print_results(o, e, NULL);
        e->rows = NULL;
    }
    free(name);
    clips_close(&c);
    return failed;
}

/* Pass 1: the delay, from the first pairs that can be read. */
static void align_folders(evaluation *e, const lac_eval_pairs *pairs)
{
    size_t left = ALIGN_PAIRS;
    for (size_t i = 0; i < pairs->count && left > 0; i++) {
        clips c;
        if (pairs->pair[i].test == NULL)
            continue;
        left--;
        e->rows[i].failed = clips_load(&c, pairs->pair[i].ref, pairs->pair[i].test) != 0;
        if (e->rows[i].failed)
            continue;
        e->rows[i].failed = align(e, &c) != 0;
        clips_close(&c);
    }
    find_delay(e);
}

/* Pass 2. Files are read again: holding them all would take far more memory than it saves time. */
static void measure_folders(evaluation *e, const lac_eval_pairs *pairs)
{
    for (size_t i = 0; i < pairs->count; i++) {
        clips c;
        row *r = &e->rows[i];
        if (pairs->pair[i].test == NULL || r->failed)
            continue;
        r->failed = clips_load(&c, pairs->pair[i].ref, pairs->pair[i].test) != 0;
        if (r->failed)
            continue;
        r->failed = measure(e, &c, r) != 0;
        r->name = r->failed ? NULL : pairs->pair[i].stem;
        clips_close(&c);
    }
}

static int report_missing(const options *o, const lac_eval_pairs *pairs)
{
    int failed = 0;
    for (size_t i = 0; i < pairs->count; i++)
        if (pairs->pair[i].test == NULL)
            failed = lac_report(pairs->pair[i].ref, "has no partner in %s", o->test);
    return failed;
}

static int compare_folders(const options *o, evaluation *e)
{
    lac_eval_pairs pairs;
    int failed = lac_eval_pairs_open(&pairs, o->ref, o->test);
    if (failed)
        return failed;
    e->rows = calloc(pairs.count, sizeof *e->rows);
    e->count = pairs.count;
    if (e->rows == NULL) {
        failed = lac_report(o->ref, "out of memory");
    } else {
        align_folders(e, &pairs);
        measure_folders(e, &pairs);
        failed = print_results(o, e, &pairs);
        for (size_t i = 0; i < e->count; i++)
            if (e->rows[i].failed)
                failed = LAC_EXIT_FAILED;
        if (report_missing(o, &pairs))
            failed = LAC_EXIT_FAILED;
    }
    free(e->rows);
    e->rows = NULL;
    lac_eval_pairs_close(&pairs);
    return failed;
}

static bool is_folder(const char *path)
{
    struct stat st;
    return strcmp(path, "-") != 0 && stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static int compare(const options *o)
{
    bool folders = is_folder(o->ref);
    if (folders != is_folder(o->test))
        return lac_report(folders ? o->test : o->ref, "is no folder, but the other one is");
    if (folders && o->png != NULL)
        return lac_report_usage("eval", "--png needs two files, not folders");
    evaluation e = {.alignment = calloc(1, sizeof *e.alignment)};
    if (e.alignment == NULL)
        return lac_report(o->ref, "out of memory");
    int failed = folders ? compare_folders(o, &e) : compare_files(o, &e);
    free(e.alignment);
    return failed;
}

/* 0, an exit status, or -1 after printing the help. */
static int parse(options *o, int argc, char **argv)
{
    static const struct option names[] = {{"json", no_argument, NULL, 'j'},  {"png", required_argument, NULL, 'p'},
                                          {"force", no_argument, NULL, 'f'}, {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    opterr = 0;
    for (int c; (c = getopt_long(argc, argv, ":fh", names, NULL)) != -1;) {
        switch (c) {
        case 'j': o->json = true; break;
        case 'p': o->png = optarg; break;
        case 'f': o->force = true; break;
        case 'h': fputs(usage, stdout); return -1;
        default: return lac_report_option("eval", c, argv);
        }
    }
    if (argc - optind != 2)
        return lac_report_usage("eval", "needs REF and TEST");
    o->ref = argv[optind];
    o->test = argv[optind + 1];
    if (strcmp(o->ref, "-") == 0 && strcmp(o->test, "-") == 0)
        return lac_report_usage("eval", "only one of REF and TEST can be standard input");
    if (o->png != NULL && strcmp(o->png, "-") == 0)
        return lac_report_usage("eval", "--png needs a file name");
    return 0;
}

int lac_cmd_eval(int argc, char **argv)
{
    options o = {0};
    int status = parse(&o, argc, argv);
    if (status != 0)
        return status < 0 ? LAC_EXIT_OK : status;
    return compare(&o);
}
