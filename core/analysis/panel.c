#include "panel.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "lac/status.h"
#include "mel.h"
#include "spectra.h"

#define BANDS LAC_PANEL_BANDS
#define COLUMNS LAC_PANEL_COLUMNS
#define FRAMES_A_COLUMN 8

const lac_colour lac_panel_edge = {90, 90, 100};
const lac_lettering lac_panel_label = {10.5, 1.3, {38, 38, 46}}, lac_panel_heading = {12.5, 1.7, {16, 16, 22}};

/* Dark to bright in even steps of lightness, from black over violet and orange to pale yellow. */
static const lac_colour levels[] = {{2, 2, 8},     {27, 16, 66},   {78, 18, 122},  {128, 38, 129}, {180, 55, 121},
                                    {228, 81, 101}, {250, 136, 98}, {254, 194, 136}, {252, 252, 192}};

/* ---- colours ---- */

static lac_colour mixed(lac_colour a, lac_colour b, double part)
{
    return (lac_colour){(uint8_t)lrint(a.r + part * (b.r - a.r)), (uint8_t)lrint(a.g + part * (b.g - a.g)),
                        (uint8_t)lrint(a.b + part * (b.b - a.b))};
}

lac_colour lac_panel_mapped(const lac_colour *map, size_t points, double position)
{
    double at = fmin(1, fmax(0, position)) * (double)(points - 1);
    size_t i = (size_t)at < points - 2 ? (size_t)at : points - 2;
    return mixed(map[i], map[i + 1], at - (double)i);
}

lac_colour lac_panel_level_colour(double db)
{
    return lac_panel_mapped(levels, sizeof levels / sizeof *levels, 1 + db / LAC_PANEL_RANGE_DB);
}

/* ---- levels ---- */

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* Small steps for short signals, so that columns differ; large ones for long signals, so that time stays bounded.
 */
static size_t hop_for(size_t samples, unsigned rate)
{
    size_t wanted = samples / COLUMNS;
    if (wanted > rate / 100)
        wanted = larger(rate / 100, samples / (COLUMNS * FRAMES_A_COLUMN));
    return larger(larger(wanted, rate / 2000), 1);
}

/* Power of two of at least three windows: narrow triangles still find bins. */
static size_t fft_for(size_t window)
{
    size_t fft = 64;
    while (fft < 3 * window)
        fft *= 2;
    return fft;
}

/* Mean power of the frames under each column; where frames are fewer than columns, the nearest one. */
static void average(lac_mel_grid *g, lac_stft *stft, const lac_bank *bank, const double *x, size_t samples)
{
    size_t frames = lac_stft_frames(stft, samples);
    for (size_t c = 0; c < COLUMNS; c++) {
        size_t first = (size_t)((double)c / COLUMNS * (double)frames);
        size_t end = larger((size_t)((double)(c + 1) / COLUMNS * (double)frames), first + 1);
        double sum[BANDS] = {0}, band[BANDS];
        for (size_t t = first; t < end && t < frames; t++) {
            lac_bank_apply(bank, lac_stft_frame(stft, x, samples, t), band);
            for (size_t b = 0; b < BANDS; b++)
                sum[b] += band[b] * band[b];
        }
        for (size_t b = 0; b < BANDS; b++)
            g->db[b * COLUMNS + c] = 10 * log10(sum[b] / (double)(end - first) + 1e-20);
    }
}

int lac_mel_grid_measure(lac_mel_grid *g, const double *x, size_t samples, unsigned rate)
{
    lac_stft *stft = NULL;
    lac_bank *bank = NULL;
    if (samples == 0 || rate == 0)
        return LAC_ERROR_ARGUMENT;
    size_t window = larger(rate / 25, 2), fft = fft_for(window);
    int status = lac_stft_open(&stft, fft, hop_for(samples, rate), window);
    if (status == LAC_OK)
        status = lac_bank_open_mel(&bank, rate, fft, BANDS, 0, rate / 2.0);
    if (status == LAC_OK)
        average(g, stft, bank, x, samples);
    lac_stft_close(&stft);
    lac_bank_close(&bank);
    return status;
}

double lac_mel_grid_top(const lac_mel_grid *g)
{
    double top = -120;
    for (size_t i = 0; i < BANDS * COLUMNS; i++)
        top = fmax(top, g->db[i]);
    return top;
}

void lac_mel_grid_below(lac_mel_grid *g, double top)
{
    for (size_t i = 0; i < BANDS * COLUMNS; i++)
        g->db[i] = fmax(g->db[i] - top, -LAC_PANEL_RANGE_DB);
}

double lac_mel_grid_at(const lac_mel_grid *g, size_t column, double height)
{
    double at = fmin(BANDS - 1, fmax(0, height * BANDS - 0.5));
    size_t b = (size_t)at < BANDS - 2 ? (size_t)at : BANDS - 2;
    double low = g->db[b * COLUMNS + column], high = g->db[(b + 1) * COLUMNS + column];
    return low + (at - (double)b) * (high - low);
}

/* ---- axes ---- */

static void text(const lac_panel *p, int x, int y, const char *words, lac_anchor anchor)
{
    lac_canvas_text(p->canvas, x, y, words, lac_panel_label, anchor, false);
}

void lac_panel_frame(const lac_panel *p)
{
    lac_canvas_frame(p->canvas, p->left, p->top, p->width, p->height, lac_panel_edge);
}

void lac_panel_name(const lac_panel *p, const char *words)
{
    lac_canvas_text(p->canvas, 22, p->top + p->height / 2.0, words, lac_panel_label, LAC_ANCHOR_MIDDLE, true);
}

void lac_panel_frequency_axis(const lac_panel *p, double nyquist)
{
    static const int ticks[] = {0, 250, 500, 1000, 2000, 4000, 8000, 16000, 32000, 64000};
    double top = lac_mel_from_hz(nyquist);
    for (size_t i = 0; i < sizeof ticks / sizeof *ticks && ticks[i] <= nyquist; i++) {
        int y = p->top + (int)lrint((p->height - 1) * (1 - lac_mel_from_hz(ticks[i]) / top));
        char words[16];
        snprintf(words, sizeof words, "%d", ticks[i]);
        lac_canvas_box(p->canvas, p->left - 7, y, 6, 1, lac_panel_edge);
        text(p, p->left - 12, y + 5, words, LAC_ANCHOR_RIGHT);
    }
    lac_panel_name(p, "frequency (Hz)");
}

double lac_panel_step(double range, int most)
{
    static const double steps[] = {1, 2, 5};
    double decade = 1e-3;
    for (size_t i = 0;; i++) {
        double step = steps[i % 3] * decade;
        if (step * most >= range)
            return step;
        if (i % 3 == 2)
            decade *= 10;
    }
}

void lac_panel_time_axis(const lac_panel *p, double start, double seconds, bool labelled)
{
    double step = lac_panel_step(seconds, 12);
    int decimals = step >= 1 ? 0 : (int)ceil(-log10(step) - 1e-9);
    int bottom = p->top + p->height;
    for (long i = (long)ceil(start / step - 1e-9); (double)i * step <= start + seconds; i++) {
        int x = p->left + (int)lrint(((double)i * step - start) / seconds * (p->width - 1));
        lac_canvas_box(p->canvas, x, bottom + 1, 1, 6, lac_panel_edge);
        char words[32];
        snprintf(words, sizeof words, "%.*f", decimals, (double)i * step);
        if (labelled)
            text(p, x, bottom + 24, words, LAC_ANCHOR_MIDDLE);
    }
    if (labelled)
        text(p, p->left + p->width / 2, bottom + 48, "time (s)", LAC_ANCHOR_MIDDLE);
}

/* The text up to the width, with "..." for the rest. */
void lac_panel_title(const lac_panel *p, const char *words)
{
    char shown[200];
    snprintf(shown, sizeof shown, "%s", words);
    for (size_t n = strlen(shown); lac_text_width(shown, lac_panel_heading) > p->width - 20 && n > 3; n--)
        memcpy(shown + n - 4, "...", 4);
    lac_canvas_text(p->canvas, p->left, p->top - 13, shown, lac_panel_heading, LAC_ANCHOR_LEFT, false);
}
