#include "stylestats.h"

#include <math.h>
#include <stdbool.h>

#include "fmath.h"

#define BIN_LEVELS (LAC_LEVEL_ONE / 4)
#define BIN_PITCHES (LAC_PITCH_ONE / 10)
#define SPEECH_RANGE (40 * 4)   /* bins from the loudest level to the quietest of speech */
#define SPEECH_FLOOR (30 * 4)   /* bin of -70 dB, below which nothing is speech */
#define LOUD_FRAMES LAC_FACTOR_RATE /* frames as loud as the loudest level at least */
#define LOUD_SHARE 4            /* or this part of a short stream */
#define PITCH_BASE 50.0f        /* Hz */
#define SEMITONES 17.3123405f   /* of a natural logarithm: 12 / log 2 */
#define MAX_RATE 50.0f          /* phones a second: one a frame */

/* x kept within 0 .. most, to the nearest integer. */
static uint32_t nearest(float x, float most)
{
    if (!(x > 0))
        return 0;
    return (uint32_t)((x < most ? x : most) + 0.5f);
}

static uint32_t level_of(const lac_factor_frame *f)
{
    return nearest((f->energy_db + 100) * LAC_LEVEL_ONE, LAC_LEVEL_BINS * BIN_LEVELS - 1);
}

/* Plus one; 0 is unvoiced. */
static uint32_t pitch_of(const lac_factor_frame *f)
{
    if (!(f->f0_hz > 0))
        return 0;
    float hz = f->f0_hz > PITCH_BASE ? f->f0_hz : PITCH_BASE;
    float semitones = lac_logf(hz * (1 / PITCH_BASE)) * SEMITONES;
    return 1 + nearest(semitones * LAC_PITCH_ONE, LAC_PITCH_BINS * BIN_PITCHES - 1);
}

static uint32_t distance(uint32_t a, uint32_t b)
{
    return a > b ? a - b : b - a;
}

static void add_level(lac_style_stats *s, uint32_t level, bool voiced)
{
    uint32_t bin = level / BIN_LEVELS;
    s->level[bin]++;
    s->voiced[bin] += voiced;
    if (s->frames > 0) {
        uint32_t quieter = (level < s->last_level ? level : s->last_level) / BIN_LEVELS;
        s->neighbours[quieter]++;
        s->change[quieter] += distance(level, s->last_level);
    }
    s->last_level = level;
}

static void add_pitch(lac_style_stats *s, uint32_t pitch)
{
    if (pitch > 0) {
        uint64_t p = pitch - 1;
        s->pitches++;
        s->pitch_sum += p;
        s->pitch_squares += p * p;
        s->pitch[p / BIN_PITCHES]++;
        if (s->last_pitch > 0) {
            s->pitch_changes++;
            s->pitch_change += distance(pitch, s->last_pitch);
        }
    }
    s->last_pitch = pitch;
}

void lac_style_stats_add(lac_style_stats *s, const lac_factor_frame *frame)
{
    uint32_t pitch = pitch_of(frame);
    add_level(s, level_of(frame), pitch > 0);
    add_pitch(s, pitch);
    s->phones += frame->phone > 0 && frame->phone != s->last_phone;
    s->last_phone = frame->phone;
    s->frames++;
}

/* The bin from which on there is speech. */
static size_t speech_bin(const lac_style_stats *s)
{
    uint64_t loud = (s->frames + LOUD_SHARE - 1) / LOUD_SHARE, count = 0;
    size_t bin = LAC_LEVEL_BINS;
    if (loud > LOUD_FRAMES)
        loud = LOUD_FRAMES;
    while (bin > 0 && count < loud)
        count += s->level[--bin];
    return bin > SPEECH_FLOOR + SPEECH_RANGE ? bin - SPEECH_RANGE : SPEECH_FLOOR;
}

/* In bins, between 0 and their number: below which `share` of what they count lies. */
static float percentile(const uint32_t *bins, uint64_t total, float share)
{
    double below = (double)total * (double)share, sum = 0;
    size_t bin = 0;
    while (bin + 1 < LAC_PITCH_BINS && sum + bins[bin] < below)
        sum += bins[bin++];
    return (float)bin + (bins[bin] > 0 ? (float)((below - sum) / bins[bin]) : 0);
}

static float deviation(double count, double sum, double squares)
{
    double variance = squares / count - (sum / count) * (sum / count);
    return variance > 0 ? sqrtf((float)variance) : 0;
}

static void get_pitch(const lac_style_stats *s, lac_factors *f)
{
    const float bins = 10; /* of a semitone */
    if (s->pitches == 0)
        return;
    float low = percentile(s->pitch, s->pitches, 0.05f), high = percentile(s->pitch, s->pitches, 0.95f);
    float middle = percentile(s->pitch, s->pitches, 0.5f) / bins;
    f->f0_median_hz = PITCH_BASE * lac_expf(middle * (1 / SEMITONES));
    f->style[LAC_STYLE_F0_DEVIATION] =
        deviation((double)s->pitches, (double)s->pitch_sum, (double)s->pitch_squares) / LAC_PITCH_ONE;
    f->style[LAC_STYLE_F0_RANGE] = (high - low) / bins;
    if (s->pitch_changes > 0)
        f->style[LAC_STYLE_F0_SLOPE] =
            (float)((double)s->pitch_change / (double)s->pitch_changes) * LAC_FACTOR_RATE / LAC_PITCH_ONE;
}

static void get_levels(const lac_style_stats *s, size_t from, lac_factors *f)
{
    double frames = 0, sum = 0, squares = 0, voiced = 0, pairs = 0, change = 0;
    for (size_t i = from; i < LAC_LEVEL_BINS; i++) {
        double n = s->level[i], level = (double)i / 4;
        frames += n;
        sum += n * level;
        squares += n * level * level;
        voiced += s->voiced[i];
        pairs += s->neighbours[i];
        change += (double)s->change[i];
    }
    f->speech_s = (float)(frames / LAC_FACTOR_RATE);
    f->style[LAC_STYLE_PAUSES] = 1 - (float)(frames / (double)s->frames);
    if (frames > 0) {
        f->style[LAC_STYLE_VOICED] = (float)(voiced / frames);
        f->style[LAC_STYLE_ENERGY_DEVIATION] = deviation(frames, sum, squares);
    }
    if (pairs > 0)
        f->style[LAC_STYLE_ENERGY_SLOPE] = (float)(change / pairs) * LAC_FACTOR_RATE / LAC_LEVEL_ONE;
}

void lac_style_stats_get(const lac_style_stats *s, lac_factors *f)
{
    f->frames = s->frames;
    f->speech_s = f->f0_median_hz = 0;
    for (size_t i = 0; i < LAC_STYLE_SIZE; i++)
        f->style[i] = 0;
    if (s->frames == 0)
        return;
    get_levels(s, speech_bin(s), f);
    get_pitch(s, f);
    if (f->speech_s > 0) {
        float rate = (float)s->phones / f->speech_s;
        f->style[LAC_STYLE_RATE] = rate < MAX_RATE ? rate : MAX_RATE;
    }
}

void lac_style_stats_levels(const lac_style_stats *s, float *floor_db, float *mean_db)
{
    size_t from = speech_bin(s);
    double frames = 0, sum = 0;
    for (size_t i = from; i < LAC_LEVEL_BINS; i++) {
        frames += s->level[i];
        sum += s->level[i] * ((double)i / 4);
    }
    *floor_db = frames > 0 ? (float)from / 4 - 100 : -100;
    *mean_db = frames > 0 ? (float)(sum / frames) - 100 : -100;
}
