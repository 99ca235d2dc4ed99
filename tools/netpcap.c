#include "netpcap.h"

#include "report.h"

#ifdef LAC_HAVE_PCAP

/* Not POSIX names that pcap.h needs. */
typedef unsigned char u_char;
typedef unsigned short u_short;
typedef unsigned int u_int;

#include <errno.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fileout.h"
#include "netbytes.h"
#include "netqueue.h"

#define UDP 17
#define MILLION UINT64_C(1000000)

typedef struct capture {
    pcap_t *in;
    pcap_dumper_t *out;
    lac_file_out file;
    lac_net_queue queue;
    uint64_t first_us; /* time of day of the first packet */
    uint64_t now_us;   /* since then */
    int begun;
} capture;

/* ---- where the datagram is ---- */

/* Bytes before the IP header, by the capture's link type; -1 if it is not known. */
static long link_bytes(int type, const uint8_t *bytes, size_t size)
{
    switch (type) {
    case DLT_EN10MB: return size >= 18 && lac_net_get16(bytes + 12) == 0x8100 ? 18 : 14;
    case DLT_LINUX_SLL: return 16;
    case DLT_LINUX_SLL2: return 20;
    case DLT_NULL:
    case DLT_LOOP: return 4;
    case DLT_RAW: return 0;
    default: return -1;
    }
}

/* Bytes of the IP header if UDP follows, else 0. */
static size_t ip_bytes(const uint8_t *ip, size_t size)
{
    if (size >= 20 && ip[0] >> 4 == 4 && ip[9] == UDP && !(lac_net_get16(ip + 6) & 0x1fff))
        return 4 * (size_t)(ip[0] & 15);
    return size >= 40 && ip[0] >> 4 == 6 && ip[6] == UDP ? 40 : 0;
}

/* The payload of a UDP packet, empty for any other. */
static const uint8_t *datagram_of(const uint8_t *bytes, size_t size, long link, size_t *datagram_size)
{
    size_t at, ip;

    *datagram_size = 0;
    if (link < 0 || (size_t)link > size)
        return bytes;
    ip = ip_bytes(bytes + link, size - (size_t)link);
    at = (size_t)link + ip + 8;
    if (!ip || at > size)
        return bytes;
    *datagram_size = size - at;
    return bytes + at;
}

/* ---- packets ---- */

/* What waits in the queue: the length on the wire, then the bytes captured. */
static void write_packet(capture *c, const lac_net_datagram *d)
{
    uint64_t time_us = c->first_us + d->due_us;
    struct pcap_pkthdr header;
    uint32_t length;

    memset(&header, 0, sizeof header);
    memcpy(&length, d->bytes, sizeof length);
    header.ts.tv_sec = (time_t)(time_us / MILLION);
    header.ts.tv_usec = (suseconds_t)(time_us % MILLION);
    header.caplen = (bpf_u_int32)(d->size - sizeof length);
    header.len = length;
    pcap_dump((u_char *)c->out, &header, d->bytes + sizeof length);
}

static void write_until(capture *c, uint64_t until_us)
{
    const lac_net_datagram *d;

    while ((d = lac_net_queue_first(&c->queue)) != NULL && d->due_us <= until_us) {
        write_packet(c, d);
        lac_net_queue_drop(&c->queue);
    }
}

static int queue_copies(capture *c, const struct pcap_pkthdr *header, const uint8_t *bytes, const uint64_t *due,
                        unsigned copies)
{
    uint32_t length = header->len;
    uint8_t *packet = malloc(sizeof length + header->caplen);
    int failed = !packet;

    if (packet) {
        memcpy(packet, &length, sizeof length);
        memcpy(packet + sizeof length, bytes, header->caplen);
    }
    for (unsigned i = 0; i < copies && !failed; i++)
        failed = lac_net_queue_put(&c->queue, due[i], packet, sizeof length + header->caplen);
    free(packet);
    return failed;
}

static int pass(capture *c, const struct pcap_pkthdr *header, const uint8_t *bytes, lac_netmodel *model,
                lac_net_slots *slots)
{
    uint64_t time_us = (uint64_t)header->ts.tv_sec * MILLION + (uint64_t)header->ts.tv_usec;
    long link = link_bytes(pcap_datalink(c->in), bytes, header->caplen);
    lac_net_packet packet;
    const uint8_t *datagram;
    size_t size;
    uint64_t due[2];
    unsigned copies;

    if (!c->begun) {
        c->begun = 1;
        c->first_us = time_us;
    }
    if (time_us > c->first_us + c->now_us) /* some captures go back a little */
        c->now_us = time_us - c->first_us;
    packet.time_us = c->now_us;
    packet.bytes = link > 0 && header->len > (size_t)link ? header->len - (size_t)link : header->len;
    datagram = datagram_of(bytes, header->caplen, link, &size);
    lac_net_slots_place(slots, datagram, size, &packet);
    write_until(c, c->now_us);
    copies = lac_netmodel_pass(model, &packet, due);
    return queue_copies(c, header, bytes, due, copies);
}

static int pass_all(capture *c, const char *name, lac_netmodel *model, lac_net_slots *slots)
{
    struct pcap_pkthdr *header;
    const u_char *bytes;
    int got;

    while ((got = pcap_next_ex(c->in, &header, &bytes)) == 1)
        if (pass(c, header, bytes, model, slots))
            return lac_report(name, "out of memory");
    if (got != PCAP_ERROR_BREAK)
        return lac_report(name, "%s", pcap_geterr(c->in));
    write_until(c, UINT64_MAX);
    if (pcap_dump_flush(c->out) || ferror(pcap_dump_file(c->out)))
        return lac_report(c->file.name, "%s", strerror(errno));
    return 0;
}

static int open_output(capture *c, const char *in, const char *out, int force)
{
    int failed = lac_file_out_open(&c->file, out, in, force);
    int fd;
    FILE *f;

    if (failed)
        return failed;
    fd = dup(c->file.fd);
    f = fd < 0 ? NULL : fdopen(fd, "wb");
    if (!f)
        return lac_report(c->file.name, "%s", strerror(errno));
    c->out = pcap_dump_fopen(c->in, f);
    if (!c->out) {
        fclose(f);
        return lac_report(c->file.name, "%s", pcap_geterr(c->in));
    }
    return 0;
}

int lac_net_pcap(const char *in, const char *out, int force, lac_netmodel *model, lac_net_slots *slots)
{
    char why[PCAP_ERRBUF_SIZE];
    capture c;
    int failed;

    memset(&c, 0, sizeof c);
    c.file.fd = -1;
    c.in = pcap_open_offline(in, why);
    if (!c.in)
        return lac_report("capture", "%s", why); /* which names the file, mostly */
    failed = open_output(&c, in, out, force);
    if (!failed)
        failed = pass_all(&c, lac_report_name(in, 0), model, slots);
    if (c.out)
        pcap_dump_close(c.out);
    if (!failed)
        failed = lac_file_out_commit(&c.file);
    lac_file_out_discard(&c.file);
    lac_net_queue_free(&c.queue);
    pcap_close(c.in);
    return failed;
}

#else

int lac_net_pcap(const char *in, const char *out, int force, lac_netmodel *model, lac_net_slots *slots)
{
    (void)out, (void)force, (void)model, (void)slots;
    return lac_report(in, "this lac was built without libpcap, which reads captures");
}

#endif
