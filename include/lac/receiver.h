/* Receiver: packets as they come from a network in, sound by the receiver's own clock out.
 *
 * It puts packets in order, drops duplicates, recovers lost frames from redundancy, conceals the rest, holds
 * comfort noise, and keeps just as much delay as the jitter of the network needs: speech is stretched or
 * compressed without a change of pitch (WSOLA, Verhelst and Roelands, ICASSP 1993) to get there and to follow the
 * sender's clock.
 *
 *     on arrival:      lac_receiver_put(receiver, &rtp, arrival_us);
 *     every 10 ms:     lac_receiver_get(receiver, pcm, 240);
 *
 * One receiver is one mono stream (one RTP source), used by one thread at a time: guard put and get with one lock
 * if they run in different threads. No call but open and close allocates, locks or prints; memory is fixed and the
 * time of every call bounded, whatever arrives. What it plays depends on the calls alone, not on any clock of its
 * own. */
#ifndef LAC_RECEIVER_H
#define LAC_RECEIVER_H

#include <stddef.h>
#include <stdint.h>

#include "lac/model.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct lac_receiver lac_receiver;

typedef struct lac_receiver_settings {
    /* Least and most time a frame waits, from the arrival of the fastest packets to the get that plays it: 0 ..
     * max_delay_ms, 60 .. 2000. Equal: a fixed delay. */
    uint32_t min_delay_ms, max_delay_ms;
    uint32_t late_permille;   /* frames of 1000 that may come too late, 0 .. 500: the smaller, the more delay */
    uint32_t wait_redundancy; /* 1: a lost frame counts as come when its redundancy does, so that where enough are
                                 lost the delay grows to wait for that; 0: it does not count */
} lac_receiver_settings;

/* 0 to 500 ms, 10 of 1000 late, waiting for redundancy. */
LAC_API void lac_receiver_default_settings(lac_receiver_settings *settings);

/* settings NULL means the defaults. On success *receiver is owned by the caller; the model must outlive it. */
LAC_API int lac_receiver_open(lac_receiver **receiver, const lac_model *model,
                              const lac_receiver_settings *settings);

/* Close and set *receiver to NULL; NULL and pointers to NULL are accepted. */
LAC_API void lac_receiver_close(lac_receiver **receiver);

/* Bytes allocated for the receiver, beside the model. */
LAC_API size_t lac_receiver_bytes(const lac_receiver *receiver);

/* The parts of an RTP packet (RFC 3550) that matter. */
typedef struct lac_rtp {
    uint32_t timestamp;      /* of the first new frame, in samples of the model's rate; wraps */
    uint16_t sequence;       /* wraps */
    uint8_t marker;          /* makes no difference: payloads tell as much */
    const void *payload;     /* doc/rtp-payload.md */
    size_t size;             /* bytes of payload */
} lac_rtp;

/* Take a packet. arrival_us: microseconds of any steady clock, the same for all packets; what matters is how it
 * goes along with the samples got so far, so put packets as they come. The first packet sets where the stream
 * begins; others may be whole frames from it only (LAC_ERROR_FORMAT). A timestamp more than a second before or
 * beyond all that is known is refused (LAC_ERROR_LIMIT), but the third such packet in a row that goes on from the
 * one before begins the stream anew. So does a packet too late for any delay allowed, if ten frames before it were
 * lost. Errors of lac_depacketizer_put too; each leaves the receiver as it was, but for the count of refused
 * packets. */
LAC_API int lac_receiver_put(lac_receiver *receiver, const lac_rtp *packet, uint64_t arrival_us);

/* The next `samples` samples, pcm [samples] at the model's rate, full scale 1.0, not clipped; any number at a time
 * gives the same sound. Silence before the first packet. Never fails for want of packets. */
LAC_API int lac_receiver_get(lac_receiver *receiver, float *pcm, size_t samples);

/* Since open or reset. */
typedef struct lac_receiver_statistics {
    uint64_t packets;          /* accepted, duplicates and late ones included */
    uint64_t lost;             /* expected by sequence numbers and not arrived so far (RFC 3550) */
    uint64_t late;             /* came when all of their frames had been replaced and something after them played */
    uint64_t duplicates;       /* by sequence number */
    uint64_t reordered;        /* arrived after one with a higher sequence number */
    uint64_t malformed;        /* refused */
    uint64_t frames;           /* played, of all sources */
    uint64_t recovered_frames; /* from redundancy */
    uint64_t concealed_frames;
    uint64_t comfort_frames;
    uint64_t stretched_samples, compressed_samples; /* inserted and left out to change the delay */
    uint64_t restarts;         /* of the stream: jumps in timestamps */
    uint32_t jitter_us;        /* interarrival jitter of RFC 3550 */
    uint32_t delay_ms;         /* from the arrival of the fastest packets to the get that plays them, now */
    uint32_t target_delay_ms;  /* what the delay moves to */
    uint32_t buffered_ms;      /* sound that could be played if nothing more came, with its gaps */
} lac_receiver_statistics;

LAC_API void lac_receiver_get_statistics(const lac_receiver *receiver, lac_receiver_statistics *statistics);

/* Back to the state after open. */
LAC_API void lac_receiver_reset(lac_receiver *receiver);

#ifdef __cplusplus
}
#endif

#endif
