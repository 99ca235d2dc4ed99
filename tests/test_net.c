/* RTP and RTCP as bytes, and the network model: what lac send, receive and netsim are built on. */
#include <math.h>
#include <string.h>

#include "fixture.h"
#include "netqueue.h"
#include "netslots.h"
#include "rtcp.h"
#include "rtp.h"

/* ---- RTP ---- */

/* By hand from RFC 3550, section 5.1: extension, two CSRCs, marker, padding of 3. */
static const uint8_t by_hand[] = {
    0xb2, 0xe1, 0xff, 0xfe, 0x01, 0x02, 0x03, 0x04, 0xde, 0xad, 0xbe, 0xef, /* header */
    0, 0, 0, 1, 0, 0, 0, 2,                                                 /* CSRC */
    0xbe, 0xde, 0, 1, 9, 9, 9, 9,                                           /* extension of one word */
    'l', 'a', 'c', 0, 0, 3,
};

Test(rtp, reads_csrc_extension_padding)
{
    lac_rtp_header h;
    const uint8_t *payload;
    size_t size;
    cr_assert_eq(lac_rtp_parse(by_hand, sizeof by_hand, &h, &payload, &size), 0);
    cr_assert(h.marker == 1 && h.payload_type == 97 && h.sequence == 0xfffe);
    cr_assert(h.timestamp == 0x01020304 && h.ssrc == 0xdeadbeef);
    cr_assert_eq(size, 3);
    cr_assert_eq(memcmp(payload, "lac", 3), 0);
}

Test(rtp, refuses_what_contradicts_itself)
{
    lac_rtp_header h;
    const uint8_t *payload;
    size_t size;
    for (size_t cut = 0; cut < 28; cut++) {
        uint8_t *bytes = test_alloc(cut, 1);
        memcpy(bytes, by_hand, cut);
        cr_assert_lt(lac_rtp_parse(bytes, cut, &h, &payload, &size), 0, "cut to %zu", cut);
        free(bytes);
    }
    uint8_t bytes[sizeof by_hand];
    memcpy(bytes, by_hand, sizeof bytes);
    bytes[sizeof bytes - 1] = 0; /* padding of none */
    cr_assert_lt(lac_rtp_parse(bytes, sizeof bytes, &h, &payload, &size), 0);
    bytes[sizeof bytes - 1] = 7; /* padding into the header */
    cr_assert_lt(lac_rtp_parse(bytes, sizeof bytes, &h, &payload, &size), 0);
    bytes[sizeof bytes - 1] = 6; /* nothing but padding */
    cr_assert_eq(lac_rtp_parse(bytes, sizeof bytes, &h, &payload, &size), 0);
    cr_assert_eq(size, 0);
    bytes[0] = 0x72; /* version 1 */
    cr_assert_lt(lac_rtp_parse(bytes, sizeof bytes, &h, &payload, &size), 0);
}

Test(rtp, writes_what_it_reads)
{
    lac_rtp_header h = {0xfedcba98, 0x12345678, 0xabcd, 96, 1}, back;
    uint8_t bytes[LAC_RTP_HEADER + 2] = {0};
    const uint8_t *payload;
    size_t size;
    lac_rtp_write(bytes, &h);
    cr_assert_eq(lac_rtp_parse(bytes, sizeof bytes, &back, &payload, &size), 0);
    cr_assert_eq(memcmp(&h, &back, sizeof h), 0);
    cr_assert(payload == bytes + LAC_RTP_HEADER && size == 2);
    cr_assert_not(lac_rtp_is_rtcp(bytes, sizeof bytes));
    bytes[1] = 200;
    cr_assert(lac_rtp_is_rtcp(bytes, sizeof bytes));
    cr_assert_not(lac_rtp_is_rtcp(bytes, 1));
}

/* Packet n of a stream at 24 kHz, 20 ms each. */
static lac_rtp_header packet_of(uint32_t n)
{
    lac_rtp_header h = {1000 + 480 * n, 7, (uint16_t)(65530 + n), 96, 0};
    return h;
}

Test(rtp, counts_losses_over_the_wrap)
{
    lac_rtp_source s;
    lac_rtp_header h = packet_of(0);
    lac_rtp_source_start(&s, &h, 24000);
    for (uint32_t n = 0; n < 100; n++) {
        h = packet_of(n);
        if (n % 4 != 1) /* 25 lost */
            lac_rtp_source_count(&s, &h, 20000 * n);
    }
    cr_assert_eq(lac_rtp_source_lost(&s), 25);
    cr_assert_eq(s.highest - s.first, 99);
    cr_assert_eq((uint16_t)s.highest, (uint16_t)(65530 + 99));
    cr_assert_eq(lac_rtp_source_fraction(&s), 64);
    cr_assert_eq(lac_rtp_source_fraction(&s), 0, "nothing since the last report");
    cr_assert_lt(s.jitter, 1);
    h = packet_of(1); /* late, not lost */
    lac_rtp_source_count(&s, &h, 20000 * 100);
    cr_assert_eq(lac_rtp_source_lost(&s), 24);
}

Test(rtp, jitter_of_alternating_delays)
{
    lac_rtp_source s;
    lac_rtp_header h = packet_of(0);
    lac_rtp_source_start(&s, &h, 24000);
    for (uint32_t n = 0; n < 1000; n++) { /* every second packet 10 ms late: transit differs by 240 each time */
        h = packet_of(n);
        lac_rtp_source_count(&s, &h, 20000 * (uint64_t)n + 10000 * (n & 1));
    }
    cr_assert_float_eq(s.jitter, 240, 0.01);
}

/* ---- RTCP ---- */

static lac_rtcp_report some_report(int is_sender, int bye)
{
    lac_rtcp_report r;
    memset(&r, 0, sizeof r);
    r.ssrc = 0xcafef00d;
    r.is_sender = is_sender;
    r.bye = bye;
    strcpy(r.cname, "0123456789abcdef");
    r.blocks = 2;
    r.block[0] = (lac_rtcp_block){0x11223344, 77, -5, 0x10020, 33, 0xaabbccdd, 0x10000};
    r.block[1] = (lac_rtcp_block){0x55667788, 255, 0x7fffff, 0xffffffff, 0xffffffff, 0, 0};
    if (is_sender)
        r.sender = (lac_rtcp_sender){UINT64_C(0x0102030405060708), 0x99aabbcc, 1000, 2000};
    return r;
}

static bool same_sender(const lac_rtcp_sender *a, const lac_rtcp_sender *b)
{
    return a->ntp == b->ntp && a->timestamp == b->timestamp && a->packets == b->packets && a->octets == b->octets;
}

static bool same_block(const lac_rtcp_block *a, const lac_rtcp_block *b)
{
    return a->ssrc == b->ssrc && a->fraction == b->fraction && a->lost == b->lost && a->highest == b->highest &&
           a->jitter == b->jitter && a->lsr == b->lsr && a->dlsr == b->dlsr;
}

Test(rtcp, writes_what_it_reads)
{
    for (int kind = 0; kind < 4; kind++) {
        lac_rtcp_report r = some_report(kind & 1, kind >> 1), back;
        uint8_t bytes[LAC_RTCP_BYTES];
        for (size_t name = 0; name < 9; name++) { /* every length of the padding */
            r.cname[16 - name] = 0;
            size_t size = lac_rtcp_write(bytes, &r);
            cr_assert_eq(size % 4, 0);
            cr_assert_eq(lac_rtcp_parse(bytes, size, &back), 0);
            cr_assert(same_block(&r.block[0], &back.block[0]) && same_block(&r.block[1], &back.block[1]));
            cr_assert_eq(back.blocks, r.blocks);
            cr_assert(same_sender(&r.sender, &back.sender));
            cr_assert(back.ssrc == r.ssrc && back.bye == r.bye && back.is_sender == r.is_sender);
            cr_assert_str_eq(r.cname, back.cname);
        }
    }
}

Test(rtcp, refuses_every_cut_and_odd_lengths)
{
    lac_rtcp_report r = some_report(1, 1), back;
    uint8_t bytes[LAC_RTCP_BYTES];
    size_t size = lac_rtcp_write(bytes, &r);
    int complete = 0;
    for (size_t cut = 0; cut < size; cut++) {
        uint8_t *copy = test_alloc(cut, 1);
        memcpy(copy, bytes, cut);
        complete += lac_rtcp_parse(copy, cut, &back) == 0;
        free(copy);
    }
    cr_assert_eq(complete, 2, "after the report and after SDES, each whole, and nowhere else");
    for (size_t i = 0; i < 4; i++) { /* version, type, length of the first part */
        static const uint8_t flip[] = {0x40, 0x08, 0x01, 0x01};
        bytes[i] ^= flip[i];
        cr_assert_lt(lac_rtcp_parse(bytes, size, &back), 0, "byte %zu", i);
        bytes[i] ^= flip[i];
    }
    bytes[0] |= 0x20; /* padding, not in the last part */
    cr_assert_lt(lac_rtcp_parse(bytes, size, &back), 0);
}

Test(rtcp, padding_and_unknown_parts)
{
    static const uint8_t bytes[] = {
        0x80, 201, 0, 1, 0, 0, 0, 9,              /* RR of source 9 */
        0x80, 204, 0, 2, 0, 0, 0, 9, 1, 2, 3, 4,  /* APP */
        0xa1, 203, 0, 2, 0, 0, 0, 9, 0, 0, 0, 4,  /* BYE, padded */
    };
    lac_rtcp_report r;
    cr_assert_eq(lac_rtcp_parse(bytes, sizeof bytes, &r), 0);
    cr_assert(r.ssrc == 9 && r.bye && !r.is_sender && !r.blocks);
}

Test(rtcp, round_trip_from_a_report)
{
    /* RFC 3550, section 6.4.1, figure 2 */
    lac_rtcp_block b = {0};
    b.lsr = 0xb7052000;
    b.dlsr = 0x00054000;
    cr_assert_float_eq(lac_rtcp_round_trip(&b, 0xb7108000), 6.125, 1e-4);
    b.dlsr = 0x00b00000; /* longer than the time there was */
    cr_assert_lt(lac_rtcp_round_trip(&b, 0xb7108000), 0);
    b.lsr = 0;
    cr_assert_lt(lac_rtcp_round_trip(&b, 0xb7108000), 0, "no report yet");
}

/* ---- network model ---- */

static lac_netmodel *open_net(const lac_net_settings *settings)
{
    const char *reason;
    lac_netmodel *m = lac_netmodel_open(settings, &reason);
    cr_assert_not_null(m, "%s", reason);
    return m;
}

Test(netmodel, loss_and_bursts_as_asked)
{
    static const double asked[][2] = {{0.1, 60}, {0.2, 60}, {0.3, 60}, {0.05, 20}, {0.1, 0}, {0, 0}, {1, 0}};
    for (size_t k = 0; k < sizeof asked / sizeof *asked; k++) {
        lac_net_settings s;
        int slots = 400000, lost = 0, bursts = 0, before = 0;
        lac_net_default_settings(&s);
        s.loss = asked[k][0];
        s.burst_ms = asked[k][1];
        lac_netmodel *m = open_net(&s);
        for (int i = 0; i < slots; i++) {
            int now = lac_netmodel_is_lost(m, (uint64_t)i);
            lost += now;
            bursts += now && !before;
            before = now;
        }
        double share = (double)lost / slots, length = bursts ? 20.0 * lost / bursts : 0;
        cr_assert_float_eq(share, s.loss, 0.04 * s.loss, "loss %g: %g", s.loss, share);
        if (s.burst_ms > 0)
            cr_assert_float_eq(length, s.burst_ms, 0.04 * s.burst_ms, "burst %g: %g", s.burst_ms, length);
        lac_netmodel_close(&m);
    }
}

Test(netmodel, order_of_questions_does_not_matter)
{
    lac_net_settings s;
    lac_net_default_settings(&s);
    s.loss = 0.3;
    s.burst_ms = 60;
    s.seed = 9;
    lac_netmodel *a = open_net(&s), *b = open_net(&s);
    s.seed = 10;
    lac_netmodel *other = open_net(&s);
    int differ = 0;
    for (uint64_t i = 5000; i-- > 0;)
        differ += lac_netmodel_is_lost(a, i) != lac_netmodel_is_lost(other, i);
    for (uint64_t i = 0; i < 5000; i++)
        cr_assert_eq(lac_netmodel_is_lost(a, i), lac_netmodel_is_lost(b, i));
    cr_assert_gt(differ, 500, "another seed, another trace");
    lac_netmodel_close(&a);
    lac_netmodel_close(&b);
    lac_netmodel_close(&other);
}

Test(netmodel, refuses_what_cannot_be)
{
    const char *reason;
    for (int k = 0; k < 8; k++) {
        lac_net_settings s;
        lac_net_default_settings(&s);
        switch (k) {
        case 0: s.loss = 1.01; break;
        case 1: s.loss = NAN; break;
        case 2: s.loss = 0.8; s.burst_ms = 20; break;
        case 3: s.burst_ms = 19; break;
        case 4: s.delay_ms = -1; break;
        case 5: s.duplicate = -0.1; break;
        case 6: s.rate_bps = -5; break;
        default: s.jitter_ms = INFINITY; break;
        }
        cr_assert_null(lac_netmodel_open(&s, &reason), "%d", k);
        cr_assert_not_null(reason);
    }
}

Test(netmodel, traces_are_read_and_written)
{
    lac_net_settings s;
    lac_net_default_settings(&s);
    lac_netmodel *m = open_net(&s);
    char text[64] = {0};
    FILE *f = tmpfile();
    fputs("# a comment\n0\n1\n\n0 12.5\r\n1 3\n", f);
    rewind(f);
    cr_assert_eq(lac_netmodel_load(m, f), 0);
    for (uint64_t i = 0; i < 12; i++)
        cr_assert_eq(lac_netmodel_is_lost(m, i), i % 4 == 1 || i % 4 == 3, "it repeats");
    rewind(f);
    cr_assert_eq(lac_netmodel_save(m, f, 5), 0);
    rewind(f);
    cr_assert_gt(fread(text, 1, sizeof text - 1, f), 0);
    cr_assert_eq(strncmp(text, "0\n1\n0 12.500\n1 3.000\n0\n", 23), 0, "%s", text);
    fclose(f);
    lac_net_packet p = {1000, 2, 0, 100};
    uint64_t due[2];
    cr_assert_eq(lac_netmodel_pass(m, &p, due), 1);
    cr_assert_eq(due[0], 13500);
    lac_netmodel_close(&m);
}

Test(netmodel, wrong_traces_are_told)
{
    static const char *const wrong[] = {"0\n2\n",  "0\nx\n",     "0\n1 x\n",  "0\n1 -3\n",
                                        "0\n01\n", "0\n1 5 6\n", "0\n1 1e9\n"};
    lac_net_settings s;
    lac_net_default_settings(&s);
    lac_netmodel *m = open_net(&s);
    for (size_t k = 0; k < sizeof wrong / sizeof *wrong; k++) {
        FILE *f = tmpfile();
        fputs(wrong[k], f);
        rewind(f);
        cr_assert_eq(lac_netmodel_load(m, f), 2, "%s", wrong[k]);
        fclose(f);
    }
    FILE *f = tmpfile();
    cr_assert_lt(lac_netmodel_load(m, f), 0, "an empty trace");
    fclose(f);
    lac_netmodel_close(&m);
}

Test(netmodel, jitter_keeps_order_and_reordering_does_not)
{
    lac_net_settings s;
    lac_net_default_settings(&s);
    s.delay_ms = 30;
    s.jitter_ms = 15;
    s.duplicate = 0.1;
    for (int reorder = 0; reorder < 2; reorder++) {
        s.reorder = reorder ? 0.05 : 0;
        lac_netmodel *m = open_net(&s);
        uint64_t last = 0;
        int copies = 0, overtaken = 0;
        for (uint64_t i = 0; i < 20000; i++) {
            lac_net_packet p = {20000 * i, i, i, 60};
            uint64_t due[2];
            unsigned n = lac_netmodel_pass(m, &p, due);
            cr_assert(n >= 1 && due[0] >= p.time_us + 30000);
            copies += n == 2;
            if (n == 2)
                cr_assert(due[1] >= due[0] && due[1] <= due[0] + 20000);
            overtaken += due[0] < last;
            last = due[0] > last ? due[0] : last;
        }
        cr_assert(copies > 1800 && copies < 2200, "%d", copies);
        if (reorder)
            cr_assert_gt(overtaken, 300);
        else
            cr_assert_eq(overtaken, 0);
        lac_netmodel_close(&m);
    }
}

Test(netmodel, bottleneck_spaces_and_drops)
{
    lac_net_settings s;
    lac_net_statistics stats;
    lac_net_default_settings(&s);
    s.rate_bps = 8000; /* 100 bytes take 100 ms */
    s.queue_ms = 250;
    lac_netmodel *m = open_net(&s);
    uint64_t due[2], before = 0;
    for (uint64_t i = 0; i < 10; i++) {
        lac_net_packet p = {0, i, i, 100};
        unsigned n = lac_netmodel_pass(m, &p, due);
        cr_assert_eq(n, i < 3, "packet %d", (int)i);
        if (n)
            cr_assert_eq(due[0] - before, 100000);
        before = n ? due[0] : before;
    }
    lac_netmodel_get_statistics(m, &stats);
    cr_assert(stats.dropped == 7 && stats.packets == 10 && stats.bytes == 1000 && stats.lost == 0);
    lac_netmodel_close(&m);
}

Test(netslots, speech_has_its_slot_whenever_it_is_sent)
{
    lac_net_slots s;
    lac_net_slots_start(&s, 24000);
    for (uint32_t n = 0; n < 200; n++) {
        lac_rtp_header h = {0xfffffff0u + 480 * n, 5, (uint16_t)(65500 + n), 96, 0};
        uint8_t bytes[LAC_RTP_HEADER + 4] = {0};
        lac_net_packet p = {1000000 + 7777 * n, 0, 0, 60};
        lac_rtp_write(bytes, &h);
        lac_net_slots_place(&s, bytes, sizeof bytes, &p);
        cr_assert(p.slot == n && p.number == n, "%u: slot %u, number %u", n, (unsigned)p.slot, (unsigned)p.number);
        if (n % 10 == 9) { /* an old one again, and RTCP between */
            h.timestamp -= 480 * 5;
            h.sequence = (uint16_t)(h.sequence - 5);
            lac_rtp_write(bytes, &h);
            lac_net_slots_place(&s, bytes, sizeof bytes, &p);
            cr_assert(p.slot == n - 5 && p.number == n - 5);
            bytes[1] = 200;
            lac_net_slots_place(&s, bytes, sizeof bytes, &p);
            cr_assert_eq(p.slot, (p.time_us - 1000000) / 20000);
        }
    }
    cr_assert_eq(s.end, 200);
}

Test(netqueue, gives_in_order_of_time)
{
    lac_net_queue q = {0};
    random_source r = random_start();
    for (uint32_t i = 0; i < 3000; i++)
        cr_assert_eq(lac_net_queue_put(&q, random_below(&r, 500), &i, sizeof i), 0);
    uint64_t due = 0;
    uint32_t before = 0, count = 0;
    for (const lac_net_datagram *d; (d = lac_net_queue_first(&q)) != NULL; count++) {
        uint32_t i;
        memcpy(&i, d->bytes, sizeof i);
        cr_assert_geq(d->due_us, due);
        if (count && d->due_us == due)
            cr_assert_gt(i, before, "first in, first out");
        due = d->due_us;
        before = i;
        lac_net_queue_drop(&q);
    }
    cr_assert_eq(count, 3000);
    lac_net_queue_free(&q);
}
