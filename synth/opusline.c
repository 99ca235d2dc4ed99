#include <math.h>
#include <opus/opus.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "chance.h"
#include "convert.h"
#include "lac/status.h"
#include "line.h"

#define BURST      2.0 /* packets */
#define COMPLEXITY 5
#define PACKET     1500
#define WIDTHS     5

static const double widths_hz[WIDTHS] = {4000, 6000, 8000, 12000, 20000}; /* from OPUS_BANDWIDTH_NARROWBAND on */

typedef struct line {
    OpusEncoder *encoder;
    OpusDecoder *decoder;
    int frame;    /* samples of a packet */
    size_t delay; /* samples, of both together */
    double loss;
    lac_chance chance;
    bool bad; /* in a burst */
    size_t packets, lost, seen[WIDTHS];
} line;

/* The lowest of libopus's rates that holds `rate`, or its highest. */
static uint32_t coded_rate(uint32_t rate)
{
    static const uint32_t rates[] = {8000, 12000, 16000, 24000, 48000};
    size_t i = 0;
    while (i < sizeof rates / sizeof *rates - 1 && rates[i] < rate)
        i++;
    return rates[i];
}

static void close_line(line *l)
{
    if (l->encoder)
        opus_encoder_destroy(l->encoder);
    if (l->decoder)
        opus_decoder_destroy(l->decoder);
}

static int open_line(line *l, uint32_t rate, uint32_t bps, double loss, uint64_t seed)
{
    opus_int32 delay = 0;
    int failed;
    *l = (line){.frame = (int)rate / 50, .loss = loss, .chance = lac_chance_open(seed, LAC_CHANCE_LOSS)};
    l->encoder = opus_encoder_create((opus_int32)rate, 1, OPUS_APPLICATION_VOIP, &failed);
    l->decoder = opus_decoder_create((opus_int32)rate, 1, &failed);
    if (!l->encoder || !l->decoder) {
        close_line(l);
        return LAC_ERROR_MEMORY;
    }
    opus_encoder_ctl(l->encoder, OPUS_SET_BITRATE((opus_int32)bps));
    opus_encoder_ctl(l->encoder, OPUS_SET_COMPLEXITY(COMPLEXITY));
    opus_encoder_ctl(l->encoder, OPUS_GET_LOOKAHEAD(&delay));
    l->delay = (size_t)delay;
    return LAC_OK;
}

/* Gilbert's two states: all is lost in the bad one, nothing in the good one. */
static bool is_lost(line *l)
{
    double leave = 1 / BURST, enter = l->loss * leave / (1 - l->loss), u = lac_chance_real(&l->chance, 0, 1);
    l->bad = l->packets == 0 ? u < l->loss : l->bad ? u >= leave : u < enter;
    return l->bad;
}

/* in [frame] -> out [frame] */
static int pass_packet(line *l, const float *in, float *out)
{
    unsigned char packet[PACKET];
    int size = opus_encode_float(l->encoder, in, l->frame, packet, PACKET);
    if (size < 0)
        return LAC_ERROR_MEMORY;
    int width = opus_packet_get_bandwidth(packet) - OPUS_BANDWIDTH_NARROWBAND;
    bool lost = is_lost(l);
    l->packets++;
    l->lost += lost;
    if (width >= 0 && width < WIDTHS)
        l->seen[width]++;
    int made = opus_decode_float(l->decoder, lost ? NULL : packet, lost ? 0 : size, out, l->frame, 0);
    return made == l->frame ? LAC_OK : LAC_ERROR_MEMORY;
}

/* pcm [count] in place; `block` [2][frame] is scratch. */
static int pass_all(line *l, float *pcm, size_t count, float *block)
{
    size_t frame = (size_t)l->frame, total = count + l->delay;
    int status = LAC_OK;
    for (size_t at = 0; at < total && status == LAC_OK; at += frame) {
        size_t there = at >= count ? 0 : count - at < frame ? count - at : frame;
        float *out = block + frame;
        memcpy(block, pcm + (there ? at : 0), there * sizeof *pcm);
        memset(block + there, 0, (frame - there) * sizeof *pcm);
        status = pass_packet(l, block, out);
        for (size_t i = 0; i < frame && status == LAC_OK; i++)
            if (at + i >= l->delay && at + i < total)
                pcm[at + i - l->delay] = out[i];
    }
    return status;
}

static double usual_width(const line *l)
{
    size_t most = 0;
    for (size_t i = 1; i < WIDTHS; i++)
        if (l->seen[i] > l->seen[most])
            most = i;
    return widths_hz[most];
}

static int run_line(line *l, float *pcm, size_t count, uint32_t rate, uint32_t coded)
{
    size_t n = lac_convert_count(count, rate, coded), frame = (size_t)l->frame;
    float *block = malloc((n + 2 * frame) * sizeof *block);
    if (block == NULL)
        return LAC_ERROR_MEMORY;
    int status = lac_convert(pcm, count, rate, block + 2 * frame, n, coded);
    if (status == LAC_OK)
        status = pass_all(l, block + 2 * frame, n, block);
    if (status == LAC_OK)
        status = lac_convert(block + 2 * frame, n, coded, pcm, count, rate);
    free(block);
    return status;
}

int lac_line_opus(float *pcm, size_t count, uint32_t rate, uint32_t bps, double loss, uint64_t seed,
                  double *bandwidth_hz, double *lost)
{
    line l;
    uint32_t coded = coded_rate(rate);
    int status = open_line(&l, coded, bps, loss, seed);
    if (status != LAC_OK)
        return status;
    status = run_line(&l, pcm, count, rate, coded);
    *bandwidth_hz = fmin(usual_width(&l), coded / 2.0);
    *lost = l.packets ? (double)l.lost / (double)l.packets : 0;
    close_line(&l);
    return status;
}
