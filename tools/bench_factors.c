/* lac bench factors: how fast factors are found, and made into latents and sound. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "factorload.h"
#include "facts.h"
#include "lac/generator.h"
#include "lac/latents.h"
#include "models.h"
#include "progress.h"
#include "report.h"

#define ROUNDS 5 /* of which the fastest counts, for each part */

static const char usage[] =
    "usage: lac bench factors [--json] [-m MODEL] [--codec MODEL] [-t THREADS] [FILE]\n"
    "\n"
    "Measures factors on this machine, with FILE's first minute or with 12 s of made-up audio: times real time of\n"
    "each part, the best of five rounds in which all parts take turns: encoder (sound to latents), analyser "
    "(latents\n"
    "to factors), generator (factors to latents), search and decoder (latents to sound); of factors_xrt (sound to\n"
    "factors) and synthesis_xrt (factors to sound); and the parts' time as a share of the encoder's.\n"
    "\n"
    "      --json            as one JSON object\n"
    "  -m, --model MODEL     a factor model, a file or a name; default: the built-in one\n"
    "      --codec MODEL     the codec model whose latents it reads; default: the built-in one\n"
    "  -t, --threads N       threads; default 1\n"
    "  -h, --help            this text\n";

enum part { ENCODER, ANALYSER, GENERATOR, SEARCH, DECODER, PARTS };
static const char *const part_names[PARTS] = {"encoder", "analyser", "generator", "search", "decoder"};

typedef struct job {
    lac_bench b;
    lac_factor_source source;
    lac_encoder *encoder;
    lac_analyser *analyser;
    lac_generator *generator;
    lac_decoder *decoder;
    size_t room, rows;         /* frames that fit, and there are */
    uint16_t *tokens;          /* [room][codebooks] */
    uint8_t *counts;           /* [room] */
    int16_t *latents, *made;   /* [room][D] */
    lac_factor_frame *frames;  /* [room] */
    float *pcm;                /* of a block */
    double best[PARTS];        /* seconds */
} job;

static int parse_option(void *user, int option, char **argv)
{
    job *j = user;

    switch (option) {
    case 'J': j->b.json = 1; return 0;
    case 't': return lac_option_threads("bench factors", optarg, &j->b.threads);
    case 'm': j->source.model_name = optarg; return 0;
    case 'C': j->source.codec_name = optarg; return 0;
    default: return lac_report_option("bench factors", option, argv);
    }
}

static int parse(job *j, int argc, char **argv, int *done)
{
    static const struct option options[] = {
        {"json", no_argument, NULL, 'J'},        {"model", required_argument, NULL, 'm'},
        {"codec", required_argument, NULL, 'C'}, {"threads", required_argument, NULL, 't'},
        {"help", no_argument, NULL, 'h'},        {NULL, 0, NULL, 0},
    };
    int failed = lac_options_read(argc, argv, ":m:t:h", options, usage, parse_option, j, done);

    if (!failed && !*done && argc - optind > 1)
        return lac_report_usage("bench factors", "one file, not also '%s'", argv[optind + 1]);
    j->b.path = argv[optind];
    return failed;
}

static int open_streams(job *j)
{
    uint32_t threads = lac_bench_threads(&j->b);
    lac_encoder_settings encoder = {0, LAC_BENCH_FILE_BLOCK, threads, 0, 1};
    lac_decoder_settings decoder = {LAC_BENCH_FILE_BLOCK, threads, 0};
    lac_analyser_settings analyser;
    lac_generator_settings generator;
    int status = lac_encoder_open(&j->encoder, j->source.codec, &encoder);

    lac_analyser_default_settings(&analyser);
    lac_generator_default_settings(&generator);
    analyser.threads = generator.threads = threads;
    if (!status)
        status = lac_decoder_open(&j->decoder, j->source.codec, &decoder);
    if (!status)
        status = lac_analyser_open(&j->analyser, j->source.model, &analyser);
    if (!status)
        status = lac_generator_open(&j->generator, j->source.model, &generator);
    return status;
}

static int allocate(job *j)
{
    const lac_model_info *codec = &j->source.codec_about;
    size_t delay = j->source.about.delay_frames + j->source.about.generator_delay_frames;

    j->room = j->b.frames / codec->frame_samples + 2 + delay;
    j->tokens = calloc(j->room * codec->codebooks, sizeof *j->tokens);
    j->counts = malloc(j->room);
    j->latents = calloc(j->room * codec->latent_size, sizeof *j->latents);
    j->made = calloc(j->room * codec->latent_size, sizeof *j->made);
    j->frames = calloc(j->room, sizeof *j->frames);
    j->pcm = calloc((size_t)LAC_BENCH_FILE_BLOCK * codec->frame_samples, sizeof *j->pcm);
    if (!j->tokens || !j->counts || !j->latents || !j->made || !j->frames || !j->pcm)
        return LAC_ERROR_MEMORY;
    memset(j->counts, (int)codec->codebooks, j->room);
    return open_streams(j);
}

/* ---- parts ---- */

static int run_encoder(job *j)
{
    lac_encoder_set_codebooks(j->encoder, 1);
    return lac_encoder_write_latents(j->encoder, j->b.mono, j->b.frames, j->tokens, j->latents, j->room, &j->rows);
}

static int run_analyser(job *j)
{
    lac_factors factors;
    size_t frames = 0, last = 0;
    int status = lac_analyser_write(j->analyser, j->latents, j->rows, j->frames, j->room, &frames);

    if (!status)
        status = lac_analyser_flush(j->analyser, j->frames + frames, j->room - frames, &last);
    lac_analyser_get(j->analyser, &factors);
    lac_analyser_reset(j->analyser);
    return status ? status : lac_generator_set(j->generator, &factors);
}

static int run_generator(job *j)
{
    size_t rows = 0, last = 0;
    int status = lac_generator_write(j->generator, j->frames, j->rows, j->made, j->room, &rows);

    if (!status)
        status = lac_generator_flush(j->generator, j->made + rows * j->source.codec_about.latent_size,
                                     j->room - rows, &last);
    lac_generator_reset(j->generator);
    return status;
}

static int run_search(job *j)
{
    lac_encoder_set_codebooks(j->encoder, j->source.codec_about.codebooks);
    return lac_encoder_search(j->encoder, j->made, j->rows, j->tokens);
}

static int run_decoder(job *j)
{
    int status = 0;

    for (size_t i = 0; !status && i < j->rows; i += LAC_BENCH_FILE_BLOCK) {
        size_t count = j->rows - i < LAC_BENCH_FILE_BLOCK ? j->rows - i : LAC_BENCH_FILE_BLOCK;

        status = lac_decoder_read(j->decoder, j->tokens + i * j->source.codec_about.codebooks, j->counts + i, count,
                                  j->pcm);
    }
    lac_decoder_reset(j->decoder);
    return status;
}

static int measure(job *j)
{
    static int (*const run[PARTS])(job *) = {run_encoder, run_analyser, run_generator, run_search, run_decoder};
    int status = allocate(j);

    for (int i = 0; i < PARTS; i++)
        j->best[i] = INFINITY;
    for (int round = 0; round < ROUNDS && !status; round++) {
        for (int i = 0; i < PARTS && !status; i++) {
            double started = lac_clock();

            status = run[i](j);
            j->best[i] = fmin(j->best[i], fmax(lac_clock() - started, 1e-9));
        }
        lac_encoder_reset(j->encoder);
    }
    return status ? lac_report_status("bench factors", status, 0) : 0;
}

/* ---- figures ---- */

static int print(const job *j)
{
    cJSON *facts = cJSON_CreateObject();
    const lac_factor_info *about = &j->source.about;
    double audio = (double)j->b.frames / j->source.codec_about.sample_rate;
    double synthesis = j->best[GENERATOR] + j->best[SEARCH] + j->best[DECODER];
    char name[32];

    cJSON_AddStringToObject(facts, "model", j->source.codec_about.name);
    cJSON_AddStringToObject(facts, "factor_model", about->name);
    cJSON_AddStringToObject(facts, "kernels", lac_model_kernels(j->source.codec));
    lac_facts_real(facts, "audio_s", audio, 6);
    lac_facts_count(facts, "threads", lac_bench_threads(&j->b));
    lac_facts_real(facts, "factors_xrt", audio / (j->best[ENCODER] + j->best[ANALYSER]), 4);
    lac_facts_real(facts, "synthesis_xrt", audio / synthesis, 4);
    for (int i = 0; i < PARTS; i++) {
        snprintf(name, sizeof name, "%s_xrt", part_names[i]);
        lac_facts_real(facts, name, audio / j->best[i], 4);
    }
    for (int i = ANALYSER; i < PARTS; i++) {
        snprintf(name, sizeof name, "%s_to_encoder", part_names[i]);
        lac_facts_real(facts, name, j->best[i] / j->best[ENCODER], 4);
    }
    lac_facts_count(facts, "analyser_bytes", lac_analyser_bytes(j->analyser));
    lac_facts_count(facts, "generator_bytes", lac_generator_bytes(j->generator));
    lac_facts_count(facts, "factor_model_bytes", about->file_bytes);
    lac_facts_real(facts, "mmacs_encoder", (double)j->source.codec_about.encoder_macs / 1e6, 6);
    lac_facts_real(facts, "mmacs_analyser", (double)about->analyser_macs / 1e6, 6);
    lac_facts_real(facts, "mmacs_generator", (double)about->generator_macs / 1e6, 6);
    return lac_facts_print(facts, j->b.json);
}

static void close_all(job *j)
{
    lac_encoder_close(&j->encoder);
    lac_decoder_close(&j->decoder);
    lac_analyser_close(&j->analyser);
    lac_generator_close(&j->generator);
    free(j->tokens);
    free(j->counts);
    free(j->latents);
    free(j->made);
    free(j->frames);
    free(j->pcm);
    free(j->b.pcm);
    free(j->b.mono);
    lac_factor_source_close(&j->source);
}

int lac_bench_factors(int argc, char **argv)
{
    job j = {0};
    int done = 0;
    int failed;

    lac_factor_source_init(&j.source);
    failed = parse(&j, argc, argv, &done);
    if (!failed && !done) {
        failed = lac_factor_source_open(&j.source);
        j.b.info = j.source.codec_about;
        if (!failed)
            failed = lac_bench_load(&j.b);
        if (!failed)
            failed = measure(&j);
        if (!failed)
            failed = print(&j);
    }
    close_all(&j);
    return failed;
}
