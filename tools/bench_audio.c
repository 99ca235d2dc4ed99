/* What lac bench codes. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "audioin.h"
#include "bench.h"
#include "report.h"
#include "resample.h"

#define MADE_SECONDS 12
#define MOST_SECONDS 60
#define BLOCK 16384

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

/* Something like speech: a gliding harmonic tone in syllables, with noise between. */
static void make_audio(lac_bench *b)
{
    double rate = b->info.sample_rate;
    double phase = 0;
    uint32_t random = 1;

    for (size_t i = 0; i < b->frames; i++) {
        double t = (double)i / rate;
        double loud = 0.5 - 0.5 * cos(6.2831853 * 3.1 * t);
        double noise = (double)next_random(&random) / 8388608.0 - 1.0;
        double sum = 0;

        phase += 6.2831853 * (140.0 + 40.0 * sin(1.7 * t)) / rate;
        for (int k = 1; k <= 20; k++)
            sum += sin(k * phase) / k;
        b->pcm[i] = (float)(0.2 * loud * sum + 0.02 * (1.1 - loud) * noise);
    }
}

static int keep(void *user, const float *pcm, size_t frames)
{
    lac_bench *b = user;

    memcpy(b->pcm + b->frames * b->channels, pcm, frames * b->channels * sizeof *pcm);
    b->frames += frames;
    return 0;
}

static int load_blocks(lac_bench *b, lac_audio_in *in, lac_resampler *resampler, float *block)
{
    uint64_t total = 0;
    size_t frames;
    int failed;

    while ((failed = lac_audio_in_read(in, block, BLOCK, &frames)) == 0 && frames > 0) {
        if (lac_resampler_write(resampler, block, frames))
            return lac_report(b->path, "rate conversion failed");
        total += frames;
        if (lac_resampler_is_full(resampler))
            return 0;
    }
    if (failed)
        return failed;
    if (lac_resampler_finish(resampler, lac_rescale_up(total, b->info.sample_rate, lac_audio_in_get_info(in)->rate)))
        return lac_report(b->path, "rate conversion failed");
    return b->frames ? 0 : lac_report(b->path, "holds no samples");
}

static int allocate_audio(lac_bench *b, size_t room)
{
    b->room = room;
    b->pcm = calloc(room * b->channels, sizeof *b->pcm);
    b->mono = calloc(room, sizeof *b->mono);
    return b->pcm && b->mono ? 0 : lac_report("bench", "out of memory");
}

static int load_file(lac_bench *b)
{
    lac_audio_in *in = NULL;
    lac_resampler *resampler = NULL;
    const char *reason = NULL;
    float *block = NULL;
    int failed = lac_audio_in_open(&in, b->path, NULL);

    if (failed)
        return failed;
    b->channels = lac_audio_in_get_info(in)->channels;
    failed = allocate_audio(b, (size_t)b->info.sample_rate * MOST_SECONDS);
    if (!failed) {
        block = calloc((size_t)BLOCK * b->channels, sizeof *block);
        resampler = lac_resampler_open(lac_audio_in_get_info(in)->rate, b->info.sample_rate, b->channels, keep, b,
                                       &reason);
        if (!block || !resampler) {
            failed = lac_report(b->path, "%s", reason);
        } else {
            lac_resampler_window(resampler, 0, b->room);
            failed = load_blocks(b, in, resampler, block);
        }
    }
    free(block);
    lac_resampler_close(&resampler);
    lac_audio_in_close(&in);
    return failed;
}

int lac_bench_load(lac_bench *b)
{
    int failed;

    b->channels = 1;
    if (b->path) {
        failed = load_file(b);
    } else {
        failed = allocate_audio(b, (size_t)b->info.sample_rate * MADE_SECONDS);
        b->frames = failed ? 0 : b->room;
        make_audio(b);
    }
    for (size_t i = 0; !failed && i < b->frames; i++)
        b->mono[i] = b->pcm[i * b->channels];
    return failed;
}
