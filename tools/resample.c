#include "resample.h"

#include <soxr.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK 4096 /* output frames a call of the sink */

struct lac_resampler {
    soxr_t soxr; /* NULL: equal rates */
    lac_pcm_sink sink;
    void *user;
    uint32_t channels;
    uint64_t skip;  /* output frames still to leave out */
    uint64_t limit; /* output frames wanted */
    uint64_t given; /* output frames given to the sink */
    float *block;   /* [BLOCK][channels] */
};

lac_resampler *lac_resampler_open(uint32_t rate_in, uint32_t rate_out, uint32_t channels, lac_pcm_sink sink,
                                  void *user, const char **reason)
{
    lac_resampler *r = calloc(1, sizeof *r);
    soxr_error_t error = NULL;

    *reason = "out of memory";
    if (!r)
        return NULL;
    r->sink = sink;
    r->user = user;
    r->channels = channels;
    r->limit = UINT64_MAX;
    r->block = calloc(BLOCK * (size_t)channels, sizeof *r->block);
    if (r->block && rate_in != rate_out) {
        soxr_io_spec_t io = soxr_io_spec(SOXR_FLOAT32_I, SOXR_FLOAT32_I);
        soxr_quality_spec_t quality = soxr_quality_spec(SOXR_HQ, 0);
        soxr_runtime_spec_t runtime = soxr_runtime_spec(1);

        r->soxr = soxr_create(rate_in, rate_out, channels, &error, &io, &quality, &runtime);
    }
    if (!r->block || (rate_in != rate_out && !r->soxr)) {
        if (error)
            *reason = error;
        lac_resampler_close(&r);
    }
    return r;
}

void lac_resampler_window(lac_resampler *r, uint64_t skip, uint64_t limit)
{
    r->skip = skip;
    r->limit = limit;
}

int lac_resampler_is_full(const lac_resampler *r)
{
    return r->given >= r->limit;
}

static int give(lac_resampler *r, const float *pcm, size_t frames)
{
    size_t dropped = r->skip < frames ? (size_t)r->skip : frames;
    uint64_t room = r->limit - r->given;

    r->skip -= dropped;
    pcm += dropped * r->channels;
    frames -= dropped;
    if (frames > room)
        frames = (size_t)room;
    r->given += frames;
    return frames ? r->sink(r->user, pcm, frames) : 0;
}

/* pcm NULL drains. */
static int convert(lac_resampler *r, const float *pcm, size_t frames)
{
    for (;;) {
        size_t used = 0;
        size_t made = 0;
        int status;

        if (soxr_process(r->soxr, pcm, frames, pcm ? &used : NULL, r->block, BLOCK, &made))
            return -1;
        status = give(r, r->block, made);
        if (status)
            return status;
        if (pcm) {
            pcm += used * r->channels;
            frames -= used;
        }
        if (made < BLOCK && frames == 0)
            return 0;
        if (pcm && !used && !made)
            return -1;
        if (!pcm && lac_resampler_is_full(r))
            return 0;
    }
}

int lac_resampler_write(lac_resampler *r, const float *pcm, size_t frames)
{
    if (!frames)
        return 0;
    return r->soxr ? convert(r, pcm, frames) : give(r, pcm, frames);
}

int lac_resampler_finish(lac_resampler *r, uint64_t total)
{
    int status = 0;

    if (total < r->limit)
        r->limit = total;
    if (r->soxr)
        status = convert(r, NULL, 0);
    memset(r->block, 0, sizeof *r->block * BLOCK * r->channels);
    r->skip = 0;
    while (!status && !lac_resampler_is_full(r))
        status = give(r, r->block, BLOCK);
    return status;
}

void lac_resampler_close(lac_resampler **resampler)
{
    lac_resampler *r = *resampler;

    if (!r)
        return;
    if (r->soxr)
        soxr_delete(r->soxr);
    free(r->block);
    free(r);
    *resampler = NULL;
}

static uint64_t rescale(uint64_t n, uint32_t to, uint32_t from, uint32_t add)
{
    uint64_t whole = n / from;

    if (whole > (UINT64_MAX - to - 1) / to)
        return UINT64_MAX;
    return whole * to + (n % from * to + add) / from;
}

uint64_t lac_rescale_up(uint64_t n, uint32_t to, uint32_t from)
{
    return rescale(n, to, from, from - 1);
}

uint64_t lac_rescale_near(uint64_t n, uint32_t to, uint32_t from)
{
    return rescale(n, to, from, from / 2);
}
