#include "netslots.h"

#include <string.h>

#include "rtp.h"

#define SLOTS_A_SECOND (1000000 / LAC_NET_SLOT_US)
#define OTHERS (UINT64_C(1) << 62) /* numbers of datagrams that are not RTP begin here */

void lac_net_slots_start(lac_net_slots *s, uint32_t clock)
{
    memset(s, 0, sizeof *s);
    s->clock = clock;
}

static lac_net_source *source_of(lac_net_slots *s, const lac_rtp_header *h)
{
    unsigned known = s->count < LAC_NET_SOURCES ? s->count : LAC_NET_SOURCES;
    lac_net_source *made;

    for (unsigned i = 0; i < known; i++)
        if (s->source[i].ssrc == h->ssrc)
            return &s->source[i];
    made = &s->source[s->count++ % LAC_NET_SOURCES];
    memset(made, 0, sizeof *made);
    made->ssrc = h->ssrc;
    made->timestamp = h->timestamp;
    made->sequence = h->sequence;
    return made;
}

void lac_net_slots_place(lac_net_slots *s, const uint8_t *datagram, size_t size, lac_net_packet *packet)
{
    lac_rtp_header h;
    const uint8_t *payload;
    lac_net_source *source;
    int64_t ticks, number;

    if (!s->begun) {
        s->begun = 1;
        s->first_us = packet->time_us;
    }
    if (lac_rtp_is_rtcp(datagram, size) || lac_rtp_parse(datagram, size, &h, &payload, &size)) {
        packet->slot = (packet->time_us - s->first_us) / LAC_NET_SLOT_US;
        packet->number = OTHERS + s->others++;
        return;
    }
    source = source_of(s, &h);
    ticks = source->ticks + (int32_t)(h.timestamp - source->timestamp);
    number = source->number + (int16_t)(uint16_t)(h.sequence - source->sequence);
    if (number > source->number) {
        source->number = number;
        source->ticks = ticks;
        source->sequence = h.sequence;
        source->timestamp = h.timestamp;
    }
    packet->slot = ticks > 0 ? (uint64_t)ticks * SLOTS_A_SECOND / s->clock : 0;
    packet->number = number > 0 ? (uint64_t)number : 0;
    if (packet->slot >= s->end)
        s->end = packet->slot + 1;
}
