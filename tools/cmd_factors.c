/* lac factors: who speaks, what is said, how, where and through what, of audio and .lac files. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "command.h"
#include "factorload.h"
#include "fileout.h"
#include "inputs.h"
#include "outputs.h"
#include "report.h"

static const char usage[] =
    "usage: lac factors [--json | -o OUT] [-m MODEL] [--codec MODEL] [--channel N] [--raw RATE:CHANNELS:FORMAT]\n"
    "                   [-j N] [--resume] [-f] IN...\n"
    "\n"
    "Tells who speaks, what is said, how, where and through what, of audio and .lac files; of a folder, of all in "
    "it\n"
    "and below. Without -o and --json a line of the main figures for each input (doc/factors.md).\n"
    "\n"
    "  -o, --output OUT     one .npz file of arrays for each input: a folder, or, ending in .npz, the file\n"
    "      --json           one object a line and input on standard output, with all that the arrays "
    "hold\n" LAC_FACTOR_SOURCE_USAGE
    "      --resume         leave inputs alone whose output is there and complete\n"
    "  -f, --force          overwrite\n"
    "  -h, --help           this text\n";

typedef struct job {
    lac_factor_source source;
    const char *output;
    int json, resume, force;
    lac_inputs inputs;
    char **outputs;               /* [inputs.count]; NULL without -o */
    lac_factor_worker **workers;  /* [source.jobs], each opened by its thread */
    bool table;
    size_t skipped;
    int worst;
    lac_progress progress;
} job;

/* What a thread makes of an input. */
typedef struct result {
    lac_factor_set set;
    lac_token_bytes npz, json;
    bool skipped;
} result;

static int parse_option(void *user, int option, char **argv)
{
    job *j = user;

    switch (option) {
    case 'o': j->output = optarg; return 0;
    case 'J': j->json = 1; return 0;
    case 'r': j->resume = 1; return 0;
    case 'f': j->force = 1; return 0;
    default: return lac_factor_source_option(&j->source, "factors", option, argv);
    }
}

static int parse(job *j, int argc, char **argv, int *done)
{
    static const struct option options[] = {
        LAC_FACTOR_SOURCE_OPTIONS,
        {"output", required_argument, NULL, 'o'}, {"json", no_argument, NULL, 'J'},
        {"resume", no_argument, NULL, 'r'},       {"force", no_argument, NULL, 'f'},
        {"help", no_argument, NULL, 'h'},         {NULL, 0, NULL, 0},
    };
    int failed = lac_options_read(argc, argv, ":m:j:o:fh", options, usage, parse_option, j, done);

    if (failed || *done)
        return failed;
    if (optind == argc)
        return lac_report_usage("factors", "which file?");
    if (j->output && strcmp(j->output, "-") == 0)
        return lac_report_usage("factors", "-o -: arrays go to files; --json goes to standard output");
    if (j->resume && !j->output)
        return lac_report_usage("factors", "--resume needs -o");
    if (j->json && j->output)
        return lac_report_usage("factors", "either --json or -o");
    j->table = !j->output && !j->json;
    return lac_inputs_open(&j->inputs, argv + optind, (size_t)(argc - optind), LAC_INPUTS_LAC);
}

static int name_outputs(job *j)
{
    const char *dot = strrchr(j->output, '.');
    bool is_file = dot && strcmp(dot, ".npz") == 0;

    if (is_file && j->inputs.count > 1)
        return lac_report_usage("factors", "-o %s: one file, but %zu inputs; name a folder", j->output,
                                j->inputs.count);
    j->outputs = lac_outputs_name(&j->inputs, j->output, is_file ? NULL : "npz");
    return j->outputs ? lac_outputs_check(j->outputs, j->inputs.count) : LAC_EXIT_FAILED;
}

/* ---- on threads ---- */

/* Is the output there, and this model's? */
static bool is_complete(lac_factor_worker *worker, const char *path)
{
    struct stat st;
    lac_factor_set set;

    if (stat(path, &st) || !S_ISREG(st.st_mode))
        return false;
    bool complete = lac_factor_worker_load(worker, path, NULL, &set) == 0;
    lac_factor_set_free(&set);
    return complete;
}

static void convert(const job *j, size_t index, result *r)
{
    char reason[LAC_TOKENS_REASON];

    if (j->outputs && lac_factor_npz_write(&r->npz, &r->set, reason))
        r->npz.failed = true;
    if (j->json)
        lac_factor_json_write(&r->json, &r->set, j->inputs.item[index].path);
}

static int analyse(job *j, uint32_t number, size_t index, result *r)
{
    const char *path = j->inputs.item[index].path;
    const char *output = j->outputs ? j->outputs[index] : NULL;
    lac_factor_worker **worker = &j->workers[number];
    struct stat st;
    int failed = *worker ? 0 : lac_factor_worker_open(worker, &j->source);

    if (failed)
        return failed;
    if (j->resume && is_complete(*worker, output)) {
        r->skipped = true;
        return 0;
    }
    if (output && !j->force && stat(output, &st) == 0)
        return lac_report(output, "exists; -f overwrites it");
    failed = lac_factor_worker_analyse(*worker, path, j->inputs.count == 1 ? &j->progress : NULL, &r->set);
    if (!failed || failed == LAC_EXIT_CONCEALED)
        convert(j, index, r);
    return failed;
}

static void drop(void *user)
{
    result *r = user;

    lac_factor_set_free(&r->set);
    lac_token_bytes_free(&r->npz);
    lac_token_bytes_free(&r->json);
    free(r);
}

static int work(void *user, uint32_t number, size_t index, void **out)
{
    result *r = calloc(1, sizeof *r);
    int status = r ? analyse(user, number, index, r) : lac_report("factors", "out of memory");

    if (r && status && status != LAC_EXIT_CONCEALED) {
        drop(r);
        r = NULL;
    }
    *out = r;
    return status;
}

/* ---- in order ---- */

static void print_row(const char *name, const lac_factor_set *s)
{
    const lac_factors *f = &s->factors;
    lac_token_bytes spelt = {0};

    lac_factor_set_spell(&spelt, s);
    printf("%-24s %8.2f %5.2f %6.1f %5.1f %6.1f %5.2f %6.0f %-8s %s\n", name, s->duration_s, (double)f->confidence,
           (double)f->f0_median_hz, (double)f->style[LAC_STYLE_RATE], (double)f->snr_db, (double)f->t60_s,
           (double)f->bandwidth_hz, f->frames ? lac_factor_codec_name(lac_factor_set_codec(s)) : "-",
           spelt.failed ? "" : (const char *)spelt.data);
    lac_token_bytes_free(&spelt);
}

static int write_file(job *j, size_t index, const lac_token_bytes *bytes)
{
    const char *path = j->outputs[index];
    lac_file_out out;
    int failed = bytes->failed ? lac_report(path, "out of memory") : lac_outputs_make_folders(path);

    if (!failed)
        failed = lac_file_out_open(&out, path, j->inputs.item[index].path, j->force);
    if (failed)
        return failed;
    lac_file_out_write(&out, bytes->data, bytes->size);
    return lac_file_out_commit(&out);
}

static int take_result(job *j, size_t index, result *r)
{
    int failed = j->outputs && !r->skipped ? write_file(j, index, &r->npz) : 0;

    if (!failed && r->json.failed)
        failed = lac_report(j->inputs.item[index].path, "out of memory");
    if (failed)
        return failed;
    if (r->json.size > 0)
        fwrite(r->json.data, 1, r->json.size, stdout);
    if (j->table)
        print_row(j->inputs.item[index].name, &r->set);
    j->skipped += r->skipped;
    return 0;
}

/* A file that fails leaves the others alone. */
static int take(void *user, size_t index, int status, void *out)
{
    job *j = user;

    if (out) {
        int failed;

        lac_progress_hide();
        failed = take_result(j, index, out);
        status = failed ? failed : status;
        drop(out);
    }
    if (status && j->worst != LAC_EXIT_FAILED)
        j->worst = status;
    if (j->inputs.count > 1)
        lac_progress_text(&j->progress, "%zu of %zu files", index + 1, j->inputs.count);
    return ferror(stdout) ? LAC_EXIT_FAILED : 0;
}

static int run(job *j)
{
    lac_jobs jobs = {.count = j->inputs.count, .threads = j->source.jobs, .user = j, .work = work, .take = take,
                     .drop = drop};
    int failed = lac_factor_source_keep_stdin(&j->source, &j->inputs, false);

    if (failed)
        return failed;
    j->workers = calloc(jobs.threads, sizeof(lac_factor_worker *));
    if (!j->workers)
        return lac_report("factors", "out of memory");
    if (j->table)
        printf("%-24s %8s %5s %6s %5s %6s %5s %6s %-8s %s\n", "file", "s", "conf.", "Hz", "ph/s", "SNR dB", "T60 s",
               "band", "codec", "phones");
    lac_progress_start(&j->progress, -1);
    failed = lac_jobs_run(&jobs);
    lac_progress_hide();
    if (j->skipped > 0)
        fprintf(stderr, "%zu of %zu were complete\n", j->skipped, j->inputs.count);
    return failed ? failed : j->worst;
}

static void close_all(job *j)
{
    for (uint32_t i = 0; j->workers && i < j->source.jobs; i++)
        lac_factor_worker_close(&j->workers[i]);
    free(j->workers);
    lac_outputs_free(j->outputs, j->inputs.count);
    lac_inputs_close(&j->inputs);
    lac_factor_source_close(&j->source);
}

int lac_cmd_factors(int argc, char **argv)
{
    job j = {0};
    int done = 0;
    int failed;

    lac_factor_source_init(&j.source);
    failed = parse(&j, argc, argv, &done);
    if (!failed && !done && j.output)
        failed = name_outputs(&j);
    if (!failed && !done)
        failed = lac_factor_source_open(&j.source);
    if (!failed && !done)
        failed = run(&j);
    close_all(&j);
    return failed;
}
