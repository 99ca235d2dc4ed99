#include "sourcefilter.h"

#include <math.h>
#include <string.h>

#include "costs.h"
#include "fmath.h"
#include "parallel.h"

#define EDGE 11800.0f                              /* Hz: harmonics above are left out */
#define STEADY 4.0f                                /* concentration of what the last hop says of the phase */
#define PHASE_PER_HZ (4294967296.0f / LAC_RATE)    /* phase a sample */
#define SPECTRUM_FLOATS ((size_t)LAC_WINDOW + 16)  /* [2][LAC_BINS], aligned */

/* The pulses of one hop: phase a sample goes from `from` towards `to`, and `mend` more. */
typedef struct sweep {
    int32_t from, to, mend;
    uint32_t harmonics; /* 0: unvoiced */
    const lac_lead *before, *after; /* at its start and its end */
} sweep;

static size_t fft_floats(void)
{
    return (lac_fft_scratch(LAC_WINDOW) + 15) & ~(size_t)15;
}

void lac_sourcefilter_init(lac_sourcefilter *s, lac_workspace *w, const lac_model *model, size_t rows,
                           unsigned threads)
{
    s->kernels = &model->kernels;
    s->window = model->decoder.window;
    s->fft = model->fft;
    s->bands = model->arch.bands;
    s->parts = threads < rows ? threads : (unsigned)rows;
    s->scratch_floats = LAC_WINDOW + 2 * SPECTRUM_FLOATS + fft_floats();
    s->pulses = lac_workspace_take(w, (1 + rows) * LAC_HOP, sizeof(float));
    s->noise = lac_workspace_take(w, (1 + rows) * LAC_HOP, sizeof(float));
    s->frames = lac_workspace_take(w, rows * LAC_WINDOW, sizeof(float));
    s->scratch = lac_workspace_take(w, s->parts * s->scratch_floats, sizeof(float));
}

static float peak_of(const float *q, size_t n, size_t *index)
{
    size_t best = 0;
    for (size_t i = 1; i < n; i++)
        if (q[i] > q[best])
            best = i;
    *index = best;
    return q[best];
}

static float peak_class(const float *q, size_t bands, size_t peak)
{
    float weights = 0, sum = 0;
    for (int o = -2; o <= 2; o++) {
        long i = (long)peak + o;
        i = i < 0 ? 0 : i >= (long)bands ? (long)bands - 1 : i;
        float e = lac_expf(q[i] - q[peak]);
        weights += e;
        sum += e * (float)i;
    }
    return sum / weights;
}

float lac_pitch_hz(const float *logits, size_t bands)
{
    const float *q = logits + 1;
    size_t peak;
    float top = peak_of(q, bands, &peak), sum = 0;
    for (size_t i = 0; i < bands; i++)
        sum += lac_expf(q[i] - top);
    if (!(top + lac_logf(sum) > logits[0]))
        return 0;
    float hz = lac_class_hz(peak_class(q, bands, peak), bands);
    if (!(hz > LAC_F0_MIN))
        return LAC_F0_MIN;
    return hz < LAC_F0_MAX ? hz : LAC_F0_MAX;
}

/* Hop 0 or 1 of the last two. Pitch and leads are reached at its end; at an onset they are held backwards. */
static sweep sweep_of(const lac_sourcefilter_state *t, size_t hop)
{
    float before = t->f0[hop], f0 = t->f0[hop + 1];
    if (!(f0 > 0))
        return (sweep){0};
    float start = before > 0 ? before : f0;
    return (sweep){.from = (int32_t)(start * PHASE_PER_HZ),
                   .to = (int32_t)(f0 * PHASE_PER_HZ),
                   .mend = t->mend[hop],
                   .harmonics = (uint32_t)(EDGE / (start > f0 ? start : f0)),
                   .before = &t->lead[before > 0 ? hop : hop + 1],
                   .after = &t->lead[hop + 1]};
}

/* phases [LAC_HOP] of a voiced hop that begins at `phase`. */
static void sweep_phases(const sweep *s, uint32_t phase, uint32_t *phases)
{
    int32_t range = s->to - s->from, whole = range / LAC_HOP, rest = range % LAC_HOP;
    for (int32_t n = 0; n < LAC_HOP; n++)
        phases[n] = (uint32_t)(s->from + s->mend + whole * n + rest * n / LAC_HOP);
    for (int32_t n = 0; n < LAC_HOP; n++)
        phases[n] = phase += phases[n];
}

static int32_t common_divisor(int32_t a, int32_t b)
{
    while (a != 0) {
        int32_t rest = b % a;
        b = a;
        a = rest;
    }
    return b;
}

/* Phase that a hop adds: what sweep_phases sums up. For 0 <= r < m the sum of r * n / m, rounded down, over n below m
 * is ((r - 1) * (m - 1) + gcd(r, m) - 1) / 2. */
static uint32_t sweep_advance(const sweep *s)
{
    int32_t range = s->to - s->from, whole = range / LAC_HOP, rest = range % LAC_HOP, r = rest < 0 ? -rest : rest;
    int32_t sum = ((r - 1) * (LAC_HOP - 1) + common_divisor(r, LAC_HOP) - 1) / 2;
    return (uint32_t)(s->from + s->mend) * LAC_HOP + (uint32_t)whole * (LAC_HOP * (LAC_HOP - 1) / 2) +
           (uint32_t)(rest < 0 ? -sum : sum);
}

/* One hop to out [LAC_HOP]; the phase at its end. */
static uint32_t pulse_hop(const lac_sourcefilter *f, float *out, uint32_t phase, const sweep *s)
{
    uint32_t phases[LAC_HOP], steps[LAC_HARMONICS - 1];
    if (s->harmonics == 0) {
        memset(out, 0, LAC_HOP * sizeof(float));
        return phase;
    }
    sweep_phases(s, phase, phases);
    for (size_t h = 0; h < LAC_HARMONICS - 1; h++)
        steps[h] = (uint32_t)((int32_t)(s->after->of[h] - s->before->of[h]) / LAC_HOP);
    const lac_pulse_train train = {s->harmonics, LAC_HARMONICS, s->before->of, steps,
                                   sqrtf(2 / (float)s->harmonics)};
    f->kernels->pulses(out, phases, LAC_HOP, &train);
    return phases[LAC_HOP - 1];
}

static void noise_hop(const lac_sourcefilter *s, float *out, uint64_t hop)
{
    s->kernels->noise(out, hop * LAC_HOP, LAC_HOP);
}

static void windowed_spectrum(const lac_sourcefilter *s, const float *x, float *out, float *buffer, float *fft)
{
    for (size_t n = 0; n < LAC_WINDOW; n++)
        buffer[n] = x[n] * s->window[n];
    s->kernels->fft_forward(s->fft, buffer, out, fft);
}

/* Two hops of pulses and noise -> windowed frame [LAC_WINDOW]. */
static void synthesise(const lac_sourcefilter *s, const float *spectra, const float *pulses, const float *noise,
                       float *frame, float *scratch)
{
    float *e = scratch + LAC_WINDOW, *w = e + SPECTRUM_FLOATS, *fft = w + SPECTRUM_FLOATS;
    windowed_spectrum(s, pulses, e, scratch, fft);
    windowed_spectrum(s, noise, w, scratch, fft);
    s->kernels->shape_spectrum(e, w, spectra, LAC_BINS);
    s->kernels->fft_inverse(s->fft, e, frame, fft);
    for (size_t n = 0; n < LAC_WINDOW; n++)
        frame[n] *= s->window[n];
}

/* Where the sum of two von Mises beliefs points: that the phase is `phase`, with concentration `steady`, and v. */
static uint32_t agreed_phase(uint32_t phase, float steady, const float *v)
{
    float x = steady * lac_cos_turn(phase) + v[0];
    float y = steady * lac_sin_turn(phase) + v[1];
    return lac_angle_turn(y, x);
}

static void push_hop(lac_sourcefilter_state *t, float f0)
{
    memmove(t->f0, t->f0 + 1, 2 * sizeof t->f0[0]);
    memmove(t->lead, t->lead + 1, 2 * sizeof t->lead[0]);
    t->f0[2] = f0;
    t->mend[0] = t->mend[1];
    t->mend[1] = 0;
}

/* The next hop by its row's logits and phase vectors v; the phase is then that of its start. */
static sweep next_hop(const lac_sourcefilter *s, lac_sourcefilter_state *t, const float *logits)
{
    const float *v = logits + s->bands + 1;
    push_hop(t, lac_pitch_hz(logits, s->bands));
    if (t->f0[2] > 0) {
        bool onset = !(t->f0[1] > 0);
        uint32_t phase = agreed_phase(t->phase, onset ? 0 : STEADY, v);
        if (onset)
            t->phase = phase;
        else
            t->mend[1] = (int32_t)(phase - t->phase) / LAC_HOP;
        for (size_t h = 1; h < LAC_HARMONICS; h++)
            t->lead[2].of[h - 1] = lac_angle_turn(v[2 * h + 1], v[2 * h]);
    }
    return sweep_of(t, 1);
}

static void run_sources(const lac_sourcefilter *s, lac_sourcefilter_state *t, const float *o, size_t ldo, size_t rows)
{
    memcpy(s->pulses, t->pulses, sizeof t->pulses);
    memcpy(s->noise, t->noise, sizeof t->noise);
    for (size_t i = 0; i < rows; i++) {
        sweep hop = next_hop(s, t, o + i * ldo + LAC_SPECTRA);
        t->phase = pulse_hop(s, s->pulses + (1 + i) * LAC_HOP, t->phase, &hop);
        noise_hop(s, s->noise + (1 + i) * LAC_HOP, t->hop++);
    }
    memcpy(t->pulses, s->pulses + rows * LAC_HOP, sizeof t->pulses);
    memcpy(t->noise, s->noise + rows * LAC_HOP, sizeof t->noise);
}

typedef struct frame_job {
    const lac_sourcefilter *s;
    const float *o;
    size_t ldo;
} frame_job;

static void run_frames(void *user, size_t part, size_t first, size_t end)
{
    const lac_sourcefilter *s = ((frame_job *)user)->s;
    const float *o = ((frame_job *)user)->o;
    size_t ldo = ((frame_job *)user)->ldo;
    float *scratch = s->scratch + part * s->scratch_floats;
    for (size_t i = first; i < end; i++)
        synthesise(s, o + i * ldo, s->pulses + i * LAC_HOP, s->noise + i * LAC_HOP, s->frames + i * LAC_WINDOW,
                   scratch);
}

static void overlap_add(lac_sourcefilter_state *t, const float *frames, size_t rows, float *pcm)
{
    for (size_t i = 0; i < rows; i++) {
        const float *frame = frames + i * LAC_WINDOW;
        for (size_t n = 0; n < LAC_HOP; n++)
            pcm[i * LAC_HOP + n] = t->tail[n] + frame[n];
        memcpy(t->tail, frame + LAC_HOP, sizeof t->tail);
    }
}

void lac_sourcefilter_run(const lac_sourcefilter *s, lac_sourcefilter_state *t, const float *o, size_t ldo, size_t rows,
                          float *pcm)
{
    run_sources(s, t, o, ldo, rows);
    lac_profile_plain(&s->profile, "sources");
    lac_parallel(rows, s->parts, run_frames, &(frame_job){s, o, ldo});
    lac_profile_plain(&s->profile, "spectra");
    overlap_add(t, s->frames, rows, pcm);
    lac_profile_plain(&s->profile, "overlap");
}

void lac_sourcefilter_skip(const lac_sourcefilter *s, lac_sourcefilter_state *t, const float *logits, size_t ldo,
                           size_t rows)
{
    for (size_t i = 0; i < rows; i++) {
        sweep hop = next_hop(s, t, logits + i * ldo);
        t->phase += sweep_advance(&hop);
    }
    t->hop += rows;
    t->stale = true;
}

static void rebuild_noise(const lac_sourcefilter *s, float *out, uint64_t hop, uint64_t back)
{
    if (hop >= back)
        noise_hop(s, out, hop - back);
    else
        memset(out, 0, LAC_HOP * sizeof(float));
}

void lac_sourcefilter_rebuild(const lac_sourcefilter *s, lac_sourcefilter_state *t, const float *spectra)
{
    sweep before = sweep_of(t, 0), last = sweep_of(t, 1);
    uint32_t middle = t->phase - sweep_advance(&last);
    pulse_hop(s, s->pulses, middle - sweep_advance(&before), &before);
    pulse_hop(s, s->pulses + LAC_HOP, middle, &last);
    rebuild_noise(s, s->noise, t->hop, 2);
    rebuild_noise(s, s->noise + LAC_HOP, t->hop, 1);
    memcpy(t->pulses, s->pulses + LAC_HOP, sizeof t->pulses);
    memcpy(t->noise, s->noise + LAC_HOP, sizeof t->noise);
    if (spectra) {
        synthesise(s, spectra, s->pulses, s->noise, s->frames, s->scratch);
        memcpy(t->tail, s->frames + LAC_HOP, sizeof t->tail);
    }
    t->stale = false;
}

void lac_sourcefilter_sync(lac_sourcefilter_state *t, uint64_t hop, uint32_t phase)
{
    t->hop = hop;
    t->phase = phase;
    memset(t->mend, 0, sizeof t->mend);
    t->stale = true;
}
