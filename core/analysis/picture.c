#include "picture.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "lac/status.h"
#include "panel.h"

#define COLUMNS LAC_PANEL_COLUMNS
#define ROWS 256 /* pixels of one spectrogram */

#define LEFT 92
#define TOP 44
#define GAP 46 /* between spectrograms, for a title */
#define BOTTOM 62
#define RIGHT 110
#define BAR_GAP 20
#define BAR_WIDTH 18

#define DIFFERENCE_DB 30.0

static const lac_colour white = {255, 255, 255};

/* Too little blue, none white, too much red. */
static const lac_colour differences[] = {{14, 48, 104},  {40, 104, 174},  {110, 164, 208}, {190, 216, 234},
                                         {250, 250, 250}, {248, 206, 184}, {232, 138, 108}, {190, 48, 50},
                                         {106, 8, 32}};

static lac_colour difference_colour(double db)
{
    return lac_panel_mapped(differences, sizeof differences / sizeof *differences, 0.5 + db / (2 * DIFFERENCE_DB));
}

typedef struct axes {
    double seconds;
    double nyquist; /* Hz */
} axes;

static void colour_bar(lac_canvas *c, int top, double low, double high, double step, lac_colour (*colour)(double))
{
    int left = LEFT + COLUMNS + BAR_GAP;
    for (int y = 0; y < ROWS; y++)
        lac_canvas_box(c, left, top + y, BAR_WIDTH, 1, colour(high - (high - low) * y / (ROWS - 1)));
    lac_canvas_frame(c, left, top, BAR_WIDTH, ROWS, lac_panel_edge);
    for (double value = low; value <= high; value += step) {
        int y = top + (int)lrint((high - value) / (high - low) * (ROWS - 1));
        char words[32];
        snprintf(words, sizeof words, low < 0 && high > 0 && value > 0 ? "+%.0f" : "%.0f", value);
        lac_canvas_box(c, left + BAR_WIDTH + 1, y, 5, 1, lac_panel_edge);
        lac_canvas_text(c, left + BAR_WIDTH + 10, y + 5, words, lac_panel_label, LAC_ANCHOR_LEFT, false);
    }
    lac_canvas_text(c, left + BAR_WIDTH / 2, top - 13, "dB", lac_panel_label, LAC_ANCHOR_MIDDLE, false);
}

/* The reference, the test or, with `less`, their difference. */
static void part(const lac_panel *p, const lac_mel_grid *from, const lac_mel_grid *less)
{
    for (int y = 0; y < ROWS; y++) {
        double height = (ROWS - y - 0.5) / ROWS;
        for (int x = 0; x < COLUMNS; x++) {
            double db = lac_mel_grid_at(from, (size_t)x, height);
            if (less != NULL)
                db -= lac_mel_grid_at(less, (size_t)x, height);
            lac_canvas_pixel(p->canvas, LEFT + x, p->top + y,
                             less != NULL ? difference_colour(db) : lac_panel_level_colour(db));
        }
    }
    lac_panel_frame(p);
    if (less != NULL)
        colour_bar(p->canvas, p->top, -DIFFERENCE_DB, DIFFERENCE_DB, 10, difference_colour);
    else
        colour_bar(p->canvas, p->top, -LAC_PANEL_RANGE_DB, 0, 20, lac_panel_level_colour);
}

static int draw(const lac_mel_grid *ref, const lac_mel_grid *test, axes a, const char *const titles[3],
                uint8_t **png, size_t *size)
{
    lac_canvas c = {0, 0, NULL};
    int status = lac_canvas_open(&c, LEFT + COLUMNS + RIGHT, TOP + 3 * ROWS + 2 * GAP + BOTTOM, white);
    if (status != LAC_OK)
        return status;
    const lac_mel_grid *from[3] = {ref, test, test}, *less[3] = {NULL, NULL, ref};
    for (int i = 0; i < 3; i++) {
        lac_panel p = {&c, LEFT, TOP + i * (ROWS + GAP), COLUMNS, ROWS};
        part(&p, from[i], less[i]);
        lac_panel_frequency_axis(&p, a.nyquist);
        lac_panel_time_axis(&p, 0, a.seconds, i == 2);
        lac_panel_title(&p, titles[i]);
    }
    status = lac_canvas_png(&c, png, size);
    lac_canvas_close(&c);
    return status;
}

/* Levels are relative to the reference's highest; a silent one counts as full scale. */
int lac_picture_compare(const double *ref, const double *test, size_t samples, unsigned rate,
                        const char *const titles[3], uint8_t **png, size_t *size)
{
    lac_mel_grid *r = malloc(sizeof *r), *t = malloc(sizeof *t);
    int status = r == NULL || t == NULL ? LAC_ERROR_MEMORY : lac_mel_grid_measure(r, ref, samples, rate);
    if (status == LAC_OK)
        status = lac_mel_grid_measure(t, test, samples, rate);
    if (status == LAC_OK) {
        double top = lac_mel_grid_top(r);
        lac_mel_grid_below(r, top);
        lac_mel_grid_below(t, top);
        status = draw(r, t, (axes){(double)samples / rate, rate / 2.0}, titles, png, size);
    }
    free(r);
    free(t);
    return status;
}
