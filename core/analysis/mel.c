#include "mel.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "lac/status.h"

#define BANDS_MAX 4096
#define FFT_MAX ((size_t)1 << 24)

typedef struct band {
    size_t first, count; /* bins */
    size_t weights;      /* index of the first weight */
} band;

struct lac_bank {
    size_t bands;
    band *band;
    double *weight;
};

double lac_mel_from_hz(double hz)
{
    return hz < 1000 ? hz * 3 / 200 : 15 + log(hz / 1000) * 27 / log(6.4);
}

double lac_mel_to_hz(double mel)
{
    return mel < 15 ? mel * 200 / 3 : 1000 * exp((mel - 15) * log(6.4) / 27);
}

static double triangle(const double *edge, double hz)
{
    double up = (hz - edge[0]) / (edge[1] - edge[0]);
    double down = (edge[2] - hz) / (edge[2] - edge[1]);
    return fmax(0, fmin(up, down)) * 2 / (edge[2] - edge[0]);
}

/* Bins with a weight; none where the triangle falls between two bins. */
static band span(const double *edge, double bin_hz, size_t bins)
{
    band b = {0, 0, 0};
    while (b.first < bins && (double)b.first * bin_hz <= edge[0])
        b.first++;
    while (b.first + b.count < bins && (double)(b.first + b.count) * bin_hz < edge[2])
        b.count++;
    return b;
}

static int edges_valid(const double *edges, size_t bands)
{
    for (size_t i = 0; i < bands + 1; i++)
        if (!(edges[i] < edges[i + 1]))
            return 0;
    return edges[0] >= 0;
}

int lac_bank_open(lac_bank **bank, double rate, size_t fft, const double *edges, size_t bands)
{
    if (!(rate > 0) || fft < 2 || fft > FFT_MAX || bands == 0 || bands > BANDS_MAX || !edges_valid(edges, bands))
        return LAC_ERROR_ARGUMENT;
    double bin_hz = rate / (double)fft;
    size_t bins = fft / 2 + 1, total = 0;
    lac_bank *b = calloc(1, sizeof *b);
    if (b != NULL)
        b->band = calloc(bands, sizeof *b->band);
    if (b == NULL || b->band == NULL)
        goto error;
    b->bands = bands;
    for (size_t i = 0; i < bands; i++) {
        b->band[i] = span(edges + i, bin_hz, bins);
        b->band[i].weights = total;
        total += b->band[i].count;
    }
    b->weight = calloc(total + 1, sizeof *b->weight);
    if (b->weight == NULL)
        goto error;
    for (size_t i = 0; i < bands; i++)
        for (size_t k = 0; k < b->band[i].count; k++)
            b->weight[b->band[i].weights + k] = triangle(edges + i, (double)(b->band[i].first + k) * bin_hz);
    *bank = b;
    return LAC_OK;
error:
    lac_bank_close(&b);
    return LAC_ERROR_MEMORY;
}

int lac_bank_open_mel(lac_bank **bank, double rate, size_t fft, size_t bands, double low, double high)
{
    if (bands == 0 || bands > BANDS_MAX || !(low < high))
        return LAC_ERROR_ARGUMENT;
    double *edges = calloc(bands + 2, sizeof *edges);
    if (edges == NULL)
        return LAC_ERROR_MEMORY;
    double from = lac_mel_from_hz(low), step = (lac_mel_from_hz(high) - from) / (double)(bands + 1);
    for (size_t i = 0; i < bands + 2; i++)
        edges[i] = lac_mel_to_hz(from + step * (double)i);
    int status = lac_bank_open(bank, rate, fft, edges, bands);
    free(edges);
    return status;
}

void lac_bank_close(lac_bank **bank)
{
    if (*bank == NULL)
        return;
    free((*bank)->band);
    free((*bank)->weight);
    free(*bank);
    *bank = NULL;
}

size_t lac_bank_bands(const lac_bank *bank)
{
    return bank->bands;
}

void lac_bank_apply(const lac_bank *bank, const double *spectrum, double *out)
{
    for (size_t i = 0; i < bank->bands; i++) {
        const band *b = &bank->band[i];
        double sum = 0;
        for (size_t k = 0; k < b->count; k++)
            sum += spectrum[b->first + k] * bank->weight[b->weights + k];
        out[i] = sum;
    }
}
