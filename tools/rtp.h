/* RTP's header (RFC 3550, section 5.1), read and written, and what a receiver counts (its appendix A). */
#ifndef LAC_TOOLS_RTP_H
#define LAC_TOOLS_RTP_H

#include <stddef.h>
#include <stdint.h>

#define LAC_RTP_HEADER 12    /* bytes of a header as written: no CSRC, no extension */
#define LAC_RTP_DATAGRAM 2048 /* bytes that any datagram of a session fits in; longer ones are refused */

typedef struct lac_rtp_header {
    uint32_t timestamp;
    uint32_t ssrc;
    uint16_t sequence;
    uint8_t payload_type; /* 0 .. 127 */
    uint8_t marker;       /* 0 or 1 */
} lac_rtp_header;

/* bytes [LAC_RTP_HEADER] */
void lac_rtp_write(uint8_t *bytes, const lac_rtp_header *header);

/* Contributing sources, an extension and padding are accepted and left out of *payload, which points into `bytes`.
 * 0, or -1 if it is not RTP of version 2 or its lengths contradict each other. */
int lac_rtp_parse(const uint8_t *bytes, size_t size, lac_rtp_header *header, const uint8_t **payload,
                  size_t *payload_size);

/* 1 if a datagram of a muxed session is RTCP (RFC 5761, section 4), else it should be RTP. */
int lac_rtp_is_rtcp(const uint8_t *bytes, size_t size);

/* ---- what a receiver counts of one source ---- */

typedef struct lac_rtp_source {
    uint32_t ssrc;
    uint32_t clock;           /* Hz of its timestamps */
    uint32_t first, highest;  /* sequence numbers, extended by the times they wrapped */
    uint64_t received;
    uint64_t expected_before, received_before; /* at the last report */
    uint32_t transit;         /* arrival less timestamp, of the packet before */
    double jitter;            /* in units of the timestamp */
} lac_rtp_source;

/* The source's first packet; lac_rtp_source_count counts it. */
void lac_rtp_source_start(lac_rtp_source *source, const lac_rtp_header *header, uint32_t clock);

/* arrival_us: of any steady clock. */
void lac_rtp_source_count(lac_rtp_source *source, const lac_rtp_header *header, uint64_t arrival_us);

/* Expected and not arrived so far; negative after duplicates. */
int64_t lac_rtp_source_lost(const lac_rtp_source *source);

/* Loss since the call before in 1/256, at most 255. */
uint8_t lac_rtp_source_fraction(lac_rtp_source *source);

#endif
