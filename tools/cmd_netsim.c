/* lac netsim: a bad network, for a live stream, a capture, or as a trace. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "netmodel.h"
#include "netpcap.h"
#include "netqueue.h"
#include "netreport.h"
#include "netslots.h"
#include "options.h"
#include "pace.h"
#include "progress.h"
#include "report.h"
#include "rtp.h"
#include "udp.h"

#define MOST_WAITING 65536 /* datagrams on their way; more are dropped */
#define MOST_TAKEN 256     /* datagrams, before those that are due go on */
#define WAIT_US 100000

static const char usage[] =
    "usage: lac netsim [OPTIONS] --listen PORT --to HOST:PORT\n"
    "       lac netsim [OPTIONS] IN.pcap OUT.pcap\n"
    "       lac netsim [OPTIONS] --write-trace FILE --duration SECONDS\n"
    "\n"
    "Does to packets what a bad network does: to those of a live stream on their way, to those of a capture, or\n"
    "it only writes down which slots of 20 ms are lost. Everything follows from the seed or the trace: the slot\n"
    "of an RTP packet is told by its timestamp, that of any other packet by its time. Answers go back with the\n"
    "delay alone.\n"
    "\n"
    "      --loss PERCENT       of the slots; default 0\n"
    "      --burst MS           mean length of a loss (Gilbert's model), at least 20; default: independent slots\n"
    "      --delay MS           of every packet\n"
    "      --jitter MS          mean of a random delay added, exponential; order stays\n"
    "      --reorder PERCENT    of the packets come 20 to 60 ms after others sent later\n"
    "      --duplicate PERCENT  of the packets come twice\n"
    "      --rate BITS          a second through a bottleneck, IP and UDP headers counted\n"
    "      --queue MS           most time before it, then packets are dropped; default 200\n"
    "      --trace FILE         loss from a file instead: a row a slot, 0 or 1 (lost), and if wanted its delay in\n"
    "                           ms; it repeats\n"
    "      --write-trace FILE   write the rows of the slots there were, or of --duration\n"
    "      --seed N             default 1\n"
    "      --clock HZ           of the timestamps; default 24000 (Lac), 48000 is Opus's\n"
    "      --listen PORT        where packets come; 0: any free port, which --every tells\n"
    "      --bind ADDRESS       only at this address; default: all, IPv4 and IPv6\n"
    "      --to HOST:PORT       where they go on to\n"
    "      --duration SECONDS   end after so long\n"
    "      --idle SECONDS       end if nothing comes for so long, once something came\n"
    "      --json               a report at the end\n"
    "      --every SECONDS      a line of JSON as often, one at the start and one at the end\n"
    "  -f, --force              overwrite OUT.pcap\n"
    "  -h, --help               this text\n"
    "\n"
    "A live one ends by an interrupt.\n";

typedef struct job {
    lac_net_settings settings;
    const char *trace, *write_trace, *bind, *to_name, *in, *out;
    lac_address to, client; /* client: whose packets came last */
    uint32_t seed, clock, port;
    int is_live, force;
    double duration, idle;  /* seconds */
    lac_net_report report;

    lac_netmodel *model;
    lac_net_slots slots;
    int near, far;          /* sockets: listening, and connected to where packets go on */
    lac_net_queue there, back;
    lac_pace pace;
    lac_progress progress;
    uint64_t heard_us;      /* last packet */
    uint64_t overrun;       /* datagrams beyond MOST_WAITING */
    uint64_t answers;
} job;

enum { LOSS = 256, BURST, DELAY, JITTER, REORDER, DUPLICATE, RATE, QUEUE, TRACE, WRITE_TRACE, SEED, CLOCK,
       LISTEN, BIND, TO, DURATION, IDLE, JSON, EVERY };

/* ---- options ---- */

static int percent(const char *name, double *share)
{
    int failed = lac_option_real("netsim", name, optarg, 0, 100, "a share in percent", share);

    *share /= 100;
    return failed;
}

static int parse_model(job *j, int option)
{
    lac_net_settings *s = &j->settings;

    switch (option) {
    case LOSS: return percent("--loss", &s->loss);
    case BURST: return lac_option_real("netsim", "--burst", optarg, 20, 60000, "a length in ms", &s->burst_ms);
    case DELAY: return lac_option_real("netsim", "--delay", optarg, 0, 60000, "a time in ms", &s->delay_ms);
    case JITTER: return lac_option_real("netsim", "--jitter", optarg, 0, 60000, "a time in ms", &s->jitter_ms);
    case REORDER: return percent("--reorder", &s->reorder);
    case DUPLICATE: return percent("--duplicate", &s->duplicate);
    case RATE: return lac_option_real("netsim", "--rate", optarg, 1, 1e12, "a rate in bit/s", &s->rate_bps);
    default: return lac_option_real("netsim", "--queue", optarg, 0, 60000, "a time in ms", &s->queue_ms);
    }
}

static int parse_option(void *user, int option, char **argv)
{
    job *j = user;

    switch (option) {
    case TRACE: j->trace = optarg; return 0;
    case WRITE_TRACE: j->write_trace = optarg; return 0;
    case SEED: return lac_option_count("netsim", "--seed", optarg, 0, UINT32_MAX, &j->seed);
    case CLOCK: return lac_option_count("netsim", "--clock", optarg, 1000, 1000000, &j->clock);
    case LISTEN: j->is_live = 1; return lac_option_count("netsim", "--listen", optarg, 0, 65535, &j->port);
    case BIND: j->bind = optarg; return 0;
    case TO: j->to_name = optarg; return 0;
    case DURATION: return lac_option_seconds("netsim", "--duration", optarg, &j->duration);
    case IDLE: return lac_option_seconds("netsim", "--idle", optarg, &j->idle);
    case 'f': j->force = 1; return 0;
    case JSON: j->report.json = 1; return 0;
    case EVERY: return lac_option_real("netsim", "--every", optarg, 0.1, 3600, "the time", &j->report.every);
    case '?': case ':': return lac_report_option("netsim", option, argv);
    default: return parse_model(j, option);
    }
}

static int check(job *j, int argc, char **argv)
{
    int files = argc - optind;

    if (j->trace && j->settings.loss > 0)
        return lac_report_usage("netsim", "--loss or --trace, not both");
    if (j->is_live && files)
        return lac_report_usage("netsim", "--listen or captures, not both");
    if (j->is_live)
        return j->to_name ? lac_address_parse("netsim", j->to_name, &j->to)
                          : lac_report_usage("netsim", "where to? --to HOST:PORT");
    if (!files && j->write_trace && j->duration < 0)
        return lac_report_usage("netsim", "--write-trace alone needs --duration");
    if (j->write_trace && j->duration * 1e6 > (double)LAC_NET_MOST_SLOTS * LAC_NET_SLOT_US)
        return lac_report_usage("netsim", "--duration %g: a trace has at most %g s", j->duration,
                                (double)LAC_NET_MOST_SLOTS * LAC_NET_SLOT_US / 1e6);
    if (files != 2 && (files || !j->write_trace))
        return lac_report_usage("netsim", "needs --listen and --to, or IN.pcap and OUT.pcap, or --write-trace");
    j->in = files ? argv[optind] : NULL;
    j->out = files ? argv[optind + 1] : NULL;
    return 0;
}

static int parse(job *j, int argc, char **argv, int *done)
{
    static const struct option options[] = {
        {"loss", required_argument, NULL, LOSS}, {"burst", required_argument, NULL, BURST},
        {"delay", required_argument, NULL, DELAY}, {"jitter", required_argument, NULL, JITTER},
        {"reorder", required_argument, NULL, REORDER}, {"duplicate", required_argument, NULL, DUPLICATE},
        {"rate", required_argument, NULL, RATE}, {"queue", required_argument, NULL, QUEUE},
        {"trace", required_argument, NULL, TRACE}, {"write-trace", required_argument, NULL, WRITE_TRACE},
        {"seed", required_argument, NULL, SEED}, {"clock", required_argument, NULL, CLOCK},
        {"listen", required_argument, NULL, LISTEN}, {"bind", required_argument, NULL, BIND},
        {"to", required_argument, NULL, TO}, {"duration", required_argument, NULL, DURATION},
        {"idle", required_argument, NULL, IDLE}, {"force", no_argument, NULL, 'f'},
        {"json", no_argument, NULL, JSON}, {"every", required_argument, NULL, EVERY},
        {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0},
    };
    int failed = lac_options_read(argc, argv, ":fh", options, usage, parse_option, j, done);

    return failed || *done ? failed : check(j, argc, argv);
}

/* ---- traces ---- */

static int load_trace(job *j)
{
    FILE *f = fopen(j->trace, "r");
    long row;

    if (!f)
        return lac_report(j->trace, "%s", strerror(errno));
    row = lac_netmodel_load(j->model, f);
    if (ferror(f))
        row = -2;
    fclose(f);
    if (row > 0)
        return lac_report(j->trace, "row %ld is not 0 or 1, perhaps with a delay in ms", row);
    return row ? lac_report(j->trace, row == -2 ? "can't be read" : "holds no slot, or too many") : 0;
}

static int save_trace(job *j)
{
    FILE *f = fopen(j->write_trace, "w");
    int failed;

    if (!f)
        return lac_report(j->write_trace, "%s", strerror(errno));
    if (j->duration >= 0)
        j->slots.end = (uint64_t)(j->duration * 1e6 / LAC_NET_SLOT_US + 0.5);
    failed = lac_netmodel_save(j->model, f, j->slots.end);
    failed |= fclose(f);
    return failed ? lac_report(j->write_trace, "can't be written") : 0;
}

static int open_model(job *j)
{
    const char *reason;

    j->settings.seed = j->seed;
    j->model = lac_netmodel_open(&j->settings, &reason);
    if (!j->model)
        return lac_report_usage("netsim", "%s", reason);
    lac_net_slots_start(&j->slots, j->clock);
    return j->trace ? load_trace(j) : 0;
}

/* ---- reports ---- */

static cJSON *facts_of(job *j)
{
    cJSON *facts = cJSON_CreateObject();
    lac_net_statistics s;
    uint64_t lost = 0;

    lac_netmodel_get_statistics(j->model, &s);
    lac_facts_count(facts, "packets", s.packets);
    lac_facts_count(facts, "bytes", s.bytes);
    lac_facts_count(facts, "lost", s.lost);
    lac_facts_percent(facts, "lost_percent", (double)s.lost, (double)s.packets);
    lac_facts_count(facts, "dropped", s.dropped + j->overrun);
    lac_facts_count(facts, "reordered", s.reordered);
    lac_facts_count(facts, "duplicated", s.duplicated);
    lac_facts_count(facts, "answers", j->answers);
    lac_facts_count(facts, "sources", j->slots.count);
    for (uint64_t i = 0; i < j->slots.end && i < LAC_NET_MOST_SLOTS; i++)
        lost += (uint64_t)lac_netmodel_is_lost(j->model, i);
    lac_facts_count(facts, "slots", j->slots.end);
    lac_facts_count(facts, "lost_slots", lost);
    return facts;
}

static void show(job *j)
{
    lac_net_statistics s;

    lac_netmodel_get_statistics(j->model, &s);
    lac_progress_text(&j->progress, "%.1f s  %llu packets  %llu lost  %llu dropped  %zu on their way",
                      (double)lac_pace_now(&j->pace) / 1e6, (unsigned long long)s.packets,
                      (unsigned long long)s.lost, (unsigned long long)(s.dropped + j->overrun), j->there.count);
}

/* ---- live ---- */

static void put(job *j, lac_net_queue *queue, uint64_t due_us, const uint8_t *bytes, size_t size)
{
    if (queue->count >= MOST_WAITING || lac_net_queue_put(queue, due_us, bytes, size))
        j->overrun++;
}

static void take_there(job *j)
{
    uint8_t bytes[65536];
    lac_address from;
    int room = MOST_TAKEN;
    long size;

    while (room-- > 0 && (size = lac_udp_receive(j->near, bytes, sizeof bytes, &from)) >= 0) {
        lac_net_packet packet = {lac_pace_now(&j->pace), 0, 0, (size_t)size + lac_address_overhead(&j->to)};
        uint64_t due[2];
        unsigned copies;

        j->client = from;
        j->heard_us = packet.time_us;
        lac_net_slots_place(&j->slots, bytes, (size_t)size, &packet);
        copies = lac_netmodel_pass(j->model, &packet, due);
        for (unsigned i = 0; i < copies; i++)
            put(j, &j->there, due[i], bytes, (size_t)size);
    }
}

static void take_back(job *j)
{
    uint8_t bytes[65536];
    int room = MOST_TAKEN;
    long size;

    while (room-- > 0 && (size = lac_udp_receive(j->far, bytes, sizeof bytes, NULL)) >= 0) {
        j->answers++;
        put(j, &j->back, lac_pace_now(&j->pace) + (uint64_t)(j->settings.delay_ms * 1000), bytes, (size_t)size);
    }
}

/* Sends what has arrived; when the next does. */
static uint64_t deliver(job *j, lac_net_queue *queue, int fd, const lac_address *to)
{
    const lac_net_datagram *d;

    while ((d = lac_net_queue_first(queue)) != NULL && d->due_us <= lac_pace_now(&j->pace)) {
        lac_udp_send(fd, d->bytes, d->size, to);
        lac_net_queue_drop(queue);
    }
    return d ? d->due_us : UINT64_MAX;
}

static int is_over(const job *j, uint64_t now)
{
    if (lac_pace_stopped() || (j->duration >= 0 && (double)now >= j->duration * 1e6))
        return 1;
    return j->client.size && !j->there.count && (double)(now - j->heard_us) >= j->idle * 1e6;
}

static int run_live(job *j)
{
    uint64_t now = 0;
    int failed;

    if ((failed = lac_udp_bind(&j->near, j->bind, &j->port)) != 0 ||
        (failed = lac_udp_connect(&j->far, &j->to, j->to_name)) != 0)
        return failed;
    lac_pace_catch_stop();
    lac_pace_start(&j->pace, 1);
    lac_progress_start(&j->progress, -1);
    failed = lac_net_report_listening(&j->report, j->port);
    while (!failed && !is_over(j, now)) {
        uint64_t next = deliver(j, &j->there, j->far, NULL);
        uint64_t other = deliver(j, &j->back, j->near, &j->client);

        next = next < other ? next : other;
        lac_pace_wait(&j->pace, next < now + WAIT_US ? next : now + WAIT_US, j->near, j->far);
        take_there(j);
        take_back(j);
        now = lac_pace_now(&j->pace);
        if (lac_net_report_is_due(&j->report, (double)now / 1e6))
            failed = lac_net_report_row(&j->report, "row", facts_of(j));
        show(j);
    }
    lac_progress_hide();
    return failed;
}

static int run(job *j)
{
    int failed = open_model(j);

    if (!failed && j->is_live)
        failed = run_live(j);
    else if (!failed && j->in)
        failed = lac_net_pcap(j->in, j->out, j->force, j->model, &j->slots);
    if (!failed && j->write_trace)
        failed = save_trace(j);
    if (failed)
        return failed;
    return j->report.json || j->report.every > 0 ? lac_net_report_end(&j->report, facts_of(j))
                                                 : lac_facts_print(facts_of(j), 0);
}

static void close_all(job *j)
{
    lac_progress_hide();
    lac_netmodel_close(&j->model);
    lac_net_queue_free(&j->there);
    lac_net_queue_free(&j->back);
    if (j->near >= 0)
        close(j->near);
    if (j->far >= 0)
        close(j->far);
}

int lac_cmd_netsim(int argc, char **argv)
{
    job j;
    int done = 0;
    int failed;

    memset(&j, 0, sizeof j);
    lac_net_default_settings(&j.settings);
    j.seed = 1;
    j.clock = 24000;
    j.duration = -1;
    j.idle = 1e9;
    j.near = j.far = -1;
    j.report.file = stdout;
    failed = parse(&j, argc, argv, &done);
    if (!failed && !done)
        failed = run(&j);
    close_all(&j);
    return failed;
}
