/* Hours of a call in simulated time, and hostile packets by the million. No test of the suite: for people.
 *
 *     longcall --hours 8 --loss 5 --drift 100      memory, delay and what was played, ten lines and a last one with
 *                                                  a checksum of the sound: the same from every build
 *     longcall --packets 10000000 --hostile        the longest put and get, in time of the processor
 *
 * Both end with 1 if memory grew or the delay left its bounds. The model is the tiny one of vectors/ (LAC_VECTORS
 * or ./vectors), unless --model names another; tokens are random. */
#define _POSIX_C_SOURCE 200809L
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bytes.h"
#include "netcall.h"
#include "rng.h"

#define STEPS_PER_SECOND (1000000 / NETCALL_STEP_US)
#define LINES 10
#define SETTLED 60 /* seconds before memory and delay count */
#define MOST_GROWTH (512 * 1024) /* bytes */

typedef struct options {
    double hours, loss, drift, jitter;
    uint64_t packets, seed;
    uint32_t burst, redundancy, talk;
    int hostile;
    const char *model;
} options;

/* Bytes of the process in memory; 0 where Linux does not say. */
static uint64_t resident_bytes(void)
{
    unsigned long all, resident = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (!f || fscanf(f, "%lu %lu", &all, &resident) != 2)
        resident = 0;
    if (f)
        fclose(f);
    return (uint64_t)resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

static double seconds_used(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void print_statistics(const lac_receiver *receiver, double hours)
{
    lac_receiver_statistics s;
    lac_receiver_get_statistics(receiver, &s);
    printf("%7.3f h  memory %" PRIu64 " KB  delay %u ms  target %u  buffered %u  jitter %u us  packets %" PRIu64
           "  lost %" PRIu64 "  late %" PRIu64 "  frames %" PRIu64 "  recovered %" PRIu64 "  concealed %" PRIu64
           "  comfort %" PRIu64 "  stretched %" PRIu64 " ms  compressed %" PRIu64 " ms  restarts %" PRIu64 "\n",
           hours, resident_bytes() / 1024, s.delay_ms, s.target_delay_ms, s.buffered_ms, s.jitter_us, s.packets,
           s.lost, s.late, s.frames, s.recovered_frames, s.concealed_frames, s.comfort_frames,
           s.stretched_samples / 24, s.compressed_samples / 24, s.restarts);
    fflush(stdout);
}

/* ---- hours ---- */

static int open_call(netcall *call, const lac_model *model, const options *o)
{
    lac_packetizer_settings packets;
    lac_model_info info;
    netsim_settings network = {.seed = o->seed, .loss = (uint32_t)(o->loss * 10000), .burst = o->burst,
                               .jitter_us = (uint32_t)(o->jitter * 1000), .delay_us = 40000, .reorder = 5000,
                               .reorder_us = 30000, .duplicate = 1000, .drift_ppm = (int32_t)o->drift};
    lac_packetizer_default_settings(&packets);
    lac_model_get_info(model, &info);
    lac_packetizer_plan(&packets, info.token_bits, info.codebooks, o->redundancy, 200);
    packets.dtx = o->talk > 0;
    int status = netcall_open(call, model, &network, &packets, NULL);
    call->talk = 50 * (uint64_t)o->talk;
    return status;
}

static int run_hours(const lac_model *model, const options *o)
{
    netcall call;
    float pcm[NETCALL_STEP];
    lac_receiver_statistics s;
    uint32_t least = UINT32_MAX, most = 0, checksum = 0;
    uint64_t steps = (uint64_t)(o->hours * 3600 * STEPS_PER_SECOND), settled = 0;
    double began = seconds_used();
    int status = open_call(&call, model, o);
    for (uint64_t i = 0; !status && i < steps; i++) {
        status = netcall_step(&call, pcm);
        checksum = lac_crc32c(checksum, pcm, sizeof pcm);
        if (i == SETTLED * STEPS_PER_SECOND) {
            print_statistics(call.receiver, SETTLED / 3600.0);
            settled = resident_bytes();
        }
        if (i >= SETTLED * STEPS_PER_SECOND && i % STEPS_PER_SECOND == 0) {
            lac_receiver_get_statistics(call.receiver, &s);
            least = s.delay_ms < least ? s.delay_ms : least;
            most = s.delay_ms > most ? s.delay_ms : most;
        }
        if ((i + 1) % (steps / LINES + 1) == 0)
            print_statistics(call.receiver, (double)(i + 1) / (3600.0 * STEPS_PER_SECOND));
    }
    if (status) {
        fprintf(stderr, "longcall: %s\n", lac_status_string(status));
    } else {
        uint64_t now = resident_bytes();
        print_statistics(call.receiver, o->hours);
        printf("after the first minute: memory grew by %" PRId64 " KB; delay %u to %u ms; %.0f times real time; "
               "sound %08" PRIx32 "\n", ((int64_t)now - (int64_t)settled) / 1024, least, most,
               o->hours * 3600 / (seconds_used() - began), checksum);
        status = now > settled + MOST_GROWTH || most > 600;
    }
    netcall_close(&call);
    return status != 0;
}

/* ---- hostile packets ---- */

typedef struct attack {
    lac_receiver *receiver;
    lac_packetizer *packetizer;
    lac_model_info info;
    uint64_t random, frame, arrival_us;
    uint16_t sequence;
    double longest_put, longest_get;
} attack;

static uint32_t below(attack *a, uint32_t n)
{
    return (uint32_t)((uint64_t)lac_hash32(a->random++) * n >> 32);
}

/* A packet in order, as the packetizer makes it. */
static int make_packet(attack *a, netsim_packet *p)
{
    uint16_t tokens[LAC_MAX_CODEBOOKS];
    lac_packet packet;
    int ready = 0, status = 0;
    while (!status && !ready) {
        netcall_tokens(&a->info, a->frame++, tokens);
        status = lac_packetizer_write(a->packetizer, tokens, 1 + below(a, a->info.codebooks), below(a, 50) > 0,
                                      &packet, &ready);
    }
    *p = (netsim_packet){.timestamp = (uint32_t)(packet.frame * a->info.frame_samples), .size = packet.size,
                         .sequence = a->sequence++};
    memcpy(p->data, packet.data, packet.size);
    return status;
}

static void spoil_payload(attack *a, netsim_packet *p)
{
    if (below(a, 4) == 0)
        p->size = below(a, LAC_PACKET_MAX_BYTES + 1);
    if (below(a, 4) == 0)
        for (uint32_t i = 0; i < p->size; i++)
            p->data[i] = (uint8_t)below(a, 256);
    for (uint32_t n = below(a, 4); n > 0 && p->size > 0; n--)
        p->data[below(a, below(a, 2) ? p->size : 1)] ^= (uint8_t)(1u << below(a, 8));
}

static void spoil_header(attack *a, netsim_packet *p)
{
    switch (below(a, 6)) {
    case 0: p->timestamp = below(a, UINT32_MAX); break;
    case 1: p->timestamp += (below(a, 600) - 300) * 480; break;
    case 2: p->timestamp += below(a, 9) - 4; break;
    case 3: p->sequence = (uint16_t)below(a, 65536); break;
    case 4: a->frame += below(a, 1000); break;
    default: a->arrival_us += (uint64_t)below(a, 4000000) - 2000000; break;
    }
}

static void measure(double began, double *longest)
{
    double took = seconds_used() - began;
    *longest = took > *longest ? took : *longest;
}

static int attack_once(attack *a, uint64_t i)
{
    static float pcm[960];
    netsim_packet p;
    int status = make_packet(a, &p);
    if (below(a, 2) == 0)
        spoil_payload(a, &p);
    if (below(a, 8) == 0)
        spoil_header(a, &p);
    if (below(a, 1000000) == 0)
        a->arrival_us = (uint64_t)below(a, UINT32_MAX) << below(a, 33);
    lac_rtp rtp = netsim_rtp(&p);
    double began = seconds_used();
    lac_receiver_put(a->receiver, &rtp, a->arrival_us);
    measure(began, &a->longest_put);
    a->arrival_us += 20000;
    /* most of the time there is nobody to listen: ten million frames would take hours */
    if (i % 1000 < 100) {
        began = seconds_used();
        lac_receiver_get(a->receiver, pcm, below(a, 961));
        measure(began, &a->longest_get);
    }
    return status;
}

static int run_attack(const lac_model *model, const options *o)
{
    attack a = {.random = o->seed << 32};
    lac_packetizer_settings packets;
    lac_packetizer_default_settings(&packets);
    lac_model_get_info(model, &a.info);
    lac_packetizer_plan(&packets, a.info.token_bits, a.info.codebooks, 3, 100);
    packets.dtx = 1;
    int status = lac_packetizer_open(&a.packetizer, model, &packets);
    if (!status)
        status = lac_receiver_open(&a.receiver, model, NULL);
    uint64_t before = resident_bytes();
    for (uint64_t i = 0; !status && i < o->packets; i++) {
        status = attack_once(&a, i);
        if ((i + 1) % (o->packets / LINES + 1) == 0)
            print_statistics(a.receiver, 0);
    }
    if (status) {
        fprintf(stderr, "longcall: %s\n", lac_status_string(status));
    } else {
        uint64_t now = resident_bytes();
        print_statistics(a.receiver, 0);
        printf("%" PRIu64 " packets: longest put %.3f ms, longest get %.3f ms; memory grew by %" PRId64 " KB\n",
               o->packets, 1000 * a.longest_put, 1000 * a.longest_get, ((int64_t)now - (int64_t)before) / 1024);
        status = now > before + MOST_GROWTH;
    }
    lac_packetizer_close(&a.packetizer);
    lac_receiver_close(&a.receiver);
    return status != 0;
}

/* ---- */

static int parse(options *o, int argc, char **argv)
{
    static const struct option names[] = {
        {"hours", required_argument, NULL, 'h'},  {"loss", required_argument, NULL, 'l'},
        {"drift", required_argument, NULL, 'd'},  {"jitter", required_argument, NULL, 'j'},
        {"burst", required_argument, NULL, 'b'},  {"redundancy", required_argument, NULL, 'r'},
        {"talk", required_argument, NULL, 't'},   {"packets", required_argument, NULL, 'p'},
        {"seed", required_argument, NULL, 's'},   {"model", required_argument, NULL, 'm'},
        {"hostile", no_argument, NULL, 'x'},      {NULL, 0, NULL, 0},
    };
    for (int c; (c = getopt_long(argc, argv, "", names, NULL)) != -1;)
        switch (c) {
        case 'h': o->hours = atof(optarg); break;
        case 'l': o->loss = atof(optarg); break;
        case 'd': o->drift = atof(optarg); break;
        case 'j': o->jitter = atof(optarg); break;
        case 'b': o->burst = (uint32_t)atol(optarg); break;
        case 'r': o->redundancy = (uint32_t)atol(optarg); break;
        case 't': o->talk = (uint32_t)atol(optarg); break;
        case 'p': o->packets = strtoull(optarg, NULL, 10); break;
        case 's': o->seed = strtoull(optarg, NULL, 10); break;
        case 'm': o->model = optarg; break;
        case 'x': o->hostile = 1; break;
        default: return 1;
        }
    return argc > optind;
}

int main(int argc, char **argv)
{
    options o = {.hours = 1, .loss = 5, .jitter = 20, .packets = 1000000, .seed = 1, .burst = 3, .redundancy = 2};
    char path[4096];
    lac_model *model = NULL;
    const char *folder = getenv("LAC_VECTORS");
    if (parse(&o, argc, argv)) {
        fprintf(stderr, "usage: longcall [--hours H] [--loss PERCENT] [--burst PACKETS] [--drift PPM]\n"
                        "                [--jitter MS] [--redundancy PACKETS] [--talk SECONDS] [--model FILE]\n"
                        "                [--seed N]\n"
                        "       longcall --hostile [--packets N] [--model FILE] [--seed N]\n");
        return 2;
    }
    snprintf(path, sizeof path, "%s/tiny.lacm", folder ? folder : "vectors");
    int status = lac_model_open_file(&model, o.model ? o.model : path);
    if (status) {
        fprintf(stderr, "longcall: %s: %s\n", o.model ? o.model : path, lac_status_string(status));
        return 1;
    }
    status = o.hostile ? run_attack(model, &o) : run_hours(model, &o);
    lac_model_close(&model);
    return status;
}
