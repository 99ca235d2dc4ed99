/* lac tokens import: .npy, JSON lines or packed bits to .lac files. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fileout.h"
#include "options.h"
#include "paths.h"
#include "report.h"
#include "resample.h"
#include "tokencmd.h"

#define BLOCK 4096                     /* frames written at once */
#define MOST_SAMPLES 281474976710656.0 /* of a .lac file */

static const char usage[] =
    "usage: lac tokens import [-m MODEL] [--samples N] [--rate HZ] [--bpe VOCAB] [--force] -o OUT.lac IN\n"
    "\n"
    "Makes a .lac file of tokens, which decodes to what the file decodes to that they came from. IN is what\n"
    "'lac tokens export' writes, or an array of whole numbers of that shape; its first bytes tell which.\n"
    "\n"
    "  -o, --output OUT.lac  the file, or a folder for JSON lines, where each line's file is named after its path\n"
    "  -m, --model MODEL     a model file or a name; default: the one IN names, or the built-in one\n"
    "      --samples N       samples a channel; default: what IN says, or as many as its frames can hold\n"
    "      --rate HZ         rate of the audio; default: what IN says, or the model's\n"
    "      --bpe VOCAB       the vocabulary of IN's symbols\n"
    "      --force           overwrite\n"
    "  -h, --help            this text\n"
    "\n"
    "IN may be -, standard input, and OUT too.\n";

typedef struct job {
    const char *input, *output, *name, *vocabulary_path;
    double samples;           /* negative: not given */
    uint32_t rate;
    int force;
    lac_token_source source;
    lac_vocabulary vocabulary;
    lac_file_out out;
} job;

static int parse_option(void *user, int option, char **argv)
{
    job *j = user;

    switch (option) {
    case 'o': j->output = optarg; return 0;
    case 'm': j->source.model_name = optarg; return 0;
    case 'S': return lac_option_real("tokens import", "--samples", optarg, 0, MOST_SAMPLES, "samples", &j->samples);
    case 'R': return lac_option_rate("tokens import", optarg, &j->rate);
    case 'V': j->vocabulary_path = optarg; return 0;
    case 'F': j->force = 1; return 0;
    default: return lac_report_option("tokens import", option, argv);
    }
}

static int parse(job *j, int argc, char **argv, int *done)
{
    static const struct option options[] = {
        {"output", required_argument, NULL, 'o'}, {"model", required_argument, NULL, 'm'},
        {"samples", required_argument, NULL, 'S'}, {"rate", required_argument, NULL, 'R'},
        {"bpe", required_argument, NULL, 'V'},    {"force", no_argument, NULL, 'F'},
        {"help", no_argument, NULL, 'h'},         {NULL, 0, NULL, 0},
    };
    int failed = lac_options_read(argc, argv, ":o:m:h", options, usage, parse_option, j, done);

    if (failed || *done)
        return failed;
    if (optind == argc)
        return lac_report_usage("tokens import", "which file?");
    if (argc - optind > 1)
        return lac_report_usage("tokens import", "one file, not also '%s'", argv[optind + 1]);
    if (!j->output)
        return lac_report_usage("tokens import", "to which file? -o names it");
    if (j->samples >= 0 && j->samples != (double)(uint64_t)j->samples)
        return lac_report_usage("tokens import", "--samples is a whole number");
    j->input = argv[optind];
    j->name = lac_report_name(j->input, 0);
    return j->vocabulary_path ? lac_tokens_vocabulary(&j->vocabulary, j->vocabulary_path) : 0;
}

/* Symbols back to tokens, and everything in the model's bounds. */
static int make_plain(job *j, lac_token_set *set)
{
    char reason[LAC_TOKENS_REASON];
    bool any = set->vocabulary == UINT64_MAX; /* .npy does not say which */

    if (!set->vocabulary)
        return 0;
    if (!j->vocabulary_path)
        return lac_report(j->name, "has symbols; --bpe names their vocabulary");
    int failed = lac_tokens_check(&j->vocabulary, j->vocabulary_path, &j->source.about, j->name);
    if (failed)
        return failed;
    if (!any && (set->vocabulary != j->vocabulary.id || set->symbol_codebook != j->vocabulary.codebook))
        return lac_report(j->name, "needs the vocabulary with id %016llx; %s has id %016llx",
                          (unsigned long long)set->vocabulary, j->vocabulary_path,
                          (unsigned long long)j->vocabulary.id);
    if (lac_vocabulary_invert(&j->vocabulary, set, reason))
        return lac_report(j->name, "%s", reason);
    return 0;
}

static int check_tokens(const job *j, const lac_token_set *set)
{
    const lac_model_info *about = &j->source.about;

    for (uint64_t t = 0; t < set->frames; t++) {
        if (set->counts[t] > about->codebooks)
            return lac_report(j->name, "frame %llu has %u codebooks; %s has %u", (unsigned long long)t,
                              set->counts[t],
                              about->name, about->codebooks);
        for (uint32_t c = 0; c < set->channels; c++)
            for (uint32_t q = 0; q < set->counts[t]; q++) {
                unsigned token = set->tokens[(t * set->channels + c) * set->codebooks + q];
                if (token >= about->codewords)
                    return lac_report(j->name, "frame %llu, codebook %u: token %u is not below %u",
                                      (unsigned long long)t, q + 1, token, about->codewords);
            }
    }
    return 0;
}

/* What frames hold at most: the last one's end, less the decoder's delay, in samples at `rate`. */
static uint64_t most_samples(const lac_model_info *about, uint64_t frames, uint32_t rate)
{
    uint64_t all = frames * about->frame_samples, delay = about->decoder_delay_samples;

    return all > delay ? (uint64_t)((double)(all - delay) * rate / about->sample_rate) : 0;
}

static int settle_samples(const job *j, lac_token_set *set)
{
    const lac_model_info *about = &j->source.about;
    uint64_t wanted = 0;

    if (j->rate)
        set->rate = j->rate;
    if (!set->rate)
        set->rate = about->sample_rate;
    if (set->rate > LAC_MAX_RATE)
        return lac_report(j->name, "says %u Hz; 1 to %u are supported", set->rate, LAC_MAX_RATE);
    if (j->samples >= 0)
        set->samples = (uint64_t)j->samples;
    if (set->samples == UINT64_MAX)
        set->samples = most_samples(about, set->frames, set->rate);
    if (set->samples > (uint64_t)MOST_SAMPLES)
        return lac_report(j->name, "says too many samples");
    if (set->samples > 0)
        wanted = (lac_rescale_up(set->samples, about->sample_rate, set->rate) + about->decoder_delay_samples +
                  about->frame_samples - 1) / about->frame_samples;
    if (wanted != set->frames)
        return lac_report(j->name, "%llu samples at %u Hz are %llu frames; it has %llu",
                          (unsigned long long)set->samples, set->rate, (unsigned long long)wanted,
                          (unsigned long long)set->frames);
    return 0;
}

/* In the writer's layout, a block at a time. */
static int write_frames(lac_writer *writer, const lac_token_set *set, uint32_t codebooks)
{
    size_t row = (size_t)set->channels * codebooks;
    uint16_t *block = calloc(BLOCK * row, sizeof *block);
    int status = block ? LAC_OK : LAC_ERROR_MEMORY;

    for (uint64_t t = 0; t < set->frames && status == LAC_OK; t += BLOCK) {
        size_t frames = set->frames - t < BLOCK ? (size_t)(set->frames - t) : BLOCK;
        for (size_t i = 0; i < frames * set->channels; i++)
            for (uint32_t q = 0; q < set->counts[t + i / set->channels]; q++)
                block[i * codebooks + q] = set->tokens[(t * set->channels + i) * set->codebooks + q];
        status = lac_writer_write_tokens(writer, block, set->counts + t, frames);
    }
    free(block);
    return status;
}

static int write_stream(job *j, const lac_token_set *set)
{
    lac_writer_settings settings;
    lac_writer *writer = NULL;
    lac_io io = lac_file_out_io(&j->out);

    lac_writer_default_settings(&settings);
    settings.original_rate = set->rate;
    settings.channels = set->channels;
    int status = lac_writer_open(&writer, j->source.model, &io, &settings);
    if (!status)
        status = write_frames(writer, set, j->source.about.codebooks);
    if (!status)
        status = lac_writer_finish(writer, set->samples);
    lac_writer_close(&writer);
    return status ? lac_report_status(j->out.name, status, j->out.error) : lac_file_out_commit(&j->out);
}

static int import_set(job *j, lac_token_set *set, const char *output)
{
    int failed = lac_token_source_model(&j->source, set->model_id, j->name);

    if (!failed)
        failed = make_plain(j, set);
    if (!failed && set->token_bits && set->token_bits != j->source.about.token_bits)
        failed = lac_report(j->name, "has tokens of %u bits; those of %s have %u", set->token_bits,
                            j->source.about.name, j->source.about.token_bits);
    if (!failed)
        failed = check_tokens(j, set);
    if (!failed)
        failed = settle_samples(j, set);
    if (!failed)
        failed = lac_file_out_open(&j->out, output, j->input, j->force);
    if (!failed)
        failed = write_stream(j, set);
    lac_file_out_discard(&j->out);
    return failed;
}

/* ---- JSON lines ---- */

/* The folder's file for a line: only the last part of its path counts, whatever it says. */
static char *line_output(const job *j, const char *path, size_t number)
{
    const char *slash = path ? strrchr(path, '/') : NULL, *base = slash ? slash + 1 : path;
    char made[32];

    snprintf(made, sizeof made, "line-%zu", number);
    if (!base || !*base || *base == '.' || strcmp(base, "-") == 0)
        base = made;
    char *named = lac_path_with_ending(base, "lac");
    char *output = named ? lac_path_join(j->output, named) : NULL;
    free(named);
    return output;
}

static int import_line(job *j, const lac_token_bytes *line, size_t number)
{
    lac_token_set set;
    char reason[LAC_TOKENS_REASON], *path, *output = NULL;
    int failed = lac_tokenjson_parse(&set, (const char *)line->data, line->size, &path, reason);

    if (failed)
        failed = lac_report(j->name, "line %zu: %s", number, reason);
    else if (!(output = lac_path_is_folder(j->output) ? line_output(j, path, number) : strdup(j->output)))
        failed = lac_report(j->name, "out of memory");
    if (!failed)
        failed = import_set(j, &set, output);
    free(path);
    free(output);
    lac_token_set_free(&set);
    return failed;
}

/* The next line that is not empty; its number counts all. line->size is 0 at the end. */
static int next_line(job *j, FILE *file, lac_token_bytes *line, size_t *number)
{
    char block[65536];

    line->size = 0;
    while (fgets(block, sizeof block, file)) {
        size_t length = strlen(block);
        bool ends = length > 0 && block[length - 1] == '\n';
        lac_token_bytes_add(line, block, length - ends);
        if (line->failed || line->size > LAC_FILE_IN_WHOLE)
            return lac_report(j->name, line->failed ? "out of memory" : "has a line larger than 1 GB");
        if (!ends && length == sizeof block - 1)
            continue;
        ++*number;
        if (line->size > 0)
            return 0;
    }
    return ferror(file) ? lac_report(j->name, "%s", strerror(errno)) : 0;
}

static int import_lines(job *j, FILE *file)
{
    lac_token_bytes line = {0}, ahead = {0}, swap;
    size_t number = 0, next = 0;
    int failed = next_line(j, file, &line, &number);

    next = number;
    if (!failed && (failed = next_line(j, file, &ahead, &next)) == 0 && ahead.size > 0 && !lac_path_is_folder(j->output))
        failed = lac_report(j->name, "has several lines: -o must name a folder that is there");
    while (!failed && line.size > 0) {
        failed = import_line(j, &line, number);
        swap = line;
        line = ahead;
        ahead = swap;
        number = next;
        if (!failed)
            failed = next_line(j, file, &ahead, &next);
    }
    lac_token_bytes_free(&line);
    lac_token_bytes_free(&ahead);
    return failed;
}

/* ---- arrays and packed bits ---- */

static int import_bytes(job *j, const lac_token_bytes *bytes)
{
    lac_token_set set;
    char reason[LAC_TOKENS_REASON];
    bool packed = bytes->size >= 4 && memcmp(bytes->data, "LACT", 4) == 0;
    int failed;

    if (!packed && (bytes->size < 6 || memcmp(bytes->data, "\x93NUMPY", 6) != 0))
        return lac_report(j->name,
                          bytes->size ? "is no .npy file, no line of JSON and no packed tokens" : "is empty");
    failed = packed ? lac_tokenbin_parse(&set, bytes->data, bytes->size, reason)
                    : lac_npy_parse(&set, bytes->data, bytes->size, reason);
    failed = failed ? lac_report(j->name, "%s", reason) : import_set(j, &set, j->output);
    lac_token_set_free(&set);
    return failed;
}

static int run(job *j)
{
    FILE *file = strcmp(j->input, "-") == 0 ? stdin : fopen(j->input, "rb");
    lac_token_bytes bytes = {0};
    int first, failed;

    if (!file)
        return lac_report(j->name, "%s", strerror(errno));
    first = getc(file);
    if (first == EOF && ferror(file))
        failed = lac_report(j->name, "%s", strerror(errno));
    else if (first == '{') {
        ungetc(first, file);
        failed = import_lines(j, file);
    } else {
        ungetc(first, file);
        failed = lac_file_in_whole(&bytes, file, j->name);
        if (!failed)
            failed = import_bytes(j, &bytes);
    }
    lac_token_bytes_free(&bytes);
    if (file != stdin)
        fclose(file);
    return failed;
}

int lac_tokens_import(int argc, char **argv)
{
    job j;
    int done = 0;
    int failed;

    memset(&j, 0, sizeof j);
    j.samples = -1;
    j.out.fd = -1;
    failed = parse(&j, argc, argv, &done);
    if (!failed && !done)
        failed = run(&j);
    lac_file_out_discard(&j.out);
    lac_vocabulary_free(&j.vocabulary);
    lac_token_source_close(&j.source);
    return failed;
}
