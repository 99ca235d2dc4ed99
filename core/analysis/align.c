#include "align.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lac/status.h"
#include "planner.h"
#include "spectra.h"

#define PI 3.14159265358979323846
#define HOP 16 /* samples: 1 ms */
#define WINDOW (32 * HOP)
#define BANDS 8
#define ENVELOPE_MAX 300 /* ms */
#define MARGIN 0.01      /* of envelope correlation, within which the waveform decides */
#define MATCH 0.15       /* waveform correlation below which it decides nothing */

static const double band_edges[BANDS + 1] = {100, 300, 500, 800, 1200, 1800, 2500, 3300, 3900};

static double energy(const double *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += x[i] * x[i];
    return sum;
}

static double normalised(double value, double energy_a, double energy_b)
{
    return value / (sqrt(energy_a * energy_b) + DBL_EPSILON);
}

/* The log of each band over time, without its mean. */
static void compress(double *band, size_t frames)
{
    double mean = 0, log_mean = 0;
    for (size_t t = 0; t < frames; t++)
        mean += band[t];
    mean /= (double)frames;
    for (size_t t = 0; t < frames; t++) {
        band[t] = log10(band[t] + mean * 1e-3 + 1e-12);
        log_mean += band[t];
    }
    log_mean /= (double)frames;
    for (size_t t = 0; t < frames; t++)
        band[t] -= log_mean;
}

typedef struct transform {
    double in[WINDOW], shape[WINDOW];
    fftw_complex out[WINDOW / 2 + 1];
} transform;

static void band_powers(const transform *w, double *out, size_t stride)
{
    for (size_t b = 0; b < BANDS; b++) {
        double sum = 0;
        for (size_t k = 0; k <= WINDOW / 2; k++) {
            double hz = (double)k * LAC_ALIGN_RATE / WINDOW;
            if (hz >= band_edges[b] && hz < band_edges[b + 1])
                sum += w->out[k][0] * w->out[k][0] + w->out[k][1] * w->out[k][1];
        }
        out[b * stride] = sum;
    }
}

static size_t envelope_frames(size_t samples)
{
    return samples / HOP + 1;
}

/* The window around sample t * HOP, silence outside. */
static void fill(transform *w, const double *x, size_t samples, size_t t)
{
    for (size_t i = 0; i < WINDOW; i++) {
        size_t at = t * HOP + i;
        bool inside = at >= WINDOW / 2 && at - WINDOW / 2 < samples;
        w->in[i] = inside ? x[at - WINDOW / 2] * w->shape[i] : 0;
    }
}

/* out [BANDS][frames], one frame every 1 ms: 0 or LAC_ERROR_MEMORY. */
static int fill_envelopes(double *out, size_t frames, const double *x, size_t samples)
{
    transform *w = fftw_malloc(sizeof *w);
    fftw_plan plan = w == NULL ? NULL : lac_plan_forward(WINDOW, w->in, w->out);
    if (plan == NULL) {
        fftw_free(w);
        return LAC_ERROR_MEMORY;
    }
    for (size_t i = 0; i < WINDOW; i++)
        w->shape[i] = 0.5 - 0.5 * cos(2 * PI * (double)i / (WINDOW - 1));
    for (size_t t = 0; t < frames; t++) {
        fill(w, x, samples, t);
        fftw_execute(plan);
        band_powers(w, out + t, frames);
    }
    for (size_t b = 0; b < BANDS; b++)
        compress(out + b * frames, frames);
    lac_plan_free(plan);
    fftw_free(w);
    return LAC_OK;
}

/* [BANDS][frames], freed with free; NULL without memory. */
static double *envelopes(const double *x, size_t samples)
{
    size_t frames = envelope_frames(samples);
    double *out = frames > SIZE_MAX / sizeof(double) / BANDS ? NULL : malloc(frames * BANDS * sizeof *out);
    if (out != NULL && fill_envelopes(out, frames, x, samples) != LAC_OK) {
        free(out);
        out = NULL;
    }
    return out;
}

static int add_waveform(lac_alignment *a, const double *ref, size_t ref_samples, const double *test,
                        size_t test_samples)
{
    double lags[2 * LAC_ALIGN_MAX + 1];
    lac_correlator *c = NULL;
    int status = lac_correlator_open(&c, ref_samples + test_samples + 2 * LAC_ALIGN_MAX + 2);
    if (status != LAC_OK)
        return status;
    lac_correlator_add(c, ref, ref_samples, test, test_samples);
    lac_correlator_finish(c, LAC_ALIGN_MAX, lags);
    lac_correlator_close(&c);
    double er = energy(ref, ref_samples), et = energy(test, test_samples);
    for (size_t i = 0; i <= 2 * LAC_ALIGN_MAX; i++)
        a->waveform[i] += normalised(lags[i], er, et);
    return LAC_OK;
}

/* Adds the curve of 1 ms steps, interpolated linearly to samples. */
static void add_interpolated(lac_alignment *a, const double *curve, double scale_a, double scale_b)
{
    for (size_t i = 0; i <= 2 * LAC_ALIGN_MAX; i++) {
        size_t at = i / HOP;
        double part = (double)(i % HOP) / HOP;
        double value = curve[at];
        if (part > 0)
            value += part * (curve[at + 1] - curve[at]);
        a->envelope[i] += normalised(value, scale_a, scale_b);
    }
}

static int add_envelopes(lac_alignment *a, const double *ref, size_t ref_frames, const double *test,
                         size_t test_frames)
{
    double lags[2 * ENVELOPE_MAX + 1];
    lac_correlator *c = NULL;
    int status = lac_correlator_open(&c, ref_frames + test_frames + 2 * ENVELOPE_MAX + 2);
    if (status != LAC_OK)
        return status;
    for (size_t b = 0; b < BANDS; b++)
        lac_correlator_add(c, ref + b * ref_frames, ref_frames, test + b * test_frames, test_frames);
    lac_correlator_finish(c, ENVELOPE_MAX, lags);
    lac_correlator_close(&c);
    add_interpolated(a, lags, energy(ref, BANDS * ref_frames), energy(test, BANDS * test_frames));
    return LAC_OK;
}

int lac_alignment_add(lac_alignment *a, const double *ref, size_t ref_samples, const double *test, size_t test_samples)
{
    double *er = envelopes(ref, ref_samples), *et = envelopes(test, test_samples);
    int status = er == NULL || et == NULL ? LAC_ERROR_MEMORY : LAC_OK;
    if (status == LAC_OK)
        status = add_envelopes(a, er, envelope_frames(ref_samples), et, envelope_frames(test_samples));
    if (status == LAC_OK)
        status = add_waveform(a, ref, ref_samples, test, test_samples);
    if (status == LAC_OK)
        a->pairs++;
    free(er);
    free(et);
    return status;
}

static size_t highest(const double *curve)
{
    size_t best = 0;
    for (size_t i = 1; i <= 2 * LAC_ALIGN_MAX; i++)
        if (curve[i] > curve[best])
            best = i;
    return best;
}

int lac_alignment_lag(const lac_alignment *a)
{
    if (a->pairs == 0)
        return 0;
    double score[2 * LAC_ALIGN_MAX + 1], pairs = (double)a->pairs;
    double near = a->envelope[highest(a->envelope)] / pairs - MARGIN;
    for (size_t i = 0; i <= 2 * LAC_ALIGN_MAX; i++)
        score[i] = a->waveform[i] / pairs + (a->envelope[i] / pairs >= near ? 1 : 0);
    size_t best = highest(score);
    if (a->waveform[best] / pairs < MATCH)
        best = highest(a->envelope);
    return (int)best - LAC_ALIGN_MAX;
}

void lac_shift(const double *test, size_t test_samples, long lag, double *out, size_t samples)
{
    size_t lead = lag < 0 ? (size_t)-lag : 0, skip = lag > 0 ? (size_t)lag : 0;
    for (size_t i = 0; i < samples; i++) {
        bool inside = i >= lead && i - lead + skip < test_samples;
        out[i] = inside ? test[i - lead + skip] : 0;
    }
}
