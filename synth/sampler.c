#include "lac/sampler.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "factormodel.h"
#include "fmath.h"
#include "gaussian.h"
#include "lac/recombine.h"
#include "lac/status.h"
#include "unitvector.h"

#define ATTRIBUTES LAC_VOICE_ATTRIBUTES
#define DRAW_NUMBERS 1024 /* counters that a draw may use */
#define CHOICE_AT 512     /* that of the component; those of the normal numbers stand before it */
#define KIND_NUMBERS (UINT64_C(1) << 40)
#define MOST 1e6f         /* of an element, which only a hostile model reaches */
#define MOST_WANTED 3
#define PASSES 8          /* towards the attributes that are wanted */
#define RIDGE 0.05f       /* deviations squared: what cannot be had together is met halfway */
#define MOST_STEP 1e3f
#define LOG_2 0.693147181f
#define MIDDLE_HZ 150

void lac_voice_default_settings(lac_voice_settings *settings)
{
    *settings = (lac_voice_settings){.spread = 1, .largest_cosine = 0.6f, .attempts = 100};
    for (size_t i = 0; i < ATTRIBUTES; i++)
        settings->attribute[i] = NAN;
}

static bool settings_valid(const lac_voice_settings *s)
{
    for (size_t i = 0; i < ATTRIBUTES; i++)
        if (s->attribute[i] < -MOST_WANTED || s->attribute[i] > MOST_WANTED)
            return false;
    return s->spread >= 0 && s->spread <= 2 && (s->avoid != NULL || s->avoid_count == 0) &&
           s->largest_cosine >= -1 && s->largest_cosine <= 1 && s->attempts >= 1 && s->attempts <= 10000;
}

static bool can_sample(const lac_factor_model *model)
{
    return model->arch.voices.components > 0;
}

/* ---- draws ---- */

static uint32_t choose(const lac_mixture *m, uint64_t key)
{
    float u = (float)(lac_hash32(key + CHOICE_AT) >> 8) * (1.0f / 16777216.0f);
    uint32_t c = 0;
    while (c + 1 < m->shape.components && u >= m->bounds[c])
        c++;
    return c;
}

/* x [m->size] */
static void draw(const lac_mixture *m, uint64_t key, float *x)
{
    size_t c = choose(m, key), rank = m->shape.rank, size = m->size;
    const float *row = m->factors + c * rank * size;
    memcpy(x, m->means + c * size, size * sizeof *x);
    for (size_t r = 0; r < rank; r++, row += size) {
        float normal = lac_gaussian(key, r);
        for (size_t i = 0; i < size; i++)
            x[i] += normal * row[i];
    }
    for (size_t i = 0; i < size; i++)
        x[i] = lac_bounded(x[i], MOST);
}

/* ---- attributes ---- */

static void measure(const lac_distributions *d, const float *speaker, float attribute[ATTRIBUTES])
{
    for (size_t k = 0; k < ATTRIBUTES; k++) {
        float sum = d->offsets[k];
        for (size_t i = 0; i < LAC_SPEAKER_SIZE; i++)
            sum += d->directions[k * LAC_SPEAKER_SIZE + i] * speaker[i];
        attribute[k] = lac_bounded(sum, MOST);
    }
}

/* What each move does to each attribute; of those not wanted, nothing. */
static void effects(const lac_distributions *d, const float *want, float m[ATTRIBUTES][ATTRIBUTES])
{
    for (size_t j = 0; j < ATTRIBUTES; j++)
        for (size_t k = 0; k < ATTRIBUTES; k++) {
            const float *direction = d->directions + j * LAC_SPEAKER_SIZE, *move = d->moves + k * LAC_VOICE_SIZE;
            float sum = j == k ? RIDGE : 0;
            for (size_t i = 0; i < LAC_SPEAKER_SIZE; i++)
                sum += direction[i] * move[i];
            m[j][k] = isnan(want[j]) || isnan(want[k]) ? (float)(j == k) : sum;
        }
}

/* x such that m x = y; m is positive definite in a sound file. */
static void solve(float m[ATTRIBUTES][ATTRIBUTES], float *y, float *x)
{
    for (size_t j = 0; j < ATTRIBUTES; j++)
        for (size_t i = j + 1; i < ATTRIBUTES; i++) {
            float share = m[j][j] > 1e-6f ? m[i][j] / m[j][j] : 0;
            for (size_t k = j; k < ATTRIBUTES; k++)
                m[i][k] -= share * m[j][k];
            y[i] -= share * y[j];
        }
    for (size_t j = ATTRIBUTES; j-- > 0;) {
        for (size_t k = j + 1; k < ATTRIBUTES; k++)
            y[j] -= m[j][k] * x[k];
        x[j] = m[j][j] > 1e-6f ? lac_bounded(y[j] / m[j][j], MOST_STEP) : 0;
    }
}

/* One step of a voice, whose speaker is a unit vector, to the attributes wanted: the likeliest way there, so that
 * what goes along with them in real voices moves too. */
static void approach(const lac_distributions *d, const float *want, float *voice)
{
    float m[ATTRIBUTES][ATTRIBUTES], missing[ATTRIBUTES], steps[ATTRIBUTES];
    measure(d, voice, missing);
    for (size_t k = 0; k < ATTRIBUTES; k++)
        missing[k] = isnan(want[k]) ? 0 : want[k] - missing[k];
    effects(d, want, m);
    solve(m, missing, steps);
    for (size_t k = 0; k < ATTRIBUTES; k++)
        for (size_t i = 0; i < LAC_VOICE_SIZE; i++)
            voice[i] += steps[k] * d->moves[k * LAC_VOICE_SIZE + i];
    lac_unit_make(voice, LAC_SPEAKER_SIZE);
}

/* ---- voices ---- */

static bool wants_any(const float want[ATTRIBUTES])
{
    bool any = false;
    for (size_t k = 0; k < ATTRIBUTES; k++)
        any = any || !isnan(want[k]);
    return any;
}

static void draw_voice(const lac_distributions *d, const lac_voice_settings *s, uint64_t key, float *voice)
{
    draw(&d->voices, key, voice);
    for (size_t i = 0; i < LAC_VOICE_SIZE; i++)
        voice[i] = lac_bounded(d->middle[i] + s->spread * (voice[i] - d->middle[i]), MOST);
    lac_unit_make(voice, LAC_SPEAKER_SIZE);
    for (int pass = 0; pass < PASSES && wants_any(s->attribute); pass++)
        approach(d, s->attribute, voice);
}

static float nearest(const lac_voice_settings *s, const float *speaker)
{
    float most = -1;
    for (size_t i = 0; i < s->avoid_count; i++) {
        float cosine = lac_unit_cosine(s->avoid[i], speaker, LAC_SPEAKER_SIZE);
        most = cosine > most ? cosine : most;
    }
    return most;
}

static void give(const float *drawn, float cosine, lac_factors *voice, float *told)
{
    float hz = MIDDLE_HZ * lac_expf(LOG_2 * drawn[LAC_SPEAKER_SIZE]);
    memcpy(voice->speaker, drawn, sizeof voice->speaker);
    voice->f0_median_hz = hz < LAC_PITCH_MIN ? LAC_PITCH_MIN : hz > LAC_PITCH_MAX ? LAC_PITCH_MAX : hz;
    if (told != NULL)
        *told = cosine;
}

int lac_voice_sample(const lac_factor_model *model, const lac_voice_settings *settings, uint64_t seed,
                     lac_factors *voice, float *cosine)
{
    lac_voice_settings s;
    lac_voice_default_settings(&s);
    if (settings != NULL)
        s = *settings;
    if (model == NULL || voice == NULL || !settings_valid(&s))
        return LAC_ERROR_ARGUMENT;
    if (!can_sample(model))
        return LAC_ERROR_VERSION;
    lac_float_mode mode = lac_float_enter();
    int status = LAC_ERROR_NOT_FOUND;
    uint64_t key = lac_gaussian_key(seed);
    for (uint32_t i = 0; i < s.attempts && status != LAC_OK; i++, key += DRAW_NUMBERS) {
        float drawn[LAC_VOICE_SIZE];
        draw_voice(&model->distributions, &s, key, drawn);
        float most = nearest(&s, drawn);
        if (s.avoid_count > 0 && most > s.largest_cosine)
            continue;
        give(drawn, most, voice, cosine);
        status = LAC_OK;
    }
    lac_float_leave(mode);
    return status;
}

int lac_voice_attributes(const lac_factor_model *model, const float speaker[LAC_SPEAKER_SIZE],
                         float attribute[LAC_VOICE_ATTRIBUTES])
{
    if (model == NULL || speaker == NULL || attribute == NULL)
        return LAC_ERROR_ARGUMENT;
    if (!can_sample(model))
        return LAC_ERROR_VERSION;
    lac_float_mode mode = lac_float_enter();
    measure(&model->distributions, speaker, attribute);
    lac_float_leave(mode);
    return LAC_OK;
}

/* ---- places and lines ---- */

static int check_part(const lac_factor_model *model, int kind, const lac_factors *factors)
{
    if (model == NULL || factors == NULL || (kind != LAC_FACTOR_ENVIRONMENT && kind != LAC_FACTOR_CHANNEL))
        return LAC_ERROR_ARGUMENT;
    return can_sample(model) ? LAC_OK : LAC_ERROR_VERSION;
}

int lac_factors_neutral(const lac_factor_model *model, int kind, lac_factors *factors)
{
    int status = check_part(model, kind, factors);
    if (status == LAC_OK && kind == LAC_FACTOR_ENVIRONMENT)
        memcpy(factors->environment, model->distributions.dry_place, sizeof factors->environment);
    else if (status == LAC_OK)
        memcpy(factors->channel, model->distributions.wide_line, sizeof factors->channel);
    return status;
}

int lac_factors_sample(const lac_factor_model *model, int kind, uint64_t seed, lac_factors *factors)
{
    int status = check_part(model, kind, factors);
    if (status != LAC_OK)
        return status;
    lac_float_mode mode = lac_float_enter();
    uint64_t key = lac_gaussian_key(seed) + (uint64_t)kind * KIND_NUMBERS;
    if (kind == LAC_FACTOR_ENVIRONMENT)
        draw(&model->distributions.places, key, factors->environment);
    else
        draw(&model->distributions.lines, key, factors->channel);
    lac_float_leave(mode);
    return LAC_OK;
}
