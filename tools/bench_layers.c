/* Where the time of a frame goes, layer by layer. */
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "lac/profile.h"
#include "progress.h"
#include "report.h"

#define PASSES 3        /* of which each layer's fastest counts; fewer where they take long */
#define ENOUGH 1.0      /* seconds */
#define MOST_FRAMES 640 /* latent frames a pass: enough, and a whole number of blocks */

typedef struct job {
    const lac_bench *b;
    lac_bench_layers *layers;
    enum lac_bench_block block;
    const char *side;
    double last;                           /* when the layer before was done */
    double seconds[LAC_BENCH_MOST_LAYERS]; /* this pass */
    size_t frames;                         /* this pass */
    uint16_t *tokens;
    uint8_t *counts;
    float *pcm;
} job;

double lac_bench_block_frames(enum lac_bench_block block)
{
    return block == LAC_BENCH_STREAM ? 1 : LAC_BENCH_FILE_BLOCK;
}

/* Layers arrive in the same order every time; the first block enters them in the table. */
static size_t layer_index(job *j, const char *name)
{
    lac_bench_layers *t = j->layers;
    size_t i = 0;

    while (i < t->count && (t->layers[i].side != j->side || strcmp(t->layers[i].name, name) != 0))
        i++;
    if (i == LAC_BENCH_MOST_LAYERS)
        return i - 1;
    if (i == t->count) {
        t->layers[i] = (lac_bench_layer){j->side, name, 0, 0, {1e9, 1e9}};
        t->count++;
    }
    return i;
}

static void layer_done(void *user, const char *name, uint64_t macs, uint64_t weight_bytes)
{
    job *j = user;
    size_t i = layer_index(j, name);
    double now = lac_clock();

    j->seconds[i] += now - j->last;
    j->last = now;
    j->layers->layers[i].bytes = (double)weight_bytes;
    if (j->block == LAC_BENCH_STREAM)
        j->layers->layers[i].macs = (double)macs;
}

static int encode(job *j, lac_encoder *encoder)
{
    size_t step = (size_t)lac_bench_block_frames(j->block), q = j->b->info.codebooks;
    size_t frame = j->b->info.frame_samples, frames;

    j->side = "encoder";
    for (size_t t = 0; t + step <= j->frames; t += step) {
        int status;

        j->last = lac_clock();
        status = lac_encoder_write(encoder, j->b->mono + t * frame, step * frame, j->tokens + t * q, step, &frames);
        if (status)
            return status;
    }
    return 0;
}

static int decode(job *j, lac_decoder *decoder)
{
    size_t step = (size_t)lac_bench_block_frames(j->block), q = j->b->info.codebooks;

    j->side = "decoder";
    for (size_t t = 0; t + step <= j->frames; t += step) {
        int status;

        j->last = lac_clock();
        status = lac_decoder_read(decoder, j->tokens + t * q, j->counts, step, j->pcm);
        if (status)
            return status;
    }
    return 0;
}

static void keep_fastest(job *j)
{
    for (size_t i = 0; i < j->layers->count; i++) {
        double seconds = j->seconds[i] / (double)j->frames;
        double *best = &j->layers->layers[i].time[j->block];

        *best = seconds < *best ? seconds : *best;
    }
}

static int measure_block(job *j)
{
    lac_encoder_settings encoder_settings = {j->b->codebooks, (uint32_t)lac_bench_block_frames(j->block), 1, 0,
                                             j->b->beam};
    lac_decoder_settings decoder_settings = {encoder_settings.block_frames, 1, 0};
    lac_profile profile = {layer_done, j};
    lac_encoder *encoder = NULL;
    lac_decoder *decoder = NULL;
    double started = lac_clock();
    int status = lac_encoder_open(&encoder, j->b->model, &encoder_settings);

    if (!status)
        status = lac_decoder_open(&decoder, j->b->model, &decoder_settings);
    if (!status) {
        lac_encoder_set_profile(encoder, &profile);
        lac_decoder_set_profile(decoder, &profile);
    }
    for (int pass = 0; !status && pass < PASSES && (!pass || lac_clock() - started < ENOUGH); pass++) {
        memset(j->seconds, 0, sizeof j->seconds);
        status = encode(j, encoder);
        if (!status)
            status = decode(j, decoder);
        keep_fastest(j);
    }
    lac_encoder_close(&encoder);
    lac_decoder_close(&decoder);
    return status;
}

int lac_bench_measure_layers(const lac_bench *b, lac_bench_layers *layers)
{
    job j;
    size_t whole = b->frames / b->info.frame_samples / LAC_BENCH_FILE_BLOCK * LAC_BENCH_FILE_BLOCK;
    int status = LAC_ERROR_MEMORY;

    memset(&j, 0, sizeof j);
    memset(layers, 0, sizeof *layers);
    j.b = b;
    j.layers = layers;
    j.frames = whole < 1 ? LAC_BENCH_FILE_BLOCK : whole < MOST_FRAMES ? whole : MOST_FRAMES;
    j.tokens = calloc(j.frames * b->info.codebooks, sizeof *j.tokens);
    j.counts = malloc(LAC_BENCH_FILE_BLOCK);
    j.pcm = calloc((size_t)LAC_BENCH_FILE_BLOCK * b->info.frame_samples, sizeof *j.pcm);
    if (j.tokens && j.counts && j.pcm) {
        memset(j.counts, (int)b->codebooks, LAC_BENCH_FILE_BLOCK);
        status = 0;
    }
    for (int block = 0; !status && block < LAC_BENCH_BLOCKS; block++) {
        j.block = (enum lac_bench_block)block;
        status = measure_block(&j);
    }
    free(j.tokens);
    free(j.counts);
    free(j.pcm);
    return status ? lac_report_status("bench", status, 0) : 0;
}
