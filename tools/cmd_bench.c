/* lac bench: speed, latency and memory on this machine. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audioin.h"
#include "command.h"
#include "facts.h"
#include "lac/decoder.h"
#include "lac/encoder.h"
#include "models.h"
#include "options.h"
#include "progress.h"
#include "report.h"
#include "resample.h"

#define MADE_SECONDS 12
#define MOST_SECONDS 60
#define BLOCK 16384
#define FILE_BLOCK_FRAMES 64 /* latent frames worked on together where latency doesn't matter */

static const char usage[] =
    "usage: lac bench [--json] [-b KBPS] [-m MODEL] [-t THREADS] [FILE]\n"
    "\n"
    "Measures on this machine, with FILE's first minute or with 12 s of made-up audio: times real time of coding and\n"
    "decoding a .lac file (encode_xrt, decode_xrt, all channels) and of one mono stream (encoder_xrt, decoder_xrt),\n"
    "milliseconds of encoder and decoder together for a single frame (frame_ms), memory of one stream both ways, and\n"
    "millions of multiply-accumulates a second of audio.\n"
    "\n"
    "      --json            as one JSON object\n"
    "  -b, --bitrate KBPS    kbit/s a channel; default 3\n"
    "  -m, --model MODEL     a model file or a name; default: the built-in one\n"
    "  -t, --threads N       threads; default 1\n"
    "  -h, --help            this text\n";

typedef struct job {
    const char *path, *model_name;
    double kbps;
    uint32_t threads;
    int json;

    lac_model *model;
    lac_model_info info;
    uint32_t codebooks;
    uint32_t channels;
    float *pcm;            /* [frames][channels] at the model's rate */
    size_t frames, room;   /* sample frames there are, and that fit */
    float *mono;           /* [frames], the first channel */
    uint8_t *bytes;        /* the coded file */
    size_t size, capacity, position;
    uint16_t *tokens;      /* [latent frames][Q] */
    uint8_t *counts;       /* [latent frames], codebooks of each */
    size_t latent;         /* latent frames coded */
} job;

typedef struct results {
    double encode, decode, encoder, decoder; /* seconds */
    double *frame;                           /* [count] seconds of each single frame */
    size_t count;
    size_t stream_bytes;
} results;

/* ---- what is coded ---- */

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

/* Something like speech: a gliding harmonic tone in syllables, with noise between. */
static void make_audio(job *j)
{
    double rate = j->info.sample_rate;
    double phase = 0;
    uint32_t random = 1;

    for (size_t i = 0; i < j->frames; i++) {
        double t = (double)i / rate;
        double loud = 0.5 - 0.5 * cos(6.2831853 * 3.1 * t);
        double noise = (double)next_random(&random) / 8388608.0 - 1.0;
        double sum = 0;

        phase += 6.2831853 * (140.0 + 40.0 * sin(1.7 * t)) / rate;
        for (int k = 1; k <= 20; k++)
            sum += sin(k * phase) / k;
        j->pcm[i] = (float)(0.2 * loud * sum + 0.02 * (1.1 - loud) * noise);
    }
}

static int keep(void *user, const float *pcm, size_t frames)
{
    job *j = user;

    memcpy(j->pcm + j->frames * j->channels, pcm, frames * j->channels * sizeof *pcm);
    j->frames += frames;
    return 0;
}

static int load_blocks(job *j, lac_audio_in *in, lac_resampler *resampler, float *block)
{
    uint64_t total = 0;
    size_t frames;
    int failed;

    while ((failed = lac_audio_in_read(in, block, BLOCK, &frames)) == 0 && frames > 0) {
        if (lac_resampler_write(resampler, block, frames))
            return lac_report(j->path, "rate conversion failed");
        total += frames;
        if (lac_resampler_is_full(resampler))
            return 0;
    }
    if (failed)
        return failed;
    if (lac_resampler_finish(resampler, lac_rescale_up(total, j->info.sample_rate, lac_audio_in_get_info(in)->rate)))
        return lac_report(j->path, "rate conversion failed");
    return j->frames ? 0 : lac_report(j->path, "holds no samples");
}

static int allocate_audio(job *j, size_t room)
{
    j->room = room;
    j->pcm = calloc(room * j->channels, sizeof *j->pcm);
    j->mono = calloc(room, sizeof *j->mono);
    return j->pcm && j->mono ? 0 : lac_report("bench", "out of memory");
}

static int load_file(job *j)
{
    lac_audio_in *in = NULL;
    lac_resampler *resampler = NULL;
    const char *reason = NULL;
    float *block = NULL;
    int failed = lac_audio_in_open(&in, j->path, NULL);

    if (failed)
        return failed;
    j->channels = lac_audio_in_get_info(in)->channels;
    failed = allocate_audio(j, (size_t)j->info.sample_rate * MOST_SECONDS);
    if (!failed) {
        block = calloc((size_t)BLOCK * j->channels, sizeof *block);
        resampler = lac_resampler_open(lac_audio_in_get_info(in)->rate, j->info.sample_rate, j->channels, keep, j,
                                       &reason);
        if (!block || !resampler) {
            failed = lac_report(j->path, "%s", reason);
        } else {
            lac_resampler_window(resampler, 0, j->room);
            failed = load_blocks(j, in, resampler, block);
        }
    }
    free(block);
    lac_resampler_close(&resampler);
    lac_audio_in_close(&in);
    return failed;
}

static int load(job *j)
{
    int failed;

    j->channels = 1;
    if (j->path) {
        failed = load_file(j);
    } else {
        failed = allocate_audio(j, (size_t)j->info.sample_rate * MADE_SECONDS);
        j->frames = failed ? 0 : j->room;
        make_audio(j);
    }
    for (size_t i = 0; !failed && i < j->frames; i++)
        j->mono[i] = j->pcm[i * j->channels];
    return failed;
}

/* ---- files in memory ---- */

static int memory_write(void *user, const void *data, size_t size)
{
    job *j = user;

    if (size > j->capacity - j->size) {
        size_t capacity = 2 * j->capacity + size;
        uint8_t *bytes = realloc(j->bytes, capacity);

        if (!bytes)
            return -1;
        j->bytes = bytes;
        j->capacity = capacity;
    }
    memcpy(j->bytes + j->size, data, size);
    j->size += size;
    return 0;
}

static int64_t memory_read(void *user, void *data, size_t size)
{
    job *j = user;
    size_t count = j->size - j->position < size ? j->size - j->position : size;

    memcpy(data, j->bytes + j->position, count);
    j->position += count;
    return (int64_t)count;
}

static int encode_file(job *j, double *seconds)
{
    lac_io io = {j, NULL, memory_write, NULL, NULL};
    lac_writer_settings settings;
    lac_writer *writer = NULL;
    double started = lac_clock();
    int status;

    lac_writer_default_settings(&settings);
    settings.original_rate = j->info.sample_rate;
    settings.channels = j->channels;
    settings.codebooks = j->codebooks;
    settings.threads = j->threads;
    status = lac_writer_open(&writer, j->model, &io, &settings);
    for (size_t done = 0; !status && done < j->frames; done += BLOCK) {
        size_t frames = j->frames - done < BLOCK ? j->frames - done : BLOCK;

        status = lac_writer_write(writer, j->pcm + done * j->channels, frames);
    }
    if (!status)
        status = lac_writer_finish(writer, j->frames);
    lac_writer_close(&writer);
    *seconds = lac_clock() - started;
    return status;
}

static int decode_file(job *j, double *seconds)
{
    lac_io io = {j, memory_read, NULL, NULL, NULL};
    lac_reader *reader = NULL;
    float *block = calloc((size_t)BLOCK * j->channels, sizeof *block);
    double started = lac_clock();
    size_t frames = 1;
    int status = block ? lac_reader_open(&reader, &io) : LAC_ERROR_MEMORY;

    if (!status)
        status = lac_reader_start(reader, j->model, j->threads);
    while (!status && frames)
        status = lac_reader_read(reader, block, BLOCK, &frames);
    lac_reader_close(&reader);
    *seconds = lac_clock() - started;
    free(block);
    return status;
}

/* ---- one mono stream ---- */

static int allocate_tokens(job *j)
{
    size_t most = j->frames / j->info.frame_samples + 2 * FILE_BLOCK_FRAMES + 8;

    j->tokens = calloc(most * j->info.codebooks, sizeof *j->tokens);
    j->counts = calloc(most, 1);
    return j->tokens && j->counts ? 0 : lac_report("bench", "out of memory");
}

static int run_encoder(job *j, double *seconds)
{
    lac_encoder_settings settings = {j->codebooks, FILE_BLOCK_FRAMES, j->threads};
    lac_encoder *encoder = NULL;
    double started;
    size_t frames = 0;
    size_t room = j->frames / j->info.frame_samples + 2 * FILE_BLOCK_FRAMES + 8;
    int status = lac_encoder_open(&encoder, j->model, &settings);

    started = lac_clock();
    if (!status)
        status = lac_encoder_write(encoder, j->mono, j->frames, j->tokens, room, &frames);
    j->latent = frames;
    if (!status)
        status = lac_encoder_flush(encoder, j->tokens + frames * j->info.codebooks, room - frames, &frames);
    *seconds = lac_clock() - started;
    j->latent += frames;
    lac_encoder_close(&encoder);
    memset(j->counts, (int)j->codebooks, j->latent);
    return status;
}

static int run_decoder(job *j, double *seconds)
{
    lac_decoder_settings settings = {FILE_BLOCK_FRAMES, j->threads};
    lac_decoder *decoder = NULL;
    float *pcm = calloc((size_t)FILE_BLOCK_FRAMES * j->info.frame_samples, sizeof *pcm);
    double started;
    int status = pcm ? lac_decoder_open(&decoder, j->model, &settings) : LAC_ERROR_MEMORY;

    started = lac_clock();
    for (size_t i = 0; !status && i < j->latent; i += FILE_BLOCK_FRAMES) {
        size_t frames = j->latent - i < FILE_BLOCK_FRAMES ? j->latent - i : FILE_BLOCK_FRAMES;

        status = lac_decoder_read(decoder, j->tokens + i * j->info.codebooks, j->counts + i, frames, pcm);
    }
    *seconds = lac_clock() - started;
    lac_decoder_close(&decoder);
    free(pcm);
    return status;
}

/* Frame by frame, as a call would: samples in, samples out. */
static int run_frames(job *j, results *r, lac_encoder *encoder, lac_decoder *decoder, float *pcm)
{
    size_t step = j->info.frame_samples;
    uint16_t tokens[4 * LAC_MAX_CODEBOOKS];
    uint8_t counts[4];

    memset(counts, (int)j->codebooks, sizeof counts);
    for (size_t i = 0; i + step <= j->frames; i += step) {
        double started = lac_clock();
        size_t frames;
        int status = lac_encoder_write(encoder, j->mono + i, step, tokens, 4, &frames);

        if (!status && frames)
            status = lac_decoder_read(decoder, tokens, counts, frames, pcm);
        if (status)
            return status;
        if (frames)
            r->frame[r->count++] = lac_clock() - started;
    }
    return 0;
}

static int measure_frames(job *j, results *r)
{
    lac_encoder_settings settings = {j->codebooks, 1, j->threads};
    lac_decoder_settings decoder_settings = {1, j->threads};
    lac_encoder *encoder = NULL;
    lac_decoder *decoder = NULL;
    float *pcm = calloc((size_t)4 * j->info.frame_samples, sizeof *pcm);
    int status;

    r->frame = calloc(j->frames / j->info.frame_samples + 1, sizeof *r->frame);
    status = pcm && r->frame ? lac_encoder_open(&encoder, j->model, &settings) : LAC_ERROR_MEMORY;
    if (!status)
        status = lac_decoder_open(&decoder, j->model, &decoder_settings);
    if (!status) {
        r->stream_bytes = lac_encoder_bytes(encoder) + lac_decoder_bytes(decoder);
        status = run_frames(j, r, encoder, decoder, pcm);
    }
    lac_encoder_close(&encoder);
    lac_decoder_close(&decoder);
    free(pcm);
    return status;
}

/* ---- */

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;

    return (x > y) - (x < y);
}

static double percentile_ms(const results *r, double part)
{
    size_t index = (size_t)ceil(part * (double)r->count);

    return r->count ? 1000.0 * r->frame[index ? index - 1 : 0] : 0.0;
}

static void add_xrt(cJSON *facts, const char *name, double audio, double elapsed)
{
    lac_facts_real(facts, name, audio / (elapsed > 1e-9 ? elapsed : 1e-9), 4);
}

static int print(const job *j, const results *r)
{
    cJSON *facts = cJSON_CreateObject();
    double audio = (double)j->frames / j->info.sample_rate;

    cJSON_AddStringToObject(facts, "model", j->info.name);
    lac_facts_real(facts, "audio_s", audio, 6);
    lac_facts_count(facts, "channels", j->channels);
    lac_facts_count(facts, "codebooks", j->codebooks);
    lac_facts_count(facts, "threads", j->threads);
    add_xrt(facts, "encode_xrt", audio, r->encode);
    add_xrt(facts, "decode_xrt", audio, r->decode);
    add_xrt(facts, "encoder_xrt", audio, r->encoder);
    add_xrt(facts, "decoder_xrt", audio, r->decoder);
    lac_facts_real(facts, "frame_ms_p50", percentile_ms(r, 0.50), 4);
    lac_facts_real(facts, "frame_ms_p95", percentile_ms(r, 0.95), 4);
    lac_facts_real(facts, "frame_ms_p99", percentile_ms(r, 0.99), 4);
    lac_facts_count(facts, "stream_bytes", r->stream_bytes);
    lac_facts_count(facts, "model_bytes", j->info.file_bytes);
    lac_facts_real(facts, "mmacs_encoder", (double)j->info.encoder_macs / 1e6, 6);
    lac_facts_real(facts, "mmacs_decoder", (double)j->info.decoder_macs / 1e6, 6);
    lac_facts_real(facts, "mmacs_search", (double)j->info.search_macs / 1e6, 6);
    return lac_facts_print(facts, j->json);
}

static int measure(job *j, results *r)
{
    int status;
    int failed = load(j);

    if (!failed)
        failed = allocate_tokens(j);
    if (failed)
        return failed;
    status = encode_file(j, &r->encode);
    if (!status)
        status = decode_file(j, &r->decode);
    if (!status)
        status = run_encoder(j, &r->encoder);
    if (!status)
        status = run_decoder(j, &r->decoder);
    if (!status)
        status = measure_frames(j, r);
    if (status)
        return lac_report_status("bench", status, 0);
    qsort(r->frame, r->count, sizeof *r->frame, by_size);
    return print(j, r);
}

static int parse_option(void *user, int option, char **argv)
{
    job *j = user;

    switch (option) {
    case 'j': j->json = 1; return 0;
    case 'b': return lac_option_kbps("bench", optarg, &j->kbps);
    case 'm': j->model_name = optarg; return 0;
    case 't': return lac_option_threads("bench", optarg, &j->threads);
    default: return lac_report_option("bench", option, argv);
    }
}

static int parse(job *j, int argc, char **argv, int *done)
{
    static const struct option options[] = {
        {"json", no_argument, NULL, 'j'},          {"bitrate", required_argument, NULL, 'b'},
        {"model", required_argument, NULL, 'm'},   {"threads", required_argument, NULL, 't'},
        {"help", no_argument, NULL, 'h'},          {NULL, 0, NULL, 0},
    };
    int failed = lac_options_read(argc, argv, ":b:m:t:h", options, usage, parse_option, j, done);

    if (failed || *done)
        return failed;
    if (argc - optind > 1)
        return lac_report_usage("bench", "one file, not also '%s'", argv[optind + 1]);
    j->path = argv[optind];
    return 0;
}

int lac_cmd_bench(int argc, char **argv)
{
    job j;
    results r;
    int done = 0;
    int failed;

    memset(&j, 0, sizeof j);
    memset(&r, 0, sizeof r);
    j.kbps = -1;
    j.threads = 1;
    failed = parse(&j, argc, argv, &done);
    if (!failed && !done) {
        failed = lac_models_open(&j.model, j.model_name);
        if (!failed) {
            lac_model_get_info(j.model, &j.info);
            failed = lac_option_codebooks("bench", j.kbps, &j.info, &j.codebooks);
        }
        if (!failed)
            failed = measure(&j, &r);
    }
    lac_model_close(&j.model);
    free(j.pcm);
    free(j.mono);
    free(j.bytes);
    free(j.tokens);
    free(j.counts);
    free(r.frame);
    return failed;
}
