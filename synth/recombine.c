#include "lac/recombine.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "fmath.h"
#include "lac/status.h"
#include "stylestats.h"

#define STEP_ONE (1u << 24) /* of a rate in fixed point, in which any float of 0.5 .. 2 is exact */
#define MAX_STRETCH 4.0f /* of a deviation */
#define SLOWEST 0.5f
#define FASTEST 2.0f
#define MIN_HZ 50.0f
#define MAX_HZ 600.0f
#define SILENCE (-100.0f) /* dB */
#define SEMITONE 0.0577622650f /* of a natural logarithm: log 2 / 12 */

static float within(float x, float low, float high)
{
    return x > low ? x < high ? x : high : low;
}

static bool in_range(float x, float low, float high)
{
    return x >= low && x <= high;
}

/* ---- changes ---- */

void lac_style_change_default(lac_style_change *change)
{
    *change = (lac_style_change){.f0_deviation = -1, .energy_deviation = -1, .range = 1, .rate = 1};
}

static bool change_valid(const lac_style_change *c)
{
    return (c->f0_median_hz == 0 || in_range(c->f0_median_hz, MIN_HZ, MAX_HZ)) &&
           (c->f0_deviation < 0 || in_range(c->f0_deviation, 0, 12)) &&
           (c->energy_deviation < 0 || in_range(c->energy_deviation, 0, 30)) && in_range(c->rate_phones, 0, 50) &&
           in_range(c->pitch_semitones, -24, 24) && in_range(c->range, 0, 4) &&
           in_range(c->rate, SLOWEST, FASTEST) && in_range(c->energy_db, -40, 20);
}

static float between(float a, float b, float weight)
{
    return a + weight * (b - a);
}

/* Item of a style on the way to another's, if both have it; else what stands for the content's own. */
static float style_between(const lac_factors *content, const lac_factors *style, enum lac_style_item item,
                           float weight, float most, float own)
{
    float a = content->style[item], b = style->style[item];
    return a > 0 && b > 0 && a != b && weight > 0 ? within(between(a, b, within(weight, 0, 1)), 0, most) : own;
}

void lac_style_change_towards(lac_style_change *change, const lac_factors *content, const lac_factors *style,
                              float weight)
{
    lac_float_mode mode = lac_float_enter();
    change->f0_deviation =
        style_between(content, style, LAC_STYLE_F0_DEVIATION, weight, 12, change->f0_deviation);
    change->energy_deviation =
        style_between(content, style, LAC_STYLE_ENERGY_DEVIATION, weight, 30, change->energy_deviation);
    change->rate_phones = style_between(content, style, LAC_STYLE_RATE, weight, 50, change->rate_phones);
    lac_float_leave(mode);
}

/* ---- factors ---- */

static void mix(float *into, const float *from, size_t n, float weight)
{
    if (weight == 1)
        memcpy(into, from, n * sizeof *into);
    for (size_t i = 0; i < n && weight < 1; i++)
        into[i] = between(into[i], from[i], weight);
}

static void mix_speakers(lac_factors *into, const lac_factors *from, float weight)
{
    float mixed[LAC_SPEAKER_SIZE], squares = 0;
    bool pitched = into->f0_median_hz >= 1 && from->f0_median_hz >= 1;
    memcpy(mixed, into->speaker, sizeof mixed);
    mix(mixed, from->speaker, LAC_SPEAKER_SIZE, weight);
    mix(&into->confidence, &from->confidence, 1, weight);
    if (pitched && weight == 1)
        into->f0_median_hz = from->f0_median_hz;
    else if (pitched && into->f0_median_hz != from->f0_median_hz)
        into->f0_median_hz = lac_expf(between(lac_logf(into->f0_median_hz), lac_logf(from->f0_median_hz), weight));
    for (size_t i = 0; i < LAC_SPEAKER_SIZE; i++)
        squares += mixed[i] * mixed[i];
    if (weight < 1 && !(squares > 1e-12f))
        return; /* opposites: there is nothing between them */
    float scale = weight < 1 ? 1 / sqrtf(squares) : 1;
    for (size_t i = 0; i < LAC_SPEAKER_SIZE; i++)
        into->speaker[i] = mixed[i] * scale;
}

static void mix_environments(lac_factors *into, const lac_factors *from, float weight)
{
    mix(into->environment, from->environment, LAC_ENVIRONMENT_SIZE, weight);
    mix(&into->snr_db, &from->snr_db, 1, weight);
    mix(&into->t60_s, &from->t60_s, 1, weight);
}

static void mix_channels(lac_factors *into, const lac_factors *from, float weight)
{
    mix(into->channel, from->channel, LAC_CHANNEL_SIZE, weight);
    mix(&into->bandwidth_hz, &from->bandwidth_hz, 1, weight);
    mix(into->codec, from->codec, LAC_CODEC_CLASSES, weight);
}

static bool same_speaker(const lac_factors *a, const lac_factors *b)
{
    return memcmp(a->speaker, b->speaker, sizeof a->speaker) == 0 && a->f0_median_hz == b->f0_median_hz &&
           a->confidence == b->confidence;
}

int lac_factors_mix(lac_factors *into, const lac_factors *from, enum lac_factor_kind kind, float weight)
{
    if (!into || !from || !in_range(weight, 0, 1) ||
        (kind != LAC_FACTOR_SPEAKER && kind != LAC_FACTOR_ENVIRONMENT && kind != LAC_FACTOR_CHANNEL))
        return LAC_ERROR_ARGUMENT;
    if (weight == 0)
        return LAC_OK;
    lac_float_mode mode = lac_float_enter();
    if (kind == LAC_FACTOR_ENVIRONMENT)
        mix_environments(into, from, weight);
    else if (kind == LAC_FACTOR_CHANNEL)
        mix_channels(into, from, weight);
    else if (!same_speaker(into, from))
        mix_speakers(into, from, weight);
    lac_float_leave(mode);
    return LAC_OK;
}

static void count_styles(const lac_factor_frame *frames, size_t count, lac_style_stats *stats)
{
    memset(stats, 0, sizeof *stats);
    for (size_t t = 0; t < count; t++)
        lac_style_stats_add(stats, frames + t);
}

void lac_factors_measure(const lac_factor_frame *frames, size_t count, lac_factors *factors)
{
    lac_style_stats stats;
    lac_float_mode mode = lac_float_enter();
    count_styles(frames, count, &stats);
    lac_style_stats_get(&stats, factors);
    lac_float_leave(mode);
}

/* ---- frames ---- */

size_t lac_frames_restyled_bound(size_t count)
{
    return count > SIZE_MAX / 2 ? SIZE_MAX : count * 2;
}

static uint32_t step_of(const lac_style_change *c, const lac_factor_frame *in, size_t count)
{
    lac_style_stats stats;
    lac_factors own;
    float rate = c->rate;
    count_styles(in, count, &stats);
    lac_style_stats_get(&stats, &own);
    if (c->rate_phones > 0 && own.style[LAC_STYLE_RATE] > 0)
        rate *= c->rate_phones / own.style[LAC_STYLE_RATE];
    return (uint32_t)(within(rate, SLOWEST, FASTEST) * STEP_ONE);
}

/* ---- time ---- */

/* Pitch, voicing and energy of output frame t. */
static lac_factor_frame interpolate(const lac_factor_frame *in, size_t count, uint32_t step, size_t t)
{
    uint64_t middle = (2 * (uint64_t)t + 1) * step; /* of the frame, in halves of 1 / STEP_ONE */
    uint64_t at = middle > STEP_ONE ? (middle - STEP_ONE) / 2 : 0;
    size_t i = (size_t)(at / STEP_ONE) < count ? (size_t)(at / STEP_ONE) : count - 1;
    const lac_factor_frame *a = in + i, *b = in + (i + 1 < count ? i + 1 : i);
    float weight = (float)(at % STEP_ONE) / STEP_ONE;
    lac_factor_frame out = {.voicing = between(a->voicing, b->voicing, weight),
                            .energy_db = between(a->energy_db, b->energy_db, weight)};
    if (a->f0_hz > 0 && b->f0_hz > 0)
        out.f0_hz = between(a->f0_hz, b->f0_hz, weight);
    else
        out.f0_hz = weight < 0.5f ? a->f0_hz : b->f0_hz;
    return out;
}

/* Content and phone of output token j, which stands for the input tokens of its time. */
static void take_token(const lac_factor_frame *in, size_t tokens, uint32_t stride, uint32_t step, size_t j,
                       lac_factor_frame *out)
{
    uint64_t last = tokens - 1, first = (uint64_t)j * step / STEP_ONE;
    uint64_t end = ((uint64_t)j + 1) * step / STEP_ONE;
    uint64_t middle = (2 * (uint64_t)j + 1) * step / (2 * STEP_ONE);
    out->content = in[(middle < last ? middle : last) * stride].content;
    out->phone = 0;
    if (end == first)
        end++;
    for (uint64_t i = first; i < end && out->phone == 0; i++)
        out->phone = in[(i < last ? i : last) * stride].phone;
}

/* `step`: input frames that an output frame stands for, of STEP_ONE. */
static void stretch_time(const lac_factor_frame *in, size_t count, uint32_t stride, uint32_t step,
                         lac_factor_frame *out, size_t frames)
{
    size_t tokens = (count + stride - 1) / stride;
    lac_factor_frame token = {0};
    if (step == STEP_ONE && frames > 0)
        memcpy(out, in, frames * sizeof *out);
    for (size_t t = 0; t < frames && step != STEP_ONE; t++) {
        out[t] = interpolate(in, count, step, t);
        if (t % stride == 0)
            take_token(in, tokens, stride, step, t / stride, &token);
        out[t].content = token.content;
        out[t].phone = token.phone;
    }
}

/* ---- pitch and energy ---- */

/* What a change does to each frame of an utterance. */
typedef struct styling {
    bool pitched, levelled;  /* is there anything to change? */
    float from, to, range;   /* log Hz: from + x becomes to + range * x */
    float floor, mean, gain; /* of speech: mean + x becomes mean + gain * x */
    float quiet_gain;        /* below the floor, from silence on, so that both meet there */
    float louder;            /* dB */
} styling;

/* By what a deviation is to be multiplied: 1 if it can't be moved. */
static float stretch(float wanted, float own)
{
    return wanted >= 0 && own > 0 ? within(wanted / own, 0, MAX_STRETCH) : 1;
}

static void style_pitch(styling *s, const lac_style_change *c, const lac_factors *own)
{
    float median = c->f0_median_hz > 0 ? c->f0_median_hz : own->f0_median_hz;
    s->range = stretch(c->f0_deviation, own->style[LAC_STYLE_F0_DEVIATION]) * c->range;
    s->pitched = own->f0_median_hz > 0 && (median != own->f0_median_hz || s->range != 1 || c->pitch_semitones != 0);
    if (s->pitched) {
        s->from = lac_logf(own->f0_median_hz);
        s->to = lac_logf(median) + c->pitch_semitones * SEMITONE;
    }
}

static void style_levels(styling *s, const lac_style_change *c, const lac_factors *own,
                         const lac_style_stats *stats)
{
    s->gain = stretch(c->energy_deviation, own->style[LAC_STYLE_ENERGY_DEVIATION]);
    s->louder = c->energy_db;
    s->levelled = s->gain != 1 || s->louder != 0;
    lac_style_stats_levels(stats, &s->floor, &s->mean);
    float floor = within(s->mean + s->gain * (s->floor - s->mean), SILENCE, 0);
    s->quiet_gain = s->floor > SILENCE ? (floor - SILENCE) / (s->floor - SILENCE) : 1;
}

static void apply(const styling *s, lac_factor_frame *f)
{
    if (s->pitched && f->f0_hz > 0) {
        float x = lac_logf(within(f->f0_hz, MIN_HZ, MAX_HZ)) - s->from;
        f->f0_hz = within(lac_expf(s->to + s->range * x), MIN_HZ, MAX_HZ);
    }
    if (s->levelled) {
        float e = within(f->energy_db, SILENCE, 0);
        e = e < s->floor ? SILENCE + s->quiet_gain * (e - SILENCE) : s->mean + s->gain * (e - s->mean);
        f->energy_db = within(e + s->louder, SILENCE, 0);
    }
}

/* As the frames are after a change of their rate: what interpolation did to them is made up for. */
static void restyle(const lac_style_change *c, lac_factor_frame *frames, size_t count)
{
    lac_style_stats stats;
    lac_factors own;
    styling s = {0};
    count_styles(frames, count, &stats);
    lac_style_stats_get(&stats, &own);
    style_pitch(&s, c, &own);
    style_levels(&s, c, &own, &stats);
    for (size_t t = 0; t < count && (s.pitched || s.levelled); t++)
        apply(&s, frames + t);
}

int lac_frames_restyle(const lac_factor_frame *in, size_t count, uint32_t stride, const lac_style_change *change,
                       lac_factor_frame *out, size_t capacity, size_t *frames)
{
    if ((count > 0 && !in) || (capacity > 0 && !out) || !frames || stride == 0 || !change || !change_valid(change))
        return LAC_ERROR_ARGUMENT;
    lac_float_mode mode = lac_float_enter();
    uint32_t step = step_of(change, in, count);
    uint64_t needed = ((uint64_t)count * STEP_ONE + step / 2) / step;
    if (needed <= capacity) {
        *frames = (size_t)needed;
        stretch_time(in, count, stride, step, out, *frames);
        restyle(change, out, *frames);
    }
    lac_float_leave(mode);
    return needed <= capacity ? LAC_OK : LAC_ERROR_SPACE;
}
