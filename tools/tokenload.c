#include "tokenload.h"

#include <stdlib.h>
#include <string.h>

#include "audiopump.h"
#include "lac/encoder.h"
#include "models.h"
#include "progress.h"
#include "report.h"
#include "resample.h"

#define BLOCK 16384   /* latent frames at once */
#define TOKENS_BEAM 8 /* as lac encode */

int lac_token_source_option(lac_token_source *source, const char *command, int option, char **argv)
{
    switch (option) {
    case 'm': source->model_name = optarg; return 0;
    case 'b': return lac_option_kbps(command, optarg, &source->kbps);
    case 'B': return lac_option_count(command, "--beam", optarg, 1, LAC_MAX_BEAM, &source->beam);
    default: return lac_report_option(command, option, argv);
    }
}

void lac_token_source_init(lac_token_source *source)
{
    *source = (lac_token_source){.kbps = -1, .beam = TOKENS_BEAM};
}

void lac_token_source_close(lac_token_source *source)
{
    lac_model_close(&source->model);
    free(source->file);
    source->file = NULL;
}

/* Is the model the one that is meant: by 8 bytes or more of its id, or, without an id, by name or default? */
static bool has_id(const lac_token_source *source, const uint8_t *id)
{
    static const uint8_t zeros[LAC_MODEL_ID_SIZE];

    if (!source->model)
        return false;
    return memcmp(id, zeros, sizeof zeros) == 0 ? source->named : memcmp(id, source->about.id, 8) == 0;
}

int lac_token_source_model(lac_token_source *source, const uint8_t *id, const char *file)
{
    if (has_id(source, id))
        return 0;
    lac_model_close(&source->model);
    source->model = source->model_name ? NULL : lac_models_find(id);
    source->named = !source->model;
    if (source->named) {
        int failed = lac_models_open(&source->model, source->model_name);

        if (failed)
            return failed;
    }
    lac_model_get_info(source->model, &source->about);
    return has_id(source, id) ? 0 : lac_models_report_mismatch(source->model, id, file);
}

static void describe(const lac_token_source *source, const lac_stream_info *info, lac_token_set *set)
{
    const lac_model_info *about = &source->about;

    lac_token_set_init(set, info->channels, about->codebooks);
    memcpy(set->model, about->name, sizeof set->model);
    memcpy(set->model_id, about->id, sizeof set->model_id);
    set->rate = info->original_rate;
    set->frame_rate = (double)about->sample_rate / about->frame_samples;
    set->token_bits = about->token_bits;
}

static int take_all(lac_reader *reader, lac_token_set *set, const char *name, const int *error)
{
    size_t row = (size_t)set->channels * set->codebooks, frames = 0;
    uint16_t *tokens = malloc(BLOCK * row * sizeof *tokens + 1);
    uint8_t *counts = malloc(BLOCK);
    char reason[LAC_TOKENS_REASON];
    int failed = tokens && counts ? 0 : lac_report(name, "out of memory");

    do {
        int status = failed ? 0 : lac_reader_read_tokens(reader, tokens, counts, BLOCK, &frames);

        if (status)
            failed = lac_models_report_read(name, status, *error);
        for (size_t t = 0; t < frames && !failed; t++)
            if (lac_token_set_append(set, tokens + t * row, counts[t], reason))
                failed = lac_report(name, "%s", reason);
    } while (!failed && frames > 0);
    free(tokens);
    free(counts);
    return failed;
}

/* Samples that a file without an end page has, as lac_reader delivers them. */
static uint64_t samples_of_frames(const lac_token_source *source, const lac_token_set *set)
{
    uint64_t all = set->frames * source->about.frame_samples, delay = source->about.decoder_delay_samples;

    return all > delay ? lac_rescale_near(all - delay, set->rate, source->about.sample_rate) : 0;
}

static int take_stream(lac_token_source *source, lac_reader *reader, const char *name, const int *error,
                       lac_token_set *set)
{
    lac_stream_info info;
    int failed, status;

    lac_reader_get_info(reader, &info);
    failed = lac_token_source_model(source, info.model_id, name);
    if (failed)
        return failed;
    status = lac_reader_start(reader, source->model, 1);
    if (status)
        return lac_report_status(name, status, 0);
    describe(source, &info, set);
    failed = take_all(reader, set, name, error);
    lac_reader_get_info(reader, &info);
    set->samples = info.samples == UINT64_MAX ? samples_of_frames(source, set) : info.samples;
    if (failed || (info.damaged_pages == 0 && !info.truncated))
        return failed;
    lac_report(name, "%s; %llu damaged or missing page%s, whose frames have no tokens",
               info.truncated ? "is cut off" : "is damaged", (unsigned long long)info.damaged_pages,
               info.damaged_pages == 1 ? "" : "s");
    return LAC_EXIT_CONCEALED;
}

static int load_lac(lac_token_source *source, const char *path, lac_token_set *set)
{
    lac_reader *reader = NULL;
    int failed = lac_file_in_open(source->file, path);

    if (!failed)
        failed = lac_file_in_reader(source->file, path, &reader);
    if (!failed)
        failed = take_stream(source, reader, source->file->name, &source->file->error, set);
    lac_reader_close(&reader);
    lac_file_in_close(source->file);
    return failed;
}

/* ---- audio: a .lac file in memory ---- */

typedef struct memory {
    lac_token_bytes bytes;
    size_t at;
} memory;

static int memory_write(void *user, const void *data, size_t size)
{
    memory *m = user;

    lac_token_bytes_add(&m->bytes, data, size);
    return m->bytes.failed ? -1 : 0;
}

static int64_t memory_read(void *user, void *data, size_t size)
{
    memory *m = user;
    size_t left = m->bytes.size - m->at, n = left < size ? left : size;

    if (n > 0)
        memcpy(data, m->bytes.data + m->at, n);
    m->at += n;
    return (int64_t)n;
}

static int code(void *user, const float *pcm, size_t frames)
{
    return lac_writer_write(user, pcm, frames);
}

static int code_audio(lac_token_source *source, lac_audio_in *in, memory *m)
{
    const lac_audio_in_info *audio = lac_audio_in_get_info(in);
    lac_writer_settings settings;
    lac_writer *writer = NULL;
    lac_io io = {m, NULL, memory_write, NULL, NULL};

    lac_writer_default_settings(&settings);
    settings.original_rate = audio->rate;
    settings.channels = audio->channels;
    settings.beam = source->beam;
    settings.coding = LAC_CODING_PLAIN; /* read again at once */
    int failed = lac_option_codebooks("tokens", source->kbps, &source->about, &settings.codebooks);
    if (failed)
        return failed;
    int status = lac_writer_open(&writer, source->model, &io, &settings);
    if (!status) {
        lac_audio_pump pump = {.in = in, .rate = source->about.sample_rate, .sink = code, .user = writer};

        failed = lac_audio_pump_run(&pump);
        status = failed ? pump.status : lac_writer_finish(writer, pump.frames);
    }
    lac_writer_close(&writer);
    return status ? lac_report_status(audio->name, status, 0) : failed;
}

static int load_audio(lac_token_source *source, const char *path, lac_token_set *set)
{
    static const uint8_t any[LAC_MODEL_ID_SIZE];
    static const int no_error;
    memory m = {{0}, 0};
    lac_io io = {&m, memory_read, NULL, NULL, NULL};
    lac_audio_in *in = NULL;
    lac_reader *reader = NULL;
    int failed = lac_token_source_model(source, any, path);

    if (!failed)
        failed = lac_audio_in_open(&in, path, NULL);
    if (!failed)
        failed = code_audio(source, in, &m);
    if (!failed) {
        int status = lac_reader_open(&reader, &io);

        failed = status ? lac_report_status(path, status, 0) : take_stream(source, reader, path, &no_error, set);
    }
    lac_reader_close(&reader);
    lac_audio_in_close(&in);
    lac_token_bytes_free(&m.bytes);
    return failed;
}

int lac_token_source_load(lac_token_source *source, const char *path, lac_token_set *set)
{
    memset(set, 0, sizeof *set);
    if (!source->file && !(source->file = malloc(sizeof *source->file)))
        return lac_report(path, "out of memory");
    int failed = strcmp(path, "-") == 0 || lac_file_in_is_lac(path) ? load_lac(source, path, set) : load_audio(source, path, set);
    if (failed && failed != LAC_EXIT_CONCEALED)
        lac_token_set_free(set);
    return failed;
}

int lac_token_source_each(lac_token_source *source, const lac_inputs *inputs, lac_token_take_fn *take, void *user,
                          const bool *enough)
{
    lac_progress progress;
    int worst = 0;

    lac_progress_start(&progress, -1);
    for (size_t i = 0; i < inputs->count && !(enough && *enough); i++) {
        const char *path = inputs->item[i].path;
        lac_token_set set;
        int failed = lac_token_source_load(source, path, &set);

        if (failed && failed != LAC_EXIT_CONCEALED)
            return failed;
        worst = failed ? failed : worst;
        failed = take(user, &set, path);
        lac_token_set_free(&set);
        if (failed)
            return failed;
        lac_progress_text(&progress, "%zu of %zu files", i + 1, inputs->count);
    }
    lac_progress_hide();
    return worst;
}
