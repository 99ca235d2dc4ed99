/* lac recombine: what one recording says, by another's voice, in another's manner, place and line. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "facts.h"
#include "fileout.h"
#include "lac/version.h"
#include "recombined.h"
#include "render.h"
#include "report.h"
#include "resample.h"
#include "soundout.h"

static const char usage[] =
    "usage: lac recombine --content A [--speaker B] [--style C] [--environment D] [--channel E]\n"
    "                     [--mix FACTOR=WEIGHT]... [--seed N] [OPTIONS] -o OUT\n"
    "\n"
    "Says what A says with the voice of B, in the manner of C, in the place of D, through the line of E: what is\n"
    "not named is A's. Sources are audio, .lac files or .npz files of lac factors.\n"
    "\n"
    "  -o, --output OUT     audio by its ending (wav, flac, ogg, opus, ...), .lac, or .npz: the factors as such\n"
    "      --content A      who says it doesn't matter\n"
    "      --speaker B      or 'sampled': a new voice. The median pitch goes with it\n"
    "      --style C        how far pitch and energy move, and how fast is spoken\n"
    "      --environment D  or 'neutral': no noise, no echo; or 'sampled'\n"
    "      --channel E      or 'neutral': the whole band, no codec; or 'sampled'\n"
    "      --mix FACTOR=WEIGHT  go only this far, 0 to 1: speaker, style, environment or channel\n"
    "      --median HZ      median pitch, 50 to 600, whoever speaks\n"
    "      --pitch SEMITONES    higher or lower, -24 to 24\n"
    "      --range FACTOR   of pitch about its median, 0 (monotonous) to 4\n"
    "      --rate FACTOR    of the speed, 0.5 to 2\n"
    "      --energy DB      louder or quieter voice, -40 to 20\n"
    "      --voice NAME=VALUE,...   of a sampled voice: pitch, formants, age, accent, in deviations, -3 to 3\n"
    "      --largest-cosine X   of a sampled voice to all speakers given, at most; default 0.6\n"
    "      --seed N         of what is drawn; default 0\n"
    "      --noise X        deviation of the generator's noise, 0 to 2; default 0.3\n"
    "  -b, --bitrate KBPS   as lac encode --constant has it; default: all that the codec model has\n"
    "  -r, --sample-rate HZ of OUT; default: the codec model's\n"
    "      --lac            to standard output .lac, not WAV\n"
    "      --json           tell what was done and how well it went\n"
    "  -m, --model MODEL    a factor model, a file or a name; default: the built-in one\n"
    "      --codec MODEL    the codec model whose latents it reads; default: the built-in one\n"
    "      --audio-channel N    channel N of the sources' sound, the first is 1; default: all, mixed down\n"
    "      --raw RATE:CHANNELS:FORMAT  the sources have no header: s16, s24, s32 or f32\n"
    "  -t, --threads N      threads, 1 to 256; default 1. The result doesn't depend on them\n"
    "  -f, --force          overwrite OUT; write to a terminal\n"
    "  -h, --help           this text\n"
    "\n"
    "OUT is marked as synthetic in its tags. A source may be -, standard input, and OUT -, standard output.\n";

enum kind_of_output { SOUND, LAC_FILE, FACTORS };

#define TAGS 4

typedef struct job {
    lac_factor_source source;
    lac_recombined parts;
    lac_generator_settings generator;
    const char *output;
    enum kind_of_output kind;
    double kbps;
    uint32_t seed, threads, rate;
    int lac, json, force;

    uint32_t codebooks;
    lac_factor_set heard;
    lac_tag tags[TAGS];
    char codec_id[2 * LAC_MODEL_ID_SIZE + 1], factor_id[2 * LAC_MODEL_ID_SIZE + 1], seed_text[16], comment[256];
    lac_sound_out *sound;
    lac_progress progress;
} job;

/* ---- options ---- */

/* The word before '=' among `names`, and the number behind it, to the next comma or the end: *text moves on. -1 for
 * what is none. */
static int parse_assignment(const char **text, const char *const *names, int count, double *value)
{
    for (int i = 0; i < count; i++) {
        size_t length = strlen(names[i]);
        char *end;

        if (strncmp(*text, names[i], length) != 0 || (*text)[length] != '=')
            continue;
        *value = strtod(*text + length + 1, &end);
        if (end == *text + length + 1 || (*end && *end != ','))
            return -1;
        *text = end;
        return i;
    }
    return -1;
}

static int parse_mix(job *j, const char *text)
{
    static const char *const names[LAC_FACTOR_KINDS] = {"speaker", "style", "environment", "channel"};
    const char *at = text;
    double weight;
    int kind = parse_assignment(&at, names, LAC_FACTOR_KINDS, &weight);

    if (kind < 0 || *at || !(weight >= 0 && weight <= 1))
        return lac_report_usage("recombine", "--mix %s: not speaker, style, environment or channel, =, 0 to 1",
                                text);
    j->parts.part[kind].weight = (float)weight;
    return 0;
}

static int parse_voice(job *j, const char *text)
{
    static const char *const names[LAC_VOICE_ATTRIBUTES] = {"pitch", "formants", "age", "accent"};
    const char *at = text;

    do {
        double value;
        int i = parse_assignment(&at, names, LAC_VOICE_ATTRIBUTES, &value);

        if (i < 0 || !(value >= -3 && value <= 3))
            return lac_report_usage("recombine", "--voice %s: not pitch, formants, age or accent, =, -3 to 3; "
                                    "commas between them", text);
        j->parts.voice.attribute[i] = (float)value;
    } while (*at++ == ',');
    return 0;
}

/* Options with a number in a range; `what` tells which. */
static const struct number {
    int option;
    const char *name, *what;
    double first, last;
    size_t offset;
} numbers[] = {
    {'p', "--pitch", "a shift of pitch in semitones", -24, 24, offsetof(job, parts.change.pitch_semitones)},
    {'d', "--median", "a median pitch in Hz", 50, 600, offsetof(job, parts.change.f0_median_hz)},
    {'g', "--range", "a factor on the range of pitch", 0, 4, offsetof(job, parts.change.range)},
    {'a', "--rate", "a factor on the speed", 0.5, 2, offsetof(job, parts.change.rate)},
    {'w', "--energy", "a change in dB", -40, 20, offsetof(job, parts.change.energy_db)},
    {'u', "--noise", "a deviation", 0, 2, offsetof(job, generator.noise)},
    {'q', "--largest-cosine", "a cosine", -1, 1, offsetof(job, parts.voice.largest_cosine)},
};

static int parse_number(job *j, int option, char **argv)
{
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        const struct number *n = &numbers[i];

        if (n->option == option) {
            double value = 0;
            int failed = lac_option_real("recombine", n->name, optarg, n->first, n->last, n->what, &value);
            float narrow = (float)value;

            memcpy((char *)j + n->offset, &narrow, sizeof narrow);
            return failed;
        }
    }
    return lac_factor_source_option(&j->source, "recombine", option, argv);
}

static int parse_option(void *user, int option, char **argv)
{
    job *j = user;

    switch (option) {
    case 'o': j->output = optarg; return 0;
    case 'c': j->parts.path = optarg; return 0;
    case 's': return lac_part_parse(&j->parts, LAC_FACTOR_SPEAKER, optarg);
    case 'y': return lac_part_parse(&j->parts, LAC_FACTOR_STYLE, optarg);
    case 'e': return lac_part_parse(&j->parts, LAC_FACTOR_ENVIRONMENT, optarg);
    case 'n': return lac_part_parse(&j->parts, LAC_FACTOR_CHANNEL, optarg);
    case 'x': return parse_mix(j, optarg);
    case 'v': return parse_voice(j, optarg);
    case 'S': return lac_option_count("recombine", "--seed", optarg, 0, UINT32_MAX, &j->seed);
    case 'b': return lac_option_kbps("recombine", optarg, &j->kbps);
    case 'r': return lac_option_rate("recombine", optarg, &j->rate);
    case 't': return lac_option_threads("recombine", optarg, &j->threads);
    case 'N':
        return lac_option_count("recombine", "--audio-channel", optarg, 1, LAC_MAX_CHANNELS, &j->source.channel);
    case 'L': j->lac = 1; return 0;
    case 'J': j->json = 1; return 0;
    case 'f': j->force = 1; return 0;
    default: return parse_number(j, option, argv);
    }
}

static const struct option options[] = {
    {"output", required_argument, NULL, 'o'},      {"content", required_argument, NULL, 'c'},
    {"speaker", required_argument, NULL, 's'},     {"style", required_argument, NULL, 'y'},
    {"environment", required_argument, NULL, 'e'}, {"channel", required_argument, NULL, 'n'},
    {"mix", required_argument, NULL, 'x'},         {"voice", required_argument, NULL, 'v'},
    {"largest-cosine", required_argument, NULL, 'q'}, {"median", required_argument, NULL, 'd'},
    {"pitch", required_argument, NULL, 'p'},       {"range", required_argument, NULL, 'g'},
    {"rate", required_argument, NULL, 'a'},        {"energy", required_argument, NULL, 'w'},
    {"noise", required_argument, NULL, 'u'},       {"seed", required_argument, NULL, 'S'},
    {"bitrate", required_argument, NULL, 'b'},     {"sample-rate", required_argument, NULL, 'r'},
    {"threads", required_argument, NULL, 't'},     {"audio-channel", required_argument, NULL, 'N'},
    {"model", required_argument, NULL, 'm'},       {"codec", required_argument, NULL, 'C'},
    {"raw", required_argument, NULL, 'R'},         {"lac", no_argument, NULL, 'L'},
    {"json", no_argument, NULL, 'J'},              {"force", no_argument, NULL, 'f'},
    {"help", no_argument, NULL, 'h'},              {NULL, 0, NULL, 0},
};

static int parse_output(job *j)
{
    const char *dot = strrchr(j->output, '.');
    bool is_pipe = strcmp(j->output, "-") == 0;

    if (lac_sound_out_is_lac(j->output) || (is_pipe && j->lac))
        j->kind = LAC_FILE;
    else if (dot && strcmp(dot, ".npz") == 0)
        j->kind = FACTORS;
    else if (!is_pipe && !lac_audio_out_knows(j->output))
        return lac_report_usage("recombine", "-o %s: its ending names no format to write; there are lac, npz, wav, "
                                "flac, ogg, opus, aiff, au, caf, w64, rf64", j->output);
    if (j->lac && !is_pipe)
        return lac_report_usage("recombine", "--lac is for -o -; the ending of %s tells", j->output);
    if (is_pipe && j->json)
        return lac_report_usage("recombine", "either --json or -o -");
    return 0;
}

static int check_parts(const job *j)
{
    bool voice = j->parts.part[LAC_FACTOR_SPEAKER].origin == LAC_PART_SAMPLED;

    for (int kind = 0; kind < LAC_FACTOR_KINDS; kind++)
        if (j->parts.part[kind].weight >= 0 && j->parts.part[kind].origin == LAC_PART_SAME)
            return lac_report_usage("recombine", "--mix %s needs --%s", lac_part_name((enum lac_factor_kind)kind),
                                    lac_part_name((enum lac_factor_kind)kind));
    for (int i = 0; i < LAC_VOICE_ATTRIBUTES; i++)
        if (!isnan(j->parts.voice.attribute[i]) && !voice)
            return lac_report_usage("recombine", "--voice needs --speaker sampled");
    return 0;
}

static int parse(job *j, int argc, char **argv, int *done)
{
    int failed = lac_options_read(argc, argv, ":o:b:r:t:m:fh", options, usage, parse_option, j, done);

    if (failed || *done)
        return failed;
    if (optind < argc)
        return lac_report_usage("recombine", "what is '%s'? Sources have options of their own", argv[optind]);
    if (!j->parts.path)
        return lac_report_usage("recombine", "which --content?");
    if (!j->output)
        return lac_report_usage("recombine", "where to? -o names the output");
    failed = parse_output(j);
    return failed ? failed : check_parts(j);
}

/* ---- output ---- */

static void make_tags(job *j)
{
    lac_report_id(j->source.codec_about.id, j->codec_id);
    lac_report_id(j->source.about.id, j->factor_id);
    snprintf(j->seed_text, sizeof j->seed_text, "%u", j->seed);
    snprintf(j->comment, sizeof j->comment,
             "synthetic speech: lac recombine %s, seed %s, codec model %s, factor model %s", lac_version_string(),
             j->seed_text, j->codec_id, j->factor_id);
    j->tags[0] = (lac_tag){"COMMENT", j->comment};
    j->tags[1] = (lac_tag){"SYNTHETIC", "1"};
    j->tags[2] = (lac_tag){"SEED", j->seed_text};
    j->tags[3] = (lac_tag){"FACTOR_MODEL", j->factor_id};
}

static int write_factors(job *j)
{
    lac_token_bytes npz = {0};
    char reason[LAC_TOKENS_REASON];
    lac_file_out out;
    int failed = lac_factor_npz_write(&npz, &j->parts.made, reason) ? lac_report(j->output, "%s", reason)
                                                                     : 0;

    if (!failed)
        failed = lac_file_out_open(&out, j->output, j->parts.path, j->force);
    if (!failed) {
        lac_file_out_write(&out, npz.data, npz.size);
        failed = lac_file_out_commit(&out);
    }
    lac_token_bytes_free(&npz);
    return failed;
}

static int open_sound(job *j)
{
    lac_sound_out_settings settings = {.input = j->parts.path, .model = j->source.codec,
                                       .lac = j->kind == LAC_FILE, .rate = j->rate,
                                       .samples = j->parts.samples, .codebooks = j->codebooks,
                                       .threads = j->threads, .force = j->force, .tags = j->tags,
                                       .tag_count = TAGS};

    make_tags(j);
    return lac_sound_out_open(&j->sound, j->output, &settings);
}

static int render(job *j)
{
    lac_render asked = {.source = &j->source, .set = &j->parts.made, .generator = j->generator,
                        .codebooks = j->codebooks, .progress = &j->progress, .heard = j->json ? &j->heard : NULL,
                        .samples = lac_rescale_up(j->parts.samples, j->source.codec_about.sample_rate, j->rate)};

    if (j->sound) {
        asked.sink = lac_sound_out_write;
        asked.user = j->sound;
    }
    lac_progress_start(&j->progress, (double)j->parts.made.count / LAC_FACTOR_RATE);
    int status = lac_render_run(&asked);
    lac_progress_hide();
    if (status && j->sound && lac_sound_out_reported(j->sound))
        return lac_sound_out_reported(j->sound);
    return status ? lac_report_status(j->output, status, 0) : 0;
}

/* ---- what was done ---- */

static void add_source(cJSON *sources, const char *factor, const char *path, float weight)
{
    cJSON *source = cJSON_CreateObject();

    cJSON_AddStringToObject(source, "factor", factor);
    cJSON_AddStringToObject(source, "path", path);
    lac_facts_real(source, "weight", (double)weight, 6);
    cJSON_AddItemToArray(sources, source);
}

static void add_sources(cJSON *facts, const lac_recombined *r)
{
    cJSON *sources = cJSON_AddArrayToObject(facts, "sources");

    add_source(sources, "content", r->path, 1);
    for (int kind = 0; kind < LAC_FACTOR_KINDS; kind++)
        if (r->part[kind].origin == LAC_PART_OTHER)
            add_source(sources, lac_part_name((enum lac_factor_kind)kind), r->part[kind].path,
                       r->part[kind].weight);
}

static void add_factors(cJSON *facts, const lac_recombined *r)
{
    cJSON *factors = cJSON_AddObjectToObject(facts, "factors"), *part[LAC_FACTOR_KINDS];

    for (int kind = 0; kind < LAC_FACTOR_KINDS; kind++) {
        part[kind] = cJSON_AddObjectToObject(factors, lac_part_name((enum lac_factor_kind)kind));
        cJSON_AddStringToObject(part[kind], "kind", lac_part_origin_name(r->part[kind].origin));
        lac_facts_real(part[kind], "weight", (double)r->part[kind].weight, 6);
    }
    lac_facts_real(part[LAC_FACTOR_SPEAKER], "f0_median_hz", (double)r->made.factors.f0_median_hz, 6);
    if (r->part[LAC_FACTOR_SPEAKER].origin == LAC_PART_SAMPLED)
        lac_facts_real(part[LAC_FACTOR_SPEAKER], "nearest_cosine", (double)r->nearest_cosine, 6);
    lac_facts_real(part[LAC_FACTOR_STYLE], "pitch_semitones", (double)r->change.pitch_semitones, 6);
    lac_facts_real(part[LAC_FACTOR_STYLE], "range", (double)r->change.range, 6);
    lac_facts_real(part[LAC_FACTOR_STYLE], "rate", (double)r->change.rate, 6);
    lac_facts_real(part[LAC_FACTOR_STYLE], "energy_db", (double)r->change.energy_db, 6);
}

/* What an analyser hears, against what was asked. */
static void add_gates(cJSON *facts, const job *j)
{
    const lac_factor_set *content = &j->parts.content, *heard = &j->heard;
    cJSON *gates = cJSON_AddObjectToObject(facts, "gates");
    lac_factor_distance target, source;
    uint32_t phones[2];
    float distance = 0;

    lac_factors_compare(j->source.model, &heard->factors, &j->parts.made.factors, &target);
    lac_factors_compare(j->source.model, &heard->factors, &content->factors, &source);
    lac_facts_real(gates, "speaker_cosine", (double)target.speaker_cosine, 6);
    lac_facts_real(gates, "content_speaker_cosine", (double)source.speaker_cosine, 6);
    if (lac_content_distance(content->frames, (size_t)content->count, heard->frames, (size_t)heard->count,
                             &distance, &phones[0], &phones[1]) == 0)
        lac_facts_real(gates, "content_distance", (double)distance, 6);
    else
        cJSON_AddNullToObject(gates, "content_distance");
    lac_facts_real(gates, "snr_db", (double)heard->factors.snr_db, 6);
    lac_facts_real(gates, "f0_median_hz", (double)heard->factors.f0_median_hz, 6);
}

static int tell(const job *j)
{
    cJSON *facts = cJSON_CreateObject(), *models;
    char id[2 * LAC_MODEL_ID_SIZE + 1];

    cJSON_AddStringToObject(facts, "output", j->output);
    cJSON_AddTrueToObject(facts, "synthetic");
    lac_facts_real(facts, "duration_s", j->parts.made.duration_s, 9);
    lac_facts_count(facts, "rate_hz", j->rate);
    lac_facts_count(facts, "samples", j->parts.samples);
    add_sources(facts, &j->parts);
    add_factors(facts, &j->parts);
    lac_facts_count(facts, "seed", j->seed);
    lac_facts_real(facts, "noise", (double)j->generator.noise, 6);
    models = cJSON_AddObjectToObject(facts, "models");
    cJSON_AddStringToObject(models, "codec", lac_report_id(j->source.codec_about.id, id));
    cJSON_AddStringToObject(models, "factors", lac_report_id(j->source.about.id, id));
    cJSON_AddStringToObject(facts, "version", lac_version_string());
    add_gates(facts, j);
    return lac_facts_print(facts, 1);
}

/* ---- */

static int open_models(job *j)
{
    int failed = lac_factor_source_open(&j->source);

    if (!failed && !j->rate)
        j->rate = j->source.codec_about.sample_rate;
    j->codebooks = j->source.codec_about.codebooks;
    if (!failed && j->kbps > 0)
        failed = lac_option_codebooks("recombine", j->kbps, &j->source.codec_about, &j->codebooks);
    j->generator.seed = j->parts.seed = j->seed;
    j->generator.threads = j->threads;
    j->parts.rate = j->rate;
    return failed;
}

static int make(job *j)
{
    int failed = lac_recombined_make(&j->parts);

    if (!failed && j->kind != FACTORS)
        failed = open_sound(j);
    if (!failed && (j->sound || j->json))
        failed = render(j);
    if (!failed && j->kind == FACTORS)
        failed = write_factors(j);
    if (!failed && j->sound)
        failed = lac_sound_out_close(&j->sound, 1);
    return !failed && j->json ? tell(j) : failed;
}

static int run(job *j)
{
    int failed = lac_recombined_check_output(&j->parts, j->output, j->force), damaged;

    if (!failed)
        failed = lac_recombined_keep_stdin(&j->parts);
    if (!failed)
        failed = open_models(j);
    if (failed)
        return failed;
    lac_progress_start(&j->progress, -1);
    damaged = lac_recombined_load(&j->parts, &j->progress);
    lac_progress_hide();
    if (damaged && damaged != LAC_EXIT_CONCEALED)
        return damaged;
    failed = make(j);
    return failed ? failed : damaged;
}

int lac_cmd_recombine(int argc, char **argv)
{
    job *j = calloc(1, sizeof *j);
    int done = 0, failed;

    if (!j)
        return lac_report("recombine", "out of memory");
    lac_factor_source_init(&j->source);
    lac_recombined_init(&j->parts, &j->source);
    lac_generator_default_settings(&j->generator);
    j->kbps = -1;
    j->threads = 1;
    failed = parse(j, argc, argv, &done);
    if (!failed && !done)
        failed = run(j);
    lac_progress_hide();
    lac_sound_out_close(&j->sound, 0);
    lac_factor_set_free(&j->heard);
    lac_recombined_close(&j->parts);
    lac_factor_source_close(&j->source);
    free(j);
    return failed;
}
