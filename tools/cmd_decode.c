/* lac decode: a .lac file to audio. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audioout.h"
#include "command.h"
#include "concealed.h"
#include "filein.h"
#include "models.h"
#include "options.h"
#include "paths.h"
#include "progress.h"
#include "report.h"
#include "resample.h"

#define BLOCK 4800 /* sample frames decoded at once */

static const char usage[] =
    "usage: lac decode [-m MODEL] [-r RATE] [-t THREADS] [-f] [--start SECONDS] [--duration SECONDS]\n"
    "                  [--raw FORMAT] IN.lac [OUT.wav|.flac|...]\n"
    "\n"
    "Decodes a .lac file to audio of the original rate, channels and length.\n"
    "\n"
    "  -m, --model MODEL       a model file or a name; default: the one the file names\n"
    "  -r, --rate RATE         rate of the output in Hz; default: the original's\n"
    "  -t, --threads N         threads, 1 to 256; default 1\n"
    "  -f, --force             overwrite OUT; write to a terminal\n"
    "      --start SECONDS     leave out what is before\n"
    "      --duration SECONDS  at most this much\n"
    "      --raw FORMAT        no header: interleaved, little-endian, FORMAT s16, s24, s32 or f32\n"
    "  -h, --help              this text\n"
    "\n"
    "The ending of OUT tells its format: wav, flac, ogg, opus, aiff, au, caf, w64, rf64; 16 bits where that applies.\n"
    "IN may be -, standard input, and OUT -, standard output, which gets WAV unless there is --raw. Without OUT the\n"
    "file is IN with the ending .wav (.raw with --raw), or standard output if IN is -.\n"
    "Exit status 3: decoded, but damaged or missing parts were concealed, as reported on standard error.\n";

typedef struct job {
    const char *input, *output, *model_name;
    char *made_output;
    double start, duration; /* seconds; duration negative: to the end */
    uint32_t rate;          /* of the output, 0: the original's */
    uint32_t threads;
    int force;
    lac_pcm_format raw;

    lac_file_in file;
    lac_reader *reader;
    lac_model *model;
    uint32_t model_rate, original_rate, channels;
    uint64_t first, count; /* output frames to leave out, and wanted (UINT64_MAX: to the end) */
    uint64_t skip;         /* output frames that decoding begins before `first` */
    uint64_t position;     /* of the reader, at the model's rate */
    lac_resampler *resampler;
    lac_audio_out *out;
    float *block;
    int failed;            /* to write: reported already */
    lac_concealed concealed;
} job;

static int parse_option(void *user, int option, char **argv)
{
    job *j = user;

    switch (option) {
    case 'm': j->model_name = optarg; return 0;
    case 'r': return lac_option_rate("decode", optarg, &j->rate);
    case 't': return lac_option_threads("decode", optarg, &j->threads);
    case 'f': j->force = 1; return 0;
    case 'S': return lac_option_seconds("decode", "--start", optarg, &j->start);
    case 'D': return lac_option_seconds("decode", "--duration", optarg, &j->duration);
    case 'R': return lac_option_format("decode", optarg, &j->raw);
    default: return lac_report_option("decode", option, argv);
    }
}

static int parse_files(job *j, int argc, char **argv)
{
    if (optind == argc)
        return lac_report_usage("decode", "which file?");
    if (argc - optind > 2)
        return lac_report_usage("decode", "one input and one output, not also '%s'", argv[optind + 2]);
    j->input = argv[optind];
    j->output = argv[optind + 1];
    if (!j->output)
        j->output = j->made_output = lac_path_with_ending(j->input, j->raw ? "raw" : "wav");
    if (!j->output)
        return lac_report(j->input, "out of memory");
    if (!j->raw && strcmp(j->output, "-") != 0 && !lac_audio_out_knows(j->output))
        return lac_report_usage("decode", "%s: its ending names no format to write; there are wav, flac, ogg, opus, "
                                "aiff, au, caf, w64, rf64, and --raw", j->output);
    return 0;
}

static int parse(job *j, int argc, char **argv, int *done)
{
    static const struct option options[] = {
        {"model", required_argument, NULL, 'm'},  {"rate", required_argument, NULL, 'r'},
        {"threads", required_argument, NULL, 't'}, {"force", no_argument, NULL, 'f'},
        {"start", required_argument, NULL, 'S'},  {"duration", required_argument, NULL, 'D'},
        {"raw", required_argument, NULL, 'R'},    {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0},
    };
    int failed = lac_options_read(argc, argv, ":m:r:t:fh", options, usage, parse_option, j, done);

    if (failed || *done)
        return failed;
    return parse_files(j, argc, argv);
}

/* Sink of the resampler. */
static int deliver(void *user, const float *pcm, size_t frames)
{
    job *j = user;

    j->failed = lac_audio_out_write(j->out, pcm, frames);
    return j->failed;
}

/* Output frames of the whole file when its samples are `samples`. */
static uint64_t output_frames(const job *j, uint64_t samples)
{
    return lac_rescale_near(samples, j->rate, j->original_rate);
}

static uint32_t greatest_divisor(uint32_t a, uint32_t b)
{
    while (b) {
        uint32_t rest = a % b;

        a = b;
        b = rest;
    }
    return a;
}

/* Where decoding begins so that frame `first` comes out as in a full decode: with rate conversion that is earlier by
 * more than the filter's length, at a point where both rates have a sample. */
static void plan_start(job *j)
{
    uint32_t divisor = greatest_divisor(j->rate, j->model_rate);
    uint64_t step_out = j->rate / divisor;
    uint64_t step_in = j->model_rate / divisor;
    uint64_t margin = j->rate / 5 + 512;
    uint64_t steps;

    if (j->rate == j->model_rate)
        margin = 0;
    steps = j->first > margin ? (j->first - margin) / step_out : 0;
    j->position = steps * step_in;
    j->skip = j->first - steps * step_out;
}

/* What is wanted of the file, in output frames. */
static int plan(job *j)
{
    lac_stream_info info;
    uint64_t all;

    lac_reader_get_info(j->reader, &info);
    j->original_rate = info.original_rate;
    j->channels = info.channels;
    if (!j->rate)
        j->rate = info.original_rate;
    j->first = (uint64_t)llround(j->start * j->rate);
    j->count = j->duration < 0 ? UINT64_MAX : (uint64_t)llround(j->duration * j->rate);
    plan_start(j);
    if (info.samples == UINT64_MAX)
        return 0;
    all = output_frames(j, info.samples);
    if (j->first > all)
        return lac_report(j->file.name, "ends at %.3f s, before --start", (double)all / j->rate);
    if (j->count > all - j->first)
        j->count = all - j->first;
    return 0;
}

static int open_input(job *j)
{
    lac_model_info model;
    int failed = lac_file_in_open(&j->file, j->input);

    if (!failed)
        failed = lac_file_in_reader(&j->file, j->input, &j->reader);
    if (!failed)
        failed = lac_models_attach(&j->model, j->model_name, j->reader, j->threads, j->file.name);
    if (failed)
        return failed;
    lac_model_get_info(j->model, &model);
    j->model_rate = model.sample_rate;
    return plan(j);
}

static int open_output(job *j)
{
    lac_audio_out_settings settings = {.input = j->input, .rate = j->rate, .channels = j->channels,
                                       .frames = j->count, .raw = j->raw, .force = j->force, .reader = j->reader};
    const char *reason = NULL;
    int status;

    j->block = calloc((size_t)BLOCK * j->channels, sizeof *j->block);
    j->resampler = lac_resampler_open(j->model_rate, j->rate, j->channels, deliver, j, &reason);
    if (!j->block || !j->resampler)
        return lac_report(j->file.name, "%s", reason);
    lac_resampler_window(j->resampler, j->skip, j->count);
    if (j->position && (status = lac_reader_seek(j->reader, j->position)) != 0)
        return lac_report_status(j->file.name, status, j->file.error);
    return lac_audio_out_open(&j->out, j->output, &settings);
}

/* The input has ended: cut or pad to what it is said to hold, or, if that is lost, to what was there. */
static int finish(job *j)
{
    lac_stream_info info;
    uint64_t all;

    lac_reader_get_info(j->reader, &info);
    if (info.samples != UINT64_MAX)
        all = output_frames(j, info.samples);
    else
        all = lac_rescale_near(j->position, j->rate, j->model_rate);
    if (info.samples == UINT64_MAX && j->position == 0)
        return lac_report(j->file.name, "holds no complete page");
    if (j->first > all)
        return lac_report(j->file.name, "ends at %.3f s, before --start", (double)all / j->rate);
    if (lac_resampler_finish(j->resampler, all - j->first))
        return j->failed ? j->failed : lac_report(j->file.name, "rate conversion failed");
    return 0;
}

static int decode_all(job *j)
{
    uint64_t first = j->position;
    lac_progress progress;
    size_t frames = 0;
    int failed;

    lac_progress_start(&progress, j->count == UINT64_MAX ? -1 : (double)j->count / j->rate);
    while (!lac_resampler_is_full(j->resampler)) {
        int status = lac_reader_read(j->reader, j->block, BLOCK, &frames);

        if (status)
            return lac_models_report_read(j->file.name, status, j->file.error);
        if (!frames)
            break;
        lac_concealed_note(&j->concealed, j->reader, (double)j->position / j->model_rate);
        j->position += frames;
        if (lac_resampler_write(j->resampler, j->block, frames))
            return j->failed ? j->failed : lac_report(j->file.name, "rate conversion failed");
        lac_progress_update(&progress, (double)(j->position - first) / j->model_rate);
    }
    lac_progress_hide();
    failed = lac_resampler_is_full(j->resampler) ? 0 : finish(j);
    if (!failed)
        failed = lac_audio_out_close(&j->out, 1);
    return failed ? failed : lac_concealed_report(&j->concealed, j->reader, j->file.name);
}

static void close_all(job *j)
{
    lac_progress_hide();
    lac_audio_out_close(&j->out, 0);
    lac_resampler_close(&j->resampler);
    lac_reader_close(&j->reader);
    lac_model_close(&j->model);
    lac_file_in_close(&j->file);
    free(j->block);
    free(j->made_output);
}

int lac_cmd_decode(int argc, char **argv)
{
    job *j = calloc(1, sizeof *j);
    int done = 0;
    int failed;

    if (!j)
        return lac_report("decode", "out of memory");
    j->duration = -1;
    j->threads = 1;
    j->file.fd = -1;
    failed = parse(j, argc, argv, &done);
    if (!failed && !done)
        failed = open_input(j);
    if (!failed && !done)
        failed = open_output(j);
    if (!failed && !done)
        failed = decode_all(j);
    close_all(j);
    free(j);
    return failed;
}
