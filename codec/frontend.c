#include "frontend.h"

#include <math.h>
#include <string.h>

#include "fmath.h"
#include "parallel.h"

/* Scratch of one thread: [LAC_LONG_FFT] input, [LAC_LONG_FFT + 2] spectrum, the transform's own or collected bins. */
#define INPUT_FLOATS ((size_t)LAC_LONG_FFT)
#define SPECTRUM_FLOATS ((size_t)LAC_LONG_FFT + 2)

void lac_features_harmonics(int32_t *bins, size_t bands)
{
    for (size_t p = 0; p < bands; p++) {
        float hz = lac_class_hz((float)p, bands);
        for (size_t h = 0; h < LAC_HARMONICS; h++)
            bins[h * bands + p] = (int32_t)((float)(h + 1) * hz * ((float)LAC_LONG_FFT / LAC_RATE) + 0.5f);
    }
}

void lac_features_init(lac_features *f, lac_workspace *w, const lac_model *model, size_t rows, unsigned threads)
{
    size_t fft_floats = lac_fft_scratch(LAC_LONG_FFT);
    if (fft_floats < lac_fft_scratch(LAC_WINDOW))
        fft_floats = lac_fft_scratch(LAC_WINDOW);
    if (fft_floats < 2 * LAC_HARMONICS * model->arch.bands)
        fft_floats = 2 * LAC_HARMONICS * model->arch.bands;
    f->kernels = &model->kernels;
    f->weights = &model->encoder;
    f->fft = model->fft;
    f->long_fft = model->long_fft;
    f->harmonics = model->harmonics;
    f->bands = model->arch.bands;
    f->width = lac_features_width(model->arch.bands);
    f->parts = threads < rows ? threads : (unsigned)rows;
    f->scratch_floats = (INPUT_FLOATS + SPECTRUM_FLOATS + fft_floats + 15) & ~(size_t)15;
    f->scratch = lac_workspace_take(w, f->parts * f->scratch_floats, sizeof(float));
}

static void spectrum(const lac_features *f, const float *pcm, float *out, float *scratch)
{
    const float *window = f->weights->window;
    float *x = scratch, *bins = scratch + INPUT_FLOATS;
    for (size_t n = 0; n < LAC_WINDOW; n++)
        x[n] = pcm[n] * window[n];
    f->kernels->fft_forward(f->fft, x, bins, bins + SPECTRUM_FLOATS);
    f->kernels->compress_spectrum(out, bins, LAC_BINS);
}

/* curve [bands] is followed by the alignment of harmonics. The bins are collected here: where a set of instructions can
 * gather, compilers do, which is slower. */
static void align(const lac_features *f, const float *bins, float *curve, float *scratch)
{
    const size_t n = LAC_HARMONICS * f->bands;
    float *re = scratch, *im = scratch + n;
    for (size_t i = 0; i < n; i++) {
        re[i] = bins[f->harmonics[i]];
        im[i] = bins[LAC_LONG_FFT / 2 + 1 + f->harmonics[i]];
    }
    f->kernels->align_harmonics(curve + f->bands, re, im, curve, f->harmonics, f->bands, LAC_HARMONICS);
}

/* The periodicity curve, and by it the alignment of harmonics. */
static void periodicity(const lac_features *f, const float *pcm, float *out, float *scratch)
{
    const float *window = f->weights->long_window;
    float *x = scratch, *bins = scratch + INPUT_FLOATS;
    for (size_t n = 0; n < LAC_LONG_WINDOW; n++)
        x[n] = pcm[n] * window[n];
    memset(x + LAC_LONG_WINDOW, 0, (LAC_LONG_FFT - LAC_LONG_WINDOW) * sizeof(float));
    f->kernels->fft_forward(f->long_fft, x, bins, bins + SPECTRUM_FLOATS);

    const float *re = bins + LAC_PERIODIC_LO, *im = re + LAC_LONG_FFT / 2 + 1;
    float magnitude[LAC_PERIODIC_BINS];
    for (size_t k = 0; k < LAC_PERIODIC_BINS; k++)
        magnitude[k] = sqrtf(re[k] * re[k] + im[k] * im[k]);
    float factor = 3 / (lac_sum(magnitude, LAC_PERIODIC_BINS) + 1e-3f);
    f->kernels->mix_rows(out, magnitude, f->weights->cosines, LAC_PERIODIC_BINS, f->bands);
    for (size_t p = 0; p < f->bands; p++)
        out[p] *= factor;
    align(f, bins, out, bins + SPECTRUM_FLOATS);
}

typedef struct feature_job {
    const lac_features *f;
    const float *pcm;
    float *out;
} feature_job;

static void run_rows(void *user, size_t part, size_t first, size_t end)
{
    const feature_job *job = user;
    const lac_features *f = job->f;
    float *scratch = f->scratch + part * f->scratch_floats;
    for (size_t i = first; i < end; i++) {
        const float *stop = job->pcm + (i + 1) * LAC_HOP;
        spectrum(f, stop - LAC_WINDOW, job->out + i * f->width, scratch);
        periodicity(f, stop - LAC_LONG_WINDOW, job->out + i * f->width + 3 * LAC_BINS, scratch);
    }
}

void lac_features_run(const lac_features *f, const float *pcm, size_t rows, float *out)
{
    lac_parallel(rows, f->parts, run_rows, &(feature_job){f, pcm, out});
}
