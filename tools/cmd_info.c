/* lac info: about a .lac file, a model file, or this program. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "command.h"
#include "facts.h"
#include "filein.h"
#include "lac/factors.h"
#include "lac/version.h"
#include "models.h"
#include "options.h"
#include "report.h"

static const char usage[] =
    "usage: lac info [--json] [FILE.lac | MODEL]\n"
    "\n"
    "Tells about a .lac file (every page is read) or a model (a file or a name; a factor model's ends in .lacf);\n"
    "without either about this program: version, default models, rates, delay, and the CPU kernels in use.\n"
    "\n"
    "      --json   as one JSON object; what is unknown is null\n"
    "  -h, --help   this text\n";

static void add_id(cJSON *facts, const uint8_t *id)
{
    char text[2 * LAC_MODEL_ID_SIZE + 1];

    cJSON_AddStringToObject(facts, "model_id", lac_report_id(id, text));
}

static void add_rates(cJSON *facts, const lac_model_info *info)
{
    cJSON *rates = cJSON_AddArrayToObject(facts, "rates_bps");
    double step = lac_codebook_bps(info);

    for (uint32_t i = 1; i <= info->codebooks; i++)
        cJSON_AddItemToArray(rates, cJSON_CreateNumber(step * i));
}

static void add_kernels(cJSON *facts, const lac_model *model)
{
    cJSON *kernels = cJSON_AddArrayToObject(facts, "kernels");
    const char *name = lac_model_kernels(model);

    while (name && *name) {
        size_t length = strcspn(name, ",");
        char text[64];

        snprintf(text, sizeof text, "%.*s", (int)length, name);
        cJSON_AddItemToArray(kernels, cJSON_CreateString(text));
        name += length;
        name += strspn(name, ", ");
    }
}

static void add_quantiser(cJSON *facts, const lac_model_info *info)
{
    cJSON *levels;

    cJSON_AddStringToObject(facts, "quantiser", info->quantiser == LAC_MODEL_FSQ ? "fsq" : "rvq");
    if (info->quantiser != LAC_MODEL_FSQ)
        return;
    levels = cJSON_AddArrayToObject(facts, "levels");
    for (size_t i = 0; i < sizeof info->levels && info->levels[i] > 0; i++)
        cJSON_AddItemToArray(levels, cJSON_CreateNumber(info->levels[i]));
}

static void add_prior(cJSON *facts, const lac_model_info *info)
{
    char id[2 * LAC_MODEL_ID_SIZE + 1];

    if (info->prior_macs == 0)
        return;
    cJSON_AddStringToObject(facts, "prior_id", lac_report_id(info->prior_id, id));
    lac_facts_real(facts, "mmacs_prior", (double)info->prior_macs / 1e6, 6);
}

static void add_model(cJSON *facts, const lac_model *model)
{
    lac_model_info info;

    lac_model_get_info(model, &info);
    cJSON_AddStringToObject(facts, "model", info.name);
    add_id(facts, info.id);
    lac_facts_count(facts, "sample_rate", info.sample_rate);
    lac_facts_count(facts, "frame_samples", info.frame_samples);
    lac_facts_count(facts, "delay_samples", info.delay_samples);
    lac_facts_real(facts, "delay_ms", 1000.0 * info.delay_samples / info.sample_rate, 6);
    lac_facts_count(facts, "codebooks", info.codebooks);
    lac_facts_count(facts, "codewords", info.codewords);
    add_quantiser(facts, &info);
    lac_facts_count(facts, "latent_size", info.latent_size);
    lac_facts_count(facts, "receptive_frames", info.receptive_frames);
    add_rates(facts, &info);
    lac_facts_count(facts, "model_bytes", info.file_bytes);
    lac_facts_real(facts, "mmacs_encoder", (double)info.encoder_macs / 1e6, 6);
    lac_facts_real(facts, "mmacs_decoder", (double)info.decoder_macs / 1e6, 6);
    lac_facts_real(facts, "mmacs_search", (double)info.search_macs / 1e6, 6);
    if (info.metric)
        cJSON_AddTrueToObject(facts, "search_metric");
    add_prior(facts, &info);
    add_kernels(facts, model);
}

static void add_factor_id(cJSON *facts, const char *name, const uint8_t *id)
{
    char text[2 * LAC_MODEL_ID_SIZE + 1];

    cJSON_AddStringToObject(facts, name, lac_report_id(id, text));
}

/* Names begin with `prefix` where they stand beside those of a codec model. */
static void add_factor_model(cJSON *facts, const lac_factor_model *model, const char *prefix)
{
    lac_factor_info info;
    char name[32];

    lac_factor_model_get_info(model, &info);
    cJSON_AddStringToObject(facts, "factor_model", info.name);
    add_factor_id(facts, "factor_model_id", info.id);
    add_factor_id(facts, "latent_id", info.latent_id);
    snprintf(name, sizeof name, "%smodel_bytes", prefix);
    lac_facts_count(facts, name, info.file_bytes);
    lac_facts_real(facts, "frame_rate_hz", LAC_FACTOR_RATE, 6);
    lac_facts_real(facts, "content_rate_hz", (double)LAC_FACTOR_RATE / info.content_stride, 6);
    lac_facts_count(facts, "content_tokens", info.content_tokens);
    cJSON *levels = cJSON_AddArrayToObject(facts, "content_levels");
    for (uint32_t i = 0; i < info.content_dimensions; i++)
        cJSON_AddItemToArray(levels, cJSON_CreateNumber(info.content_levels[i]));
    lac_facts_count(facts, "phones", info.phones);
    lac_facts_count(facts, "speaker_size", LAC_SPEAKER_SIZE);
    lac_facts_count(facts, "style_size", LAC_STYLE_SIZE);
    lac_facts_count(facts, "environment_size", LAC_ENVIRONMENT_SIZE);
    lac_facts_count(facts, "channel_size", LAC_CHANNEL_SIZE);
    lac_facts_count(facts, "analyser_delay_frames", info.delay_frames);
    lac_facts_count(facts, "generator_delay_frames", info.generator_delay_frames);
    lac_facts_count(facts, "generator_steps", info.generator_steps);
    cJSON_AddBoolToObject(facts, "sampled_voices", info.voices != 0);
    lac_facts_real(facts, "mmacs_analyser", (double)info.analyser_macs / 1e6, 6);
    lac_facts_real(facts, "mmacs_generator", (double)info.generator_macs / 1e6, 6);
}

static int print_program(int json)
{
    cJSON *facts = cJSON_CreateObject();
    lac_model *model = NULL;
    lac_factor_model *factors = NULL;

    cJSON_AddStringToObject(facts, "version", lac_version_string());
    lac_facts_count(facts, "format_version", LAC_STREAM_VERSION);
    if (lac_model_open(&model, NULL) == LAC_OK)
        add_model(facts, model);
    else
        cJSON_AddNullToObject(facts, "model");
    lac_model_close(&model);
    if (lac_factor_model_open(&factors, NULL) == LAC_OK)
        add_factor_model(facts, factors, "factor_");
    else
        cJSON_AddNullToObject(facts, "factor_model");
    lac_factor_model_close(&factors);
    return lac_facts_print(facts, json);
}

static int print_factor_model(const char *path, int json)
{
    cJSON *facts;
    lac_factor_model *model = NULL;
    int failed = lac_factor_models_open(&model, path);

    if (failed)
        return failed;
    facts = cJSON_CreateObject();
    add_factor_model(facts, model, "");
    lac_factor_model_close(&model);
    return lac_facts_print(facts, json);
}

/* Closes the model. */
static int print_model(lac_model *model, int json)
{
    cJSON *facts = cJSON_CreateObject();

    add_model(facts, model);
    lac_model_close(&model);
    return lac_facts_print(facts, json);
}

static void add_model_of(cJSON *facts, const uint8_t *id)
{
    lac_model *model = lac_models_find(id);
    lac_model_info info;

    if (model) {
        lac_model_get_info(model, &info);
        cJSON_AddStringToObject(facts, "model", info.name);
    } else {
        cJSON_AddNullToObject(facts, "model");
    }
    lac_model_close(&model);
    add_id(facts, id);
}

static void add_tags(cJSON *facts, const lac_reader *reader)
{
    cJSON *tags = lac_reader_tag_count(reader) ? cJSON_AddObjectToObject(facts, "tags") : NULL;

    for (size_t i = 0; i < lac_reader_tag_count(reader); i++) {
        lac_tag tag;

        if (lac_reader_tag(reader, i, &tag) == 0)
            cJSON_AddStringToObject(tags, tag.name, tag.value);
    }
}

/* The coding of the file's tokens: of those that its pages use, the one that a writer takes first. */
static void add_coding(cJSON *facts, const lac_stream_info *info, double seconds)
{
    const char *name = info->prior_pages > 0 ? "prior" : info->adaptive_pages > 0 ? "adaptive" : "plain";

    cJSON_AddStringToObject(facts, "coding", name);
    lac_facts_count(facts, "coded_pages", info->prior_pages + info->adaptive_pages);
    if (seconds > 0)
        lac_facts_real(facts, "plain_bps", (double)info->plain_bits / seconds, 7);
    else
        cJSON_AddNullToObject(facts, "plain_bps");
}

static cJSON *stream_facts(const lac_reader *reader)
{
    cJSON *facts = cJSON_CreateObject();
    lac_stream_info info;
    double seconds;

    lac_reader_get_info(reader, &info);
    seconds = info.samples == UINT64_MAX ? 0 : (double)info.samples / info.original_rate;
    lac_facts_count(facts, "format_version", info.format_version);
    add_model_of(facts, info.model_id);
    lac_facts_count(facts, "sample_rate", info.original_rate);
    lac_facts_count(facts, "channels", info.channels);
    lac_facts_count(facts, "samples", info.samples);
    if (info.samples == UINT64_MAX)
        cJSON_AddNullToObject(facts, "duration_s");
    else
        cJSON_AddNumberToObject(facts, "duration_s", seconds);
    lac_facts_count(facts, "frames", info.frames);
    lac_facts_count(facts, "codebooks", info.max_codebooks);
    lac_facts_count(facts, "codebooks_min", info.min_codebooks);
    add_coding(facts, &info, seconds);
    if (seconds > 0) {
        lac_facts_real(facts, "payload_bps", (double)info.payload_bits / seconds, 7);
        lac_facts_real(facts, "file_bps", 8.0 * (double)info.bytes / seconds, 7);
    } else {
        cJSON_AddNullToObject(facts, "payload_bps");
        cJSON_AddNullToObject(facts, "file_bps");
    }
    lac_facts_count(facts, "payload_bytes", (info.payload_bits + 7) / 8);
    lac_facts_count(facts, "file_bytes", info.bytes);
    lac_facts_count(facts, "pages", info.pages);
    lac_facts_count(facts, "damaged_pages", info.damaged_pages);
    cJSON_AddBoolToObject(facts, "truncated", info.truncated);
    add_tags(facts, reader);
    return facts;
}

static int print_stream(const char *path, int json)
{
    lac_file_in *file = malloc(sizeof *file);
    lac_reader *reader = NULL;
    int failed = file ? lac_file_in_open(file, path) : lac_report(path, "out of memory");

    if (failed) {
        free(file);
        return failed;
    }
    failed = lac_file_in_reader(file, path, &reader);
    if (!failed) {
        int status = lac_reader_verify(reader);

        /* Damage is among the facts; what stops the reading is not. */
        if (status && status != LAC_ERROR_CHECKSUM && status != LAC_ERROR_TRUNCATED)
            failed = lac_report_status(file->name, status, file->error);
        else
            failed = lac_facts_print(stream_facts(reader), json);
    }
    lac_reader_close(&reader);
    lac_file_in_close(file);
    free(file);
    return failed;
}

/* Models are regular files; what another one gives can be read only once. */
static int is_pipe(const char *path)
{
    struct stat st;

    return strcmp(path, "-") == 0 || (stat(path, &st) == 0 && !S_ISREG(st.st_mode));
}

/* Whatever opens as a model is one; its own complaints are worth telling if the name says so. */
static int print_path(const char *path, int json)
{
    const char *dot = strrchr(path, '.');
    lac_model *model = NULL;

    if (is_pipe(path))
        return print_stream(path, json);
    if (dot && strcmp(dot, ".lacf") == 0)
        return print_factor_model(path, json);
    if (dot && strcmp(dot, ".lacm") == 0) {
        int failed = lac_models_open(&model, path);

        return failed ? failed : print_model(model, json);
    }
    return lac_model_open(&model, path) ? print_stream(path, json) : print_model(model, json);
}

int lac_cmd_info(int argc, char **argv)
{
    static const struct option options[] = {
        {"json", no_argument, NULL, 'j'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
    int json = 0;
    int option;

    opterr = 0;
    while ((option = getopt_long(argc, argv, ":h", options, NULL)) != -1) {
        if (option == 'j') {
            json = 1;
        } else if (option == 'h') {
            fputs(usage, stdout);
            return LAC_EXIT_OK;
        } else {
            return lac_report_option("info", option, argv);
        }
    }
    if (argc - optind > 1)
        return lac_report_usage("info", "one file, not also '%s'", argv[optind + 1]);
    return optind == argc ? print_program(json) : print_path(argv[optind], json);
}
