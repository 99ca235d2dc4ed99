/* lac latency: from the microphone's sample to the loudspeaker's, over RTP on this machine. */
#include <getopt.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "facts.h"
#include "lac/encoder.h"
#include "lac/packet.h"
#include "lac/receiver.h"
#include "models.h"
#include "options.h"
#include "pace.h"
#include "report.h"
#include "session.h"

#define MOST_FRAMES 3    /* packets of 1 .. so many frames */
#define PERIOD_MS 10     /* a sound card's block, out and in */
#define SKIP_S 1.0       /* of the start, where the receiver finds its delay */
#define STEPS_A_MS 4     /* resolution of the envelope that is compared */
#define MOST_DELAY_MS 1000

static const char usage[] =
    "usage: lac latency [--json] [-b KBPS] [-m MODEL] [--seconds S]\n"
    "\n"
    "Measures the delay of a call, from a sample at the microphone to the same at the loudspeaker: bursts of\n"
    "sound go in real time through encoder, packets, RTP over loopback UDP, receiver and decoder, with 1, 2 and 3\n"
    "frames a packet; the delay is where the envelopes of input and output agree best. It consists of:\n"
    "\n"
    "  frame     a frame of samples is complete before it is coded\n"
    "  packet    further frames of the packet\n"
    "  coding    encoder and packetizer, as measured on the fastest packet: from its last sample until it is sent\n"
    "  network   as measured on the same: from one socket to the other\n"
    "  block     as measured: the longest wait for the next block that the loudspeaker asks for\n"
    "  buffer    the receiver, by its own account, on average: from then to the sound\n"
    "  decoder   its overlap\n"
    "  playout   a block of 10 ms that is handed to the sound card before it sounds\n"
    "\n"
    "      --json            as one JSON object\n"
    "  -b, --bitrate KBPS    kbit/s; default 3\n"
    "  -m, --model MODEL     a model file or a name; default: the built-in one\n"
    "      --seconds S       of sound for each, 2 to 600; default 6\n"
    "  -h, --help            this text\n";

/* One call of so many frames a packet. */
typedef struct call {
    const lac_model *model;
    lac_model_info info;
    uint32_t codebooks, frames;
    size_t samples;          /* of sound, each way */
    float *in, *out;         /* [samples] */
    lac_session sender, receiver;
    lac_pace pace;
    int status;              /* of the sending thread */
    double buffer_ms;        /* sum of `blocks` */
    uint64_t packets, arrived, blocks;
    uint64_t *due_us, *sent_us; /* [packets]: when each had all its samples, and when it left */
    int64_t coding_us, network_us, block_us;
} call;

typedef struct budget {
    double frame, packet, coding, network, block, buffer, decoder, playout;
    double sum, measured;
    uint64_t lost;
} budget;

typedef struct job {
    const char *model_name;
    double kbps, seconds;
    int json;
    lac_model *model;
    lac_model_info info;
    uint32_t codebooks;
    budget budgets[MOST_FRAMES];
} job;

enum { JSON = 256, SECONDS };

static int parse_option(void *user, int option, char **argv)
{
    job *j = user;

    switch (option) {
    case 'b': return lac_option_kbps("latency", optarg, &j->kbps);
    case 'm': j->model_name = optarg; return 0;
    case JSON: j->json = 1; return 0;
    case SECONDS: return lac_option_real("latency", "--seconds", optarg, 2, 600, "the time", &j->seconds);
    default: return lac_report_option("latency", option, argv);
    }
}

static int parse(job *j, int argc, char **argv, int *done)
{
    static const struct option options[] = {
        {"json", no_argument, NULL, JSON}, {"bitrate", required_argument, NULL, 'b'},
        {"model", required_argument, NULL, 'm'}, {"seconds", required_argument, NULL, SECONDS},
        {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0},
    };
    int failed = lac_options_read(argc, argv, ":b:m:h", options, usage, parse_option, j, done);

    if (!failed && !*done && optind < argc)
        return lac_report_usage("latency", "no file, not '%s'", argv[optind]);
    return failed;
}

/* Bursts of a gliding voice, from 60 to 170 ms long and apart, no two alike, so that only one delay fits. */
static void make_bursts(call *c)
{
    uint32_t random = 1;
    size_t at = 0;
    double phase = 0;

    while (at < c->samples) {
        size_t length, gap;

        random = random * 1664525u + 1013904223u;
        length = (60 + (random >> 16) % 110) * c->info.sample_rate / 1000;
        gap = (60 + (random >> 8) % 110) * c->info.sample_rate / 1000;
        for (size_t i = 0; i < length && at < c->samples; i++, at++) {
            double sum = 0;

            phase += 6.2831853 * (110 + 60 * (double)i / (double)length) / c->info.sample_rate;
            for (int k = 1; k <= 20; k++)
                sum += sin(k * phase) / k;
            c->in[at] = (float)(0.3 * sum);
        }
        at += gap;
    }
}

/* ---- sending ---- */

typedef struct coder {
    lac_encoder *encoder;
    lac_packetizer *packetizer;
    uint16_t *tokens;
    lac_packet packet;
} coder;

static int open_coder(coder *k, const call *c)
{
    lac_encoder_settings encoder;
    lac_packetizer_settings packets;
    int status;

    memset(k, 0, sizeof *k);
    lac_encoder_default_settings(&encoder);
    encoder.codebooks = c->codebooks;
    lac_packetizer_default_settings(&packets);
    packets.frames = c->frames;
    k->tokens = calloc(2 * (size_t)c->info.codebooks, sizeof *k->tokens);
    if (!k->tokens)
        return LAC_ERROR_MEMORY;
    status = lac_encoder_open(&k->encoder, c->model, &encoder);
    return status ? status : lac_packetizer_open(&k->packetizer, c->model, &packets);
}

static void close_coder(coder *k)
{
    lac_packetizer_close(&k->packetizer);
    lac_encoder_close(&k->encoder);
    free(k->tokens);
}

static void send_packet(call *c, const lac_packet *packet, uint64_t due_us)
{
    lac_rtp_header h = {(uint32_t)packet->frame * c->info.frame_samples, 0, (uint16_t)c->packets, 96,
                        packet->marker};

    c->due_us[c->packets] = due_us;
    c->sent_us[c->packets++] = lac_pace_now(&c->pace);
    lac_session_send(&c->sender, h, packet->data, packet->size, NULL);
}

/* The sound card gives a block every PERIOD_MS. */
static int send_all(call *c, coder *k)
{
    size_t block = c->info.sample_rate * PERIOD_MS / 1000;

    for (size_t at = 0; at + block <= c->samples; at += block) {
        uint64_t due = (uint64_t)(at + block) * 1000000 / c->info.sample_rate;
        size_t frames;
        int ready = 0;
        int status;

        while (lac_pace_now(&c->pace) < due)
            lac_pace_wait(&c->pace, due, -1, -1);
        status = lac_encoder_write(k->encoder, c->in + at, block, k->tokens, 2, &frames);
        if (!status && frames)
            status = lac_packetizer_write(k->packetizer, k->tokens, c->codebooks, 1, &k->packet, &ready);
        if (status)
            return status;
        if (ready)
            send_packet(c, &k->packet, due);
    }
    return 0;
}

static void *run_sender(void *user)
{
    call *c = user;
    coder k;

    c->status = open_coder(&k, c);
    if (!c->status)
        c->status = send_all(c, &k);
    close_coder(&k);
    return NULL;
}

/* ---- receiving ---- */

/* The receiver counts delay from the fastest packet on, to where a block is asked for right after a packet. */
static void compare(call *c, uint16_t number, uint64_t now, uint64_t next_us)
{
    int64_t coding = (int64_t)(c->sent_us[number] - c->due_us[number]);
    int64_t network = (int64_t)(now - c->sent_us[number]);
    int64_t block = (int64_t)(next_us - now);

    if (!c->arrived || coding + network < c->coding_us + c->network_us) {
        c->coding_us = coding;
        c->network_us = network;
    }
    if (!c->arrived || block > c->block_us)
        c->block_us = block;
    c->arrived++;
}

/* next_us: when the next block is asked for. */
static void take(call *c, lac_receiver *receiver, uint64_t next_us)
{
    uint8_t bytes[LAC_RTP_DATAGRAM];
    lac_rtp_header h;
    lac_rtp packet;
    long got;

    while ((got = lac_udp_receive(c->receiver.fd, bytes, sizeof bytes, NULL)) >= 0) {
        uint64_t now = lac_pace_now(&c->pace);
        const uint8_t *payload;
        size_t size = (size_t)got;

        if (size > sizeof bytes || lac_rtp_parse(bytes, size, &h, &payload, &size) || h.ssrc != c->sender.ssrc)
            continue;
        packet = (lac_rtp){h.timestamp, h.sequence, h.marker, payload, size};
        lac_receiver_put(receiver, &packet, now);
        compare(c, h.sequence, now, next_us);
    }
}

static int play_all(call *c, lac_receiver *receiver)
{
    size_t block = c->info.sample_rate * PERIOD_MS / 1000;
    lac_receiver_statistics s;

    for (size_t at = 0; at + block <= c->samples; at += block) {
        uint64_t due = (uint64_t)at * 1000000 / c->info.sample_rate;
        int status;

        do {
            lac_pace_wait(&c->pace, due, c->receiver.fd, -1);
            take(c, receiver, due);
        } while (lac_pace_now(&c->pace) < due);
        status = lac_receiver_get(receiver, c->out + at, block);
        if (status)
            return status;
        lac_receiver_get_statistics(receiver, &s);
        if ((double)at >= SKIP_S * c->info.sample_rate) {
            c->buffer_ms += s.delay_ms;
            c->blocks++;
        }
    }
    return 0;
}

static int run_receiver(call *c)
{
    lac_receiver *receiver = NULL;
    int status = lac_receiver_open(&receiver, c->model, NULL);

    if (!status)
        status = play_all(c, receiver);
    lac_receiver_close(&receiver);
    return status;
}

/* ---- the delay ---- */

/* e [2 * count]: energy in `count` steps of 1 / STEPS_A_MS ms, smoothed over a pitch period of 10 ms, less its
 * mean; behind it scratch. */
static void envelope(const call *c, const float *pcm, double *e, size_t count)
{
    size_t step = c->info.sample_rate / 1000 / STEPS_A_MS;
    size_t wide = 10 * STEPS_A_MS;
    double sum = 0, mean = 0;

    for (size_t i = 0; i < count; i++) {
        double energy = 0;

        for (size_t k = 0; k < step; k++)
            energy += (double)pcm[i * step + k] * pcm[i * step + k];
        e[count + i] = energy;
    }
    for (size_t i = 0; i < count; i++) {
        sum += e[count + i] - (i >= wide ? e[count + i - wide] : 0);
        e[i] = sqrt(sum > 0 ? sum : 0);
        mean += e[i] / (double)count;
    }
    for (size_t i = 0; i < count; i++)
        e[i] -= mean;
}

/* Milliseconds from `in` to `out`, NAN if out of memory. */
static double find_delay(const call *c)
{
    size_t count = c->samples / (c->info.sample_rate / 1000 / STEPS_A_MS);
    size_t skip = (size_t)(SKIP_S * 1000 * STEPS_A_MS);
    size_t most = MOST_DELAY_MS * STEPS_A_MS;
    double *e = calloc(4 * count, sizeof *e);
    double best = -1;
    double delay = NAN;

    if (!e)
        return NAN;
    envelope(c, c->in, e, count);
    envelope(c, c->out, e + 2 * count, count);
    for (size_t lag = 0; lag < most; lag++) {
        double sum = 0;

        for (size_t i = skip; i + most < count; i++)
            sum += e[i] * e[2 * count + i + lag];
        if (sum > best) {
            best = sum;
            delay = (double)lag / STEPS_A_MS;
        }
    }
    free(e);
    return delay;
}

/* ---- one call ---- */

static int open_sessions(call *c)
{
    lac_session_settings settings = {NULL, 5, 0};
    lac_address address;
    char text[32];
    uint32_t port = 0;
    int failed;

    if ((failed = lac_session_open(&c->sender, &settings)) != 0 ||
        (failed = lac_session_open(&c->receiver, &settings)) != 0 ||
        (failed = lac_udp_bind(&c->receiver.fd, "127.0.0.1", &port)) != 0)
        return failed;
    snprintf(text, sizeof text, "127.0.0.1:%u", port);
    failed = lac_address_parse("latency", text, &address);
    return failed ? failed : lac_udp_connect(&c->sender.fd, &address, text);
}

static int run_call(call *c)
{
    pthread_t thread;
    int failed = open_sessions(c);
    int status;

    if (failed)
        return failed;
    make_bursts(c);
    lac_pace_start(&c->pace, 1);
    if (pthread_create(&thread, NULL, run_sender, c))
        return lac_report("latency", "no second thread");
    status = run_receiver(c);
    pthread_join(thread, NULL);
    if (!status)
        status = c->status;
    return status ? lac_report_status("latency", status, 0) : 0;
}

static void fill_budget(const call *c, budget *b)
{
    double sample_ms = 1000.0 / c->info.sample_rate;

    b->frame = c->info.frame_samples * sample_ms;
    b->packet = (c->frames - 1) * b->frame;
    b->coding = (double)c->coding_us / 1000;
    b->network = (double)c->network_us / 1000;
    b->block = (double)c->block_us / 1000;
    b->buffer = c->blocks ? c->buffer_ms / (double)c->blocks : 0;
    b->decoder = (c->info.delay_samples - c->info.frame_samples) * sample_ms;
    b->playout = PERIOD_MS;
    b->sum = b->frame + b->packet + b->coding + b->network + b->block + b->buffer + b->decoder + b->playout;
    b->measured = find_delay(c) + PERIOD_MS; /* what receiver gives at a tick sounds a block later */
    b->lost = c->packets - c->arrived;
}

static int measure(job *j, uint32_t frames, budget *b)
{
    call c;
    int failed;

    memset(&c, 0, sizeof c);
    c.model = j->model;
    c.info = j->info;
    c.codebooks = j->codebooks;
    c.frames = frames;
    c.samples = (size_t)((j->seconds + SKIP_S) * j->info.sample_rate);
    c.in = calloc(c.samples, sizeof *c.in);
    c.out = calloc(c.samples, sizeof *c.out);
    c.due_us = calloc(2 * (c.samples / j->info.frame_samples + 1), sizeof *c.due_us);
    c.sent_us = c.due_us ? c.due_us + c.samples / j->info.frame_samples + 1 : NULL;
    c.sender.fd = c.receiver.fd = -1;
    failed = c.in && c.out && c.due_us ? run_call(&c) : lac_report("latency", "out of memory");
    if (!failed)
        fill_budget(&c, b);
    lac_session_close(&c.sender);
    lac_session_close(&c.receiver);
    free(c.in);
    free(c.out);
    free(c.due_us);
    return failed;
}

/* ---- the table ---- */

static const char *const parts[] = {"frame", "packet", "coding", "network", "block", "buffer", "decoder",
                                    "playout", "sum", "measured"};
#define PARTS (sizeof parts / sizeof *parts)

static void values_of(const budget *b, double *values)
{
    const double all[PARTS] = {b->frame, b->packet, b->coding, b->network, b->block, b->buffer, b->decoder,
                               b->playout, b->sum, b->measured};

    memcpy(values, all, sizeof all);
}

static int print_json(const job *j)
{
    cJSON *facts = cJSON_CreateObject();
    cJSON *rows = cJSON_AddArrayToObject(facts, "calls");
    double values[PARTS];

    cJSON_AddStringToObject(facts, "model", j->info.name);
    lac_facts_count(facts, "codebooks", j->codebooks);
    for (int i = 0; i < MOST_FRAMES; i++) {
        cJSON *row = cJSON_CreateObject();
        char key[32];

        values_of(&j->budgets[i], values);
        lac_facts_count(row, "frames", (unsigned)i + 1);
        for (size_t k = 0; k < PARTS; k++) {
            snprintf(key, sizeof key, "%s_ms", parts[k]);
            lac_facts_real(row, key, values[k], 5);
        }
        lac_facts_count(row, "lost", j->budgets[i].lost);
        cJSON_AddItemToArray(rows, row);
    }
    return lac_facts_print(facts, 1);
}

static void print_table(const job *j)
{
    double values[MOST_FRAMES][PARTS];

    printf("ms          ");
    for (int i = 0; i < MOST_FRAMES; i++) {
        printf("%d frame%s   ", i + 1, i ? "s" : " ");
        values_of(&j->budgets[i], values[i]);
    }
    putchar('\n');
    for (size_t k = 0; k < PARTS; k++) {
        printf("%-10s", parts[k]);
        for (int i = 0; i < MOST_FRAMES; i++)
            printf("%9.1f  ", values[i][k]);
        putchar('\n');
    }
}

static int run(job *j)
{
    int failed = lac_models_open(&j->model, j->model_name);

    if (failed)
        return failed;
    lac_model_get_info(j->model, &j->info);
    failed = lac_option_codebooks("latency", j->kbps, &j->info, &j->codebooks);
    for (uint32_t i = 0; i < MOST_FRAMES && !failed; i++)
        failed = measure(j, i + 1, &j->budgets[i]);
    if (failed)
        return failed;
    if (j->json)
        return print_json(j);
    print_table(j);
    return 0;
}

int lac_cmd_latency(int argc, char **argv)
{
    job j;
    int done = 0;
    int failed;

    memset(&j, 0, sizeof j);
    j.kbps = -1;
    j.seconds = 6;
    failed = parse(&j, argc, argv, &done);
    if (!failed && !done)
        failed = run(&j);
    lac_model_close(&j.model);
    return failed;
}
