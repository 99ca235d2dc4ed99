#include "simulate.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "convolve.h"
#include "lac/status.h"
#include "level.h"
#include "line.h"
#include "microphone.h"
#include "noise.h"
#include "room.h"

#define SILENT   1e-9 /* mean power below which noise can't be brought to a level */
#define MULAW_HZ 4000.0

typedef struct simulation {
    const lac_simulation *settings;
    uint64_t seed;
    float *pcm;
    size_t count;
    uint32_t rate;
    lac_microphone microphone; /* zeroed: flat */
    double noise_share;        /* power of all noise over that of active speech */
    lac_simulated done;
} simulation;

/* ---- what may be asked ---- */

/* Also of what is not a number. */
static bool is_within(float value, double low, double high)
{
    return (double)value >= low && (double)value <= high;
}

static bool is_zero_or(float value, double low, double high)
{
    return value == 0 || is_within(value, low, high);
}

static bool is_finite(const float *pcm, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!isfinite(pcm[i]))
            return false;
    return true;
}

static bool is_noise(const float *noise, size_t count, float snr_db)
{
    return noise == NULL || (count > 0 && is_within(snr_db, -10, 60));
}

static bool is_rate(uint32_t rate)
{
    return rate >= LAC_SIMULATE_LOWEST_RATE && rate <= LAC_SIMULATE_HIGHEST_RATE;
}

static bool is_possible(const lac_simulation *s)
{
    return is_zero_or(s->t60_s, 0.0999, 1.5001) && is_zero_or(s->microphone_db, 0, 12) &&
           is_zero_or(s->low_hz, 20, 2000) && is_zero_or(s->high_hz, 500, 1e6) &&
           (s->high_hz == 0 || s->low_hz < s->high_hz) && is_noise(s->noise, s->noise_count, s->snr_db) &&
           is_noise(s->babble, s->babble_count, s->babble_snr_db) && is_zero_or(s->clip_db, 0, 40) &&
           (s->opus_bps == 0 || (s->opus_bps >= 6000 && s->opus_bps <= 64000)) && is_within(s->opus_loss, 0, 0.5);
}

/* ---- one after the other ---- */

static int run_room(simulation *s)
{
    lac_room room;
    if (s->settings->t60_s == 0)
        return LAC_OK;
    int status = lac_room_open(&room, (double)s->settings->t60_s, s->rate, s->seed);
    if (status != LAC_OK)
        return status;
    status = lac_convolve(s->pcm, s->count, room.response, room.taps, 0);
    s->done.t60_s = (float)room.t60_s;
    s->done.distance_m = (float)room.distance_m;
    lac_room_close(&room);
    return status;
}

/* Microphone and band limits, of speech and noise alike. */
static int run_filters(const simulation *s, float *pcm)
{
    int status = s->microphone.response ? lac_microphone_run(&s->microphone, pcm, s->count) : LAC_OK;
    if (status != LAC_OK)
        return status;
    return lac_line_band(pcm, s->count, s->rate, (double)s->settings->low_hz, (double)s->settings->high_hz);
}

/* sum [count] += noise at `snr_db` below speech of that active power. */
static int add_noise(simulation *s, float *sum, double speech, const float *noise, size_t noise_count,
                     double snr_db, enum lac_chance_part part)
{
    lac_chance c = lac_chance_open(s->seed, part);
    lac_level level;
    if (noise == NULL || speech == 0)
        return LAC_OK;
    float *taken = malloc(s->count * sizeof *taken);
    if (taken == NULL)
        return LAC_ERROR_MEMORY;
    lac_noise_take(taken, s->count, noise, noise_count, s->rate / 50, &c);
    int status = is_finite(taken, s->count) ? run_filters(s, taken) : LAC_ERROR_ARGUMENT;
    if (status == LAC_OK)
        status = lac_level_measure(&level, taken, s->count, s->rate);
    if (status == LAC_OK && level.mean > SILENT) {
        double share = pow(10, -snr_db / 10), gain = sqrt(speech * share / level.mean);
        for (size_t i = 0; i < s->count; i++)
            sum[i] += (float)((double)taken[i] * gain);
        s->noise_share += share;
    }
    free(taken);
    return status;
}

static int add_noises(simulation *s, double speech)
{
    const lac_simulation *a = s->settings;
    int status = add_noise(s, s->pcm, speech, a->noise, a->noise_count, (double)a->snr_db, LAC_CHANCE_NOISE);
    if (status == LAC_OK)
        status =
            add_noise(s, s->pcm, speech, a->babble, a->babble_count, (double)a->babble_snr_db, LAC_CHANCE_BABBLE);
    if (s->noise_share > 0)
        s->done.snr_db = (float)fmin(-10 * log10(s->noise_share), (double)LAC_SIMULATE_NO_NOISE_DB);
    return status;
}

/* Speech through room and filters, noise added, as loud as it was. */
static int run_surroundings(simulation *s)
{
    lac_level before, after;
    int status = lac_level_measure(&before, s->pcm, s->count, s->rate);
    if (status == LAC_OK)
        status = run_room(s);
    if (status == LAC_OK)
        status = run_filters(s, s->pcm);
    if (status == LAC_OK)
        status = lac_level_measure(&after, s->pcm, s->count, s->rate);
    if (status != LAC_OK)
        return status;
    if (after.active > 0)
        lac_level_scale(s->pcm, s->count, sqrt(before.active / after.active));
    return add_noises(s, before.active);
}

static void hold_full_scale(float *pcm, size_t count)
{
    float peak = lac_level_peak(pcm, count);
    if (peak > 1)
        lac_level_scale(pcm, count, 1 / (double)peak);
}

static int run_clipping(simulation *s)
{
    if (s->settings->clip_db == 0)
        return LAC_OK;
    lac_line_clip(s->pcm, s->count, (double)s->settings->clip_db);
    return lac_line_band(s->pcm, s->count, s->rate, 0, (double)s->settings->high_hz); /* of what clipping adds */
}

static int run_codecs(simulation *s)
{
    const lac_simulation *a = s->settings;
    double bandwidth = (double)s->done.bandwidth_hz, coded = bandwidth, lost = 0;
    int status = a->mulaw ? lac_line_mulaw(s->pcm, s->count, s->rate) : LAC_OK;
    if (a->mulaw)
        bandwidth = fmin(bandwidth, MULAW_HZ);
    if (status == LAC_OK && a->opus_bps > 0)
        status =
            lac_line_opus(s->pcm, s->count, s->rate, a->opus_bps, (double)a->opus_loss, s->seed, &coded, &lost);
    s->done.bandwidth_hz = (float)fmin(bandwidth, coded);
    s->done.opus_loss = (float)lost;
    return status;
}

static int run_all(simulation *s)
{
    const lac_simulation *a = s->settings;
    bool surrounded =
        a->t60_s > 0 || a->microphone_db > 0 || a->low_hz > 0 || a->high_hz > 0 || a->noise || a->babble;
    bool changed = surrounded || a->clip_db > 0 || a->mulaw || a->opus_bps > 0;
    int status = surrounded ? run_surroundings(s) : LAC_OK;
    if (status == LAC_OK)
        status = run_clipping(s);
    if (changed)
        hold_full_scale(s->pcm, s->count);
    if (status == LAC_OK)
        status = run_codecs(s);
    if (changed)
        hold_full_scale(s->pcm, s->count);
    return status;
}

int lac_simulate(float *pcm, size_t count, uint32_t rate, const lac_simulation *settings, uint64_t seed,
                 lac_simulated *done)
{
    simulation s = {.settings = settings, .seed = seed, .pcm = pcm, .count = count, .rate = rate};
    if (!is_rate(rate) || !is_possible(settings) || !is_finite(pcm, count))
        return LAC_ERROR_ARGUMENT;
    s.done.snr_db = LAC_SIMULATE_NO_NOISE_DB;
    s.done.bandwidth_hz = settings->high_hz > 0 ? fminf(settings->high_hz, (float)rate / 2) : (float)rate / 2;
    int status = LAC_OK;
    if (settings->microphone_db > 0)
        status = lac_microphone_open(&s.microphone, (double)settings->microphone_db, rate, seed);
    if (status == LAC_OK && count > 0)
        status = run_all(&s);
    lac_microphone_close(&s.microphone);
    if (status == LAC_OK)
        *done = s.done;
    return status;
}

int lac_simulate_babble(float *out, size_t count, uint32_t rate, const float *const *voices, const size_t *counts,
                        size_t n, uint64_t seed)
{
    lac_chance c = lac_chance_open(seed, LAC_CHANCE_BABBLE);
    float *one = malloc((count + 1) * sizeof *one);
    int status = one ? LAC_OK : LAC_ERROR_MEMORY;
    if (!is_rate(rate) || n == 0 || n > LAC_SIMULATE_VOICES)
        status = LAC_ERROR_ARGUMENT;
    for (size_t i = 0; i < count; i++)
        out[i] = 0;
    for (size_t v = 0; v < n && status == LAC_OK; v++) {
        lac_level level;
        if (counts[v] == 0 || !is_finite(voices[v], counts[v])) {
            status = LAC_ERROR_ARGUMENT;
            break;
        }
        status = lac_level_measure(&level, voices[v], counts[v], rate);
        lac_noise_take(one, count, voices[v], counts[v], rate / 50, &c);
        for (size_t i = 0; i < count && status == LAC_OK && level.active > 0; i++)
            out[i] += (float)((double)one[i] * 0.1 / sqrt(level.active));
    }
    free(one);
    return status;
}
