/* lac send: an audio file or pipe to a receiver, as RTP over UDP. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "command.h"
#include "lac/activity.h"
#include "lac/encoder.h"
#include "lac/packet.h"
#include "models.h"
#include "netreport.h"
#include "options.h"
#include "pace.h"
#include "progress.h"
#include "report.h"
#include "sdp.h"
#include "session.h"
#include "speech.h"

#define LINGER_US 500000   /* wait for the last report of the receiver */
#define MOST_DATAGRAMS 256 /* taken before sound is due again */
#define MOST_ROWS 4        /* frames that one frame of samples, or the end, gives */

static const char usage[] =
    "usage: lac send [OPTIONS] IN --to HOST:PORT\n"
    "\n"
    "Codes an audio file, or raw samples from a pipe, and sends it in real time as RTP over UDP, with RTCP on the\n"
    "same port (doc/rtp-payload.md). Channels are averaged. HOST is a name, IPv4 or [IPv6].\n"
    "\n"
    "      --to HOST:PORT       where to\n"
    "  -b, --bitrate KBPS       kbit/s of tokens, in the model's steps; default 3\n"
    "      --codebooks N        the same, as codebooks a frame\n"
    "  -m, --model MODEL        a model file or a name; default: the built-in one\n"
    "      --beam N             choices of tokens followed at once, 1 to 16; default 4. 1 is fastest\n"
    "      --frames N           frames of 20 ms a packet, 1 to 10; default 1\n"
    "      --layer N            codebooks a layer, 1 to 8; default 2\n"
    "      --redundancy BYTES   of each packet, for copies of earlier frames; default 0\n"
    "      --redundancy-packets N\n"
    "                           how many earlier packets they are for, 1 to 4; default 2\n"
    "      --dtx                send no silence, only what its noise is like\n"
    "      --coded              code tokens by the model's prior, which the receiver needs too, where it is shorter\n"
    "      --payload-type N     96 to 127; default 96\n"
    "      --ssrc N, --seed N   fixed instead of random: the SSRC; it and where numbers and timestamps start\n"
    "      --key HEX            SRTP: 60 digits, 16 bytes of key and 14 of salt\n"
    "      --key-file FILE      the same from a file, out of sight of other users\n"
    "      --sdp FILE           describe the session there\n"
    "      --raw RATE:CHANNELS:FORMAT\n"
    "                           IN has no header: interleaved, little-endian, FORMAT s16, s24, s32 or f32\n"
    "      --live               IN sets the pace, as arecord does; else it is read in real time\n"
    "      --loop               begin again at the end\n"
    "      --duration SECONDS   at most this much\n"
    "      --speed X            X times real time, 0.1 to 1000; the receiver needs the same\n"
    "      --rtcp SECONDS       mean time between reports; default 5\n"
    "      --json               a report at the end\n"
    "      --every SECONDS      a line of JSON as often, and one at the end\n"
    "  -h, --help               this text\n"
    "\n"
    "On a terminal a line shows the rate with all headers and, as the receiver reports them, loss and round trip.\n"
    "The first interrupt ends the stream in order.\n";

typedef struct job {
    const char *input, *to_name, *model_name, *sdp;
    lac_address to;
    double kbps, duration, speed;
    uint32_t beam, redundancy, redundancy_packets, payload_type, ssrc, seed;
    int has_ssrc, has_seed, has_key, is_live, loop;
    uint8_t key[LAC_SECURE_KEY];
    lac_raw_input raw;
    lac_session_settings session_settings;
    lac_net_report report;

    lac_model *model;
    lac_model_info info;
    uint32_t codebooks; /* wanted on the command line: 0 means by bit rate */
    lac_packetizer_settings settings;
    lac_speech *speech;
    lac_encoder *encoder;
    lac_activity *activity;
    lac_packetizer *packetizer;
    lac_session session;
    lac_pace pace;
    lac_progress progress;
    float *pcm;         /* [frame_samples] */
    uint16_t *tokens;   /* [MOST_ROWS][Q] */
    int status;         /* of the library */
    lac_rtp_header next;
    uint32_t first_timestamp;
    uint64_t frames;    /* of samples taken */
    uint64_t comforts;  /* packets of comfort noise */
    uint64_t reports;   /* heard */
} job;

enum { TO = 256, CODEBOOKS, BEAM, FRAMES, LAYER, REDUNDANCY, PACKETS, DTX, CODED, TYPE, SSRC, SEED, KEY, KEY_FILE,
       SDP, RAW, LIVE, LOOP, DURATION, SPEED, RTCP, JSON, EVERY };

/* ---- options ---- */

static int parse_packets(job *j, int option)
{
    switch (option) {
    case FRAMES:
        return lac_option_count("send", "--frames", optarg, 1, LAC_PACKET_MAX_FRAMES, &j->settings.frames);
    case LAYER: return lac_option_count("send", "--layer", optarg, 1, LAC_PACKET_MAX_LAYER, &j->settings.layer);
    case REDUNDANCY:
        return lac_option_count("send", "--redundancy", optarg, 0, LAC_PACKET_MAX_BYTES, &j->redundancy);
    case PACKETS:
        return lac_option_count("send", "--redundancy-packets", optarg, 1, LAC_PACKET_MAX_REDUNDANCY,
                                &j->redundancy_packets);
    case DTX: j->settings.dtx = 1; return 0;
    case CODED: j->settings.coded = 1; return 0;
    case TYPE: return lac_option_count("send", "--payload-type", optarg, 96, 127, &j->payload_type);
    case SSRC: j->has_ssrc = 1; return lac_option_count("send", "--ssrc", optarg, 0, UINT32_MAX, &j->ssrc);
    default: j->has_seed = 1; return lac_option_count("send", "--seed", optarg, 0, UINT32_MAX, &j->seed);
    }
}

static int parse_session(job *j, int option)
{
    switch (option) {
    case TO: j->to_name = optarg; return 0;
    case KEY: j->has_key = 1; return lac_secure_key("send", optarg, j->key);
    case KEY_FILE: j->has_key = 1; return lac_secure_key_file("send", optarg, j->key);
    case SDP: j->sdp = optarg; return 0;
    case LIVE: j->is_live = 1; return 0;
    case LOOP: j->loop = 1; return 0;
    case DURATION: return lac_option_seconds("send", "--duration", optarg, &j->duration);
    case SPEED: return lac_option_real("send", "--speed", optarg, 0.1, 1000, "a speed", &j->speed);
    case RTCP:
        return lac_option_real("send", "--rtcp", optarg, 0.1, 3600, "the time", &j->session_settings.rtcp_interval);
    case JSON: j->report.json = 1; return 0;
    default: return lac_option_real("send", "--every", optarg, 0.1, 3600, "the time", &j->report.every);
    }
}

static int parse_option(void *user, int option, char **argv)
{
    job *j = user;

    switch (option) {
    case 'b': return lac_option_kbps("send", optarg, &j->kbps);
    case 'm': j->model_name = optarg; return 0;
    case RAW: return lac_option_raw("send", optarg, &j->raw);
    case CODEBOOKS: return lac_option_count("send", "--codebooks", optarg, 1, LAC_MAX_CODEBOOKS, &j->codebooks);
    case BEAM: return lac_option_count("send", "--beam", optarg, 1, LAC_MAX_BEAM, &j->beam);
    case FRAMES: case LAYER: case REDUNDANCY: case PACKETS: case DTX: case CODED: case TYPE: case SSRC: case SEED:
        return parse_packets(j, option);
    case '?': case ':': return lac_report_option("send", option, argv);
    default: return parse_session(j, option);
    }
}

static int check(job *j, int argc, char **argv)
{
    if (optind == argc)
        return lac_report_usage("send", "which file?");
    if (argc - optind > 1)
        return lac_report_usage("send", "one input, not also '%s'", argv[optind + 1]);
    j->input = argv[optind];
    if (!j->to_name)
        return lac_report_usage("send", "where to? --to HOST:PORT");
    if (j->kbps >= 0 && j->codebooks)
        return lac_report_usage("send", "--bitrate or --codebooks, not both");
    if (j->has_key && (j->has_ssrc || j->has_seed))
        return lac_report_usage("send", "SRTP with a chosen SSRC would use its key stream twice");
    if (j->loop && strcmp(j->input, "-") == 0)
        return lac_report_usage("send", "--loop needs a file that can be read again");
    if (j->is_live && !j->raw.format)
        return lac_report_usage("send", "--live is for --raw");
    return lac_address_parse("send", j->to_name, &j->to);
}

static int parse(job *j, int argc, char **argv, int *done)
{
    static const struct option options[] = {
        {"to", required_argument, NULL, TO}, {"bitrate", required_argument, NULL, 'b'},
        {"codebooks", required_argument, NULL, CODEBOOKS}, {"model", required_argument, NULL, 'm'},
        {"beam", required_argument, NULL, BEAM}, {"frames", required_argument, NULL, FRAMES},
        {"layer", required_argument, NULL, LAYER},
        {"redundancy", required_argument, NULL, REDUNDANCY},
        {"redundancy-packets", required_argument, NULL, PACKETS}, {"dtx", no_argument, NULL, DTX},
        {"coded", no_argument, NULL, CODED},
        {"payload-type", required_argument, NULL, TYPE}, {"ssrc", required_argument, NULL, SSRC},
        {"seed", required_argument, NULL, SEED}, {"key", required_argument, NULL, KEY},
        {"key-file", required_argument, NULL, KEY_FILE}, {"sdp", required_argument, NULL, SDP},
        {"raw", required_argument, NULL, RAW}, {"live", no_argument, NULL, LIVE}, {"loop", no_argument, NULL, LOOP},
        {"duration", required_argument, NULL, DURATION}, {"speed", required_argument, NULL, SPEED},
        {"rtcp", required_argument, NULL, RTCP}, {"json", no_argument, NULL, JSON},
        {"every", required_argument, NULL, EVERY}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0},
    };
    int failed = lac_options_read(argc, argv, ":b:m:h", options, usage, parse_option, j, done);

    return failed || *done ? failed : check(j, argc, argv);
}

/* ---- opening ---- */

static int open_coding(job *j)
{
    lac_encoder_settings encoder;
    int failed = 0;

    if (!j->codebooks)
        failed = lac_option_codebooks("send", j->kbps, &j->info, &j->codebooks);
    else if (j->codebooks > j->info.codebooks)
        failed = lac_report_usage("send", "--codebooks %u: model %s has %u", j->codebooks, j->info.name,
                                  j->info.codebooks);
    if (failed)
        return failed;
    if (j->settings.coded && !j->info.prior_macs)
        return lac_report_usage("send", "--coded: model %s has no prior", j->info.name);
    if (j->redundancy)
        lac_packetizer_plan(&j->settings, j->info.token_bits, j->codebooks, j->redundancy_packets, j->redundancy);
    lac_encoder_default_settings(&encoder);
    encoder.codebooks = j->codebooks;
    encoder.beam = j->beam;
    j->pcm = calloc(j->info.frame_samples, sizeof *j->pcm);
    j->tokens = calloc((size_t)MOST_ROWS * j->info.codebooks, sizeof *j->tokens);
    if (!j->pcm || !j->tokens)
        return lac_report("send", "out of memory");
    if ((j->status = lac_encoder_open(&j->encoder, j->model, &encoder)) != 0 ||
        (j->status = lac_activity_open(&j->activity, j->model)) != 0 ||
        (j->status = lac_packetizer_open(&j->packetizer, j->model, &j->settings)) != 0)
        return lac_report_status("send", j->status, 0);
    return 0;
}

/* A private file is its owner's alone; devices and pipes stay as they are. */
static FILE *create(const char *path, int is_private)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, is_private ? 0600 : 0666);
    struct stat st;
    FILE *f = NULL;

    if (fd < 0)
        return NULL;
    if (!is_private || (!fstat(fd, &st) && (!S_ISREG(st.st_mode) || !fchmod(fd, 0600))))
        f = fdopen(fd, "w");
    if (!f)
        close(fd);
    return f;
}

static int write_sdp(const job *j)
{
    lac_sdp sdp = {
        .to = &j->to, .payload_type = j->payload_type, .ssrc = j->session.ssrc, .cname = j->session.cname,
        .codebooks = j->codebooks, .frames = j->settings.frames, .dtx = j->settings.dtx,
        .redundancy = j->settings.redundancy, .coded = j->settings.coded, .key = j->has_key ? j->key : NULL,
        .model = &j->info,
    };
    FILE *f = create(j->sdp, j->has_key);
    int failed;

    if (!f)
        return lac_report(j->sdp, "%s", strerror(errno));
    failed = lac_sdp_write(f, &sdp);
    failed |= fclose(f);
    return failed ? lac_report(j->sdp, "%s", strerror(errno)) : 0;
}

static int open_session(job *j)
{
    uint64_t start;
    int failed;

    j->session_settings.seed = j->has_seed ? UINT64_C(1) << 32 | j->seed : 0;
    j->session_settings.key = j->has_key ? j->key : NULL;
    failed = lac_session_open(&j->session, &j->session_settings);
    if (!failed)
        failed = lac_udp_connect(&j->session.fd, &j->to, j->to_name);
    if (failed)
        return failed;
    if (j->has_ssrc)
        j->session.ssrc = j->ssrc;
    j->session.overhead = lac_address_overhead(&j->to);
    start = j->has_seed ? UINT64_C(0x9e3779b97f4a7c15) * (j->seed + 1) : lac_session_random();
    j->next.payload_type = (uint8_t)j->payload_type;
    j->next.sequence = start >> 16 & 0x7fff; /* RFC 3711, 3.3.1: SRTP's receiver must not miss the first wrap */
    j->first_timestamp = (uint32_t)(start >> 32);
    return j->sdp ? write_sdp(j) : 0;
}

static int open_all(job *j)
{
    int failed = lac_models_open(&j->model, j->model_name);

    if (failed)
        return failed;
    lac_model_get_info(j->model, &j->info);
    if ((failed = open_coding(j)) != 0 || (failed = open_session(j)) != 0)
        return failed;
    return lac_speech_open(&j->speech, j->input, j->raw.format ? &j->raw : NULL, j->info.sample_rate, j->loop);
}

/* ---- reports ---- */

static double seconds_sent(const job *j)
{
    return (double)j->frames * j->info.frame_samples / j->info.sample_rate;
}

static cJSON *facts_of(const job *j)
{
    const lac_session *s = &j->session;
    cJSON *facts = cJSON_CreateObject();
    double seconds = seconds_sent(j);

    lac_facts_real(facts, "seconds", seconds, 9);
    lac_facts_count(facts, "packets", s->packets);
    lac_facts_count(facts, "comfort_packets", j->comforts);
    lac_facts_count(facts, "payload_bytes", s->octets);
    lac_facts_count(facts, "bytes", s->sent_bytes);
    lac_facts_real(facts, "kbps", seconds > 0 ? (double)s->sent_bytes * 0.008 / seconds : 0, 5);
    lac_facts_count(facts, "ssrc", s->ssrc);
    lac_facts_count(facts, "reports", j->reports);
    lac_facts_percent(facts, "loss_percent", s->block.fraction, s->has_block ? 256 : 0);
    if (s->has_block) {
        cJSON_AddNumberToObject(facts, "lost", s->block.lost);
        lac_facts_real(facts, "jitter_ms", 1000.0 * s->block.jitter / j->info.sample_rate, 4);
    }
    if (s->round_trip >= 0)
        lac_facts_real(facts, "round_trip_ms", 1000 * s->round_trip, 4);
    return facts;
}

static void show(job *j)
{
    const lac_session *s = &j->session;
    double seconds = seconds_sent(j);
    char loss[32] = "unknown", trip[32] = "unknown";

    if (s->has_block)
        snprintf(loss, sizeof loss, "%.1f %%", 100.0 * s->block.fraction / 256);
    if (s->round_trip >= 0)
        snprintf(trip, sizeof trip, "%.0f ms", 1000 * s->round_trip);
    lac_progress_text(&j->progress, "%.1f s  %.1f kbit/s  loss %s  round trip %s", seconds,
                      seconds > 0 ? (double)s->sent_bytes * 0.008 / seconds : 0, loss, trip);
}

/* ---- sending ---- */

static void hear(job *j)
{
    uint8_t bytes[LAC_RTP_DATAGRAM];
    lac_rtcp_report report;
    int room = MOST_DATAGRAMS;
    long got;

    while (room-- > 0 && (got = lac_udp_receive(j->session.fd, bytes, sizeof bytes, NULL)) >= 0) {
        size_t size = (size_t)got;

        if (size <= sizeof bytes && lac_rtp_is_rtcp(bytes, size) &&
            !lac_session_reveal(&j->session, bytes, &size) && !lac_session_hear(&j->session, bytes, size, &report))
            j->reports++;
    }
}

static void report(job *j, int bye)
{
    lac_rtcp_sender sender = {0};

    sender.timestamp = j->first_timestamp + (uint32_t)(j->frames * j->info.frame_samples);
    lac_session_report(&j->session, &sender, NULL, bye, NULL);
}

static void send_packet(job *j, const lac_packet *packet)
{
    j->next.timestamp = j->first_timestamp + (uint32_t)(packet->frame * j->info.frame_samples);
    j->next.marker = packet->marker;
    lac_session_send(&j->session, j->next, packet->data, packet->size, NULL);
    j->next.sequence++;
    j->comforts += packet->comfort;
}

static int send_frames(job *j, size_t frames, int active)
{
    static lac_packet packet;
    int ready;

    for (size_t i = 0; i < frames; i++) {
        j->status = lac_packetizer_write(j->packetizer, j->tokens + i * j->info.codebooks, j->codebooks, active,
                                         &packet, &ready);
        if (j->status)
            return lac_report_status("send", j->status, 0);
        if (ready)
            send_packet(j, &packet);
    }
    return 0;
}

/* `samples` are fewer than a frame's only at the end of the input. */
static int send_samples(job *j, size_t samples)
{
    size_t frames;
    int active;

    memset(j->pcm + samples, 0, (j->info.frame_samples - samples) * sizeof *j->pcm);
    active = lac_activity_frame(j->activity, j->pcm);
    j->status = lac_encoder_write(j->encoder, j->pcm, samples, j->tokens, MOST_ROWS, &frames);
    j->frames++;
    return j->status ? lac_report_status("send", j->status, 0) : send_frames(j, frames, active);
}

/* The samples that are to be sent now have all been spoken. */
static void wait_for_frame(job *j)
{
    uint64_t due = (j->frames + 1) * j->info.frame_samples * 1000000 / j->info.sample_rate;

    while (!j->is_live && lac_pace_now(&j->pace) < due && !lac_pace_stopped()) {
        lac_pace_wait(&j->pace, due, j->session.fd, -1);
        hear(j);
    }
    hear(j);
}

static int finish(job *j)
{
    static lac_packet packet;
    uint64_t heard, until;
    size_t frames;
    int ready;

    wait_for_frame(j);
    j->status = lac_encoder_flush(j->encoder, j->tokens, MOST_ROWS, &frames);
    if (!j->status && send_frames(j, frames, 1))
        return LAC_EXIT_FAILED;
    if (!j->status)
        j->status = lac_packetizer_flush(j->packetizer, &packet, &ready);
    if (j->status)
        return lac_report_status("send", j->status, 0);
    if (ready)
        send_packet(j, &packet);
    report(j, 1);
    heard = j->reports;
    until = lac_pace_now(&j->pace) + (uint64_t)(LINGER_US * j->speed);
    while (j->reports == heard && lac_pace_now(&j->pace) < until && !lac_pace_stopped()) {
        lac_pace_wait(&j->pace, until, j->session.fd, -1);
        hear(j);
    }
    return 0;
}

static int send_all(job *j)
{
    size_t got = j->info.frame_samples;

    lac_pace_catch_stop();
    lac_pace_start(&j->pace, j->speed);
    lac_progress_start(&j->progress, -1);
    while (got == j->info.frame_samples && seconds_sent(j) < j->duration && !lac_pace_stopped()) {
        int failed = lac_speech_read(j->speech, j->pcm, j->info.frame_samples, &got);

        if (failed)
            return failed;
        if (!got)
            break;
        wait_for_frame(j);
        failed = send_samples(j, got);
        if (failed)
            return failed;
        if (lac_session_is_due(&j->session))
            report(j, 0);
        if (lac_net_report_is_due(&j->report, seconds_sent(j)))
            lac_net_report_row(&j->report, "row", facts_of(j));
        show(j);
    }
    return finish(j);
}

static void close_all(job *j)
{
    lac_progress_hide();
    lac_speech_close(&j->speech);
    lac_packetizer_close(&j->packetizer);
    lac_activity_close(&j->activity);
    lac_encoder_close(&j->encoder);
    lac_session_close(&j->session);
    lac_model_close(&j->model);
    free(j->pcm);
    free(j->tokens);
}

int lac_cmd_send(int argc, char **argv)
{
    job j;
    int done = 0;
    int failed;

    memset(&j, 0, sizeof j);
    j.kbps = -1;
    j.duration = 1e9;
    j.speed = 1;
    j.payload_type = 96;
    j.beam = 4;
    j.redundancy_packets = 2;
    j.session.fd = -1;
    j.session_settings.rtcp_interval = 5;
    j.report.file = stdout;
    lac_packetizer_default_settings(&j.settings);
    failed = parse(&j, argc, argv, &done);
    if (!failed && !done)
        failed = open_all(&j);
    if (!failed && !done)
        failed = send_all(&j);
    lac_progress_hide();
    if (!failed && !done)
        failed = lac_net_report_end(&j.report, facts_of(&j));
    close_all(&j);
    return failed;
}
