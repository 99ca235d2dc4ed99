#include "synthsound.h"

#include <stdlib.h>
#include <string.h>

#include "resample.h"

/* What is mixed in, while it is needed. */
typedef struct noises {
    lac_sound noise, babble;
    lac_sound voice[LAC_DRAW_BABBLE];
} noises;

static int refuse(lac_record *r, const char *name, const char *path, const char *why)
{
    snprintf(r->reason, sizeof r->reason, "%s source %.100s: %.150s", name, path ? path : "", why);
    return 1;
}

/* The sound of a row, told among the record's sources. */
static int load_row(const lac_synth_reader *reader, lac_record *r, const char *name, uint32_t index, lac_sound *out)
{
    char why[LAC_MANIFEST_REASON];
    lac_manifest_row row;

    if (lac_manifest_read(reader->manifest, index, &row, why))
        return refuse(r, name, NULL, why);
    char *path = lac_manifest_path(reader->manifest, row.path);
    int failed = path && lac_record_add_source(r, name, &row, 1) == 0 ? 0 : -1;
    if (!failed && lac_synth_reader_sound(reader, path, out, why))
        failed = refuse(r, name, row.path, why);
    free(path);
    lac_manifest_row_free(&row);
    return failed;
}

/* A file that the plan names, relative to the plan. */
static int load_file(const lac_synth_reader *reader, const lac_plan *plan, lac_record *r, lac_sound *out)
{
    char why[LAC_SOURCE_REASON],
        *path = lac_plan_path(plan, plan->simulate.noise_files.item[r->draw.simulation.noise_file]);
    lac_manifest_row row = {.path = plan->simulate.noise_files.item[r->draw.simulation.noise_file]};
    int failed = path && lac_record_add_source(r, "noise", &row, 1) == 0 ? 0 : -1;

    if (!failed && lac_synth_reader_sound(reader, path, out, why))
        failed = refuse(r, "noise", row.path, why);
    free(path);
    return failed;
}

static int load_babble(const lac_synth_reader *reader, lac_record *r, size_t count, uint32_t rate, noises *n)
{
    const lac_draw_simulation *s = &r->draw.simulation;
    const float *voices[LAC_DRAW_BABBLE];
    size_t counts[LAC_DRAW_BABBLE];
    int failed = 0;

    for (uint32_t i = 0; i < s->voices && !failed; i++) {
        failed = load_row(reader, r, "babble", s->babble[i], &n->voice[i]);
        voices[i] = n->voice[i].pcm;
        counts[i] = n->voice[i].count;
    }
    if (failed || s->voices == 0)
        return failed;
    n->babble.pcm = malloc(count * sizeof *n->babble.pcm);
    n->babble.count = count;
    if (!n->babble.pcm)
        return -1;
    return lac_simulate_babble(n->babble.pcm, count, rate, voices, counts, s->voices, s->seed) ? -1 : 0;
}

static lac_simulation settings_of(const lac_draw_simulation *s, const noises *n)
{
    return (lac_simulation){.t60_s = (float)s->t60_s,
                            .noise = n->noise.pcm,
                            .noise_count = n->noise.count,
                            .snr_db = (float)s->snr_db,
                            .babble = n->babble.pcm,
                            .babble_count = n->babble.count,
                            .babble_snr_db = (float)s->babble_snr_db,
                            .microphone_db = (float)s->microphone_db,
                            .low_hz = s->low_hz < 20 ? 0 : (float)s->low_hz,
                            .high_hz = (float)s->high_hz,
                            .mulaw = s->mulaw,
                            .opus_bps = (uint32_t)s->opus_bps,
                            .opus_loss = (float)s->opus_loss,
                            .clip_db = (float)s->clip_db};
}

int lac_synth_simulate(const lac_synth_reader *reader, const lac_plan *plan, lac_record *r, lac_sound *sound)
{
    const lac_draw_simulation *s = &r->draw.simulation;
    uint32_t rate = reader->source->codec_about.sample_rate;
    noises *n = calloc(1, sizeof *n);
    int failed = n ? 0 : -1;

    if (!failed && s->noise_row != LAC_DRAW_NONE)
        failed = load_row(reader, r, "noise", s->noise_row, &n->noise);
    if (!failed && s->noise_file != LAC_DRAW_NONE)
        failed = load_file(reader, plan, r, &n->noise);
    if (!failed)
        failed = load_babble(reader, r, sound->count, rate, n);
    if (!failed) {
        lac_simulation settings = settings_of(s, n);
        int status = lac_simulate(sound->pcm, sound->count, rate, &settings, s->seed, &r->simulated);

        if (status)
            snprintf(r->reason, sizeof r->reason, "simulation: %s", lac_status_string(status));
        failed = status == LAC_ERROR_MEMORY ? -1 : status != 0;
    }
    for (size_t i = 0; n && i < LAC_DRAW_BABBLE; i++)
        lac_sound_free(&n->voice[i]);
    if (n) {
        lac_sound_free(&n->noise);
        lac_sound_free(&n->babble);
    }
    free(n);
    return failed;
}

static int take(void *user, const float *pcm, size_t frames)
{
    return lac_sound_add(user, pcm, frames);
}

int lac_synth_convert(const lac_sound *sound, uint32_t from, uint32_t to, lac_sound *out)
{
    const char *reason;
    lac_resampler *resampler = lac_resampler_open(from, to, 1, take, out, &reason);
    int failed = resampler ? 0 : -1;

    if (!failed)
        failed = lac_resampler_write(resampler, sound->pcm, sound->count);
    if (!failed)
        failed = lac_resampler_finish(resampler, lac_rescale_up(sound->count, to, from));
    lac_resampler_close(&resampler);
    return failed ? -1 : 0;
}
