#include "rtp.h"

#include <math.h>
#include <string.h>

#include "netbytes.h"

void lac_rtp_write(uint8_t *bytes, const lac_rtp_header *h)
{
    bytes[0] = 2 << 6;
    bytes[1] = (uint8_t)(h->marker << 7 | h->payload_type);
    lac_net_put16(bytes + 2, h->sequence);
    lac_net_put32(bytes + 4, h->timestamp);
    lac_net_put32(bytes + 8, h->ssrc);
}

int lac_rtp_parse(const uint8_t *bytes, size_t size, lac_rtp_header *h, const uint8_t **payload,
                  size_t *payload_size)
{
    size_t head;
    size_t tail = 0;

    if (size < LAC_RTP_HEADER || bytes[0] >> 6 != 2)
        return -1;
    head = LAC_RTP_HEADER + 4 * (size_t)(bytes[0] & 15);
    if (bytes[0] & 0x10) {
        if (head + 4 > size)
            return -1;
        head += 4 + 4 * (size_t)lac_net_get16(bytes + head + 2);
    }
    if (bytes[0] & 0x20) {
        tail = bytes[size - 1];
        if (!tail)
            return -1;
    }
    if (head + tail > size)
        return -1;
    h->marker = bytes[1] >> 7;
    h->payload_type = bytes[1] & 127;
    h->sequence = lac_net_get16(bytes + 2);
    h->timestamp = lac_net_get32(bytes + 4);
    h->ssrc = lac_net_get32(bytes + 8);
    *payload = bytes + head;
    *payload_size = size - head - tail;
    return 0;
}

int lac_rtp_is_rtcp(const uint8_t *bytes, size_t size)
{
    return size >= 2 && bytes[1] >= 192 && bytes[1] <= 223;
}

/* ---- counting ---- */

void lac_rtp_source_start(lac_rtp_source *s, const lac_rtp_header *h, uint32_t clock)
{
    memset(s, 0, sizeof *s);
    s->ssrc = h->ssrc;
    s->clock = clock;
    /* One turn ahead, so that packets from before the first have numbers too. */
    s->first = s->highest = UINT32_C(1) << 16 | h->sequence;
}

void lac_rtp_source_count(lac_rtp_source *s, const lac_rtp_header *h, uint64_t arrival_us)
{
    int16_t ahead = (int16_t)(uint16_t)(h->sequence - s->highest);
    uint32_t transit = (uint32_t)(arrival_us / 1000000 * s->clock + arrival_us % 1000000 * s->clock / 1000000) -
        h->timestamp;

    if (ahead > 0)
        s->highest += (uint32_t)ahead;
    if (s->received++)
        s->jitter += (fabs((double)(int32_t)(transit - s->transit)) - s->jitter) / 16.0;
    s->transit = transit;
}

static uint64_t expected(const lac_rtp_source *s)
{
    return (uint64_t)s->highest - s->first + 1;
}

int64_t lac_rtp_source_lost(const lac_rtp_source *s)
{
    return (int64_t)expected(s) - (int64_t)s->received;
}

uint8_t lac_rtp_source_fraction(lac_rtp_source *s)
{
    uint64_t due = expected(s) - s->expected_before;
    uint64_t came = s->received - s->received_before;

    s->expected_before += due;
    s->received_before += came;
    if (!due || came >= due)
        return 0;
    return came ? (uint8_t)((due - came) * 256 / due) : 255;
}
