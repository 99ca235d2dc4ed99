/* lac receive: RTP as `lac send` sends it, to an audio file or pipe. */
#define _GNU_SOURCE /* F_SETPIPE_SZ */
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audioout.h"
#include "command.h"
#include "lac/packet.h"
#include "lac/receiver.h"
#include "models.h"
#include "netbytes.h"
#include "netreport.h"
#include "options.h"
#include "pace.h"
#include "progress.h"
#include "report.h"
#include "session.h"

#define BLOCKS_A_SECOND 100
#define SILENCE_US 2000000   /* after which another source is followed */
#define MOST_DATAGRAMS 256   /* taken before sound is due again */
#define ONCE_IDLE_S 5        /* a BYE may be lost */
#define PIPE_BYTES 4096      /* of sound wait for a player, not the 64 KB of most pipes */

static const char usage[] =
    "usage: lac receive [OPTIONS] --port N OUT.wav|.flac|...\n"
    "\n"
    "Receives what lac send sends, plays it by a steady clock of its own, and writes that to a file, or to a pipe\n"
    "as it plays. Sound begins with the first packet. RTCP goes back to the sender from the same port.\n"
    "\n"
    "      --port N             where packets come; 0: any free port, which --every tells\n"
    "      --bind ADDRESS       only at this address; default: all, IPv4 and IPv6\n"
    "  -m, --model MODEL        a model file or a name; default: the built-in one\n"
    "      --min-delay MS, --max-delay MS\n"
    "                           bounds of the buffer's delay, 0 to 2000, which follows the network's jitter\n"
    "                           between them; default 0 and 500\n"
    "      --late N             of 1000 packets, so many may come too late; default 10\n"
    "      --no-wait            do not wait for redundancy\n"
    "      --payload-type N     96 to 127; default 96\n"
    "      --key HEX            SRTP: 60 digits, 16 bytes of key and 14 of salt\n"
    "      --key-file FILE      the same from a file, out of sight of other users\n"
    "      --once               end when the sender has said goodbye and all is played, or 5 s after its last\n"
    "                           packet\n"
    "      --idle SECONDS       end if nothing comes for so long\n"
    "      --duration SECONDS   end after so much sound\n"
    "      --speed X            the sender's\n"
    "      --rtcp SECONDS       mean time between reports; default 5\n"
    "      --raw FORMAT         no header: mono, little-endian, FORMAT s16, s24, s32 or f32\n"
    "  -f, --force              overwrite OUT; write to a terminal\n"
    "      --json               a report at the end, on standard error if OUT is -\n"
    "      --every SECONDS      a line of JSON as often, one at the start and one at the end\n"
    "  -h, --help               this text\n"
    "\n"
    "OUT may be -, standard output, which gets WAV unless there is --raw. On a terminal a line shows the rate\n"
    "with all headers, loss, delay and where it moves, what is buffered, and frames concealed and recovered.\n"
    "The first interrupt ends the stream and completes the file.\n";

typedef struct job {
    const char *output, *model_name, *bind;
    uint32_t port, payload_type;
    int has_port, has_key, once, force;
    double idle, duration, speed;
    uint8_t key[LAC_SECURE_KEY];
    lac_pcm_format raw;
    lac_session_settings session_settings;
    lac_receiver_settings settings;
    lac_net_report report;

    lac_model *model;
    lac_model_info info;
    lac_receiver *receiver;
    lac_depacketizer *probe; /* takes the first packet of a source that is not followed yet */
    lac_audio_out *out;
    lac_session session;
    lac_pace pace;
    lac_progress progress;
    float *pcm;             /* [block] */
    size_t block;           /* samples played at once */

    lac_rtp_source source;  /* the one that is played; ssrc holds if `sources` */
    lac_address peer;       /* where it is */
    uint64_t sources;       /* followed so far */
    int said_bye;
    uint64_t heard_us;      /* its last packet */
    uint64_t began_us;      /* its first, where sound begins */
    uint64_t played;        /* samples */
    uint64_t bytes;         /* received, with headers */
    uint64_t foreign;       /* packets of sources followed that the receiver refused */
    uint64_t refused;       /* datagrams: neither RTP nor RTCP, of another payload type or source, or malformed */
    uint64_t unauthentic;   /* SRTP that the key does not fit */
    uint64_t replayed;      /* SRTP that came before */
    uint64_t rate_bytes, rate_us; /* where the rate shown begins */
    double kbps;
} job;

enum { PORT = 256, BIND, MIN_DELAY, MAX_DELAY, LATE, NO_WAIT, TYPE, KEY, KEY_FILE, ONCE, IDLE, DURATION, SPEED,
       RTCP, RAW, JSON, EVERY };

/* ---- options ---- */

static int parse_buffer(job *j, int option)
{
    switch (option) {
    case MIN_DELAY:
        return lac_option_count("receive", "--min-delay", optarg, 0, 2000, &j->settings.min_delay_ms);
    case MAX_DELAY:
        return lac_option_count("receive", "--max-delay", optarg, 60, 2000, &j->settings.max_delay_ms);
    case LATE: return lac_option_count("receive", "--late", optarg, 0, 500, &j->settings.late_permille);
    default: j->settings.wait_redundancy = 0; return 0;
    }
}

static int parse_end(job *j, int option)
{
    switch (option) {
    case ONCE: j->once = 1; return 0;
    case IDLE: return lac_option_seconds("receive", "--idle", optarg, &j->idle);
    case DURATION: return lac_option_seconds("receive", "--duration", optarg, &j->duration);
    case SPEED: return lac_option_real("receive", "--speed", optarg, 0.1, 1000, "a speed", &j->speed);
    case JSON: j->report.json = 1; return 0;
    default: return lac_option_real("receive", "--every", optarg, 0.1, 3600, "the time", &j->report.every);
    }
}

static int parse_option(void *user, int option, char **argv)
{
    job *j = user;

    switch (option) {
    case PORT: j->has_port = 1; return lac_option_count("receive", "--port", optarg, 0, 65535, &j->port);
    case BIND: j->bind = optarg; return 0;
    case 'm': j->model_name = optarg; return 0;
    case MIN_DELAY: case MAX_DELAY: case LATE: case NO_WAIT: return parse_buffer(j, option);
    case TYPE: return lac_option_count("receive", "--payload-type", optarg, 96, 127, &j->payload_type);
    case KEY: j->has_key = 1; return lac_secure_key("receive", optarg, j->key);
    case KEY_FILE: j->has_key = 1; return lac_secure_key_file("receive", optarg, j->key);
    case RTCP:
        return lac_option_real("receive", "--rtcp", optarg, 0.1, 3600, "the time",
                               &j->session_settings.rtcp_interval);
    case RAW: return lac_option_format("receive", optarg, &j->raw);
    case 'f': j->force = 1; return 0;
    case '?': case ':': return lac_report_option("receive", option, argv);
    default: return parse_end(j, option);
    }
}

static int check(job *j, int argc, char **argv)
{
    if (optind == argc)
        return lac_report_usage("receive", "which file?");
    if (argc - optind > 1)
        return lac_report_usage("receive", "one output, not also '%s'", argv[optind + 1]);
    if (!j->has_port)
        return lac_report_usage("receive", "which port? --port N");
    if (j->settings.min_delay_ms > j->settings.max_delay_ms)
        return lac_report_usage("receive", "--min-delay %u is above --max-delay %u", j->settings.min_delay_ms,
                                j->settings.max_delay_ms);
    j->output = argv[optind];
    if (strcmp(j->output, "-") == 0)
        j->report.file = stderr;
    else if (!j->raw && !lac_audio_out_knows(j->output))
        return lac_report_usage("receive", "%s: its ending names no format to write", j->output);
    return 0;
}

static int parse(job *j, int argc, char **argv, int *done)
{
    static const struct option options[] = {
        {"port", required_argument, NULL, PORT}, {"bind", required_argument, NULL, BIND},
        {"model", required_argument, NULL, 'm'}, {"min-delay", required_argument, NULL, MIN_DELAY},
        {"max-delay", required_argument, NULL, MAX_DELAY}, {"late", required_argument, NULL, LATE},
        {"no-wait", no_argument, NULL, NO_WAIT}, {"payload-type", required_argument, NULL, TYPE},
        {"key", required_argument, NULL, KEY}, {"key-file", required_argument, NULL, KEY_FILE},
        {"once", no_argument, NULL, ONCE}, {"idle", required_argument, NULL, IDLE},
        {"duration", required_argument, NULL, DURATION}, {"speed", required_argument, NULL, SPEED},
        {"rtcp", required_argument, NULL, RTCP}, {"raw", required_argument, NULL, RAW},
        {"force", no_argument, NULL, 'f'}, {"json", no_argument, NULL, JSON},
        {"every", required_argument, NULL, EVERY}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0},
    };
    int failed = lac_options_read(argc, argv, ":m:fh", options, usage, parse_option, j, done);

    return failed || *done ? failed : check(j, argc, argv);
}

/* ---- opening ---- */

static int open_output(job *j)
{
    lac_audio_out_settings settings = {.input = "", .rate = j->info.sample_rate, .channels = 1,
                                       .frames = UINT64_MAX, .raw = j->raw, .force = j->force};

#ifdef F_SETPIPE_SZ
    if (strcmp(j->output, "-") == 0)
        fcntl(STDOUT_FILENO, F_SETPIPE_SZ, PIPE_BYTES); /* fails harmlessly on what is no pipe */
#endif
    return lac_audio_out_open(&j->out, j->output, &settings);
}

static int open_all(job *j)
{
    int failed = lac_models_open(&j->model, j->model_name);
    int status;

    if (failed)
        return failed;
    lac_model_get_info(j->model, &j->info);
    j->block = j->info.sample_rate / BLOCKS_A_SECOND;
    j->pcm = calloc(j->block, sizeof *j->pcm);
    if (!j->pcm)
        return lac_report("receive", "out of memory");
    status = lac_receiver_open(&j->receiver, j->model, &j->settings);
    if (!status)
        status = lac_depacketizer_open(&j->probe, j->model);
    if (status)
        return lac_report_status("receive", status, 0);
    j->session_settings.key = j->has_key ? j->key : NULL;
    if ((failed = lac_session_open(&j->session, &j->session_settings)) != 0 ||
        (failed = lac_udp_bind(&j->session.fd, j->bind, &j->port)) != 0)
        return failed;
    return open_output(j);
}

/* ---- reports ---- */

static double seconds_played(const job *j)
{
    return (double)j->played / j->info.sample_rate;
}

static void add_network(cJSON *facts, const job *j, const lac_receiver_statistics *s)
{
    lac_facts_count(facts, "sources", j->sources);
    lac_facts_count(facts, "ssrc", j->source.ssrc);
    lac_facts_count(facts, "packets", s->packets);
    lac_facts_count(facts, "bytes", j->bytes);
    lac_facts_real(facts, "kbps", j->kbps, 5);
    lac_facts_count(facts, "lost", s->lost);
    lac_facts_percent(facts, "loss_percent", (double)s->lost, (double)(s->packets - s->duplicates + s->lost));
    lac_facts_count(facts, "late", s->late);
    lac_facts_count(facts, "duplicates", s->duplicates);
    lac_facts_count(facts, "reordered", s->reordered);
    lac_facts_count(facts, "malformed", s->malformed);
    lac_facts_count(facts, "refused", j->refused);
    lac_facts_count(facts, "unauthentic", j->unauthentic);
    lac_facts_count(facts, "replayed", j->replayed);
    lac_facts_count(facts, "restarts", s->restarts);
    lac_facts_real(facts, "jitter_ms", s->jitter_us / 1000.0, 4);
}

static cJSON *facts_of(const job *j)
{
    cJSON *facts = cJSON_CreateObject();
    lac_receiver_statistics s;

    lac_receiver_get_statistics(j->receiver, &s);
    lac_facts_real(facts, "seconds", seconds_played(j), 9);
    add_network(facts, j, &s);
    lac_facts_count(facts, "frames", s.frames);
    lac_facts_count(facts, "recovered_frames", s.recovered_frames);
    lac_facts_count(facts, "concealed_frames", s.concealed_frames);
    lac_facts_count(facts, "comfort_frames", s.comfort_frames);
    lac_facts_count(facts, "stretched_samples", s.stretched_samples);
    lac_facts_count(facts, "compressed_samples", s.compressed_samples);
    lac_facts_count(facts, "delay_ms", s.delay_ms);
    lac_facts_count(facts, "target_delay_ms", s.target_delay_ms);
    lac_facts_count(facts, "buffered_ms", s.buffered_ms);
    return facts;
}

static void measure_rate(job *j)
{
    uint64_t now = lac_pace_now(&j->pace);

    if (now - j->rate_us < 1000000)
        return;
    j->kbps = (double)(j->bytes - j->rate_bytes) * 8000.0 / (double)(now - j->rate_us);
    j->rate_bytes = j->bytes;
    j->rate_us = now;
}

static void show(job *j)
{
    lac_receiver_statistics s;
    uint64_t due;

    lac_receiver_get_statistics(j->receiver, &s);
    due = s.packets - s.duplicates + s.lost;
    lac_progress_text(&j->progress,
                      "%.1f s  %.1f kbit/s  loss %.1f %%  delay %u > %u ms  buffer %u ms  concealed %" PRIu64
                      "  recovered %" PRIu64,
                      seconds_played(j), j->kbps, due ? 100.0 * (double)s.lost / (double)due : 0, s.delay_ms,
                      s.target_delay_ms, s.buffered_ms, s.concealed_frames, s.recovered_frames);
}

/* ---- receiving ---- */

/* Whether this source is, or becomes, the one to play. */
static int follow(job *j, const lac_rtp_header *h, const uint8_t *payload, size_t size, uint64_t now)
{
    if (j->sources && h->ssrc == j->source.ssrc)
        return 1;
    if (j->sources && (j->once || (!j->said_bye && now - j->heard_us < SILENCE_US)))
        return 0;
    if (lac_depacketizer_put(j->probe, 0, payload, size, NULL))
        return 0;
    if (j->sources)
        lac_receiver_reset(j->receiver);
    else
        j->began_us = j->rate_us = now;
    j->sources++;
    j->said_bye = 0;
    j->session.lsr = 0; /* was another sender's */
    lac_rtp_source_start(&j->source, h, j->info.sample_rate);
    return 1;
}

static void take_rtp(job *j, const uint8_t *bytes, size_t size, const lac_address *from, uint64_t now)
{
    lac_rtp_header h;
    lac_rtp packet;
    const uint8_t *payload;

    if (lac_rtp_parse(bytes, size, &h, &payload, &size) || h.payload_type != j->payload_type ||
        h.ssrc == j->session.ssrc || !follow(j, &h, payload, size, now)) {
        j->refused++;
        return;
    }
    j->peer = *from;
    j->heard_us = now;
    packet = (lac_rtp){h.timestamp, h.sequence, h.marker, payload, size};
    if (!lac_receiver_put(j->receiver, &packet, now))
        lac_rtp_source_count(&j->source, &h, now);
    else
        j->foreign++;
}

static void take_rtcp(job *j, const uint8_t *bytes, size_t size)
{
    lac_rtcp_report report;

    if (size < 8 || !j->sources || lac_net_get32(bytes + 4) != j->source.ssrc ||
        lac_session_hear(&j->session, bytes, size, &report)) {
        j->refused++;
        return;
    }
    if (report.bye) {
        j->said_bye = 1;
        lac_session_report(&j->session, NULL, &j->source, 0, &j->peer);
    }
}

static void take(job *j, uint8_t *bytes, size_t size, const lac_address *from)
{
    size_t wire = size + lac_address_overhead(from);
    int unrevealed;

    if (size > LAC_RTP_DATAGRAM || size < 8) {
        j->refused++;
        return;
    }
    unrevealed = lac_session_reveal(&j->session, bytes, &size);
    if (unrevealed) {
        if (unrevealed > 0)
            j->replayed++;
        else
            j->unauthentic++;
        return;
    }
    j->bytes += wire;
    if (lac_rtp_is_rtcp(bytes, size))
        take_rtcp(j, bytes, size);
    else
        take_rtp(j, bytes, size, from, lac_pace_now(&j->pace));
}

static void take_waiting(job *j)
{
    uint8_t bytes[LAC_RTP_DATAGRAM];
    lac_address from;
    long got;

    for (int i = 0; i < MOST_DATAGRAMS; i++) {
        got = lac_udp_receive(j->session.fd, bytes, sizeof bytes, &from);
        if (got < 0)
            return;
        take(j, bytes, (size_t)got, &from);
    }
}

/* ---- playing ---- */

static uint64_t next_block_us(const job *j)
{
    return j->began_us + (j->played + j->block) * 1000000 / j->info.sample_rate;
}

static int play(job *j, size_t samples)
{
    int status = lac_receiver_get(j->receiver, j->pcm, samples);

    if (status)
        return lac_report_status("receive", status, 0);
    j->played += samples;
    return lac_audio_out_write(j->out, j->pcm, samples);
}

static size_t samples_buffered(const job *j)
{
    lac_receiver_statistics s;

    lac_receiver_get_statistics(j->receiver, &s);
    return (size_t)s.buffered_ms * j->info.sample_rate / 1000;
}

static int is_over(const job *j)
{
    double quiet = (double)(lac_pace_now(&j->pace) - j->heard_us) / 1e6;

    if (lac_pace_stopped() || seconds_played(j) >= j->duration)
        return 1;
    if (quiet >= j->idle || (j->once && j->sources && quiet >= ONCE_IDLE_S))
        return 1;
    return j->once && j->said_bye && samples_buffered(j) < j->block;
}

static int receive_all(job *j)
{
    lac_pace_catch_stop();
    lac_pace_start(&j->pace, j->speed);
    lac_progress_start(&j->progress, -1);
    if (lac_net_report_listening(&j->report, j->port))
        return LAC_EXIT_FAILED;
    while (!is_over(j)) {
        uint64_t now = lac_pace_now(&j->pace);

        lac_pace_wait(&j->pace, j->sources ? next_block_us(j) : now + (uint64_t)(100000 * j->speed),
                      j->session.fd, -1);
        take_waiting(j);
        if (!j->sources)
            continue;
        if (lac_pace_now(&j->pace) >= next_block_us(j) && play(j, j->block))
            return LAC_EXIT_FAILED;
        if (lac_session_is_due(&j->session))
            lac_session_report(&j->session, NULL, &j->source, 0, &j->peer);
        measure_rate(j);
        if (lac_net_report_is_due(&j->report, seconds_played(j)))
            lac_net_report_row(&j->report, "row", facts_of(j));
        show(j);
    }
    return 0;
}

static int finish(job *j)
{
    double seconds = (double)(j->heard_us - j->began_us) / 1e6;

    lac_progress_hide();
    if (!j->sources && j->unauthentic)
        return lac_report("receive", "%" PRIu64 " packets, none of which fits the key", j->unauthentic);
    if (!j->sources && j->refused)
        return lac_report("receive", "%" PRIu64 " packets, none of them Lac's", j->refused);
    if (!j->sources)
        return lac_report("receive", "no packet came");
    if (j->sources == 1 && j->foreign > j->source.received) /* SRTP now and then looks like a payload */
        return lac_report("receive", "%" PRIu64 " packets, hardly any of them Lac's",
                          j->foreign + j->source.received);
    if (j->said_bye && samples_buffered(j) < j->block && play(j, samples_buffered(j)))
        return LAC_EXIT_FAILED;
    lac_session_report(&j->session, NULL, &j->source, 1, &j->peer);
    j->kbps = seconds > 0 ? (double)j->bytes * 0.008 / seconds : 0;
    if (lac_audio_out_close(&j->out, 1))
        return LAC_EXIT_FAILED;
    return lac_net_report_end(&j->report, facts_of(j));
}

static void close_all(job *j)
{
    lac_progress_hide();
    lac_audio_out_close(&j->out, 0);
    lac_session_close(&j->session);
    lac_depacketizer_close(&j->probe);
    lac_receiver_close(&j->receiver);
    lac_model_close(&j->model);
    free(j->pcm);
}

int lac_cmd_receive(int argc, char **argv)
{
    job j;
    int done = 0;
    int failed;

    memset(&j, 0, sizeof j);
    j.idle = j.duration = 1e9;
    j.speed = 1;
    j.payload_type = 96;
    j.session.fd = -1;
    j.session_settings.rtcp_interval = 5;
    j.report.file = stdout;
    lac_receiver_default_settings(&j.settings);
    failed = parse(&j, argc, argv, &done);
    if (!failed && !done)
        failed = open_all(&j);
    if (!failed && !done)
        failed = receive_all(&j);
    if (!failed && !done)
        failed = finish(&j);
    close_all(&j);
    return failed;
}
