/* A network for tests: loses, delays, reorders and doubles packets, the same from the same seed. Integers only. */
#ifndef LAC_TESTS_NETSIM_H
#define LAC_TESTS_NETSIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lac/packet.h"
#include "lac/receiver.h"

#define NETSIM_ROOM 256 /* packets under way; more are lost */

/* Of a million where nothing else is said. */
typedef struct netsim_settings {
    uint64_t seed;
    uint32_t loss, burst;       /* Gilbert-Elliott: share of packets lost; mean packets in a row, 1 or more */
    uint32_t delay_us;          /* of every packet */
    uint32_t jitter_us;         /* at most so much more, at random, in order */
    uint32_t reorder;           /* packets that come up to reorder_us later than otherwise, behind others */
    uint32_t reorder_us;
    uint32_t duplicate;         /* packets that come twice, the second up to reorder_us later */
    uint32_t rate;              /* bit/s with 40 bytes of headers; 0: any */
    uint32_t queue_us;          /* packets that would wait longer for their turn are lost */
    int32_t drift_ppm;          /* how much slower than the receiver's the sender's clock is */
} netsim_settings;

typedef struct netsim_packet {
    uint64_t arrival_us, order; /* on the receiver's clock; of sending */
    uint32_t timestamp, size;
    uint16_t sequence;
    uint8_t marker;
    uint8_t data[LAC_PACKET_MAX_BYTES];
} netsim_packet;

typedef struct netsim {
    netsim_settings settings;
    uint64_t random, orders;
    uint64_t free_us, last_us;  /* when the link is free; arrival of the last packet in order */
    bool bad;
    uint64_t sent, lost;
    size_t count;
    netsim_packet packets[NETSIM_ROOM];
} netsim;

void netsim_start(netsim *sim, const netsim_settings *settings);

/* What the receiver's clock shows when the sender's shows send_us. */
uint64_t netsim_clock(const netsim *sim, uint64_t send_us);

/* Send at send_us by the sender's clock; `packet` but for its arrival. */
void netsim_send(netsim *sim, uint64_t send_us, const netsim_packet *packet);

/* The next packet that arrives until now_us; false if there is none. */
bool netsim_receive(netsim *sim, uint64_t now_us, netsim_packet *packet);

lac_rtp netsim_rtp(const netsim_packet *packet);

#endif
