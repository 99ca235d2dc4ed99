/* lac encode: an audio file to .lac. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audiopump.h"
#include "command.h"
#include "fileout.h"
#include "lac/encoder.h"
#include "models.h"
#include "options.h"
#include "paths.h"
#include "report.h"

#define BEAM 8 /* by default: doc/performance.md has what each costs and gains */

static const char usage[] =
    "usage: lac encode [-b KBPS] [--constant] [-m MODEL] [-t THREADS] [-f] [--beam N]\n"
    "                  [--coding plain|adaptive|prior|best]\n"
    "                  [--raw RATE:CHANNELS:FORMAT] IN [OUT.lac]\n"
    "\n"
    "Codes an audio file: whatever libsndfile reads, any rate, 1 to 8 channels, each coded for itself.\n"
    "\n"
    "  -b, --bitrate KBPS   kbit/s a channel on average, 0.5 to 6; default 3. Frames get more where it helps more;\n"
    "                       20 s are held back for that\n"
    "      --constant       every frame gets the same number of codebooks, each 0.5 kbit/s before coding, and bytes\n"
    "                       come out every 1.3 s: for live sound. -b is then in steps of 0.5\n"
    "  -m, --model MODEL    a model file or a name; default: the built-in one\n"
    "  -t, --threads N      threads, 1 to 256; default 1\n"
    "  -f, --force          overwrite OUT; write to a terminal\n"
    "      --beam N         choices of tokens followed at once, 1 to 16; default 8. 1 is fastest\n"
    "      --coding CODING  how tokens become bytes: plain, adaptive, prior (if the model has one), or best, the\n"
    "                       default: the smallest. It never changes the sound of a --constant file\n"
    "      --raw RATE:CHANNELS:FORMAT\n"
    "                       IN has no header: interleaved, little-endian, FORMAT s16, s24, s32 or f32\n"
    "  -h, --help           this text\n"
    "\n"
    "IN may be -, standard input, and OUT -, standard output. Without OUT the file is IN with the ending .lac, or\n"
    "standard output if IN is -. The threads don't change the result.\n";

typedef struct job {
    const char *input, *output, *model_name;
    char *made_output;
    double kbps;
    uint32_t threads, beam, coding;
    int force, constant;
    lac_raw_input raw;

    lac_model *model;
    lac_audio_in *in;
    lac_file_out out;
    lac_writer *writer;
} job;

static int parse_coding(const char *text, uint32_t *coding)
{
    static const char *const names[] = {[LAC_CODING_BEST] = "best", [LAC_CODING_PLAIN] = "plain",
                                        [LAC_CODING_ADAPTIVE] = "adaptive", [LAC_CODING_PRIOR] = "prior"};

    for (*coding = 0; *coding < sizeof names / sizeof *names; ++*coding)
        if (strcmp(text, names[*coding]) == 0)
            return 0;
    return lac_report_usage("encode", "--coding %s: not plain, adaptive, prior or best", text);
}

static int parse_option(void *user, int option, char **argv)
{
    job *j = user;

    switch (option) {
    case 'b': return lac_option_kbps("encode", optarg, &j->kbps);
    case 'm': j->model_name = optarg; return 0;
    case 't': return lac_option_threads("encode", optarg, &j->threads);
    case 'f': j->force = 1; return 0;
    case 'B': return lac_option_count("encode", "--beam", optarg, 1, LAC_MAX_BEAM, &j->beam);
    case 'C': return parse_coding(optarg, &j->coding);
    case 'K': j->constant = 1; return 0;
    case 'R': return lac_option_raw("encode", optarg, &j->raw);
    default: return lac_report_option("encode", option, argv);
    }
}

static int parse(job *j, int argc, char **argv, int *done)
{
    static const struct option options[] = {
        {"bitrate", required_argument, NULL, 'b'}, {"model", required_argument, NULL, 'm'},
        {"threads", required_argument, NULL, 't'}, {"force", no_argument, NULL, 'f'},
        {"beam", required_argument, NULL, 'B'},    {"raw", required_argument, NULL, 'R'},
        {"coding", required_argument, NULL, 'C'},  {"help", no_argument, NULL, 'h'},
        {"constant", no_argument, NULL, 'K'},
        {NULL, 0, NULL, 0},
    };
    int failed = lac_options_read(argc, argv, ":b:m:t:fh", options, usage, parse_option, j, done);

    if (failed || *done)
        return failed;
    if (optind == argc)
        return lac_report_usage("encode", "which file?");
    if (argc - optind > 2)
        return lac_report_usage("encode", "one input and one output, not also '%s'", argv[optind + 2]);
    j->input = argv[optind];
    j->output = argv[optind + 1];
    if (!j->output)
        j->output = j->made_output = lac_path_with_ending(j->input, "lac");
    return j->output ? 0 : lac_report(j->input, "out of memory");
}

/* Sink of the pump. */
static int code(void *user, const float *pcm, size_t frames)
{
    return lac_writer_write(user, pcm, frames);
}

static int set_rate(const job *j, const lac_model_info *model, lac_writer_settings *settings)
{
    if (j->constant)
        return lac_option_codebooks("encode", j->kbps, model, &settings->codebooks);
    return lac_option_bitrate("encode", j->kbps, model, &settings->bitrate);
}

static int open_all(job *j)
{
    const lac_audio_in_info *audio;
    lac_model_info model;
    lac_writer_settings settings;
    lac_io io;
    int failed = lac_models_open(&j->model, j->model_name);

    if (failed)
        return failed;
    lac_model_get_info(j->model, &model);
    lac_writer_default_settings(&settings);
    /* The output before the input, which may be a pipe that takes long to read. */
    if ((failed = set_rate(j, &model, &settings)) != 0 ||
        (failed = lac_file_out_open(&j->out, j->output, j->input, j->force)) != 0 ||
        (failed = lac_audio_in_open(&j->in, j->input, j->raw.format ? &j->raw : NULL)) != 0)
        return failed;
    audio = lac_audio_in_get_info(j->in);
    settings.original_rate = audio->rate;
    settings.channels = audio->channels;
    settings.threads = j->threads;
    settings.beam = j->beam;
    settings.coding = j->coding;
    settings.tags = audio->tags.tags;
    settings.tag_count = audio->tags.count;
    io = lac_file_out_io(&j->out);
    int status = lac_writer_open(&j->writer, j->model, &io, &settings);
    if (status == LAC_ERROR_ARGUMENT && j->coding > LAC_CODING_PLAIN)
        return lac_report(model.name, "this model can't code tokens so; --coding best takes what it has");
    return status ? lac_report_status(j->out.name, status, j->out.error) : 0;
}

static int code_all(job *j)
{
    lac_progress progress;
    lac_model_info model;
    lac_audio_pump pump = {.in = j->in, .sink = code, .user = j->writer, .progress = &progress};

    lac_model_get_info(j->model, &model);
    pump.rate = model.sample_rate;
    int failed = lac_audio_pump_run(&pump), status = failed ? pump.status : lac_writer_finish(j->writer, pump.frames);
    if (status)
        return lac_report_status(j->out.name, status, j->out.error);
    if (failed)
        return failed;
    lac_progress_hide();
    return lac_file_out_commit(&j->out);
}

static void close_all(job *j)
{
    lac_progress_hide();
    lac_writer_close(&j->writer);
    lac_file_out_discard(&j->out);
    lac_audio_in_close(&j->in);
    lac_model_close(&j->model);
    free(j->made_output);
}

int lac_cmd_encode(int argc, char **argv)
{
    job j;
    int done = 0;
    int failed;

    memset(&j, 0, sizeof j);
    j.kbps = -1;
    j.threads = 1;
    j.beam = BEAM;
    j.out.fd = -1;
    failed = parse(&j, argc, argv, &done);
    if (!failed && !done)
        failed = open_all(&j);
    if (!failed && !done)
        failed = code_all(&j);
    close_all(&j);
    return failed;
}
