/* lac simulate: a recording as it would be in another room, amid noise, through another microphone or line. */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audioout.h"
#include "command.h"
#include "facts.h"
#include "fileout.h"
#include "lac/status.h"
#include "monoin.h"
#include "report.h"
#include "simulate.h"
#include "sound.h"

#define MOST_SAMPLES ((size_t)1 << 28) /* of a file, all channels together */
#define BLOCK 16384
#define QUIET 1e-3f /* a noise below it is silent */

static const char usage[] =
    "usage: lac simulate [OPTIONS] IN -o OUT\n"
    "\n"
    "A recording as it would be elsewhere: a room, noise, a microphone, a line. Nothing moves in time; speech\n"
    "stays as loud as it is, rate and channels stay. The same seed gives the same.\n"
    "\n"
    "  -o, --output OUT     wav, flac, ogg, ... by its ending, or '-'\n"
    "      --t60 S          a room with a reverberation time of 0.1 to 1.5 s\n"
    "      --noise FILE     noise from this file, repeated where it is too short, at\n"
    "      --snr DB         that ratio of active speech to noise, -10 to 60\n"
    "      --babble FILE    a voice in the background; up to 16 of them, together at\n"
    "      --babble-snr DB  that ratio\n"
    "      --microphone DB  a microphone that deviates from flat by 0 to 12 dB (root mean square)\n"
    "      --band LOW:HIGH  band limits in Hz: 20 to 2000, and 500 or more; either may be left out\n"
    "      --clip DB        clipping 0 to 40 dB below the peak\n"
    "      --mulaw          8 kHz G.711 mu-law and back\n"
    "      --opus BPS       Opus at 6000 to 64000 bit/s and back\n"
    "      --opus-loss P    its packets are lost with this probability, 0 to 0.5, and concealed\n"
    "      --seed N         of what is drawn: 0 to 4294967295; default 0\n"
    "      --raw RATE:CHANNELS:FORMAT  the input has no header\n"
    "      --json           tell what was done\n"
    "  -f, --force          overwrite\n"
    "  -h, --help           this text\n";

typedef struct job {
    const char *input, *output, *noise;
    const char *babble[LAC_SIMULATE_VOICES];
    size_t voices;
    lac_simulation settings;
    uint32_t seed;
    int has_snr, has_babble_snr, json, force;
    lac_raw_input raw;
    lac_audio_in *in;
    const lac_audio_in_info *about;
    lac_sound all;              /* [frames][channels] */
    lac_sound noise_sound, babble_sound;
    lac_simulated done;         /* of the first channel */
} job;

/* ---- options ---- */

static int parse_number(const char *name, double first, double last, const char *what, float *value)
{
    double number = 0;
    int failed = lac_option_real("simulate", name, optarg, first, last, what, &number);

    *value = (float)number;
    return failed;
}

/* "LOW:HIGH"; of nothing 0. */
static int parse_band(job *j)
{
    char *colon = strchr(optarg, ':');
    double low = 0, high = 0;
    int failed = 0;

    if (!colon || strcmp(optarg, ":") == 0)
        return lac_report_usage("simulate", "--band %s: needs LOW:HIGH, as 300:3400, 300: or :3400", optarg);
    *colon = 0;
    if (*optarg)
        failed = lac_option_real("simulate", "--band", optarg, 20, 2000, "the lower limit", &low);
    if (!failed && colon[1])
        failed = lac_option_real("simulate", "--band", colon + 1, 500, 1e6, "the upper limit", &high);
    if (!failed && high > 0 && low >= high)
        failed = lac_report_usage("simulate", "--band %g:%g: the lower limit is not below the upper", low, high);
    j->settings.low_hz = (float)low;
    j->settings.high_hz = (float)high;
    return failed;
}

static int add_babble(job *j)
{
    if (j->voices == LAC_SIMULATE_VOICES)
        return lac_report_usage("simulate", "--babble %s: at most %d voices", optarg, LAC_SIMULATE_VOICES);
    j->babble[j->voices++] = optarg;
    return 0;
}

static int parse_option(void *user, int option, char **argv)
{
    job *j = user;
    lac_simulation *s = &j->settings;

    switch (option) {
    case 'o': j->output = optarg; return 0;
    case 't': return parse_number("--t60", 0.1, 1.5, "seconds", &s->t60_s);
    case 'n': j->noise = optarg; return 0;
    case 's': j->has_snr = 1; return parse_number("--snr", -10, 60, "a ratio in dB", &s->snr_db);
    case 'b': return add_babble(j);
    case 'B':
        j->has_babble_snr = 1;
        return parse_number("--babble-snr", -10, 60, "a ratio in dB", &s->babble_snr_db);
    case 'm': return parse_number("--microphone", 0, 12, "dB", &s->microphone_db);
    case 'l': return parse_band(j);
    case 'c': return parse_number("--clip", 0, 40, "dB", &s->clip_db);
    case 'u': s->mulaw = 1; return 0;
    case 'p': return lac_option_count("simulate", "--opus", optarg, 6000, 64000, &s->opus_bps);
    case 'P': return parse_number("--opus-loss", 0, 0.5, "a probability", &s->opus_loss);
    case 'S': return lac_option_count("simulate", "--seed", optarg, 0, UINT32_MAX, &j->seed);
    case 'r': return lac_option_raw("simulate", optarg, &j->raw);
    case 'J': j->json = 1; return 0;
    case 'f': j->force = 1; return 0;
    default: return lac_report_option("simulate", option, argv);
    }
}

static int check_options(const job *j)
{
    if (!j->output)
        return lac_report_usage("simulate", "-o: where to?");
    if (strcmp(j->output, "-") != 0 && !lac_audio_out_knows(j->output))
        return lac_report_usage("simulate", "-o %s: its ending names no format to write", j->output);
    if (!j->noise != !j->has_snr)
        return lac_report_usage("simulate", "--noise and --snr go together");
    if (!j->voices != !j->has_babble_snr)
        return lac_report_usage("simulate", "--babble and --babble-snr go together");
    if (j->settings.opus_loss > 0 && j->settings.opus_bps == 0)
        return lac_report_usage("simulate", "--opus-loss needs --opus");
    if (j->json && strcmp(j->output, "-") == 0)
        return lac_report_usage("simulate", "--json and -o - both go to standard output");
    return 0;
}

static int parse(job *j, int argc, char **argv, int *done)
{
    static const struct option options[] = {
        {"output", required_argument, NULL, 'o'},     {"t60", required_argument, NULL, 't'},
        {"noise", required_argument, NULL, 'n'},      {"snr", required_argument, NULL, 's'},
        {"babble", required_argument, NULL, 'b'},     {"babble-snr", required_argument, NULL, 'B'},
        {"microphone", required_argument, NULL, 'm'}, {"band", required_argument, NULL, 'l'},
        {"clip", required_argument, NULL, 'c'},       {"mulaw", no_argument, NULL, 'u'},
        {"opus", required_argument, NULL, 'p'},       {"opus-loss", required_argument, NULL, 'P'},
        {"seed", required_argument, NULL, 'S'},       {"raw", required_argument, NULL, 'r'},
        {"json", no_argument, NULL, 'J'},             {"force", no_argument, NULL, 'f'},
        {"help", no_argument, NULL, 'h'},             {NULL, 0, NULL, 0},
    };
    int failed = lac_options_read(argc, argv, ":o:fh", options, usage, parse_option, j, done);

    if (failed || *done)
        return failed;
    if (optind == argc)
        return lac_report_usage("simulate", "which file?");
    if (optind + 1 < argc)
        return lac_report_usage("simulate", "one file, not also '%s'", argv[optind + 1]);
    j->input = argv[optind];
    return check_options(j);
}

/* ---- sounds as a whole ---- */

static int append(void *user, const float *pcm, size_t count)
{
    lac_sound *s = user;

    if (count > MOST_SAMPLES - s->count)
        return LAC_ERROR_LIMIT;
    return lac_sound_add(s, pcm, count) ? LAC_ERROR_MEMORY : 0;
}

static int load_input(job *j)
{
    float *block;
    size_t frames = 1;
    int failed = lac_audio_in_open(&j->in, j->input, j->raw.format == LAC_PCM_NONE ? NULL : &j->raw), status = 0;

    if (failed)
        return failed;
    j->about = lac_audio_in_get_info(j->in);
    if (j->about->rate < LAC_SIMULATE_LOWEST_RATE || j->about->rate > LAC_SIMULATE_HIGHEST_RATE)
        return lac_report(j->about->name, "has a rate of %u Hz; %u to %u are taken", j->about->rate,
                          LAC_SIMULATE_LOWEST_RATE, LAC_SIMULATE_HIGHEST_RATE);
    block = malloc((size_t)BLOCK * j->about->channels * sizeof *block);
    if (!block)
        return lac_report(j->about->name, "out of memory");
    while (!failed && !status && frames > 0) {
        failed = lac_audio_in_read(j->in, block, BLOCK, &frames);
        status = failed ? 0 : append(&j->all, block, frames * j->about->channels);
    }
    free(block);
    if (status == LAC_ERROR_LIMIT)
        return lac_report(j->about->name, "is longer than %zu samples; cut it", MOST_SAMPLES);
    return status ? lac_report_status(j->about->name, status, 0) : failed;
}

static bool is_silent(const lac_sound *s)
{
    for (size_t i = 0; i < s->count; i++)
        if (fabsf(s->pcm[i]) > QUIET)
            return false;
    return true;
}

/* Any file as mono at the input's rate. */
static int load_mono(const job *j, const char *path, lac_sound *s)
{
    lac_raw_input none = {0};
    lac_mono_in in = {.path = path, .raw = &none, .rate = j->about->rate, .sink = append, .user = s};
    int failed = lac_mono_in_run(&in);

    if (failed)
        return LAC_EXIT_FAILED;
    return is_silent(s) ? lac_report(path, "is silent: no noise") : 0;
}

static int load_noise(job *j)
{
    int failed = j->noise ? load_mono(j, j->noise, &j->noise_sound) : 0;

    j->settings.noise = j->noise_sound.pcm;
    j->settings.noise_count = j->noise_sound.count;
    return failed;
}

/* Babble as long as the input. */
static int load_babble(job *j)
{
    lac_sound voice[LAC_SIMULATE_VOICES] = {{0}}, *b = &j->babble_sound;
    const float *pcm[LAC_SIMULATE_VOICES];
    size_t counts[LAC_SIMULATE_VOICES];
    int failed = 0, status = 0;

    for (size_t i = 0; i < j->voices && !failed; i++) {
        failed = load_mono(j, j->babble[i], &voice[i]);
        pcm[i] = voice[i].pcm;
        counts[i] = voice[i].count;
    }
    b->count = j->all.count / j->about->channels;
    if (!failed && j->voices > 0 && b->count > 0) {
        b->pcm = malloc(b->count * sizeof *b->pcm);
        status = b->pcm ? lac_simulate_babble(b->pcm, b->count, j->about->rate, pcm, counts, j->voices, j->seed)
                        : LAC_ERROR_MEMORY;
        j->settings.babble = b->pcm;
        j->settings.babble_count = b->count;
    }
    for (size_t i = 0; i < j->voices; i++)
        lac_sound_free(&voice[i]);
    return status ? lac_report_status(j->babble[0], status, 0) : failed;
}

/* ---- work ---- */

/* Every channel for itself, the first one last: the same room, microphone, noise and losses. */
static int simulate(job *j)
{
    size_t channels = j->about->channels, frames = j->all.count / channels;
    float *one = malloc((frames + 1) * sizeof *one);
    int status = one ? 0 : LAC_ERROR_MEMORY;

    for (size_t c = channels; c-- > 0 && !status;) {
        for (size_t i = 0; i < frames; i++)
            one[i] = j->all.pcm[i * channels + c];
        status = lac_simulate(one, frames, j->about->rate, &j->settings, j->seed, &j->done);
        for (size_t i = 0; i < frames && !status; i++)
            j->all.pcm[i * channels + c] = one[i];
    }
    free(one);
    return status ? lac_report_status(j->about->name, status, 0) : 0;
}

static int write_output(const job *j)
{
    size_t frames = j->all.count / j->about->channels;
    lac_audio_out_settings settings = {.input = j->input, .rate = j->about->rate, .channels = j->about->channels,
                                       .frames = frames, .force = j->force, .tags = j->about->tags.tags,
                                       .tag_count = j->about->tags.count};
    lac_audio_out *out = NULL;
    int failed = lac_audio_out_open(&out, j->output, &settings);

    if (failed)
        return failed;
    failed = lac_audio_out_write(out, j->all.pcm, frames);
    int closed = lac_audio_out_close(&out, !failed);
    return failed ? failed : closed;
}

static int tell(const job *j)
{
    cJSON *facts = cJSON_CreateObject();

    if (facts) {
        lac_facts_count(facts, "rate_hz", j->about->rate);
        lac_facts_count(facts, "channels", j->about->channels);
        lac_facts_count(facts, "samples", j->all.count / j->about->channels);
        lac_facts_count(facts, "seed", j->seed);
        lac_facts_real(facts, "t60_s", (double)j->done.t60_s, 4);
        lac_facts_real(facts, "distance_m", (double)j->done.distance_m, 4);
        lac_facts_real(facts, "snr_db", (double)j->done.snr_db, 4);
        lac_facts_real(facts, "bandwidth_hz", (double)j->done.bandwidth_hz, 6);
        lac_facts_real(facts, "opus_loss", (double)j->done.opus_loss, 4);
    }
    return lac_facts_print(facts, 1);
}

/* None of the files that are read may be written to. */
static int check_output(const job *j)
{
    int failed = lac_file_out_check(j->output, j->input, j->force);

    if (!failed && j->noise)
        failed = lac_file_out_check(j->output, j->noise, j->force);
    for (size_t i = 0; i < j->voices && !failed; i++)
        failed = lac_file_out_check(j->output, j->babble[i], j->force);
    return failed;
}

static int run(job *j)
{
    int failed = check_output(j);

    if (!failed)
        failed = load_input(j);
    if (!failed)
        failed = load_noise(j);
    if (!failed)
        failed = load_babble(j);
    if (!failed)
        failed = simulate(j);
    if (!failed)
        failed = write_output(j);
    return failed || !j->json ? failed : tell(j);
}

int lac_cmd_simulate(int argc, char **argv)
{
    job j = {0};
    int done = 0;
    int failed = parse(&j, argc, argv, &done);

    if (!failed && !done)
        failed = run(&j);
    lac_audio_in_close(&j.in);
    lac_sound_free(&j.all);
    lac_sound_free(&j.noise_sound);
    lac_sound_free(&j.babble_sound);
    return failed;
}
