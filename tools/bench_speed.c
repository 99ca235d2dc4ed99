/* How fast files and one stream are. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "lac/stream.h"
#include "progress.h"
#include "report.h"

#define BLOCK 16384
#define RUNS 3        /* of which the fastest counts; fewer where they take long */
#define ENOUGH 1.0    /* seconds */

typedef struct job {
    const lac_bench *b;
    uint8_t *bytes;        /* the coded file */
    size_t size, capacity, position;
    uint16_t *tokens;      /* [room][Q] */
    uint8_t *counts;       /* [room], codebooks of each */
    size_t latent, room;   /* latent frames coded, and that fit */
    float *pcm;            /* decoded */
    double *frame;         /* [count] seconds of each single frame */
    size_t count;
} job;

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

static int encode_file(job *j)
{
    const lac_bench *b = j->b;
    lac_io io = {j, NULL, memory_write, NULL, NULL};
    lac_writer_settings settings;
    lac_writer *writer = NULL;
    int status;

    lac_writer_default_settings(&settings);
    settings.original_rate = b->info.sample_rate;
    settings.channels = b->channels;
    settings.codebooks = b->codebooks;
    settings.beam = b->beam;
    settings.threads = lac_bench_threads(b);
    j->size = 0;
    status = lac_writer_open(&writer, b->model, &io, &settings);
    for (size_t done = 0; !status && done < b->frames; done += BLOCK) {
        size_t frames = b->frames - done < BLOCK ? b->frames - done : BLOCK;

        status = lac_writer_write(writer, b->pcm + done * b->channels, frames);
    }
    if (!status)
        status = lac_writer_finish(writer, b->frames);
    lac_writer_close(&writer);
    return status;
}

static int decode_file(job *j)
{
    lac_io io = {j, memory_read, NULL, NULL, NULL};
    lac_reader *reader = NULL;
    size_t frames = 1;
    int status;

    j->position = 0;
    status = lac_reader_open(&reader, &io);
    if (!status)
        status = lac_reader_start(reader, j->b->model, lac_bench_threads(j->b));
    while (!status && frames)
        status = lac_reader_read(reader, j->pcm, BLOCK, &frames);
    lac_reader_close(&reader);
    return status;
}

/* ---- one mono stream ---- */

static int run_encoder(job *j)
{
    const lac_bench *b = j->b;
    lac_encoder_settings settings = {b->codebooks, LAC_BENCH_FILE_BLOCK, lac_bench_threads(b), 0, b->beam};
    lac_encoder *encoder = NULL;
    size_t frames = 0;
    int status = lac_encoder_open(&encoder, b->model, &settings);

    if (!status)
        status = lac_encoder_write(encoder, b->mono, b->frames, j->tokens, j->room, &frames);
    j->latent = frames;
    if (!status)
        status = lac_encoder_flush(encoder, j->tokens + frames * b->info.codebooks, j->room - frames, &frames);
    j->latent += frames;
    lac_encoder_close(&encoder);
    return status;
}

static int run_decoder(job *j)
{
    const lac_bench *b = j->b;
    lac_decoder_settings settings = {LAC_BENCH_FILE_BLOCK, lac_bench_threads(b), 0};
    lac_decoder *decoder = NULL;
    int status = lac_decoder_open(&decoder, b->model, &settings);

    for (size_t i = 0; !status && i < j->latent; i += LAC_BENCH_FILE_BLOCK) {
        size_t frames = j->latent - i < LAC_BENCH_FILE_BLOCK ? j->latent - i : LAC_BENCH_FILE_BLOCK;

        status = lac_decoder_read(decoder, j->tokens + i * b->info.codebooks, j->counts + i, frames, j->pcm);
    }
    lac_decoder_close(&decoder);
    return status;
}

/* ---- single frames ---- */

/* As a call would: samples in, samples out. */
static int run_frames(job *j, lac_encoder *encoder, lac_decoder *decoder)
{
    const lac_bench *b = j->b;
    size_t step = b->info.frame_samples;

    for (size_t i = 0; i + step <= b->frames; i += step) {
        double started = lac_clock();
        size_t frames;
        int status = lac_encoder_write(encoder, b->mono + i, step, j->tokens, j->room, &frames);

        if (!status)
            status = lac_decoder_read(decoder, j->tokens, j->counts, frames, j->pcm);
        if (status)
            return status;
        j->frame[j->count++] = lac_clock() - started;
    }
    return 0;
}

static int measure_frames(job *j, lac_bench_speed *speed)
{
    const lac_bench *b = j->b;
    lac_encoder_settings settings = {b->codebooks, 1, lac_bench_threads(b), 0, b->beam};
    lac_decoder_settings decoder_settings = {1, lac_bench_threads(b), 0};
    lac_encoder *encoder = NULL;
    lac_decoder *decoder = NULL;
    int status = lac_encoder_open(&encoder, b->model, &settings);

    if (!status)
        status = lac_decoder_open(&decoder, b->model, &decoder_settings);
    if (!status) {
        speed->stream_bytes = lac_encoder_bytes(encoder) + lac_decoder_bytes(decoder);
        status = run_frames(j, encoder, decoder);
    }
    lac_encoder_close(&encoder);
    lac_decoder_close(&decoder);
    lac_bench_sort(j->frame, j->count);
    speed->frame_ms[0] = 1000 * lac_bench_percentile(j->frame, j->count, 0.50);
    speed->frame_ms[1] = 1000 * lac_bench_percentile(j->frame, j->count, 0.95);
    speed->frame_ms[2] = 1000 * lac_bench_percentile(j->frame, j->count, 0.99);
    return status;
}

/* ---- */

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;

    return (x > y) - (x < y);
}

void lac_bench_sort(double *values, size_t count)
{
    if (count)
        qsort(values, count, sizeof *values, by_size);
}

double lac_bench_percentile(const double *sorted, size_t count, double part)
{
    size_t index = (size_t)ceil(part * (double)count);

    return count ? sorted[index ? index - 1 : 0] : 0.0;
}

static int fastest(job *j, int (*run)(job *), double *seconds)
{
    double spent = 0;

    *seconds = INFINITY;
    for (int i = 0; i < RUNS && spent < ENOUGH; i++) {
        double started = lac_clock();
        double elapsed;
        int status = run(j);

        if (status)
            return status;
        elapsed = lac_clock() - started;
        spent += elapsed;
        *seconds = elapsed < *seconds ? elapsed : *seconds;
    }
    return 0;
}

static int allocate(job *j)
{
    const lac_bench *b = j->b;
    size_t samples = (size_t)LAC_BENCH_FILE_BLOCK * b->info.frame_samples;

    if (samples < (size_t)BLOCK * b->channels)
        samples = (size_t)BLOCK * b->channels;
    j->room = b->frames / b->info.frame_samples + 2 * LAC_BENCH_FILE_BLOCK + 8;
    j->tokens = calloc(j->room * b->info.codebooks, sizeof *j->tokens);
    j->counts = malloc(j->room);
    j->frame = calloc(j->room, sizeof *j->frame);
    j->pcm = calloc(samples, sizeof *j->pcm);
    if (!j->tokens || !j->counts || !j->frame || !j->pcm)
        return LAC_ERROR_MEMORY;
    memset(j->counts, (int)b->codebooks, j->room);
    return 0;
}

int lac_bench_run(const lac_bench *b, lac_bench_speed *speed)
{
    job j;
    int status;

    memset(&j, 0, sizeof j);
    j.b = b;
    status = allocate(&j);
    if (!status)
        status = fastest(&j, encode_file, &speed->encode);
    if (!status)
        status = fastest(&j, decode_file, &speed->decode);
    if (!status)
        status = fastest(&j, run_encoder, &speed->encoder);
    if (!status)
        status = fastest(&j, run_decoder, &speed->decoder);
    if (!status)
        status = measure_frames(&j, speed);
    free(j.bytes);
    free(j.tokens);
    free(j.counts);
    free(j.frame);
    free(j.pcm);
    return status ? lac_report_status("bench", status, 0) : 0;
}
