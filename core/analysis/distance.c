#include "distance.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "lac/status.h"
#include "mel.h"
#include "polyphase.h"
#include "spectra.h"

#define MEL_BANDS 80
#define MEL_FFT 1024
#define MEL_FLOOR 1e-5
#define STFT_RATE 24000
#define STFT_FLOOR 1e-4
#define RMS_FLOOR 1e-6
#define BINS_MAX 1025

/* Two signals of one rate and length. */
typedef struct pair {
    double *ref, *test;
    size_t samples;
    unsigned rate;
} pair;

static void pair_close(pair *p)
{
    free(p->ref);
    free(p->test);
    p->ref = p->test = NULL;
}

static int pair_resample(pair *out, const double *ref, const double *test, size_t samples, unsigned from, unsigned to)
{
    size_t test_samples;
    *out = (pair){NULL, NULL, 0, to};
    int status = lac_polyphase(ref, samples, from, to, &out->ref, &out->samples);
    if (status == LAC_OK)
        status = lac_polyphase(test, samples, from, to, &out->test, &test_samples);
    if (status != LAC_OK)
        pair_close(out);
    return status;
}

/* Sums |ln(a / b)| with few logarithms: factors are multiplied up while the product is far from overflow. */
typedef struct log_sum {
    double sum, product;
} log_sum;

static void log_sum_add(log_sum *s, double a, double b)
{
    s->product *= a > b ? a / b : b / a;
    if (s->product > 1e150) {
        s->sum += log(s->product);
        s->product = 1;
    }
}

static double log_sum_total(const log_sum *s)
{
    return s->sum + log(s->product);
}

static void mel_frame(lac_stft *stft, const lac_bank *bank, const pair *p, const double *x, size_t t, double *out)
{
    lac_bank_apply(bank, lac_stft_frame(stft, x, p->samples, t), out);
    for (size_t b = 0; b < MEL_BANDS; b++)
        out[b] = out[b] > MEL_FLOOR ? out[b] : MEL_FLOOR;
}

static int mel_distance(const pair *p, double *distance)
{
    lac_stft *stft = NULL;
    lac_bank *bank = NULL;
    int status = lac_stft_open(&stft, MEL_FFT, p->rate / 100, p->rate / 25);
    if (status == LAC_OK)
        status = lac_bank_open_mel(&bank, p->rate, MEL_FFT, MEL_BANDS, 0, p->rate / 2.0);
    if (status == LAC_OK) {
        size_t frames = lac_stft_frames(stft, p->samples);
        log_sum sum = {0, 1};
        for (size_t t = 0; t < frames; t++) {
            double r[MEL_BANDS], d[MEL_BANDS];
            mel_frame(stft, bank, p, p->ref, t, r);
            mel_frame(stft, bank, p, p->test, t, d);
            for (size_t b = 0; b < MEL_BANDS; b++)
                log_sum_add(&sum, r[b], d[b]);
        }
        *distance = log_sum_total(&sum) / (double)(frames * MEL_BANDS);
    }
    lac_stft_close(&stft);
    lac_bank_close(&bank);
    return status;
}

static void floored(const double *in, size_t n, double *out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = in[i] > STFT_FLOOR ? in[i] : STFT_FLOOR;
}

/* One resolution, over the first `part` of the bins. */
static int stft_distance(const pair *p, size_t fft, size_t hop, size_t window, double part, double *sc, double *mag)
{
    lac_stft *stft = NULL;
    int status = lac_stft_open(&stft, fft, hop, window);
    if (status != LAC_OK)
        return status;
    size_t frames = lac_stft_frames(stft, p->samples), bins = (size_t)(part * (double)(fft / 2)) + 1;
    double error = 0, power = 0;
    log_sum sum = {0, 1};
    for (size_t t = 0; t < frames; t++) {
        double r[BINS_MAX], d[BINS_MAX];
        floored(lac_stft_frame(stft, p->ref, p->samples, t), bins, r);
        floored(lac_stft_frame(stft, p->test, p->samples, t), bins, d);
        for (size_t k = 0; k < bins; k++) {
            error += (r[k] - d[k]) * (r[k] - d[k]);
            power += r[k] * r[k];
            log_sum_add(&sum, r[k], d[k]);
        }
    }
    *sc = sqrt(error / power);
    *mag = log_sum_total(&sum) / (double)(frames * bins);
    lac_stft_close(&stft);
    return LAC_OK;
}

static int stft_distances(const pair *p, unsigned rate, lac_distances *d)
{
    static const size_t shape[3][3] = {{1024, 120, 600}, {2048, 240, 1200}, {512, 50, 240}};
    double part = rate < STFT_RATE ? (double)rate / STFT_RATE : 1;
    d->stft_sc = d->stft_mag = 0;
    for (size_t i = 0; i < 3; i++) {
        double sc, mag;
        int status = stft_distance(p, shape[i][0], shape[i][1], shape[i][2], part, &sc, &mag);
        if (status != LAC_OK)
            return status;
        d->stft_sc += sc / 3;
        d->stft_mag += mag / 3;
    }
    return LAC_OK;
}

static double mean(const double *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += x[i];
    return sum / (double)n;
}

static double si_sdr(const double *ref, const double *test, size_t n)
{
    double mr = mean(ref, n), mt = mean(test, n), cross = 0, energy = 0, target = 0, error = 0;
    for (size_t i = 0; i < n; i++) {
        cross += (ref[i] - mr) * (test[i] - mt);
        energy += (ref[i] - mr) * (ref[i] - mr);
    }
    double scale = cross / (energy + DBL_EPSILON);
    for (size_t i = 0; i < n; i++) {
        double t = scale * (ref[i] - mr), e = test[i] - mt - t;
        target += t * t;
        error += e * e;
    }
    return 10 * log10((target + DBL_EPSILON) / (error + DBL_EPSILON));
}

static double rms(const double *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += x[i] * x[i];
    return fmax(sqrt(sum / (double)n), RMS_FLOOR);
}

/* Whether a recording is more than an upsampled narrower one. */
static int wideband(const double *x, size_t samples, unsigned rate, int *is)
{
    double band, all;
    *is = 0;
    if (rate < 22050)
        return LAC_OK;
    int status = lac_band_power(x, samples, rate, 8500, 11500, &band, &all);
    if (status == LAC_OK)
        *is = band > 1e-6 * all;
    return status;
}

static int measure_at_24k(lac_distances *d, const double *ref, const double *test, size_t samples, unsigned rate)
{
    pair p;
    int wide, status = wideband(ref, samples, rate, &wide);
    if (status == LAC_OK)
        status = pair_resample(&p, ref, test, samples, rate, STFT_RATE);
    if (status != LAC_OK)
        return status;
    d->mel24 = NAN;
    if (wide)
        status = mel_distance(&p, &d->mel24);
    if (status == LAC_OK)
        status = stft_distances(&p, rate, d);
    pair_close(&p);
    return status;
}

size_t lac_distances_shortest(unsigned rate)
{
    return (size_t)rate / 25;
}

int lac_distances_measure(lac_distances *d, const double *ref, const double *test, size_t samples, unsigned rate)
{
    pair p;
    if (samples == 0 || samples < lac_distances_shortest(rate))
        return LAC_ERROR_ARGUMENT;
    d->si_sdr_db = si_sdr(ref, test, samples);
    d->level_db = 20 * log10(rms(test, samples) / rms(ref, samples));
    int status = measure_at_24k(d, ref, test, samples, rate);
    if (status == LAC_OK)
        status = pair_resample(&p, ref, test, samples, rate, 16000);
    if (status != LAC_OK)
        return status;
    status = mel_distance(&p, &d->mel16);
    pair_close(&p);
    return status;
}
