#include "monoin.h"

#include <stdlib.h>
#include <string.h>

#include "audiopump.h"
#include "models.h"
#include "report.h"

#define BLOCK 16384

/* What mixes: the sink of rate conversion. */
typedef struct mixer {
    lac_mono_in *in;
    uint32_t channels;
    int status;         /* what the sink ended with */
    float mono[BLOCK];
} mixer;

static int mix(void *user, const float *pcm, size_t frames)
{
    mixer *m = user;
    uint32_t channels = m->channels, only = m->in->channel;

    for (size_t done = 0; done < frames;) {
        size_t count = frames - done < BLOCK ? frames - done : BLOCK;

        for (size_t i = 0; i < count; i++) {
            const float *row = pcm + (done + i) * channels;
            float sum = 0;

            for (uint32_t c = 0; c < channels; c++)
                sum += row[c];
            m->mono[i] = only ? row[only - 1] : sum / (float)channels;
        }
        m->status = m->in->sink(m->in->user, m->mono, count);
        if (m->status)
            return m->status;
        done += count;
        m->in->samples += count;
    }
    return 0;
}

int lac_mono_in_check_channel(uint32_t channel, uint32_t channels, const char *file)
{
    if (channel <= channels)
        return 0;
    return lac_report(file, "has %u channel%s; there is no %u", channels, channels == 1 ? "" : "s", channel);
}

static int run_audio(mixer *m)
{
    lac_mono_in *in = m->in;
    lac_audio_in *audio = NULL;
    int failed = lac_audio_in_open(&audio, in->path, in->raw->format == LAC_PCM_NONE ? NULL : in->raw);

    if (failed)
        return failed;
    const lac_audio_in_info *info = lac_audio_in_get_info(audio);
    in->source_rate = info->rate;
    in->source_channels = m->channels = info->channels;
    failed = lac_mono_in_check_channel(in->channel, info->channels, info->name);
    if (!failed) {
        lac_audio_pump pump = {.in = audio, .rate = in->rate, .sink = mix, .user = m, .progress = in->progress};

        failed = lac_audio_pump_run(&pump);
        in->duration_s = (double)pump.frames / info->rate;
        if (failed && pump.status)
            lac_report_status(info->name, pump.status, 0);
    }
    lac_audio_in_close(&audio);
    return failed;
}

/* ---- .lac files ---- */

const lac_model *lac_mono_in_model(const lac_model *codec, const uint8_t *id, const char *file, lac_model **found)
{
    lac_model_info have;

    *found = NULL;
    if (codec)
        lac_model_get_info(codec, &have);
    if (codec && memcmp(have.id, id, 8) == 0)
        return codec;
    *found = lac_models_find(id);
    if (!*found && codec)
        lac_models_report_mismatch(codec, id, file);
    else if (!*found)
        lac_report(file, "its model is not there");
    return *found;
}

int lac_mono_in_report_damage(const lac_stream_info *info, const char *file)
{
    if (info->damaged_pages == 0 && !info->truncated)
        return 0;
    lac_report(file, "%s; %llu damaged or missing page%s", info->truncated ? "is cut off" : "is damaged",
               (unsigned long long)info->damaged_pages, info->damaged_pages == 1 ? "" : "s");
    return LAC_EXIT_CONCEALED;
}

static int pump_reader(mixer *m, lac_reader *reader, lac_file_in *file, lac_resampler *resampler, uint32_t rate)
{
    float *block = calloc((size_t)BLOCK * m->channels, sizeof *block);
    uint64_t total = 0;
    size_t frames = 1;
    int status = block ? 0 : LAC_ERROR_MEMORY, stopped = 0;

    while (!status && !stopped && frames > 0) {
        status = lac_reader_read(reader, block, BLOCK, &frames);
        if (!status)
            stopped = lac_resampler_write(resampler, block, frames);
        total += status ? 0 : frames;
    }
    if (!status && !stopped)
        stopped = lac_resampler_finish(resampler, lac_rescale_up(total, m->in->rate, rate));
    m->in->duration_s = (double)total / rate;
    free(block);
    if (status)
        return lac_models_report_read(file->name, status, file->error);
    if (m->status)
        return lac_report_status(file->name, m->status, 0);
    return stopped ? lac_report(file->name, "rate conversion failed") : 0;
}

static int decode(mixer *m, lac_reader *reader, lac_file_in *file, const lac_model *model)
{
    const char *reason = "out of memory";
    lac_model_info about;
    lac_stream_info info;
    int status = lac_reader_start(reader, model, 1);

    if (status)
        return lac_report_status(file->name, status, 0);
    lac_model_get_info(model, &about);
    lac_resampler *resampler = lac_resampler_open(about.sample_rate, m->in->rate, m->channels, mix, m, &reason);
    int failed = resampler ? pump_reader(m, reader, file, resampler, about.sample_rate)
                           : lac_report(file->name, "%s", reason);
    lac_resampler_close(&resampler);
    lac_reader_get_info(reader, &info);
    return failed ? failed : lac_mono_in_report_damage(&info, file->name);
}

static int run_lac(mixer *m)
{
    lac_file_in *file = malloc(sizeof *file);
    lac_reader *reader = NULL;
    lac_model *found = NULL;
    lac_stream_info info;
    int failed = file ? lac_file_in_open(file, m->in->path) : lac_report(m->in->path, "out of memory");

    if (failed) {
        free(file);
        return failed;
    }
    failed = lac_file_in_reader(file, m->in->path, &reader);
    if (!failed) {
        lac_reader_get_info(reader, &info);
        m->in->source_rate = info.original_rate;
        m->in->source_channels = m->channels = info.channels;
        failed = lac_mono_in_check_channel(m->in->channel, info.channels, file->name);
    }
    if (!failed) {
        const lac_model *model = lac_mono_in_model(m->in->codec, info.model_id, file->name, &found);

        failed = model ? decode(m, reader, file, model) : LAC_EXIT_FAILED;
    }
    lac_reader_close(&reader);
    lac_model_close(&found);
    lac_file_in_close(file);
    free(file);
    return failed;
}

int lac_mono_in_run(lac_mono_in *in)
{
    mixer *m = malloc(sizeof *m);
    int failed;

    if (!m)
        return lac_report(in->path, "out of memory");
    m->in = in;
    m->status = 0;
    in->samples = 0;
    failed = in->raw->format == LAC_PCM_NONE && lac_file_in_is_lac(in->path) ? run_lac(m) : run_audio(m);
    free(m);
    return failed;
}
