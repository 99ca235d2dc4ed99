/* lac tokens export: tokens of .lac files and audio to .npy, JSON lines or packed bits. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "facts.h"
#include "fileout.h"
#include "options.h"
#include "outputs.h"
#include "paths.h"
#include "progress.h"
#include "report.h"
#include "tokencmd.h"

static const char usage[] =
    "usage: lac tokens export [-f npy|jsonl|bin] [-o OUT] [-m MODEL] [-b KBPS] [--beam N] [--bpe VOCAB]\n"
    "                         [--force] [--json] IN...\n"
    "\n"
    "Writes the tokens of .lac files, or of audio, which is encoded first. Of a folder, of all in it and below.\n"
    "\n"
    "  -f, --format FORMAT  npy: uint16 [T][Q], or [T][C][Q] of C channels, padded with 65535; the default;\n"
    "                       jsonl: one object a file and line; bin: packed bits (doc/tokens.md)\n"
    "  -o, --output OUT     npy, bin: a file, or a folder for several inputs; default: beside each input.\n"
    "                       jsonl: a file; default: standard output, which '-' is too\n"
    "  -m, --model MODEL    a model file or a name; default: the one a file names, for audio the built-in one\n"
    "  -b, --bitrate KBPS   of audio, kbit/s a channel; default 3\n"
    "      --beam N         of audio, choices of tokens followed at once, 1 to 16; default 8\n"
    "      --bpe VOCAB      the tokens of the vocabulary's codebook become symbols; .npy then holds only those\n"
    "      --force          overwrite\n"
    "      --json           what was done, as one JSON object on standard output\n"
    "  -h, --help           this text\n"
    "\n"
    "Damaged frames have no tokens; they are told of, and the exit status is 3.\n";

enum format { NPY, JSONL, BIN };
static const char *const endings[] = {"npy", "jsonl", "bin"};

typedef struct job {
    enum format format;
    const char *output, *vocabulary_path;
    int force, json;
    bool to_folder;
    lac_token_source source;
    lac_vocabulary vocabulary;
    lac_inputs inputs;
    char **outputs;           /* [inputs.count], but of jsonl */
    lac_file_out out;
    lac_token_bytes bytes;
    uint64_t files, frames, tokens, symbols; /* done; the latter two of the vocabulary's codebook */
    double seconds;
} job;

static int parse_option(void *user, int option, char **argv)
{
    job *j = user;

    switch (option) {
    case 'f':
        for (int i = NPY; i <= BIN; i++)
            if (strcmp(optarg, endings[i]) == 0) {
                j->format = (enum format)i;
                return 0;
            }
        return lac_report_usage("tokens export", "no format '%s': npy, jsonl or bin", optarg);
    case 'o': j->output = optarg; return 0;
    case 'V': j->vocabulary_path = optarg; return 0;
    case 'F': j->force = 1; return 0;
    case 'j': j->json = 1; return 0;
    default: return lac_token_source_option(&j->source, "tokens export", option, argv);
    }
}

static int to_standard_output(const job *j)
{
    return strcmp(j->output ? j->output : j->format == JSONL ? "-" : "", "-") == 0;
}

static int parse(job *j, int argc, char **argv, int *done)
{
    static const struct option options[] = {
        {"format", required_argument, NULL, 'f'}, {"output", required_argument, NULL, 'o'},
        {"model", required_argument, NULL, 'm'},  {"bitrate", required_argument, NULL, 'b'},
        {"beam", required_argument, NULL, 'B'},   {"bpe", required_argument, NULL, 'V'},
        {"force", no_argument, NULL, 'F'},        {"json", no_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},         {NULL, 0, NULL, 0},
    };
    int failed = lac_options_read(argc, argv, ":f:o:m:b:h", options, usage, parse_option, j, done);

    if (failed || *done)
        return failed;
    if (optind == argc)
        return lac_report_usage("tokens export", "which file?");
    if (j->json && to_standard_output(j))
        return lac_report_usage("tokens export", "--json and the tokens can't both go to standard output");
    if (j->vocabulary_path && (failed = lac_tokens_vocabulary(&j->vocabulary, j->vocabulary_path)) != 0)
        return failed;
    failed = lac_inputs_open(&j->inputs, argv + optind, (size_t)(argc - optind), LAC_INPUTS_LAC);
    j->to_folder = j->output && (lac_path_is_folder(j->output) || j->inputs.count > 1 || lac_path_is_folder(argv[optind]));
    return failed;
}

static int name_outputs(job *j)
{
    bool is_file = j->output && !j->to_folder;

    j->outputs = lac_outputs_name(&j->inputs, j->output, is_file ? NULL : endings[j->format]);
    return j->outputs ? lac_outputs_check(j->outputs, j->inputs.count) : LAC_EXIT_FAILED;
}

/* ---- one file ---- */

/* Replaces the vocabulary's codebook by its symbols. */
static int apply(job *j, const lac_input *input, lac_token_set *set)
{
    char reason[LAC_TOKENS_REASON];
    const char *name = lac_report_name(input->path, 0);
    int failed = lac_tokens_check(&j->vocabulary, j->vocabulary_path, &j->source.about, name);

    if (failed)
        return failed;
    if (j->format == NPY && set->channels > 1)
        return lac_report(name, "has %u channels, whose symbols are not equally many: they need jsonl or bin",
                          set->channels);
    if (lac_vocabulary_apply(&j->vocabulary, set, reason))
        return lac_report(name, "%s", reason);
    j->tokens += set->frames * set->channels;
    j->symbols += lac_token_set_symbols(set);
    return 0;
}

static int write_file(job *j, size_t index)
{
    const char *path = j->outputs[index];
    int failed = j->to_folder ? lac_outputs_make_folders(path) : 0;

    if (!failed)
        failed = lac_file_out_open(&j->out, path, j->inputs.item[index].path, j->force);
    if (failed)
        return failed;
    lac_file_out_write(&j->out, j->bytes.data, j->bytes.size);
    return lac_file_out_commit(&j->out);
}

static void convert(job *j, const lac_input *input, const lac_token_set *set)
{
    j->bytes.size = 0;
    j->bytes.failed = false;
    switch (j->format) {
    case NPY: lac_npy_write(&j->bytes, set); break;
    case JSONL: lac_tokenjson_write(&j->bytes, set, input->path); break;
    case BIN: lac_tokenbin_write(&j->bytes, set); break;
    }
}

static int export_one(job *j, size_t index)
{
    const lac_input *input = &j->inputs.item[index];
    lac_token_set set;
    int damaged = lac_token_source_load(&j->source, input->path, &set);

    if (damaged && damaged != LAC_EXIT_CONCEALED)
        return damaged;
    uint64_t frames = set.frames * set.channels;
    int failed = j->vocabulary_path ? apply(j, input, &set) : 0;
    if (!failed) {
        convert(j, input, &set);
        if (j->bytes.failed)
            failed = lac_report(input->path, "out of memory");
        else if (j->format == JSONL)
            lac_file_out_write(&j->out, j->bytes.data, j->bytes.size);
        else
            failed = write_file(j, index);
    }
    if (!failed) {
        j->files++;
        j->frames += frames;
        j->seconds += (double)frames / set.frame_rate;
    }
    lac_token_set_free(&set);
    return failed ? failed : damaged;
}

/* A file that fails leaves the others alone; a wrong option is the same for all. */
static int export_all(job *j)
{
    int worst = 0;
    lac_progress progress;

    lac_progress_start(&progress, -1);
    for (size_t i = 0; i < j->inputs.count; i++) {
        int failed = export_one(j, i);

        if (failed == LAC_EXIT_USAGE || j->out.error)
            return failed ? failed : LAC_EXIT_FAILED;
        if (failed && worst != LAC_EXIT_FAILED)
            worst = failed;
        lac_progress_text(&progress, "%zu of %zu files", i + 1, j->inputs.count);
    }
    lac_progress_hide();
    return worst;
}

static int report_done(const job *j)
{
    cJSON *facts = cJSON_CreateObject();

    lac_facts_count(facts, "files", j->files);
    lac_facts_count(facts, "files_failed", j->inputs.count - j->files);
    lac_facts_count(facts, "frames", j->frames);
    lac_facts_real(facts, "seconds", j->seconds, 9);
    if (j->vocabulary_path) {
        lac_facts_count(facts, "vocabulary_size", lac_bpe_size(j->vocabulary.bpe));
        lac_tokens_ratio(facts, j->tokens, j->symbols, j->seconds > 0 ? (double)j->frames / j->seconds : 0);
    }
    return lac_facts_print(facts, j->json);
}

static int run(job *j)
{
    int failed = j->format == JSONL ? 0 : name_outputs(j), worst;
    const char *lines = j->output ? j->output : "-";

    if (!failed && j->format == JSONL)
        failed = lac_file_out_open(&j->out, lines, j->inputs.item[0].path, j->force || !strcmp(lines, "-"));
    if (failed)
        return failed;
    worst = export_all(j);
    if (j->format == JSONL && worst != LAC_EXIT_USAGE && (j->files > 0 || !worst))
        failed = lac_file_out_commit(&j->out);
    if (!failed && worst != LAC_EXIT_USAGE && (j->json || (j->vocabulary_path && !to_standard_output(j))))
        failed = report_done(j);
    return failed ? failed : worst;
}

static void close_all(job *j)
{
    lac_progress_hide();
    lac_file_out_discard(&j->out);
    lac_outputs_free(j->outputs, j->inputs.count);
    lac_token_bytes_free(&j->bytes);
    lac_vocabulary_free(&j->vocabulary);
    lac_token_source_close(&j->source);
    lac_inputs_close(&j->inputs);
}

int lac_tokens_export(int argc, char **argv)
{
    job j;
    int done = 0;
    int failed;

    memset(&j, 0, sizeof j);
    lac_token_source_init(&j.source);
    j.out.fd = -1;
    failed = parse(&j, argc, argv, &done);
    if (!failed && !done)
        failed = run(&j);
    close_all(&j);
    return failed;
}
