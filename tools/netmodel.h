/* What a network does to packets, from a seed or a recorded trace: loss in slots of 20 ms, delay, jitter,
 * reordering, duplicates, a bottleneck with a queue. What happens to a packet depends on the settings, its slot,
 * its number and, where packets queue, on the times of those before; never on a clock.
 *
 * Loss is Gilbert's model (Bell System Technical Journal 39, 1960; Elliott's with nothing lost in the good state
 * and everything in the bad): one random chain over slots, the same whatever is sent in them. */
#ifndef LAC_TOOLS_NETMODEL_H
#define LAC_TOOLS_NETMODEL_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define LAC_NET_SLOT_US 20000
#define LAC_NET_MOST_SLOTS (UINT64_C(1) << 24) /* 93 hours; later slots repeat from the first */

typedef struct lac_net_settings {
    uint64_t seed;
    double loss;       /* share of slots, 0 .. 1 */
    double burst_ms;   /* mean length of a loss; 0: slots are lost independently */
    double delay_ms;   /* of every packet */
    double jitter_ms;  /* mean of an exponential delay added; packets stay in order */
    double reorder;    /* share of packets, 0 .. 1, that 1 to 3 slots' time of others overtake */
    double duplicate;  /* share of packets, 0 .. 1, that come twice, the copy up to a slot later */
    double rate_bps;   /* of the bottleneck; 0: none */
    double queue_ms;   /* most time a packet waits for the bottleneck before it is dropped */
} lac_net_settings;

typedef struct lac_netmodel lac_netmodel;

/* No impairment, seed 1, a queue of 200 ms. */
void lac_net_default_settings(lac_net_settings *settings);

/* NULL, with *reason set (static storage), for settings out of range or if out of memory. */
lac_netmodel *lac_netmodel_open(const lac_net_settings *settings, const char **reason);

/* NULL and pointers to NULL are accepted. */
void lac_netmodel_close(lac_netmodel **model);

/* Loss from a recorded trace instead: one row a slot, "0" or "1" (lost), then, if wanted, a space and the slot's
 * delay in milliseconds, which is added to delay_ms. Empty rows and those that begin with # are left out. The trace
 * repeats. 0, or the number of the row that is wrong, or -1 if it has no row or too many. */
long lac_netmodel_load(lac_netmodel *model, FILE *trace);

/* The rows of `slots` slots, as lac_netmodel_load reads them. 0, or -1 if writing failed. */
int lac_netmodel_save(lac_netmodel *model, FILE *trace, uint64_t slots);

/* 1 if packets sent in the slot are lost. */
int lac_netmodel_is_lost(lac_netmodel *model, uint64_t slot);

typedef struct lac_net_packet {
    uint64_t time_us; /* when it is sent; not before the packet of the call before */
    uint64_t slot;
    uint64_t number;  /* of the packet in its stream: what else happens at random is drawn for it */
    size_t bytes;     /* on the wire, headers included */
} lac_net_packet;

typedef struct lac_net_statistics {
    uint64_t packets, bytes;
    uint64_t lost;      /* in lost slots */
    uint64_t dropped;   /* at the bottleneck */
    uint64_t reordered, duplicated;
} lac_net_statistics;

/* When the packet arrives: the copies, 0 .. 2, each with its time in due_us. */
unsigned lac_netmodel_pass(lac_netmodel *model, const lac_net_packet *packet, uint64_t due_us[2]);

void lac_netmodel_get_statistics(const lac_netmodel *model, lac_net_statistics *statistics);

#endif
