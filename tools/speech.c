#include "speech.h"

#include <stdlib.h>
#include <string.h>

#include "report.h"
#include "resample.h"
#include "sound.h"

#define READS_A_SECOND 100

struct lac_speech {
    const char *path;
    const lac_raw_input *raw;
    uint32_t rate;
    int loop;
    int ended;
    lac_audio_in *in;
    lac_resampler *resampler;
    uint64_t taken;    /* sample frames of the input so far */
    uint64_t pass;     /* of these in this pass of a loop */
    size_t block;      /* sample frames read at once */
    float *pcm;        /* [block][channels] */
    lac_sound waiting; /* mono, at the model's rate */
};

/* Sink of the resampler. */
static int hold(void *user, const float *pcm, size_t frames)
{
    lac_speech *s = user;

    return lac_sound_add(&s->waiting, pcm, frames);
}

static int open_input(lac_speech *s)
{
    const lac_audio_in_info *audio;
    const char *reason = "out of memory";
    int failed = lac_audio_in_open(&s->in, s->path, s->raw);

    if (failed)
        return failed;
    audio = lac_audio_in_get_info(s->in);
    s->block = audio->rate / READS_A_SECOND + 1;
    s->pcm = calloc(s->block * audio->channels, sizeof *s->pcm);
    s->resampler = lac_resampler_open(audio->rate, s->rate, 1, hold, s, &reason);
    return s->pcm && s->resampler ? 0 : lac_report(audio->name, "%s", reason);
}

int lac_speech_open(lac_speech **speech, const char *path, const lac_raw_input *raw, uint32_t rate, int loop)
{
    lac_speech *s = calloc(1, sizeof *s);
    int failed;

    if (!s)
        return lac_report(path, "out of memory");
    s->path = path;
    s->raw = raw;
    s->rate = rate;
    s->loop = loop;
    failed = open_input(s);
    if (failed)
        lac_speech_close(&s);
    else
        *speech = s;
    return failed;
}

static void mix(float *pcm, size_t frames, uint32_t channels)
{
    for (size_t i = 0; i < frames && channels > 1; i++) {
        float sum = 0;

        for (uint32_t c = 0; c < channels; c++)
            sum += pcm[i * channels + c];
        pcm[i] = sum / (float)channels;
    }
}

static int begin_again(lac_speech *s)
{
    lac_audio_in_info before = *lac_audio_in_get_info(s->in);
    const lac_audio_in_info *audio;
    int failed;

    s->pass = 0;
    lac_audio_in_close(&s->in);
    failed = lac_audio_in_open(&s->in, s->path, s->raw);
    if (failed)
        return failed;
    audio = lac_audio_in_get_info(s->in);
    if (audio->rate != before.rate || audio->channels != before.channels)
        return lac_report(audio->name, "has another rate or other channels now");
    return 0;
}

/* The input has ended: begin again, or put out what the resampler holds. */
static int end_pass(lac_speech *s)
{
    if (s->loop && s->pass)
        return begin_again(s);
    s->ended = 1;
    return lac_resampler_finish(s->resampler,
                                lac_rescale_up(s->taken, s->rate, lac_audio_in_get_info(s->in)->rate))
        ? lac_report(s->path, "rate conversion failed") : 0;
}

static int read_more(lac_speech *s)
{
    const lac_audio_in_info *audio = lac_audio_in_get_info(s->in);
    size_t frames;
    int failed = lac_audio_in_read(s->in, s->pcm, s->block, &frames);

    if (failed)
        return failed;
    if (!frames)
        return end_pass(s);
    s->taken += frames;
    s->pass += frames;
    mix(s->pcm, frames, audio->channels);
    if (lac_resampler_write(s->resampler, s->pcm, frames))
        return lac_report(audio->name, "rate conversion failed");
    return 0;
}

int lac_speech_read(lac_speech *s, float *pcm, size_t samples, size_t *got)
{
    lac_sound *waiting = &s->waiting;

    *got = 0;
    while (waiting->count < samples && !s->ended) {
        int failed = read_more(s);

        if (failed)
            return failed;
    }
    *got = waiting->count < samples ? waiting->count : samples;
    if (!*got)
        return 0;
    memcpy(pcm, waiting->pcm, *got * sizeof *pcm);
    waiting->count -= *got;
    memmove(waiting->pcm, waiting->pcm + *got, waiting->count * sizeof *pcm);
    return 0;
}

void lac_speech_close(lac_speech **speech)
{
    lac_speech *s = speech ? *speech : NULL;

    if (!s)
        return;
    lac_resampler_close(&s->resampler);
    lac_audio_in_close(&s->in);
    free(s->pcm);
    lac_sound_free(&s->waiting);
    free(s);
    *speech = NULL;
}
