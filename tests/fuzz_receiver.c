/* Fuzz target of the receiver. The first byte chooses its settings; then come packets, of each eight bytes and the
 * payload: frames ahead of the one due (signed), what is done to the timestamp beside (below), step of the sequence
 * number (signed), milliseconds until it arrives, eighths of the samples got after it, zero, the payload's size.
 * tiny_prior.lacm is that of LAC_VECTORS or ./vectors. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "fuzzmodel.h"
#include "lac/receiver.h"

#define MOST_SAMPLES 60000 /* got with one input */
#define HEAD 8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static lac_receiver *open_receiver(uint8_t chosen)
{
    lac_receiver *r = NULL;
    lac_receiver_settings s = {0, 60 + 40 * (chosen & 7u), 5 * (chosen >> 3 & 7u), chosen >> 6 & 1u};
    s.min_delay_ms = chosen >> 7 ? s.max_delay_ms : 0;
    if (lac_receiver_open(&r, tiny_prior(), &s) != 0)
        abort();
    return r;
}

static void get(lac_receiver *r, size_t samples)
{
    float pcm[8 * UINT8_MAX];
    lac_receiver_statistics s;
    if (lac_receiver_get(r, pcm, samples) != 0)
        abort();
    for (size_t i = 0; i < samples; i++)
        if (!isfinite(pcm[i]))
            abort();
    lac_receiver_get_statistics(r, &s);
    if (s.target_delay_ms > 500 || s.frames < s.concealed_frames + s.recovered_frames + s.comfort_frames)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint32_t jumps[] = {1, 240, 30000, 1u << 20, 1u << 31, 7u << 28};
    lac_receiver *r = open_receiver(size > 0 ? data[0] : 0);
    uint64_t arrival_us = 0;
    uint32_t due = 0;
    lac_rtp packet = {0};
    size_t samples = 0;
    for (size_t at = 1; at + HEAD <= size && samples < MOST_SAMPLES; at += HEAD + packet.size, due += 480) {
        const uint8_t *p = data + at;
        packet.timestamp = due + (uint32_t)(int8_t)p[0] * 480;
        for (size_t i = 0; i < sizeof jumps / sizeof *jumps; i++)
            packet.timestamp += p[1] >> i & 1 ? jumps[i] : 0;
        due = p[1] & 0x80 ? packet.timestamp : due; /* it stays there */
        packet.sequence = (uint16_t)(packet.sequence + (int8_t)p[2]);
        packet.payload = p + HEAD;
        packet.size = lac_load16(p + 6) < size - at - HEAD ? lac_load16(p + 6) : size - at - HEAD;
        arrival_us += 1000u * p[3];
        lac_receiver_put(r, &packet, arrival_us);
        get(r, 8 * (size_t)p[4]);
        samples += 8 * (size_t)p[4];
    }
    lac_receiver_close(&r);
    return 0;
}
