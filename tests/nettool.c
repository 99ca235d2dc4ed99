/* Material for cli_net.sh: datagrams that no sender sends, captures, comparisons.
 *
 *   nettool hostile PORT SEED COUNT SSRC   random, cut and malformed RTP and RTCP to 127.0.0.1:PORT; some of it
 *                                          claims to come from SSRC
 *   nettool mirror                         a socket that sends everything back: its port, then the sequence numbers
 *                                          of the RTP that comes
 *   nettool garble PORT                    a socket: its port; what comes goes on to 127.0.0.1:PORT, RTP alone and all
 *                                          payloads but the first scrambled
 *   nettool capture OUT COUNT              a capture of RTP packets, one in 20 ms
 *   nettool list FILE                      a capture's RTP packets: sequence number, microseconds since the first
 *   nettool find BIG SMALL LIMIT           where the samples of one s16 file stand in another, none further off
 *                                          than LIMIT, or -1 */
#define _POSIX_C_SOURCE 200809L
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define HEAD 42 /* Ethernet, IPv4, UDP */
#define RTP 12

static uint64_t state;

static uint32_t random_bits(void)
{
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(state >> 32);
}

static void put16(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static void put32(uint8_t *p, uint32_t v)
{
    put16(p, v >> 16);
    put16(p + 2, v);
}

static int open_socket(const char *port)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
    int fd = socket(AF_INET, SOCK_DGRAM, 0);

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) ? -1 : fd;
}

/* ---- hostile ---- */

/* One of: noise; RTP around noise; RTP of a plausible payload, cut; RTCP around noise. */
static size_t make_hostile(uint8_t *p, uint32_t ssrc)
{
    static const uint8_t types[] = {200, 201, 202, 203, 204, 192, 223};
    uint32_t kind = random_bits() % 4;
    size_t size = random_bits() % (random_bits() % 8 ? 120 : 2100);

    for (size_t i = 0; i < size; i++)
        p[i] = (uint8_t)(random_bits() >> 8);
    if (kind == 0 || size < RTP)
        return size;
    p[0] = (uint8_t)(0x80 | (random_bits() % 4 ? 0 : random_bits() & 0x3f));
    p[1] = (uint8_t)(kind == 3 ? types[random_bits() % sizeof types] : 96 | (random_bits() & 0x80));
    if (random_bits() % 2)
        put32(p + (kind == 3 ? 4 : 8), ssrc);
    if (kind == 3 && random_bits() % 2)
        put16(p + 2, (uint32_t)size / 4 - 1);
    if (kind == 2 && size >= RTP + 2) { /* coding 0, few frames and codebooks */
        p[RTP] = (uint8_t)(random_bits() & 0x0f);
        p[RTP + 1] = (uint8_t)(0x20 | (random_bits() & 7));
    }
    return size;
}

static int hostile(const char *port, const char *seed, const char *count, const char *ssrc)
{
    static uint8_t bytes[4096];
    int fd = open_socket(port);
    uint32_t source = (uint32_t)strtoul(ssrc, NULL, 10);

    if (fd < 0)
        return 1;
    state = strtoull(seed, NULL, 10);
    for (long i = atol(count); i > 0; i--) {
        struct timespec pause = {0, 50000};

        if (send(fd, bytes, make_hostile(bytes, source), 0) < 0 && i % 16 == 0)
            nanosleep(&pause, NULL);
        if (i % 16 == 0) /* what overflows the socket's buffer tests nothing */
            nanosleep(&pause, NULL);
    }
    return close(fd) != 0;
}

/* ---- mirror ---- */

/* A socket of any port, which is printed. */
static int listen_anywhere(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    socklen_t size = sizeof at;
    int fd = socket(AF_INET, SOCK_DGRAM, 0);

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || bind(fd, (struct sockaddr *)&at, size) || getsockname(fd, (struct sockaddr *)&at, &size))
        return -1;
    printf("%u\n", (unsigned)ntohs(at.sin_port));
    return fflush(stdout) ? -1 : fd;
}

static int garble(const char *port)
{
    uint8_t bytes[4096];
    int out = open_socket(port), in = listen_anywhere();
    ssize_t got;
    long packets = 0;

    while (in >= 0 && out >= 0 && (got = recv(in, bytes, sizeof bytes, 0)) >= 0) {
        if (got < RTP || (bytes[1] & 0x7f) != 96)
            continue;
        for (ssize_t i = RTP; i < got && packets; i++)
            bytes[i] = (uint8_t)(random_bits() >> 8);
        send(out, bytes, (size_t)got, 0);
        packets++;
    }
    return 1;
}

static int mirror(void)
{
    uint8_t bytes[4096];
    struct sockaddr_in at;
    socklen_t size = sizeof at;
    int fd = listen_anywhere();
    ssize_t got;

    if (fd < 0)
        return 1;
    while (!fflush(stdout) && (got = recvfrom(fd, bytes, sizeof bytes, 0, (struct sockaddr *)&at, &size)) >= 0) {
        sendto(fd, bytes, (size_t)got, 0, (struct sockaddr *)&at, size);
        if (got >= RTP && (bytes[1] & 0x7f) == 96)
            printf("%u\n", (unsigned)bytes[2] << 8 | bytes[3]);
    }
    return 1;
}

/* ---- captures: little-endian files of libpcap, Ethernet ---- */

static void put_le(FILE *f, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        putc((int)(value >> (8 * i) & 255), f);
}

static uint32_t get_le(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static void make_packet(uint8_t *p, uint32_t n)
{
    memset(p, 0, HEAD + RTP + 8);
    put16(p + 12, 0x0800);
    p[14] = 0x45;
    put16(p + 16, 20 + 8 + RTP + 8);
    p[22] = 64;
    p[23] = 17;
    put32(p + 26, 0x7f000001);
    put32(p + 30, 0x7f000001);
    put16(p + 34, 5004);
    put16(p + 36, 5004);
    put16(p + 38, 8 + RTP + 8);
    p[HEAD] = 0x80;
    p[HEAD + 1] = 96;
    put16(p + HEAD + 2, n + 65000);
    put32(p + HEAD + 4, 4294960000u + 480 * n);
    put32(p + HEAD + 8, 77);
}

static int capture(const char *path, const char *count)
{
    static const uint32_t head[] = {0xa1b2c3d4, 4 << 16 | 2, 0, 0, 65535, 1};
    FILE *f = fopen(path, "wb");

    if (!f)
        return 1;
    for (int i = 0; i < 6; i++)
        put_le(f, head[i]);
    for (uint32_t n = 0; n < (uint32_t)atol(count); n++) {
        uint8_t packet[HEAD + RTP + 8];

        make_packet(packet, n);
        put_le(f, 1600000000 + n / 50);
        put_le(f, n % 50 * 20000);
        put_le(f, sizeof packet);
        put_le(f, sizeof packet);
        fwrite(packet, 1, sizeof packet, f);
    }
    return fclose(f) != 0;
}

static int list(const char *path)
{
    uint8_t head[24], packet[65536];
    FILE *f = fopen(path, "rb");
    uint64_t first = 0;

    if (!f || fread(head, 1, 24, f) != 24)
        return 1;
    for (int n = 0; fread(head, 1, 16, f) == 16; n++) {
        uint64_t us = (uint64_t)get_le(head) * 1000000 + get_le(head + 4);
        uint32_t size = get_le(head + 8);

        if (size > sizeof packet || fread(packet, 1, size, f) != size)
            return 1;
        first = n ? first : us;
        if (size >= HEAD + RTP)
            printf("%u %lu\n", (unsigned)packet[HEAD + 2] << 8 | packet[HEAD + 3], (unsigned long)(us - first));
    }
    return fclose(f) != 0;
}

/* ---- samples ---- */

#define MOST_SAMPLES (1 << 22)

/* Little-endian machines only, as all of Lac. */
static int16_t *load(const char *path, size_t *samples)
{
    int16_t *pcm = malloc(MOST_SAMPLES * sizeof *pcm);
    FILE *f = fopen(path, "rb");

    *samples = pcm && f ? fread(pcm, sizeof *pcm, MOST_SAMPLES, f) : 0;
    if (f)
        fclose(f);
    return pcm;
}

static int is_near(const int16_t *a, const int16_t *b, size_t samples, int limit)
{
    for (size_t i = 0; i < samples; i++)
        if (abs(a[i] - b[i]) > limit)
            return 0;
    return 1;
}

static int find(const char *big, const char *small, int limit)
{
    size_t size, wanted;
    int16_t *in = load(big, &size);
    int16_t *what = load(small, &wanted);
    long found = -1;

    for (size_t at = 0; wanted && at + wanted <= size && found < 0; at++)
        if (is_near(in + at, what, wanted, limit))
            found = (long)at;
    printf("%ld\n", found);
    free(in);
    free(what);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 6 && strcmp(argv[1], "hostile") == 0)
        return hostile(argv[2], argv[3], argv[4], argv[5]);
    if (argc == 3 && strcmp(argv[1], "garble") == 0)
        return garble(argv[2]);
    if (argc == 2 && strcmp(argv[1], "mirror") == 0)
        return mirror();
    if (argc == 4 && strcmp(argv[1], "capture") == 0)
        return capture(argv[2], argv[3]);
    if (argc == 3 && strcmp(argv[1], "list") == 0)
        return list(argv[2]);
    if (argc == 5 && strcmp(argv[1], "find") == 0)
        return find(argv[2], argv[3], atoi(argv[4]));
    fprintf(stderr, "nettool: wrong usage\n");
    return 2;
}
