/* One end of an RTP session whose RTCP shares its port (RFC 5761), in the clear or by SRTP. */
#ifndef LAC_TOOLS_SESSION_H
#define LAC_TOOLS_SESSION_H

#include <stddef.h>
#include <stdint.h>

#include "rtcp.h"
#include "rtp.h"
#include "secure.h"
#include "udp.h"

typedef struct lac_session {
    int fd;                 /* -1: closed */
    size_t overhead;        /* bytes of IP and UDP headers, where it is connected */
    lac_secure *secure;     /* NULL: in the clear */
    uint32_t ssrc;          /* our own */
    char cname[32];
    double rtcp_interval;   /* mean seconds from report to report */
    uint64_t next_report;   /* NTP time */
    uint64_t random;        /* state of the random numbers that spread the reports */

    uint32_t packets, octets; /* RTP sent, and its payload */
    uint64_t sent_bytes;      /* with all headers, RTCP too */

    /* What the other end's reports say. */
    uint32_t lsr;             /* of its last sender report, as in lac_rtcp_block */
    uint64_t lsr_at;          /* NTP time when it came */
    int has_block;            /* `block` is its last report about us */
    lac_rtcp_block block;
    double round_trip;        /* seconds; negative: unknown */
} lac_session;

typedef struct lac_session_settings {
    const uint8_t *key;     /* [LAC_SECURE_KEY], NULL: in the clear */
    double rtcp_interval;
    uint64_t seed;          /* SSRC and CNAME from it; 0: from the system's random numbers */
} lac_session_settings;

/* Random bits of the system. */
uint64_t lac_session_random(void);

/* `session` is zeroed first; its socket is opened by the caller. 0, or LAC_EXIT_FAILED after a message. */
int lac_session_open(lac_session *session, const lac_session_settings *settings);

/* Harmless on a session that did not open, if it was zeroed. */
void lac_session_close(lac_session *session);

/* One more packet: of `header` payload_type, marker, sequence and timestamp; the SSRC is the session's. Payloads
 * are at most LAC_RTP_DATAGRAM - 64 bytes. `to` NULL: where the socket is connected. */
void lac_session_send(lac_session *session, lac_rtp_header header, const uint8_t *payload, size_t size,
                      const lac_address *to);

/* 1 when the next report is due. */
int lac_session_is_due(lac_session *session);

/* A report: `sender` if we send, of whose members timestamp counts; `source` if we hear one; either may be NULL. */
void lac_session_report(lac_session *session, const lac_rtcp_sender *sender, lac_rtp_source *source, int bye,
                        const lac_address *to);

/* Decrypt a datagram in place. 0; 1 for one that came before; -1 if it is refused. */
int lac_session_reveal(lac_session *session, uint8_t *bytes, size_t *size);

/* Take RTCP, decrypted. 0 with *report filled, or -1 if it is malformed or our own, sent back. */
int lac_session_hear(lac_session *session, const uint8_t *bytes, size_t size, lac_rtcp_report *report);

#endif
