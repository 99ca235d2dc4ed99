#include "rtcp.h"

#include <string.h>

#include "netbytes.h"

enum { SENDER = 200, RECEIVER, DESCRIPTION, BYE };

#define HEAD 8          /* bytes: the common header and an SSRC */
#define SENDER_BYTES 20
#define BLOCK_BYTES 24
#define CNAME 1

/* ---- writing ---- */

static void put_head(uint8_t *p, unsigned count, unsigned type, size_t size, uint32_t ssrc)
{
    p[0] = (uint8_t)(2 << 6 | count);
    p[1] = (uint8_t)type;
    lac_net_put16(p + 2, (uint32_t)(size / 4 - 1));
    lac_net_put32(p + 4, ssrc);
}

static void put_block(uint8_t *p, const lac_rtcp_block *b)
{
    int32_t lost = b->lost > 0x7fffff ? 0x7fffff : b->lost < -0x800000 ? -0x800000 : b->lost;

    lac_net_put32(p, b->ssrc);
    lac_net_put32(p + 4, ((uint32_t)lost & 0xffffff) | (uint32_t)b->fraction << 24);
    lac_net_put32(p + 8, b->highest);
    lac_net_put32(p + 12, b->jitter);
    lac_net_put32(p + 16, b->lsr);
    lac_net_put32(p + 20, b->dlsr);
}

static size_t put_report(uint8_t *p, const lac_rtcp_report *r)
{
    size_t at = HEAD;

    if (r->is_sender) {
        lac_net_put32(p + 8, (uint32_t)(r->sender.ntp >> 32));
        lac_net_put32(p + 12, (uint32_t)r->sender.ntp);
        lac_net_put32(p + 16, r->sender.timestamp);
        lac_net_put32(p + 20, r->sender.packets);
        lac_net_put32(p + 24, r->sender.octets);
        at += SENDER_BYTES;
    }
    for (unsigned i = 0; i < r->blocks; i++, at += BLOCK_BYTES)
        put_block(p + at, &r->block[i]);
    put_head(p, r->blocks, r->is_sender ? SENDER : RECEIVER, at, r->ssrc);
    return at;
}

/* One chunk of one item, ended by one to four zeros. */
static size_t put_description(uint8_t *p, const lac_rtcp_report *r)
{
    size_t length = strlen(r->cname);
    size_t size = (HEAD + 2 + length) / 4 * 4 + 4;

    memset(p, 0, size);
    put_head(p, 1, DESCRIPTION, size, r->ssrc);
    p[HEAD] = CNAME;
    p[HEAD + 1] = (uint8_t)length;
    memcpy(p + HEAD + 2, r->cname, length);
    return size;
}

size_t lac_rtcp_write(uint8_t *bytes, const lac_rtcp_report *report)
{
    size_t size = put_report(bytes, report);

    size += put_description(bytes + size, report);
    if (report->bye) {
        put_head(bytes + size, 1, BYE, HEAD, report->ssrc);
        size += HEAD;
    }
    return size;
}

/* ---- reading ---- */

static void get_block(const uint8_t *p, lac_rtcp_block *b)
{
    uint32_t loss = lac_net_get32(p + 4);

    b->ssrc = lac_net_get32(p);
    b->fraction = (uint8_t)(loss >> 24);
    b->lost = (int32_t)((loss & 0xffffff) ^ 0x800000) - 0x800000;
    b->highest = lac_net_get32(p + 8);
    b->jitter = lac_net_get32(p + 12);
    b->lsr = lac_net_get32(p + 16);
    b->dlsr = lac_net_get32(p + 20);
}

/* A further report of the same compound carries blocks that found no room in the first. */
static int get_report(const uint8_t *p, size_t size, lac_rtcp_report *r, int is_first)
{
    unsigned blocks = p[0] & 31;
    size_t at = HEAD + (p[1] == SENDER ? SENDER_BYTES : 0);

    if (size < at + BLOCK_BYTES * blocks)
        return -1;
    if (is_first)
        r->ssrc = lac_net_get32(p + 4);
    if (is_first && p[1] == SENDER) {
        r->is_sender = 1;
        r->sender.ntp = (uint64_t)lac_net_get32(p + 8) << 32 | lac_net_get32(p + 12);
        r->sender.timestamp = lac_net_get32(p + 16);
        r->sender.packets = lac_net_get32(p + 20);
        r->sender.octets = lac_net_get32(p + 24);
    }
    for (unsigned i = 0; i < blocks && r->blocks < LAC_RTCP_BLOCKS; i++)
        get_block(p + at + BLOCK_BYTES * i, &r->block[r->blocks++]);
    return 0;
}

/* The items of one chunk up to its end, a zero and what fills the last word; 0 if it does not end. */
static size_t get_chunk(const uint8_t *p, size_t size, lac_rtcp_report *r)
{
    int is_own = size >= 4 && lac_net_get32(p) == r->ssrc;
    size_t at = 4;

    while (at < size && p[at]) {
        size_t length;

        if (at + 2 > size || at + 2 + p[at + 1] > size)
            return 0;
        length = p[at + 1];
        if (is_own && p[at] == CNAME) {
            memcpy(r->cname, p + at + 2, length);
            r->cname[length] = 0;
        }
        at += 2 + length;
    }
    at = at / 4 * 4 + 4;
    return at <= size ? at : 0;
}

static int get_description(const uint8_t *p, size_t size, lac_rtcp_report *r)
{
    size_t at = 4;

    for (int chunks = p[0] & 31; chunks > 0; chunks--) {
        size_t used = get_chunk(p + at, size - at, r);

        if (!used)
            return -1;
        at += used;
    }
    return at == size ? 0 : -1;
}

static int get_bye(const uint8_t *p, size_t size, lac_rtcp_report *r)
{
    size_t sources = p[0] & 31;
    size_t reason = 4 + 4 * sources;

    if (size < reason || (size > reason && reason + 1 + p[reason] > size))
        return -1;
    for (size_t i = 0; i < sources; i++)
        if (lac_net_get32(p + 4 + 4 * i) == r->ssrc)
            r->bye = 1;
    return 0;
}

static int get_part(const uint8_t *p, size_t size, lac_rtcp_report *r, int is_first)
{
    switch (p[1]) {
    case SENDER:
    case RECEIVER: return size < HEAD ? -1 : get_report(p, size, r, is_first);
    case DESCRIPTION: return get_description(p, size, r);
    case BYE: return get_bye(p, size, r);
    default: return 0;
    }
}

int lac_rtcp_parse(const uint8_t *bytes, size_t size, lac_rtcp_report *report)
{
    size_t at = 0;

    memset(report, 0, sizeof *report);
    if (size < HEAD || (bytes[1] != SENDER && bytes[1] != RECEIVER) || bytes[0] & 0x20)
        return -1;
    while (at < size) {
        const uint8_t *p = bytes + at;
        size_t length, padding = 0;

        if (size - at < 4 || p[0] >> 6 != 2)
            return -1;
        length = 4 * ((size_t)lac_net_get16(p + 2) + 1);
        if (length > size - at)
            return -1;
        if (p[0] & 0x20) { /* only the last part is padded */
            padding = p[length - 1];
            if (at + length != size || !padding || padding % 4 || padding + 4 > length)
                return -1;
        }
        if (get_part(p, length - padding, report, at == 0))
            return -1;
        at += length;
    }
    return 0;
}

/* ---- round trip ---- */

uint32_t lac_rtcp_middle(uint64_t ntp)
{
    return (uint32_t)(ntp >> 16);
}

double lac_rtcp_round_trip(const lac_rtcp_block *block, uint32_t now)
{
    int32_t trip = (int32_t)(now - block->lsr - block->dlsr);

    return block->lsr && trip >= 0 ? trip / 65536.0 : -1;
}
