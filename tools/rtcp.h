/* RTCP (RFC 3550, section 6): one source's compound packet. A sender or receiver report comes first, then SDES with
 * its CNAME, then BYE if it leaves. */
#ifndef LAC_TOOLS_RTCP_H
#define LAC_TOOLS_RTCP_H

#include <stddef.h>
#include <stdint.h>

#define LAC_RTCP_BLOCKS 31
#define LAC_RTCP_BYTES 1200 /* of any compound that lac_rtcp_write makes */

/* What a sender says of itself. */
typedef struct lac_rtcp_sender {
    uint64_t ntp;       /* now: seconds since 1900 in the upper 32 bits */
    uint32_t timestamp; /* RTP's at that time */
    uint32_t packets, octets; /* sent, octets of payload */
} lac_rtcp_sender;

/* What a receiver says of one source. */
typedef struct lac_rtcp_block {
    uint32_t ssrc;
    uint8_t fraction; /* lost since the report before, of 256 */
    int32_t lost;     /* in all, limited to 24 bits */
    uint32_t highest; /* extended sequence number */
    uint32_t jitter;  /* in units of the timestamp */
    uint32_t lsr;     /* middle 32 bits of the NTP time of the last sender report; 0: none */
    uint32_t dlsr;    /* since it arrived, in 1/65536 s */
} lac_rtcp_block;

typedef struct lac_rtcp_report {
    uint32_t ssrc;      /* whose report this is */
    int is_sender;      /* `sender` holds */
    int bye;
    lac_rtcp_sender sender;
    unsigned blocks;
    lac_rtcp_block block[LAC_RTCP_BLOCKS];
    char cname[256];    /* terminated; as received it may hold any bytes */
} lac_rtcp_report;

/* bytes [LAC_RTCP_BYTES]; its size is returned. */
size_t lac_rtcp_write(uint8_t *bytes, const lac_rtcp_report *report);

/* 0, or -1 unless it is one compound packet by the rules of RFC 3550, appendix A.2, all of whose parts agree with
 * their lengths. Parts of other types are skipped. */
int lac_rtcp_parse(const uint8_t *bytes, size_t size, lac_rtcp_report *report);

/* Middle 32 bits of an NTP time, as in lsr. */
uint32_t lac_rtcp_middle(uint64_t ntp);

/* Seconds from a sender report to its echo in `block`, less the time at the receiver; negative if there is none.
 * `now` is the middle of the sender's NTP time. */
double lac_rtcp_round_trip(const lac_rtcp_block *block, uint32_t now);

#endif
