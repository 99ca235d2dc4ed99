/* lac bench: speed, latency, memory, and where the time goes, on this machine. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "command.h"
#include "facts.h"
#include "lac/encoder.h"
#include "models.h"
#include "options.h"
#include "report.h"

#define MOST_STREAMS 65536
#define MOST_SECONDS 86400

static const char usage[] =
    "usage: lac bench [--json] [-b KBPS] [-m MODEL] [-t THREADS] [--beam N] [--streams N | --receivers N]\n"
    "                 [--seconds S] [FILE]\n"
    "       lac bench factors [--json] [-m MODEL] [--codec MODEL] [-t THREADS] [FILE]\n"
    "\n"
    "Measures on this machine, with FILE's first minute or with 12 s of made-up audio: times real time of coding\n"
    "and decoding a .lac file (encode_xrt, decode_xrt, all channels) and of one mono stream (encoder_xrt,\n"
    "decoder_xrt), best of three; milliseconds of encoder and decoder together for a single frame (frame_ms);\n"
    "memory of one stream both ways; millions of multiply-accumulates a second of audio. Then what the machine\n"
    "can do at most, and for each layer its part of that. With --streams also N calls at once through lac_batch:\n"
    "each has an encoder and a decoder, which get a frame every 20 ms for S seconds; step_ms is the time from a\n"
    "tick until all are through it, and a frame is late if it took more than 20 ms. With --receivers the same of\n"
    "N receivers, each asked for a frame every 20 ms: of their packets 5 % get lost, the others come 0 to 40 ms\n"
    "later than sent. 'lac bench factors --help' tells of factors.\n"
    "\n"
    "      --json            as one JSON object\n"
    "  -b, --bitrate KBPS    kbit/s a channel; default 3\n"
    "  -m, --model MODEL     a model file or a name; default: the built-in one\n"
    "  -t, --threads N       threads; default 1, for --streams and --receivers one for each core\n"
    "      --beam N          of all encoders, 1 to 16; default 1\n"
    "      --streams N       full-duplex streams in real time, 1 to 65536\n"
    "      --receivers N     receivers of packets in real time, 1 to 65536\n"
    "      --seconds S       for how long; default 10\n"
    "  -h, --help            this text\n";

typedef struct results {
    lac_bench_speed speed;
    lac_bench_machine machine;
    lac_bench_layers layers;
    lac_bench_ticks ticks;
    size_t receiver_bytes;
} results;

uint32_t lac_bench_threads(const lac_bench *b)
{
    return b->threads ? b->threads : 1;
}

/* ---- figures ---- */

static void add_xrt(cJSON *facts, const char *name, double audio, double elapsed)
{
    lac_facts_real(facts, name, audio / (elapsed > 1e-9 ? elapsed : 1e-9), 4);
}

static void add_percentiles(cJSON *facts, const char *name, const double *values)
{
    static const char *const parts[] = {"p50", "p95", "p99"};
    char key[32];

    for (int i = 0; i < 3; i++) {
        snprintf(key, sizeof key, "%s_%s", name, parts[i]);
        lac_facts_real(facts, key, values[i], 4);
    }
}

static void add_ticks(cJSON *facts, const lac_bench *b, const lac_bench_ticks *r)
{
    lac_facts_count(facts, "stream_threads", r->threads);
    lac_facts_real(facts, "seconds", b->seconds, 6);
    add_percentiles(facts, "step_ms", r->step_ms);
    lac_facts_count(facts, "stream_frames", r->frames);
    lac_facts_count(facts, "late_frames", r->late);
    cJSON_AddBoolToObject(facts, "real_time",
                          r->late == 0 && r->step_ms[1] * b->info.sample_rate < 1000.0 * b->info.frame_samples);
}

static cJSON *facts_of(const lac_bench *b, const results *r)
{
    cJSON *facts = cJSON_CreateObject();
    double audio = (double)b->frames / b->info.sample_rate;

    cJSON_AddStringToObject(facts, "model", b->info.name);
    cJSON_AddStringToObject(facts, "kernels", lac_model_kernels(b->model));
    lac_facts_real(facts, "audio_s", audio, 6);
    lac_facts_count(facts, "channels", b->channels);
    lac_facts_count(facts, "codebooks", b->codebooks);
    lac_facts_count(facts, "beam", b->beam);
    lac_facts_count(facts, "threads", lac_bench_threads(b));
    add_xrt(facts, "encode_xrt", audio, r->speed.encode);
    add_xrt(facts, "decode_xrt", audio, r->speed.decode);
    add_xrt(facts, "encoder_xrt", audio, r->speed.encoder);
    add_xrt(facts, "decoder_xrt", audio, r->speed.decoder);
    add_percentiles(facts, "frame_ms", r->speed.frame_ms);
    lac_facts_count(facts, "stream_bytes", r->speed.stream_bytes);
    lac_facts_count(facts, "model_bytes", b->info.file_bytes);
    lac_facts_real(facts, "mmacs_encoder", (double)b->info.encoder_macs / 1e6, 6);
    lac_facts_real(facts, "mmacs_decoder", (double)b->info.decoder_macs / 1e6, 6);
    lac_facts_real(facts, "mmacs_search", (double)b->info.search_macs / 1e6, 6);
    if (b->streams)
        lac_facts_count(facts, "streams", b->streams);
    if (b->receivers) {
        lac_facts_count(facts, "receivers", b->receivers);
        lac_facts_count(facts, "receiver_bytes", r->receiver_bytes);
    }
    if (b->streams || b->receivers)
        add_ticks(facts, b, &r->ticks);
    cJSON_AddStringToObject(facts, "peak_instruction", r->machine.instruction);
    lac_facts_real(facts, "peak_gmacs", r->machine.gmacs, 4);
    lac_facts_real(facts, "l2_gbs", r->machine.l2_gbs, 4);
    lac_facts_real(facts, "model_gbs", r->machine.model_gbs, 4);
    lac_facts_real(facts, "memory_gbs", r->machine.memory_gbs, 4);
    return facts;
}

/* ---- layers ---- */

typedef struct roof {
    double us, gmacs;          /* a latent frame; 10^9 a second */
    double of_peak, of_read;   /* shares of the integer peak and of the bandwidth that reads the weights */
} roof;

static roof roof_of(const lac_bench_layer *l, enum lac_bench_block block, const lac_bench_machine *m)
{
    double time = l->time[block] > 1e-12 ? l->time[block] : 1e-12;
    double gbs = l->bytes * 1e-9 / (time * lac_bench_block_frames(block));
    roof r = {time * 1e6, l->macs * 1e-9 / time, 0, gbs / m->model_gbs};

    r.of_peak = r.gmacs / m->gmacs;
    return r;
}

static cJSON *json_of_block(const lac_bench_layer *l, enum lac_bench_block block, const lac_bench_machine *m)
{
    cJSON *facts = cJSON_CreateObject();
    roof r = roof_of(l, block, m);

    lac_facts_real(facts, "us_per_frame", r.us, 4);
    lac_facts_real(facts, "gmacs", r.gmacs, 4);
    lac_facts_real(facts, "of_peak", r.of_peak, 4);
    lac_facts_real(facts, "of_bandwidth", r.of_read, 4);
    return facts;
}

static void add_layers(cJSON *facts, const results *r)
{
    cJSON *rows = cJSON_AddArrayToObject(facts, "layers");

    for (size_t i = 0; i < r->layers.count; i++) {
        const lac_bench_layer *l = &r->layers.layers[i];
        cJSON *row = cJSON_CreateObject();

        cJSON_AddStringToObject(row, "side", l->side);
        cJSON_AddStringToObject(row, "layer", l->name);
        lac_facts_count(row, "macs_per_frame", (unsigned long long)l->macs);
        lac_facts_count(row, "weight_bytes", (unsigned long long)l->bytes);
        cJSON_AddItemToObject(row, "block_1", json_of_block(l, LAC_BENCH_STREAM, &r->machine));
        cJSON_AddItemToObject(row, "block_64", json_of_block(l, LAC_BENCH_FILE, &r->machine));
        cJSON_AddItemToArray(rows, row);
    }
}

static void print_row(const lac_bench_layer *l, const lac_bench_machine *m)
{
    printf("  %-10s", l->name);
    if (l->macs > 0)
        printf(" %7.3f %7.0f", l->macs / 1e6, l->bytes / 1e3);
    else
        printf(" %7s %7s", "-", "-");
    for (int block = 0; block < LAC_BENCH_BLOCKS; block++) {
        roof r = roof_of(l, (enum lac_bench_block)block, m);

        if (l->macs > 0)
            printf(" | %7.2f %7.2f %5.1f %5.1f", r.us, r.gmacs, 100 * r.of_peak, 100 * r.of_read);
        else
            printf(" | %7.2f %7s %5s %5s", r.us, "-", "-", "-");
    }
    putchar('\n');
}

static void print_side(const char *side, const results *r)
{
    lac_bench_layer sum = {side, "all", 0, 0, {0, 0}};

    puts(side);
    for (size_t i = 0; i < r->layers.count; i++) {
        const lac_bench_layer *l = &r->layers.layers[i];

        if (strcmp(l->side, side) != 0)
            continue;
        print_row(l, &r->machine);
        sum.macs += l->macs;
        sum.bytes += l->bytes;
        for (int block = 0; block < LAC_BENCH_BLOCKS; block++)
            sum.time[block] += l->time[block];
    }
    print_row(&sum, &r->machine);
}

static void print_layers(const results *r)
{
    puts("\n"
         "One thread, for each frame of 20 ms; % of the integer peak and of model_gbs, which reads weights\n"
         "                            | in blocks of 1 frame        | in blocks of 64 frames\n"
         "layer           MMAC      kB |      us  GMAC/s %peak %read |      us  GMAC/s %peak %read");
    print_side("encoder", r);
    print_side("decoder", r);
}

static int print(const lac_bench *b, const results *r)
{
    cJSON *facts = facts_of(b, r);
    int failed;

    if (b->json)
        add_layers(facts, r);
    failed = lac_facts_print(facts, b->json);
    if (!failed && !b->json)
        print_layers(r);
    return failed;
}

/* ---- */

static size_t weight_bytes(const lac_bench_layers *t)
{
    double bytes = 0;

    for (size_t i = 0; i < t->count; i++)
        bytes += t->layers[i].bytes;
    return (size_t)bytes;
}

static int measure(lac_bench *b, results *r)
{
    int failed = lac_bench_load(b);

    if (!failed)
        failed = lac_bench_run(b, &r->speed);
    if (!failed)
        failed = lac_bench_measure_layers(b, &r->layers);
    if (!failed)
        failed = lac_bench_measure_machine(&r->machine, weight_bytes(&r->layers));
    if (!failed && b->streams)
        failed = lac_bench_run_streams(b, &r->ticks);
    if (!failed && b->receivers)
        failed = lac_bench_run_receivers(b, &r->ticks, &r->receiver_bytes);
    return failed ? failed : print(b, r);
}

static int parse_option(void *user, int option, char **argv)
{
    lac_bench *b = user;

    switch (option) {
    case 'j': b->json = 1; return 0;
    case 'b': return lac_option_kbps("bench", optarg, &b->kbps);
    case 'B': return lac_option_count("bench", "--beam", optarg, 1, LAC_MAX_BEAM, &b->beam);
    case 'm': b->model_name = optarg; return 0;
    case 't': return lac_option_threads("bench", optarg, &b->threads);
    case 'n': return lac_option_count("bench", "--streams", optarg, 1, MOST_STREAMS, &b->streams);
    case 'r': return lac_option_count("bench", "--receivers", optarg, 1, MOST_STREAMS, &b->receivers);
    case 's': return lac_option_seconds("bench", "--seconds", optarg, &b->seconds);
    default: return lac_report_option("bench", option, argv);
    }
}

static int parse(lac_bench *b, int argc, char **argv, int *done)
{
    static const struct option options[] = {
        {"json", no_argument, NULL, 'j'},           {"bitrate", required_argument, NULL, 'b'},
        {"model", required_argument, NULL, 'm'},    {"threads", required_argument, NULL, 't'},
        {"streams", required_argument, NULL, 'n'},  {"seconds", required_argument, NULL, 's'},
        {"receivers", required_argument, NULL, 'r'}, {"beam", required_argument, NULL, 'B'},
        {"help", no_argument, NULL, 'h'},          {NULL, 0, NULL, 0},
    };
    int failed = lac_options_read(argc, argv, ":b:m:t:h", options, usage, parse_option, b, done);

    if (failed || *done)
        return failed;
    if (argc - optind > 1)
        return lac_report_usage("bench", "one file, not also '%s'", argv[optind + 1]);
    if (b->streams && b->receivers)
        return lac_report_usage("bench", "either --streams or --receivers");
    if (b->seconds >= 0 && !b->streams && !b->receivers)
        return lac_report_usage("bench", "--seconds goes with --streams or --receivers");
    if (b->seconds > MOST_SECONDS)
        return lac_report_usage("bench", "--seconds %g: at most a day", b->seconds);
    if (b->seconds < 0)
        b->seconds = 10;
    b->path = argv[optind];
    return 0;
}

int lac_cmd_bench(int argc, char **argv)
{
    lac_bench b;
    results r;
    int done = 0;
    int failed;

    if (argc > 1 && strcmp(argv[1], "factors") == 0)
        return lac_bench_factors(argc - 1, argv + 1);
    memset(&b, 0, sizeof b);
    memset(&r, 0, sizeof r);
    b.kbps = b.seconds = -1;
    b.beam = 1;
    failed = parse(&b, argc, argv, &done);
    if (!failed && !done) {
        failed = lac_models_open(&b.model, b.model_name);
        if (!failed) {
            lac_model_get_info(b.model, &b.info);
            failed = lac_option_codebooks("bench", b.kbps, &b.info, &b.codebooks);
        }
        if (!failed)
            failed = measure(&b, &r);
    }
    lac_model_close(&b.model);
    free(b.pcm);
    free(b.mono);
    return failed;
}
