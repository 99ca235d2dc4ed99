#include "lac/activity.h"

#include <stdbool.h>
#include <string.h>

#include "fmath.h"
#include "weights.h"
#include "workspace.h"

#define BANDS 3
#define SPAN 64          /* frames of one minimum of the noise floor: 1.3 s */
#define SPANS 4          /* minima that the floor is the least of */
#define WARM 25          /* frames before anything counts as noise */
#define HANGOVER 15      /* frames after the last active one that are sent too */
#define SILENCE 1e-7f    /* power, -70 dB of full scale: nothing softer is worth sending */
#define LOUD 1e-3f       /* power, -30 dB: nothing louder is background */
#define THIN 4           /* samples averaged to one where periods are looked for: 6 kHz */
#define THIN_SAMPLES (LAC_FRAME / THIN)
#define LAGS_FROM 15     /* thinned samples: 400 Hz */
#define LAGS_TO 75       /* 80 Hz */
#define PERIODIC 0.7f    /* normalised correlation */

/* Power above the noise floor that counts as sound, by band. Low bands vary more by chance. */
static const float margin[BANDS] = {8, 4, 4};

/* One-pole low-passes at about 500 Hz and 3 kHz split the bands. */
static const float split[BANDS - 1] = {0.125f, 0.5f};

/* Zeroed, it is at its start. */
typedef struct activity_state {
    float low[BANDS - 1];          /* the low-passes' memory */
    float thin[2 * THIN_SAMPLES];  /* this frame behind the last one: the middle band, thinned */
    float smooth[BANDS];           /* power */
    float minimum[SPANS][BANDS];   /* of spans, the current one at `span` */
    uint32_t frames;               /* up to SPAN * SPANS + WARM */
    uint32_t span, in_span;
    uint32_t hangover;
} activity_state;

struct lac_activity {
    lac_workspace memory;
    activity_state state;
};

static int lay_out(void *object, lac_workspace *w)
{
    (void)object;
    (void)w;
    return LAC_OK;
}

int lac_activity_open(lac_activity **activity, const lac_model *model)
{
    lac_activity draft = {0};
    void *opened;
    if (!activity || !model)
        return LAC_ERROR_ARGUMENT;
    int status = lac_object_open(&opened, &draft, sizeof draft, lay_out);
    if (!status)
        *activity = opened;
    return status;
}

void lac_activity_close(lac_activity **activity)
{
    if (!activity)
        return;
    lac_object_close(*activity);
    *activity = NULL;
}

void lac_activity_reset(lac_activity *activity)
{
    memset(&activity->state, 0, sizeof activity->state);
}

/* A NaN counts as 0, as in the encoder. */
static float clean(float x)
{
    return x > -4.0f ? x < 4.0f ? x : 4.0f : x <= -4.0f ? -4.0f : 0.0f;
}

/* power [BANDS] of the frame. */
static void measure(activity_state *s, const float *pcm, float *power)
{
    float sum = 0;
    memmove(s->thin, s->thin + THIN_SAMPLES, THIN_SAMPLES * sizeof(float));
    memset(power, 0, BANDS * sizeof *power);
    for (size_t n = 0; n < LAC_FRAME; n++) {
        float x = clean(pcm[n]);
        s->low[0] += split[0] * (x - s->low[0]);
        s->low[1] += split[1] * (x - s->low[1]);
        float band[BANDS] = {s->low[0], s->low[1] - s->low[0], x - s->low[1]};
        for (size_t b = 0; b < BANDS; b++)
            power[b] += band[b] * band[b] * (1.0f / LAC_FRAME);
        sum += band[1];
        if (n % THIN == THIN - 1) {
            s->thin[THIN_SAMPLES + n / THIN] = sum * (1.0f / THIN);
            sum = 0;
        }
    }
}

/* Least smoothed power of the last spans. */
static void track_floor(activity_state *s, const float *power, float *floor)
{
    bool fresh = s->in_span == 0;
    for (size_t b = 0; b < BANDS; b++) {
        s->smooth[b] = s->frames == 0 ? power[b] : 0.7f * s->smooth[b] + 0.3f * power[b];
        float *now = &s->minimum[s->span][b];
        if (fresh || s->smooth[b] < *now)
            *now = s->smooth[b];
        floor[b] = *now;
        for (size_t i = 0; i < SPANS && i * SPAN < s->frames; i++)
            if (s->minimum[i][b] < floor[b])
                floor[b] = s->minimum[i][b];
    }
    if (++s->in_span == SPAN) {
        s->in_span = 0;
        s->span = (s->span + 1) % SPANS;
    }
    if (s->frames < SPAN * SPANS + WARM)
        s->frames++;
}

/* Whether the last frame repeats itself: voices and tones do, whatever their level is. */
static bool periodic(const activity_state *s)
{
    const float *x = s->thin + THIN_SAMPLES;
    float energy = 0;
    for (size_t n = 0; n < THIN_SAMPLES; n++)
        energy += x[n] * x[n];
    for (size_t lag = LAGS_FROM; lag <= LAGS_TO; lag++) {
        float product = 0, past = 0;
        for (size_t n = 0; n < THIN_SAMPLES; n++) {
            product += x[n] * (x - lag)[n];
            past += (x - lag)[n] * (x - lag)[n];
        }
        if (product > 0 && product * product > PERIODIC * PERIODIC * energy * past)
            return true;
    }
    return false;
}

static bool stands_out(activity_state *s, const float *pcm)
{
    float power[BANDS], floor[BANDS];
    measure(s, pcm, power);
    track_floor(s, power, floor);
    float all = power[0] + power[1] + power[2];
    if (all < SILENCE)
        return false;
    bool active = s->frames < WARM || all > LOUD;
    for (size_t b = 0; b < BANDS; b++)
        active |= power[b] > margin[b] * floor[b] + SILENCE / BANDS;
    return active || periodic(s);
}

int lac_activity_frame(lac_activity *activity, const float *pcm)
{
    lac_float_mode mode = lac_float_enter();
    activity_state *s = &activity->state;
    if (stands_out(s, pcm))
        s->hangover = HANGOVER + 1;
    else if (s->hangover > 0)
        s->hangover--;
    lac_float_leave(mode);
    return s->hangover > 0;
}
