#include "audiopump.h"

#include <stdlib.h>

#include "report.h"

#define BLOCK 16384 /* sample frames read at once */

static int pass_on(void *user, const float *pcm, size_t frames)
{
    lac_audio_pump *pump = user;

    pump->status = pump->sink(pump->user, pcm, frames);
    return pump->status;
}

static int report_stop(const lac_audio_pump *pump, const char *name)
{
    return pump->status ? LAC_EXIT_FAILED : lac_report(name, "rate conversion failed");
}

static int pump_all(lac_audio_pump *pump, lac_resampler *resampler, float *block)
{
    const lac_audio_in_info *audio = lac_audio_in_get_info(pump->in);
    size_t frames;
    int failed;

    while ((failed = lac_audio_in_read(pump->in, block, BLOCK, &frames)) == 0 && frames > 0) {
        if (lac_resampler_write(resampler, block, frames))
            return report_stop(pump, audio->name);
        pump->frames += frames;
        if (pump->progress)
            lac_progress_update(pump->progress, (double)pump->frames / audio->rate);
    }
    if (!failed && lac_resampler_finish(resampler, lac_rescale_up(pump->frames, pump->rate, audio->rate)))
        failed = report_stop(pump, audio->name);
    return failed;
}

int lac_audio_pump_run(lac_audio_pump *pump)
{
    const lac_audio_in_info *audio = lac_audio_in_get_info(pump->in);
    const char *reason = "out of memory";
    lac_resampler *resampler = lac_resampler_open(audio->rate, pump->rate, audio->channels, pass_on, pump, &reason);
    float *block = calloc((size_t)BLOCK * audio->channels, sizeof *block);
    int failed;

    if (pump->progress)
        lac_progress_start(pump->progress, audio->frames == UINT64_MAX ? -1 : (double)audio->frames / audio->rate);
    failed = resampler && block ? pump_all(pump, resampler, block) : lac_report(audio->name, "%s", reason);
    lac_resampler_close(&resampler);
    free(block);
    return failed;
}
