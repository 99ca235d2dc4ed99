#include "lac/pitch.h"

#include <stdbool.h>
#include <string.h>

#include "fmath.h"
#include "lac/status.h"
#include "pitchpath.h"
#include "workspace.h"

#define HOP LAC_PITCH_HOP
#define TAPS 49                         /* of the low-pass */
#define CUT 8                           /* its edge is at rate / CUT: 3 kHz */
#define REACH (TAPS - 1)
#define ENERGIES (LAC_PITCH_DELAY + 1)

/* Zeroed, it is at its start. */
typedef struct pitch_state {
    uint64_t samples; /* taken */
    uint64_t hops;    /* complete */
    bool ended;
    float pcm[REACH + HOP];      /* the hop that fills, behind the end of the last one */
    float low[LAC_PERIODS_SPAN]; /* low-passed, up to TAPS / 2 before the last hop's end */
    float energy[ENERGIES];      /* frame t's at t modulo their number */
    lac_path path;
} pitch_state;

struct lac_pitch {
    lac_workspace memory;
    float taps[TAPS];
    pitch_state state;
};

/* A sinc in a Hann window, of unit gain at 0 Hz. */
static void design(float *taps)
{
    double raw[TAPS], sum = 0;
    for (uint32_t i = 0; i < TAPS; i++) {
        uint32_t n = i < TAPS / 2 ? TAPS / 2 - i : i - TAPS / 2;
        double sine, cosine, unused;
        lac_sincos_table(n % CUT, CUT, &sine, &unused);
        lac_sincos_table(i + 1, TAPS + 1, &unused, &cosine);
        raw[i] = (n ? sine / (n * 3.14159265358979323846) : 2.0 / CUT) * (1 - cosine);
        sum += raw[i];
    }
    for (size_t i = 0; i < TAPS; i++)
        taps[i] = (float)(raw[i] / sum);
}

static int lay_out(void *object, lac_workspace *w)
{
    (void)w;
    design(((lac_pitch *)object)->taps);
    return LAC_OK;
}

int lac_pitch_open(lac_pitch **pitch)
{
    lac_pitch draft = {0};
    void *opened;
    if (!pitch)
        return LAC_ERROR_ARGUMENT;
    int status = lac_object_open(&opened, &draft, sizeof draft, lay_out);
    if (!status)
        *pitch = opened;
    return status;
}

void lac_pitch_close(lac_pitch **pitch)
{
    if (!pitch)
        return;
    lac_object_close(*pitch);
    *pitch = NULL;
}

size_t lac_pitch_bytes(const lac_pitch *pitch)
{
    return lac_object_bytes(pitch);
}

void lac_pitch_reset(lac_pitch *pitch)
{
    memset(&pitch->state, 0, sizeof pitch->state);
}

static uint64_t less_delay(uint64_t hops)
{
    return hops > LAC_PITCH_DELAY ? hops - LAC_PITCH_DELAY : 0;
}

size_t lac_pitch_max_frames(const lac_pitch *pitch, size_t samples)
{
    const pitch_state *s = &pitch->state;
    uint64_t given = less_delay(s->hops);
    if (s->ended)
        return 0;
    if (samples == 0)
        return (size_t)(s->samples / HOP + (s->samples % HOP > 0) - given);
    return (size_t)(less_delay(s->hops + (s->samples % HOP + samples) / HOP) - given);
}

/* As the encoder takes samples. */
static float clean(float x)
{
    return x > -4.0f ? x < 4.0f ? x : 4.0f : x <= -4.0f ? -4.0f : 0.0f;
}

/* The hop that is complete, low-passed, behind what is in s->low. */
static void filter(pitch_state *s, const float *taps)
{
    float *out = s->low + LAC_PERIODS_SPAN - HOP;
    memmove(s->low, s->low + HOP, (LAC_PERIODS_SPAN - HOP) * sizeof(float));
    memset(out, 0, HOP * sizeof(float));
    for (size_t j = 0; j < TAPS; j++)
        for (size_t n = 0; n < HOP; n++)
            out[n] += taps[j] * s->pcm[n + j];
}

static float energy_db(const float *pcm)
{
    float squares[HOP];
    for (size_t n = 0; n < HOP; n++)
        squares[n] = pcm[n] * pcm[n];
    return 4.34294482f * lac_logf(lac_sum(squares, HOP) * (1.0f / HOP) + 1e-10f);
}

/* A hop is complete: whether it completes a frame, which is the one LAC_PITCH_DELAY before. */
static bool end_hop(lac_pitch *pitch, lac_pitch_frame *frame)
{
    pitch_state *s = &pitch->state;
    lac_period periods[LAC_PERIODS_MAX];
    filter(s, pitch->taps);
    s->energy[s->hops % ENERGIES] = energy_db(s->pcm + REACH);
    memmove(s->pcm, s->pcm + HOP, REACH * sizeof(float));
    if (s->hops++ > 0)
        lac_path_push(&s->path, periods, lac_periods_find(s->low, periods));
    if (s->hops <= LAC_PITCH_DELAY)
        return false;
    float hz, voicing = lac_path_tell(&s->path, &hz);
    *frame = (lac_pitch_frame){voicing > 0.5f ? hz : 0, voicing, s->energy[s->hops % ENERGIES]};
    return true;
}

int lac_pitch_write(lac_pitch *pitch, const float *pcm, size_t samples, lac_pitch_frame *out, size_t capacity,
                    size_t *frames)
{
    pitch_state *s = &pitch->state;
    if (s->ended)
        return LAC_ERROR_STATE;
    *frames = 0;
    if (samples == 0)
        return LAC_OK;
    if (capacity < lac_pitch_max_frames(pitch, samples))
        return LAC_ERROR_SPACE;
    lac_float_mode mode = lac_float_enter();
    lac_pitch_frame frame;
    for (size_t n = 0; n < samples; n++) {
        s->pcm[REACH + s->samples++ % HOP] = clean(pcm[n]);
        if (s->samples % HOP == 0 && end_hop(pitch, &frame))
            out[(*frames)++] = frame;
    }
    lac_float_leave(mode);
    return LAC_OK;
}

int lac_pitch_flush(lac_pitch *pitch, lac_pitch_frame *out, size_t capacity, size_t *frames)
{
    pitch_state *s = &pitch->state;
    size_t left = lac_pitch_max_frames(pitch, 0);
    if (capacity < left)
        return LAC_ERROR_SPACE;
    lac_float_mode mode = lac_float_enter();
    lac_pitch_frame frame;
    for (*frames = 0; *frames < left;) {
        size_t filled = (size_t)(s->samples % HOP);
        memset(s->pcm + REACH + filled, 0, (HOP - filled) * sizeof(float));
        s->samples += HOP - filled;
        if (end_hop(pitch, &frame))
            out[(*frames)++] = frame;
    }
    s->ended = true;
    lac_float_leave(mode);
    return LAC_OK;
}
