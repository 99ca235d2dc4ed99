#include "spectra.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lac/status.h"
#include "planner.h"

#define PI 3.14159265358979323846

struct lac_stft {
    size_t fft, hop, window;
    double *shape; /* [window] */
    double *in;    /* [fft] */
    double *magnitude;
    fftw_complex *out;
    fftw_plan plan;
};

static double *doubles(size_t n)
{
    return n > SIZE_MAX / sizeof(double) ? NULL : fftw_malloc(n * sizeof(double));
}

static fftw_complex *complexes(size_t n)
{
    return n > SIZE_MAX / sizeof(fftw_complex) ? NULL : fftw_malloc(n * sizeof(fftw_complex));
}

int lac_stft_open(lac_stft **stft, size_t fft, size_t hop, size_t window)
{
    if (fft == 0 || fft % 2 != 0 || fft > 1u << 24 || hop == 0 || window == 0 || window > fft)
        return LAC_ERROR_ARGUMENT;
    lac_stft *s = calloc(1, sizeof *s);
    if (s == NULL)
        return LAC_ERROR_MEMORY;
    s->fft = fft;
    s->hop = hop;
    s->window = window;
    s->shape = doubles(window);
    s->in = doubles(fft);
    s->magnitude = doubles(fft / 2 + 1);
    s->out = complexes(fft / 2 + 1);
    if (s->in != NULL && s->out != NULL)
        s->plan = lac_plan_forward(fft, s->in, s->out);
    if (s->shape == NULL || s->magnitude == NULL || s->plan == NULL) {
        lac_stft_close(&s);
        return LAC_ERROR_MEMORY;
    }
    for (size_t i = 0; i < window; i++)
        s->shape[i] = 0.5 - 0.5 * cos(2 * PI * (double)i / (double)window);
    memset(s->in, 0, fft * sizeof *s->in);
    *stft = s;
    return LAC_OK;
}

void lac_stft_close(lac_stft **stft)
{
    lac_stft *s = *stft;
    if (s == NULL)
        return;
    lac_plan_free(s->plan);
    fftw_free(s->shape);
    fftw_free(s->in);
    fftw_free(s->magnitude);
    fftw_free(s->out);
    free(s);
    *stft = NULL;
}

size_t lac_stft_frames(const lac_stft *stft, size_t samples)
{
    return samples / stft->hop + 1;
}

size_t lac_stft_bins(const lac_stft *stft)
{
    return stft->fft / 2 + 1;
}

static double reflected(const double *x, size_t samples, int64_t at)
{
    if (samples == 1)
        return x[0];
    int64_t last = (int64_t)samples - 1;
    int64_t period = 2 * last;
    at = ((at % period) + period) % period;
    return x[at > last ? period - at : at];
}

const double *lac_stft_frame(lac_stft *s, const double *x, size_t samples, size_t frame)
{
    size_t margin = (s->fft - s->window) / 2;
    int64_t start = (int64_t)(frame * s->hop) - (int64_t)(s->fft / 2) + (int64_t)margin;
    double *in = s->in + margin;
    if (start >= 0 && (uint64_t)start + s->window <= samples)
        for (size_t i = 0; i < s->window; i++)
            in[i] = x[(size_t)start + i] * s->shape[i];
    else
        for (size_t i = 0; i < s->window; i++)
            in[i] = reflected(x, samples, start + (int64_t)i) * s->shape[i];
    fftw_execute(s->plan);
    for (size_t k = 0; k <= s->fft / 2; k++)
        s->magnitude[k] = sqrt(s->out[k][0] * s->out[k][0] + s->out[k][1] * s->out[k][1]);
    return s->magnitude;
}

int lac_band_power(const double *x, size_t samples, double rate, double low, double high, double *band, double *all)
{
    if (samples == 0 || samples > INT32_MAX)
        return LAC_ERROR_LIMIT;
    double *in = doubles(samples);
    fftw_complex *out = complexes(samples / 2 + 1);
    fftw_plan plan = NULL;
    if (in != NULL && out != NULL)
        plan = lac_plan_forward(samples, in, out);
    if (plan != NULL) {
        memcpy(in, x, samples * sizeof *in);
        fftw_execute(plan);
        *band = *all = 0;
        for (size_t k = 0; k <= samples / 2; k++) {
            double power = out[k][0] * out[k][0] + out[k][1] * out[k][1];
            double hz = (double)k * rate / (double)samples;
            *all += power;
            if (hz > low && hz < high)
                *band += power;
        }
        lac_plan_free(plan);
    }
    fftw_free(in);
    fftw_free(out);
    return plan == NULL ? LAC_ERROR_MEMORY : LAC_OK;
}

struct lac_correlator {
    size_t size;
    double *time;
    fftw_complex *spectrum[2], *sum;
    fftw_plan forward[2], inverse;
};

int lac_correlator_open(lac_correlator **correlator, size_t size)
{
    if (size == 0 || size > INT32_MAX / 2) /* FFTW counts in int, and lac_plan_size may add to it */
        return LAC_ERROR_LIMIT;
    lac_correlator *c = calloc(1, sizeof *c);
    if (c == NULL)
        return LAC_ERROR_MEMORY;
    c->size = lac_plan_size(size);
    size_t bins = c->size / 2 + 1;
    c->time = doubles(c->size);
    c->spectrum[0] = complexes(bins);
    c->spectrum[1] = complexes(bins);
    c->sum = complexes(bins);
    if (c->time != NULL && c->spectrum[0] != NULL && c->spectrum[1] != NULL && c->sum != NULL) {
        for (int i = 0; i < 2; i++)
            c->forward[i] = lac_plan_forward(c->size, c->time, c->spectrum[i]);
        c->inverse = lac_plan_inverse(c->size, c->sum, c->time);
    }
    if (c->forward[0] == NULL || c->forward[1] == NULL || c->inverse == NULL) {
        lac_correlator_close(&c);
        return LAC_ERROR_MEMORY;
    }
    memset(c->sum, 0, bins * sizeof *c->sum);
    *correlator = c;
    return LAC_OK;
}

void lac_correlator_close(lac_correlator **correlator)
{
    lac_correlator *c = *correlator;
    if (c == NULL)
        return;
    for (int i = 0; i < 2; i++) {
        lac_plan_free(c->forward[i]);
        fftw_free(c->spectrum[i]);
    }
    lac_plan_free(c->inverse);
    fftw_free(c->sum);
    fftw_free(c->time);
    free(c);
    *correlator = NULL;
}

static void transform(lac_correlator *c, int which, const double *x, size_t samples)
{
    memcpy(c->time, x, samples * sizeof *x);
    memset(c->time + samples, 0, (c->size - samples) * sizeof *x);
    fftw_execute(c->forward[which]);
}

void lac_correlator_add(lac_correlator *c, const double *a, size_t a_samples, const double *b, size_t b_samples)
{
    transform(c, 0, a, a_samples);
    transform(c, 1, b, b_samples);
    for (size_t k = 0; k <= c->size / 2; k++) {
        const double *p = c->spectrum[0][k], *q = c->spectrum[1][k];
        c->sum[k][0] += p[0] * q[0] + p[1] * q[1];
        c->sum[k][1] += p[0] * q[1] - p[1] * q[0];
    }
}

void lac_correlator_finish(lac_correlator *c, size_t lag, double *out)
{
    fftw_execute(c->inverse);
    double scale = 1.0 / (double)c->size;
    for (size_t i = 0; i <= lag; i++) {
        out[lag + i] = c->time[i] * scale;
        out[lag - i] = c->time[i == 0 ? 0 : c->size - i] * scale;
    }
}
