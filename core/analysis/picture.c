#include "picture.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "canvas.h"
#include "lac/status.h"
#include "mel.h"
#include "spectra.h"

#define BANDS 128
#define COLUMNS 1280
#define ROWS 256 /* pixels of one spectrogram */
#define FRAMES_A_COLUMN 8

#define LEFT 92
#define TOP 44
#define GAP 46 /* between spectrograms, for a title */
#define BOTTOM 62
#define RIGHT 110
#define BAR_GAP 20
#define BAR_WIDTH 18

#define RANGE_DB 80.0
#define DIFFERENCE_DB 30.0

static const lac_colour white = {255, 255, 255}, edge = {90, 90, 100};

/* Dark to bright in even steps of lightness, from black over violet and orange to pale yellow. */
static const lac_colour levels[] = {{2, 2, 8},     {27, 16, 66},   {78, 18, 122},  {128, 38, 129}, {180, 55, 121},
                                    {228, 81, 101}, {250, 136, 98}, {254, 194, 136}, {252, 252, 192}};

/* Too little blue, none white, too much red. */
static const lac_colour differences[] = {{14, 48, 104},  {40, 104, 174},  {110, 164, 208}, {190, 216, 234},
                                         {250, 250, 250}, {248, 206, 184}, {232, 138, 108}, {190, 48, 50},
                                         {106, 8, 32}};

/* dB of one signal, band b of column c at [b * COLUMNS + c]. */
typedef struct grid {
    double db[BANDS * COLUMNS];
} grid;

static lac_colour mixed(lac_colour a, lac_colour b, double part)
{
    return (lac_colour){(uint8_t)lrint(a.r + part * (b.r - a.r)), (uint8_t)lrint(a.g + part * (b.g - a.g)),
                        (uint8_t)lrint(a.b + part * (b.b - a.b))};
}

/* position 0 .. 1 */
static lac_colour mapped(const lac_colour *map, size_t points, double position)
{
    double at = fmin(1, fmax(0, position)) * (double)(points - 1);
    size_t i = (size_t)at < points - 2 ? (size_t)at : points - 2;
    return mixed(map[i], map[i + 1], at - (double)i);
}

static lac_colour level_colour(double db)
{
    return mapped(levels, sizeof levels / sizeof *levels, 1 + db / RANGE_DB);
}

static lac_colour difference_colour(double db)
{
    return mapped(differences, sizeof differences / sizeof *differences, 0.5 + db / (2 * DIFFERENCE_DB));
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* Small steps for short signals, so that columns differ; large ones for long signals, so that time stays bounded. */
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
static void average(grid *g, lac_stft *stft, const lac_bank *bank, const double *x, size_t samples)
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

static int analyse(grid *ref_grid, grid *test_grid, const double *ref, const double *test, size_t samples,
                   unsigned rate)
{
    lac_stft *stft = NULL;
    lac_bank *bank = NULL;
    size_t window = larger(rate / 25, 2), fft = fft_for(window);
    int status = lac_stft_open(&stft, fft, hop_for(samples, rate), window);
    if (status == LAC_OK)
        status = lac_bank_open_mel(&bank, rate, fft, BANDS, 0, rate / 2.0);
    if (status == LAC_OK) {
        average(ref_grid, stft, bank, ref, samples);
        average(test_grid, stft, bank, test, samples);
    }
    lac_stft_close(&stft);
    lac_bank_close(&bank);
    return status;
}

/* dB below the reference's highest value, -RANGE_DB or more. A silent reference counts as full scale. */
static void normalise(grid *ref, grid *test)
{
    double top = -120;
    for (size_t i = 0; i < BANDS * COLUMNS; i++)
        top = fmax(top, ref->db[i]);
    for (size_t i = 0; i < BANDS * COLUMNS; i++) {
        ref->db[i] = fmax(ref->db[i] - top, -RANGE_DB);
        test->db[i] = fmax(test->db[i] - top, -RANGE_DB);
    }
}

/* Value at a height of 0 (lowest band) to 1 (highest), linear between the middles of the bands. */
static double between_bands(const grid *g, size_t column, double height)
{
    double at = fmin(BANDS - 1, fmax(0, height * BANDS - 0.5));
    size_t b = (size_t)at < BANDS - 2 ? (size_t)at : BANDS - 2;
    double low = g->db[b * COLUMNS + column], high = g->db[(b + 1) * COLUMNS + column];
    return low + (at - (double)b) * (high - low);
}

typedef struct axes {
    double seconds;
    double nyquist; /* Hz */
    int top;        /* pixels */
    bool last;      /* the part that carries the time labels */
} axes;

static const lac_lettering label = {10.5, 1.3, {38, 38, 46}}, heading = {12.5, 1.7, {16, 16, 22}};

static void text(lac_canvas *c, int x, int y, const char *words, lac_anchor anchor)
{
    lac_canvas_text(c, x, y, words, label, anchor, false);
}

static void frequency_axis(lac_canvas *c, const axes *a)
{
    static const int ticks[] = {0, 250, 500, 1000, 2000, 4000, 8000, 16000, 32000, 64000};
    double top = lac_mel_from_hz(a->nyquist);
    for (size_t i = 0; i < sizeof ticks / sizeof *ticks && ticks[i] <= a->nyquist; i++) {
        int y = a->top + (int)lrint((ROWS - 1) * (1 - lac_mel_from_hz(ticks[i]) / top));
        char words[16];
        snprintf(words, sizeof words, "%d", ticks[i]);
        lac_canvas_box(c, LEFT - 7, y, 6, 1, edge);
        text(c, LEFT - 12, y + 5, words, LAC_ANCHOR_RIGHT);
    }
    lac_canvas_text(c, 22, a->top + ROWS / 2.0, "frequency (Hz)", label, LAC_ANCHOR_MIDDLE, true);
}

/* 1, 2 or 5 times a power of ten, with at most 12 steps in `seconds`. */
static double time_step(double seconds)
{
    static const double steps[] = {1, 2, 5};
    double decade = 1e-3;
    for (size_t i = 0;; i++) {
        double step = steps[i % 3] * decade;
        if (step * 12 >= seconds)
            return step;
        if (i % 3 == 2)
            decade *= 10;
    }
}

static void time_axis(lac_canvas *c, const axes *a)
{
    double step = time_step(a->seconds);
    int decimals = step >= 1 ? 0 : (int)ceil(-log10(step) - 1e-9);
    for (int i = 0; i * step <= a->seconds; i++) {
        int x = LEFT + (int)lrint(i * step / a->seconds * (COLUMNS - 1));
        lac_canvas_box(c, x, a->top + ROWS + 1, 1, 6, edge);
        char words[32];
        snprintf(words, sizeof words, "%.*f", decimals, i * step);
        if (a->last)
            text(c, x, a->top + ROWS + 24, words, LAC_ANCHOR_MIDDLE);
    }
    if (a->last)
        text(c, LEFT + COLUMNS / 2, a->top + ROWS + 48, "time (s)", LAC_ANCHOR_MIDDLE);
}

static void colour_bar(lac_canvas *c, int top, double low, double high, double step, lac_colour (*colour)(double))
{
    int left = LEFT + COLUMNS + BAR_GAP;
    for (int y = 0; y < ROWS; y++)
        lac_canvas_box(c, left, top + y, BAR_WIDTH, 1, colour(high - (high - low) * y / (ROWS - 1)));
    lac_canvas_frame(c, left, top, BAR_WIDTH, ROWS, edge);
    for (double value = low; value <= high; value += step) {
        int y = top + (int)lrint((high - value) / (high - low) * (ROWS - 1));
        char words[32];
        snprintf(words, sizeof words, low < 0 && high > 0 && value > 0 ? "+%.0f" : "%.0f", value);
        lac_canvas_box(c, left + BAR_WIDTH + 1, y, 5, 1, edge);
        text(c, left + BAR_WIDTH + 10, y + 5, words, LAC_ANCHOR_LEFT);
    }
    text(c, left + BAR_WIDTH / 2, top - 13, "dB", LAC_ANCHOR_MIDDLE);
}

/* The text up to the width, with "..." for the rest. */
static void title(lac_canvas *c, int top, const char *words)
{
    char shown[160];
    snprintf(shown, sizeof shown, "%s", words);
    for (size_t n = strlen(shown); lac_text_width(shown, heading) > COLUMNS - 20 && n > 3; n--)
        memcpy(shown + n - 4, "...", 4);
    lac_canvas_text(c, LEFT, top - 13, shown, heading, LAC_ANCHOR_LEFT, false);
}

/* The reference, the test or, with both, their difference. */
static void part(lac_canvas *c, const axes *a, const grid *from, const grid *less, const char *words)
{
    for (int y = 0; y < ROWS; y++) {
        double height = (ROWS - y - 0.5) / ROWS;
        for (int x = 0; x < COLUMNS; x++) {
            double db = between_bands(from, (size_t)x, height);
            if (less != NULL)
                db -= between_bands(less, (size_t)x, height);
            lac_canvas_pixel(c, LEFT + x, a->top + y, less != NULL ? difference_colour(db) : level_colour(db));
        }
    }
    lac_canvas_frame(c, LEFT, a->top, COLUMNS, ROWS, edge);
    frequency_axis(c, a);
    time_axis(c, a);
    title(c, a->top, words);
    if (less != NULL)
        colour_bar(c, a->top, -DIFFERENCE_DB, DIFFERENCE_DB, 10, difference_colour);
    else
        colour_bar(c, a->top, -RANGE_DB, 0, 20, level_colour);
}

static int draw(const grid *ref, const grid *test, axes a, const char *const titles[3], uint8_t **png, size_t *size)
{
    lac_canvas c = {0, 0, NULL};
    int status = lac_canvas_open(&c, LEFT + COLUMNS + RIGHT, TOP + 3 * ROWS + 2 * GAP + BOTTOM, white);
    if (status != LAC_OK)
        return status;
    const grid *from[3] = {ref, test, test}, *less[3] = {NULL, NULL, ref};
    for (int i = 0; i < 3; i++) {
        a.top = TOP + i * (ROWS + GAP);
        a.last = i == 2;
        part(&c, &a, from[i], less[i], titles[i]);
    }
    status = lac_canvas_png(&c, png, size);
    lac_canvas_close(&c);
    return status;
}

int lac_picture_compare(const double *ref, const double *test, size_t samples, unsigned rate,
                        const char *const titles[3], uint8_t **png, size_t *size)
{
    if (samples == 0 || rate == 0)
        return LAC_ERROR_ARGUMENT;
    grid *r = malloc(sizeof *r), *t = malloc(sizeof *t);
    int status = r == NULL || t == NULL ? LAC_ERROR_MEMORY : analyse(r, t, ref, test, samples, rate);
    if (status == LAC_OK) {
        normalise(r, t);
        axes a = {(double)samples / rate, rate / 2.0, 0, false};
        status = draw(r, t, a, titles, png, size);
    }
    free(r);
    free(t);
    return status;
}
