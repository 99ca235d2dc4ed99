#include "factorload.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lac/encoder.h"
#include "lac/latents.h"
#include "models.h"
#include "report.h"

#define BLOCK 1024 /* frames at once */

struct lac_factor_worker {
    const lac_factor_source *source;
    lac_encoder *encoder;
    lac_analyser *analyser;
    lac_file_in *file;
    uint64_t limit;            /* frames that the sound has; UINT64_MAX while unknown */
    uint64_t given;            /* to the analyser */
    size_t room;               /* frames of the following */
    uint16_t *tokens;          /* [room][codebooks] */
    int16_t *latents;          /* [room][D] */
    lac_factor_frame *frames;  /* [room + delay] */
    lac_factor_set *set;       /* being filled */
    char reason[LAC_TOKENS_REASON];
};

/* ---- options and models ---- */

void lac_factor_source_init(lac_factor_source *source)
{
    *source = (lac_factor_source){.jobs = lac_jobs_processors()};
}

int lac_factor_source_option(lac_factor_source *source, const char *command, int option, char **argv)
{
    switch (option) {
    case 'm': source->model_name = optarg; return 0;
    case 'C': source->codec_name = optarg; return 0;
    case 'R': return lac_option_raw(command, optarg, &source->raw);
    case 'N': return lac_option_count(command, "--channel", optarg, 1, LAC_MAX_CHANNELS, &source->channel);
    case 'j': return lac_option_count(command, "--jobs", optarg, 1, 256, &source->jobs);
    default: return lac_report_option(command, option, argv);
    }
}

static int check_latents(const lac_factor_source *source)
{
    uint8_t id[LAC_MODEL_ID_SIZE];

    lac_model_latent_id(source->codec, id);
    if (memcmp(id, source->about.latent_id, sizeof id) == 0)
        return 0;
    return lac_report(source->about.name, "reads the latents of another encoder than %s's; name the right one with "
                      "--codec", source->codec_about.name);
}

int lac_factor_source_open(lac_factor_source *source)
{
    int failed = lac_factor_models_open(&source->model, source->model_name);

    if (!failed)
        failed = lac_models_open(&source->codec, source->codec_name);
    if (failed)
        return failed;
    lac_factor_model_get_info(source->model, &source->about);
    lac_model_get_info(source->codec, &source->codec_about);
    source->phones = calloc((size_t)source->about.phones + 1, sizeof *source->phones);
    if (!source->phones)
        return lac_report(source->about.name, "out of memory");
    for (uint32_t i = 0; i < source->about.phones; i++)
        source->phones[i] = lac_factor_model_phone(source->model, i);
    return check_latents(source);
}

int lac_factor_source_keep_stdin(const lac_factor_source *source, const lac_inputs *inputs, bool raw)
{
    size_t found = 0;

    for (size_t i = 0; i < inputs->count; i++)
        found += strcmp(inputs->item[i].path, "-") == 0;
    if (found > 1)
        return lac_report_usage("", "standard input can be read only once");
    return found && (raw || source->raw.format == LAC_PCM_NONE) ? lac_audio_in_keep_stdin() : 0;
}

void lac_factor_source_close(lac_factor_source *source)
{
    free(source->phones);
    source->phones = NULL;
    lac_factor_model_close(&source->model);
    lac_model_close(&source->codec);
}

/* ---- workers ---- */

static int open_streams(lac_factor_worker *w)
{
    lac_encoder_settings settings;
    int status;

    lac_encoder_default_settings(&settings);
    settings.codebooks = 1; /* its tokens are not needed */
    settings.block_frames = 64;
    status = lac_encoder_open(&w->encoder, w->source->codec, &settings);
    if (!status)
        status = lac_analyser_open(&w->analyser, w->source->model, NULL);
    return status;
}

int lac_factor_worker_open(lac_factor_worker **worker, const lac_factor_source *source)
{
    lac_factor_worker *w = calloc(1, sizeof *w);
    int status = w ? 0 : LAC_ERROR_MEMORY;

    if (w) {
        w->source = source;
        w->room = BLOCK;
        w->file = malloc(sizeof *w->file);
        w->tokens = malloc(w->room * source->codec_about.codebooks * sizeof *w->tokens);
        w->latents = malloc(w->room * source->about.latent_size * sizeof *w->latents);
        w->frames = malloc((w->room + source->about.delay_frames) * sizeof *w->frames);
        status = w->file && w->tokens && w->latents && w->frames ? open_streams(w) : LAC_ERROR_MEMORY;
    }
    *worker = w;
    if (status)
        lac_factor_worker_close(worker);
    return status ? lac_report_status(source->about.name, status, 0) : 0;
}

void lac_factor_worker_close(lac_factor_worker **worker)
{
    lac_factor_worker *w = *worker;

    if (!w)
        return;
    lac_encoder_close(&w->encoder);
    lac_analyser_close(&w->analyser);
    free(w->file);
    free(w->tokens);
    free(w->latents);
    free(w->frames);
    free(w);
    *worker = NULL;
}

/* ---- latents to factors ---- */

static int keep(lac_factor_worker *w, int status, size_t got)
{
    if (status)
        return status;
    return lac_factor_set_append(w->set, w->frames, got, w->reason) ? LAC_ERROR_LIMIT : 0;
}

/* Rows beyond the limit are of silence put behind the sound. */
static int take_latents(lac_factor_worker *w, const int16_t *latents, size_t rows)
{
    size_t got = 0;
    size_t count = w->limit - w->given < rows ? (size_t)(w->limit - w->given) : rows;
    int status =
        lac_analyser_write(w->analyser, latents, count, w->frames, w->room + w->source->about.delay_frames, &got);

    w->given += count;
    return keep(w, status, got);
}

/* Messages of the analysis itself; others were given where they arose. */
static int finish(lac_factor_worker *w, const char *name, int failed)
{
    lac_factor_set *set = w->set;
    size_t got = 0;
    int status = 0;

    if (!failed || failed == LAC_EXIT_CONCEALED) {
        status = lac_analyser_flush(w->analyser, w->frames, w->room + w->source->about.delay_frames, &got);
        status = keep(w, status, got);
        lac_analyser_get(w->analyser, &set->factors);
    }
    lac_analyser_reset(w->analyser);
    lac_encoder_reset(w->encoder);
    if (!status)
        return failed;
    return *w->reason ? lac_report(name, "%s", w->reason) : lac_report_status(name, status, 0);
}

/* ---- PCM ---- */

static int take_pcm(void *user, const float *pcm, size_t samples)
{
    lac_factor_worker *w = user;
    size_t most = (w->room - 1) * w->source->codec_about.frame_samples;
    int status = 0;

    for (size_t done = 0; done < samples && !status;) {
        size_t count = samples - done < most ? samples - done : most, rows = 0;

        status = lac_encoder_write_latents(w->encoder, pcm + done, count, w->tokens, w->latents, w->room, &rows);
        if (!status)
            status = take_latents(w, w->latents, rows);
        done += count;
    }
    return status;
}

/* Silence behind the sound, so that each 20 ms of it, the last perhaps not whole, has its frame. */
static int pad_pcm(lac_factor_worker *w, uint64_t samples)
{
    static const float silence[480];
    uint32_t frame = w->source->codec_about.frame_samples;
    int status = 0;

    w->limit = (samples + frame - 1) / frame;
    while (w->given < w->limit && !status)
        status = take_pcm(w, silence, frame < 480 ? frame : 480);
    return status;
}

static int analyse_pcm(lac_factor_worker *w, const char *path, lac_progress *progress)
{
    const lac_factor_source *source = w->source;
    lac_mono_in in = {.path = path, .raw = &source->raw, .channel = source->channel, .codec = source->codec,
                      .rate = source->codec_about.sample_rate, .sink = take_pcm, .user = w, .progress = progress};
    int failed = lac_mono_in_run(&in);
    int status = failed && failed != LAC_EXIT_CONCEALED ? 0 : pad_pcm(w, in.samples);

    w->set->rate = in.source_rate;
    w->set->channels = in.source_channels;
    w->set->duration_s = in.duration_s;
    return status ? lac_report_status(path, status, 0) : failed;
}

/* ---- tokens ---- */

/* A block of tokens, of one channel, to factors. */
static int take_tokens(lac_factor_worker *w, const lac_model *model, const uint16_t *tokens, const uint8_t *counts,
                       size_t frames)
{
    int status = lac_latents_from_tokens(model, tokens, counts, frames, w->latents);

    return status ? status : take_latents(w, w->latents, frames);
}

typedef struct block {
    uint16_t *all;    /* [BLOCK][channels][codebooks] */
    uint16_t *one;    /* [BLOCK][codebooks] */
    uint8_t counts[BLOCK];
    size_t frames;
} block;

static int read_block(lac_reader *reader, block *b, uint32_t channels, uint32_t channel, uint32_t codebooks)
{
    int status = lac_reader_read_tokens(reader, b->all, b->counts, BLOCK, &b->frames);

    for (size_t t = 0; t < b->frames && !status; t++)
        memcpy(b->one + t * codebooks, b->all + (t * channels + channel) * codebooks, codebooks * sizeof *b->one);
    return status;
}

/* How many frames the sound has, beside those that the decoder's delay adds. */
static uint64_t sound_frames(const lac_stream_info *info, const lac_model_info *about)
{
    return info->model_samples == UINT64_MAX
        ? UINT64_MAX : (info->model_samples + about->frame_samples - 1) / about->frame_samples;
}

/* The last block waits until the end is known, since only then its frames are. */
static int pump_tokens(lac_factor_worker *w, const lac_model *model, lac_reader *reader, block b[2])
{
    lac_model_info about;
    lac_stream_info info;
    uint32_t channel = w->source->channel ? w->source->channel - 1 : 0;
    int status, i = 0;

    lac_model_get_info(model, &about);
    lac_reader_get_info(reader, &info);
    status = read_block(reader, &b[0], info.channels, channel, about.codebooks);
    while (!status && b[i].frames > 0) {
        status = read_block(reader, &b[!i], info.channels, channel, about.codebooks);
        lac_reader_get_info(reader, &info);
        w->limit = sound_frames(&info, &about);
        if (!status)
            status = take_tokens(w, model, b[i].one, b[i].counts, b[i].frames);
        i = !i;
    }
    return status;
}

static int read_tokens(lac_factor_worker *w, const lac_model *model, lac_reader *reader)
{
    lac_model_info about;
    lac_stream_info info;
    block *b = calloc(2, sizeof *b);
    int status = b ? lac_reader_start(reader, model, 1) : LAC_ERROR_MEMORY;

    lac_model_get_info(model, &about);
    lac_reader_get_info(reader, &info);
    for (int i = 0; i < 2 && b && !status; i++) {
        b[i].all = calloc((size_t)BLOCK * info.channels * about.codebooks, sizeof *b[i].all);
        b[i].one = calloc((size_t)BLOCK * about.codebooks, sizeof *b[i].one);
        status = b[i].all && b[i].one ? 0 : LAC_ERROR_MEMORY;
    }
    if (!status)
        status = pump_tokens(w, model, reader, b);
    for (int i = 0; i < 2 && b; i++) {
        free(b[i].all);
        free(b[i].one);
    }
    free(b);
    return status;
}

static bool has_latents(const lac_factor_source *source, const lac_model *model)
{
    uint8_t id[LAC_MODEL_ID_SIZE];

    lac_model_latent_id(model, id);
    return memcmp(id, source->about.latent_id, sizeof id) == 0;
}

/* *decode: its tokens don't stand for latents that the factor model reads, or channels are to be mixed. */
static int try_tokens(lac_factor_worker *w, const char *path, lac_reader *reader, bool *decode)
{
    const lac_factor_source *source = w->source;
    lac_stream_info info;
    lac_model *found = NULL;
    int status = 0;

    lac_reader_get_info(reader, &info);
    if (lac_mono_in_check_channel(source->channel, info.channels, w->file->name))
        return LAC_EXIT_FAILED;
    const lac_model *model = lac_mono_in_model(source->codec, info.model_id, w->file->name, &found);
    *decode = model && (!has_latents(source, model) || (info.channels > 1 && source->channel == 0));
    if (model && !*decode)
        status = read_tokens(w, model, reader);
    lac_model_close(&found);
    if (!model || *decode)
        return model ? 0 : LAC_EXIT_FAILED;
    lac_reader_get_info(reader, &info);
    w->set->rate = info.original_rate;
    w->set->channels = info.channels;
    w->set->duration_s = info.samples == UINT64_MAX ? (double)w->given / LAC_FACTOR_RATE
                                                    : (double)info.samples / info.original_rate;
    return status ? lac_models_report_read(path, status, w->file->error)
                  : lac_mono_in_report_damage(&info, w->file->name);
}

static int analyse_lac(lac_factor_worker *w, const char *path, lac_progress *progress)
{
    lac_reader *reader = NULL;
    bool decode = false;
    int failed = lac_file_in_open(w->file, path);

    if (!failed) {
        int64_t start = w->file->base;

        failed = lac_file_in_reader(w->file, path, &reader);
        if (!failed)
            failed = try_tokens(w, path, reader, &decode);
        if (decode && start >= 0)
            lseek(w->file->fd, (off_t)start, SEEK_SET);
    }
    lac_reader_close(&reader);
    lac_file_in_close(w->file);
    if (!decode)
        return failed;
    w->set->way = LAC_FACTORS_OF_DECODED;
    return analyse_pcm(w, path, progress);
}

/* ---- files ---- */

int lac_factor_worker_analyse(lac_factor_worker *w, const char *path, lac_progress *progress, lac_factor_set *set)
{
    const lac_factor_source *source = w->source;
    bool is_lac = source->raw.format == LAC_PCM_NONE && lac_file_in_is_lac(path);
    int failed;

    memset(set, 0, sizeof *set);
    set->model = source->about;
    set->phones = source->phones;
    set->channel = source->channel;
    set->way = is_lac ? LAC_FACTORS_OF_TOKENS : LAC_FACTORS_OF_AUDIO;
    w->set = set;
    w->limit = UINT64_MAX;
    w->given = 0;
    *w->reason = 0;
    failed = is_lac ? analyse_lac(w, path, progress) : analyse_pcm(w, path, progress);
    return finish(w, lac_report_name(path, 0), failed);
}

static int read_file(const char *path, lac_token_bytes *bytes)
{
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
    int failed = file ? lac_file_in_whole(bytes, file, path) : lac_report(path, "%s", strerror(errno));

    if (file && file != stdin)
        fclose(file);
    return failed;
}

/* What a file of factors holds must be what this model can have given. */
static int check_set(const lac_factor_source *source, lac_factor_set *set, const char *path)
{
    char needed[2 * LAC_MODEL_ID_SIZE + 1], given[2 * LAC_MODEL_ID_SIZE + 1];

    if (memcmp(set->model.id, source->about.id, sizeof set->model.id) != 0)
        return lac_report(path,
                          "holds factors of the model %s with id %s; %s has id %s; name the right one with -m",
                          set->model.name, lac_token_id_text(set->model.id, needed), source->about.name,
                          lac_token_id_text(source->about.id, given));
    for (uint64_t t = 0; t < set->count; t++)
        if (set->frames[t].content >= source->about.content_tokens || set->frames[t].phone >= source->about.phones)
            return lac_report(path, "frame %llu: a token or phone that the model does not have",
                              (unsigned long long)t);
    if (set->model.content_stride != source->about.content_stride)
        return lac_report(path, "content_rate_hz is not the model's");
    set->model = source->about;
    set->phones = source->phones;
    return 0;
}

static int load_npz(const lac_factor_source *source, const char *path, lac_factor_set *set)
{
    lac_token_bytes bytes = {0};
    char reason[LAC_TOKENS_REASON];
    int failed = read_file(path, &bytes);

    memset(set, 0, sizeof *set);
    if (!failed && lac_factor_npz_parse(set, bytes.data, bytes.size, reason))
        failed = lac_report(path, "%s", reason);
    lac_token_bytes_free(&bytes);
    return failed ? failed : check_set(source, set, path);
}

int lac_factor_worker_load(lac_factor_worker *w, const char *path, lac_progress *progress, lac_factor_set *set)
{
    if (w->source->raw.format == LAC_PCM_NONE && lac_file_in_is_npz(path))
        return load_npz(w->source, path, set);
    return lac_factor_worker_analyse(w, path, progress, set);
}

void lac_factor_item_drop(void *item)
{
    lac_factor_set_free(item);
    free(item);
}

int lac_factor_worker_item(lac_factor_worker **worker, const lac_factor_source *source, const char *path,
                           void **item)
{
    lac_factor_set *set = calloc(1, sizeof *set);
    int status = set ? 0 : lac_report(path, "out of memory");

    if (!status && !*worker)
        status = lac_factor_worker_open(worker, source);
    if (!status)
        status = lac_factor_worker_load(*worker, path, NULL, set);
    if (set && status && status != LAC_EXIT_CONCEALED) {
        lac_factor_item_drop(set);
        set = NULL;
    }
    *item = set;
    return status;
}
