/* Which slot of a network's trace a datagram is sent in. RTP's is told by its timestamp, so that one trace hits the
 * same speech whatever the scheduling; that of anything else by its time. */
#ifndef LAC_TOOLS_NETSLOTS_H
#define LAC_TOOLS_NETSLOTS_H

#include <stddef.h>
#include <stdint.h>

#include "netmodel.h"

#define LAC_NET_SOURCES 16

/* One RTP source; timestamps and sequence numbers are counted on from its first packet. */
typedef struct lac_net_source {
    uint32_t ssrc;
    uint32_t timestamp;  /* newest */
    uint16_t sequence;   /* newest */
    int64_t ticks;       /* of the newest timestamp since the first */
    int64_t number;      /* of the newest sequence number since the first */
} lac_net_source;

typedef struct lac_net_slots {
    uint32_t clock;      /* Hz of RTP timestamps */
    uint64_t others;     /* datagrams that are not RTP */
    uint64_t first_us;
    int begun;
    unsigned count;      /* sources met; the newest LAC_NET_SOURCES are remembered */
    lac_net_source source[LAC_NET_SOURCES];
    uint64_t end;        /* one past the highest slot of any RTP packet */
} lac_net_slots;

void lac_net_slots_start(lac_net_slots *slots, uint32_t clock);

/* Fills in packet->slot and packet->number from a datagram that is sent at packet->time_us. */
void lac_net_slots_place(lac_net_slots *slots, const uint8_t *datagram, size_t size, lac_net_packet *packet);

#endif
