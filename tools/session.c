#include "session.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "pace.h"

#define SECOND 4294967296.0  /* of NTP's time */
#define COMPENSATION 1.21828 /* RFC 3550, section 6.3.1: e - 1.5 */

uint64_t lac_session_random(void)
{
    uint64_t value;

    if (getrandom(&value, sizeof value, 0) != (ssize_t)sizeof value)
        value = lac_pace_ntp() ^ (uint64_t)getpid() << 20;
    return value;
}

/* SplitMix64 (Steele, Lea, Flood 2014). */
static uint64_t next_random(lac_session *s)
{
    uint64_t z = (s->random += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* Half to one and a half intervals from now, so that ends do not fall into step. */
static void schedule(lac_session *s, double intervals)
{
    double part = 0.5 + (double)(next_random(s) >> 40) / 16777216.0;

    s->next_report = lac_pace_ntp() + (uint64_t)(s->rtcp_interval * intervals * part / COMPENSATION * SECOND);
}

int lac_session_open(lac_session *s, const lac_session_settings *settings)
{
    memset(s, 0, sizeof *s);
    s->fd = -1;
    s->round_trip = -1;
    s->rtcp_interval = settings->rtcp_interval;
    s->random = settings->seed ? settings->seed : lac_session_random();
    s->ssrc = (uint32_t)next_random(s);
    snprintf(s->cname, sizeof s->cname, "%016llx", (unsigned long long)next_random(s));
    schedule(s, 0.5);
    return settings->key ? lac_secure_open(&s->secure, settings->key) : 0;
}

void lac_session_close(lac_session *s)
{
    if (s->fd > STDIN_FILENO)
        close(s->fd);
    s->fd = -1;
    lac_secure_close(&s->secure);
}

static void transmit(lac_session *s, int is_rtcp, uint8_t *bytes, size_t size, const lac_address *to)
{
    if (s->secure && lac_secure_protect(s->secure, is_rtcp, bytes, &size))
        return;
    s->sent_bytes += size + (to ? lac_address_overhead(to) : s->overhead);
    lac_udp_send(s->fd, bytes, size, to);
}

void lac_session_send(lac_session *s, lac_rtp_header header, const uint8_t *payload, size_t size,
                      const lac_address *to)
{
    uint8_t bytes[LAC_RTP_DATAGRAM];

    header.ssrc = s->ssrc;
    lac_rtp_write(bytes, &header);
    memcpy(bytes + LAC_RTP_HEADER, payload, size);
    s->packets++;
    s->octets += (uint32_t)size;
    transmit(s, 0, bytes, LAC_RTP_HEADER + size, to);
}

/* ---- RTCP ---- */

int lac_session_is_due(lac_session *s)
{
    if (lac_pace_ntp() < s->next_report)
        return 0;
    schedule(s, 1);
    return 1;
}

static void describe(const lac_session *s, lac_rtp_source *source, lac_rtcp_block *b)
{
    int64_t lost = lac_rtp_source_lost(source);

    b->ssrc = source->ssrc;
    b->fraction = lac_rtp_source_fraction(source);
    b->lost = lost > INT32_MAX ? INT32_MAX : lost < INT32_MIN ? INT32_MIN : (int32_t)lost;
    b->highest = source->highest;
    b->jitter = (uint32_t)source->jitter;
    b->lsr = s->lsr;
    b->dlsr = s->lsr ? lac_rtcp_middle(lac_pace_ntp() - s->lsr_at) : 0;
}

void lac_session_report(lac_session *s, const lac_rtcp_sender *sender, lac_rtp_source *source, int bye,
                        const lac_address *to)
{
    uint8_t bytes[LAC_RTCP_BYTES + LAC_SECURE_GROWTH];
    lac_rtcp_report report;

    memset(&report, 0, sizeof report);
    report.ssrc = s->ssrc;
    report.bye = bye;
    memcpy(report.cname, s->cname, sizeof s->cname);
    if (sender) {
        report.is_sender = 1;
        report.sender.ntp = lac_pace_ntp();
        report.sender.timestamp = sender->timestamp;
        report.sender.packets = s->packets;
        report.sender.octets = s->octets;
    }
    if (source) {
        report.blocks = 1;
        describe(s, source, report.block);
    }
    transmit(s, 1, bytes, lac_rtcp_write(bytes, &report), to);
}

int lac_session_reveal(lac_session *s, uint8_t *bytes, size_t *size)
{
    return s->secure ? lac_secure_unprotect(s->secure, lac_rtp_is_rtcp(bytes, *size), bytes, size) : 0;
}

int lac_session_hear(lac_session *s, const uint8_t *bytes, size_t size, lac_rtcp_report *report)
{
    uint64_t now = lac_pace_ntp();

    if (lac_rtcp_parse(bytes, size, report) || report->ssrc == s->ssrc)
        return -1;
    if (report->is_sender) {
        s->lsr = lac_rtcp_middle(report->sender.ntp);
        s->lsr_at = now;
    }
    for (unsigned i = 0; i < report->blocks; i++) {
        double trip;

        if (report->block[i].ssrc != s->ssrc)
            continue;
        s->block = report->block[i];
        s->has_block = 1;
        trip = lac_rtcp_round_trip(&s->block, lac_rtcp_middle(now));
        if (trip >= 0)
            s->round_trip = trip;
    }
    return 0;
}
