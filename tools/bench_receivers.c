/* Many receivers in real time: each is given the packets of a network that loses some and delays all unevenly, and
 * asked for a frame at every tick. */
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "lac/packet.h"
#include "lac/receiver.h"
#include "report.h"

#define LOST_PERCENT 5
#define MOST_DELAY_US 40000
#define REDUNDANT_PACKETS 2
#define REDUNDANT_BYTES 60

/* What all are sent, over and over. */
typedef struct traffic {
    const lac_bench *b;
    lac_packet *packets;       /* [count], one of each frame */
    size_t count;
    uint64_t frame_us;
} traffic;

/* The receivers of one thread. */
typedef struct group {
    const traffic *sent;
    size_t first, count;       /* numbers of the receivers, over all groups */
    lac_receiver **receivers;  /* [count] */
    float *pcm;                /* [frame_samples] */
} group;

/* ---- packets ---- */

static int encode(const lac_bench *b, uint16_t *tokens, size_t frames, size_t *coded)
{
    lac_encoder *encoder = NULL;
    lac_encoder_settings settings;
    int status;

    lac_encoder_default_settings(&settings);
    settings.codebooks = b->codebooks;
    settings.block_frames = LAC_BENCH_FILE_BLOCK;
    status = lac_encoder_open(&encoder, b->model, &settings);
    if (!status)
        status = lac_encoder_write(encoder, b->mono, frames * b->info.frame_samples, tokens, frames, coded);
    lac_encoder_close(&encoder);
    return status;
}

static int packetize(traffic *sent, const uint16_t *tokens, size_t frames)
{
    const lac_bench *b = sent->b;
    lac_packetizer *packetizer = NULL;
    lac_packetizer_settings settings;
    int status, ready = 0;

    lac_packetizer_default_settings(&settings);
    lac_packetizer_plan(&settings, b->info.token_bits, b->codebooks, REDUNDANT_PACKETS, REDUNDANT_BYTES);
    status = lac_packetizer_open(&packetizer, b->model, &settings);
    for (size_t i = 0; !status && i < frames; i++) {
        status = lac_packetizer_write(packetizer, tokens + i * b->info.codebooks, b->codebooks, 1,
                                      &sent->packets[sent->count], &ready);
        sent->count += ready != 0;
    }
    lac_packetizer_close(&packetizer);
    return status;
}

static int make_traffic(traffic *sent)
{
    const lac_bench *b = sent->b;
    size_t whole = b->frames / b->info.frame_samples, frames = whole ? whole : 1, coded = 0;
    uint16_t *tokens = calloc(frames * b->info.codebooks, sizeof *tokens);
    int status = LAC_ERROR_MEMORY;

    sent->packets = calloc(frames, sizeof *sent->packets);
    sent->frame_us = 1000000 * (uint64_t)b->info.frame_samples / b->info.sample_rate;
    if (tokens && sent->packets)
        status = encode(b, tokens, frames, &coded);
    if (!status)
        status = packetize(sent, tokens, coded);
    free(tokens);
    return status;
}

/* ---- steps ---- */

static uint32_t mix(uint32_t x)
{
    x = (x ^ x >> 16) * 0x7feb352du;
    x = (x ^ x >> 15) * 0x846ca68bu;
    return x ^ x >> 16;
}

/* Packet `number` to receiver i of the group. Each is somewhere else in the audio. */
static int put(group *g, size_t i, size_t number, uint64_t arrival_us)
{
    uint64_t at = (g->first + i) * 37 + number;
    const lac_packet *packet = &g->sent->packets[at % g->sent->count];
    lac_rtp rtp = {(uint32_t)(at * g->sent->b->info.frame_samples), (uint16_t)at, packet->marker, packet->data,
                   packet->size};

    return lac_receiver_put(g->receivers[i], &rtp, arrival_us);
}

/* Those that arrived since the tick before. */
static int put_arrived(group *g, size_t i, size_t step)
{
    uint64_t now = step * g->sent->frame_us;
    size_t frames = MOST_DELAY_US / g->sent->frame_us + 1;
    int status = 0;

    for (size_t k = step > frames ? step - frames : 0; !status && k <= step; k++) {
        uint32_t fate = mix((uint32_t)(k * 65537 + g->first + i));
        uint64_t arrival = k * g->sent->frame_us + (fate >> 8) % (MOST_DELAY_US + 1);

        if (fate % 100 >= LOST_PERCENT && arrival <= now && arrival + g->sent->frame_us > now)
            status = put(g, i, k, arrival);
    }
    return status;
}

static int run_step(void *user, size_t step)
{
    group *g = user;
    int status = 0;

    for (size_t i = 0; !status && i < g->count; i++) {
        status = put_arrived(g, i, step);
        if (!status)
            status = lac_receiver_get(g->receivers[i], g->pcm, g->sent->b->info.frame_samples);
    }
    return status;
}

/* ---- */

static int open_group(group *g)
{
    const lac_bench *b = g->sent->b;
    int status = 0;

    g->receivers = calloc(g->count, sizeof(lac_receiver *));
    g->pcm = calloc(b->info.frame_samples, sizeof *g->pcm);
    if (!g->receivers || !g->pcm)
        return LAC_ERROR_MEMORY;
    for (size_t i = 0; !status && i < g->count; i++)
        status = lac_receiver_open(&g->receivers[i], b->model, NULL);
    return status;
}

static void close_group(group *g)
{
    for (size_t i = 0; g->receivers && i < g->count; i++)
        lac_receiver_close(&g->receivers[i]);
    free(g->receivers);
    free(g->pcm);
}

static int run(const traffic *sent, group *groups, lac_bench_share *shares, lac_bench_ticks *r, size_t *bytes)
{
    uint32_t all = sent->b->receivers, count = lac_bench_share_count(sent->b, all);
    int status = 0;

    for (uint32_t i = 0; !status && i < count; i++) {
        group *g = &groups[i];

        g->sent = sent;
        g->first = (size_t)all * i / count;
        g->count = (size_t)all * (i + 1) / count - g->first;
        shares[i] = (lac_bench_share){run_step, g, g->count};
        status = open_group(g);
    }
    if (status)
        return status;
    *bytes = lac_receiver_bytes(groups->receivers[0]);
    return lac_bench_run_ticks(sent->b, shares, count, r);
}

int lac_bench_run_receivers(const lac_bench *b, lac_bench_ticks *r, size_t *bytes)
{
    uint32_t count = lac_bench_share_count(b, b->receivers);
    traffic sent = {.b = b};
    group *groups = calloc(count, sizeof *groups);
    lac_bench_share *shares = calloc(count, sizeof *shares);
    int status = groups && shares ? make_traffic(&sent) : LAC_ERROR_MEMORY;

    if (!status)
        status = run(&sent, groups, shares, r, bytes);
    for (uint32_t i = 0; groups && i < count; i++)
        close_group(&groups[i]);
    free(groups);
    free(shares);
    free(sent.packets);
    return status ? lac_report_status("bench", status, 0) : 0;
}
