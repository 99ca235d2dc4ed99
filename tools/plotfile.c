/* One file's factors over time. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lac/status.h"
#include "mel.h"
#include "panel.h"
#include "plots.h"

#define LEFT 92
#define RIGHT 60
#define TOP 44
#define BOTTOM 62
#define GAP 14
#define COLUMNS LAC_PANEL_COLUMNS

#define LOWEST_HZ 50.0   /* of the pitch panel */
#define HIGHEST_HZ 600.0
#define QUIETEST_DB (-80.0)

static const lac_colour white = {255, 255, 255}, grid_line = {226, 226, 230}, pitch = {16, 92, 176},
                        voice = {186, 200, 214}, energy = {196, 78, 20}, overlay = {92, 232, 240};

enum part { SPECTRUM, PITCH, ENERGY, CONTENT, PHONES, PARTS };
static const int heights[PARTS] = {256, 150, 110, 34, 34};

typedef struct picture {
    lac_canvas canvas;
    lac_panel part[PARTS];
    const lac_factor_set *set;
    const lac_plot_window *window;
    size_t first, end; /* frames shown */
} picture;

/* Where time `t`, in seconds of the whole, is. */
static double x_of(const picture *p, double t)
{
    return LEFT + (t - p->window->start_s) / p->window->seconds * COLUMNS;
}

static double frame_x(const picture *p, double frame)
{
    return fmin(LEFT + COLUMNS, fmax(LEFT, x_of(p, frame / LAC_FACTOR_RATE)));
}

static double y_of(const lac_panel *panel, double part)
{
    return panel->top + (1 - fmin(1, fmax(0, part))) * (panel->height - 1);
}

static double pitch_part(double hz)
{
    return log(hz / LOWEST_HZ) / log(HIGHEST_HZ / LOWEST_HZ);
}

/* A horizontal line with its value. */
static void tick(const lac_panel *panel, double part, const char *words)
{
    int y = (int)lrint(y_of(panel, part));

    lac_canvas_box(panel->canvas, panel->left, y, panel->width, 1, grid_line);
    lac_canvas_box(panel->canvas, panel->left - 7, y, 6, 1, lac_panel_edge);
    lac_canvas_text(panel->canvas, panel->left - 12, y + 5, words, lac_panel_label, LAC_ANCHOR_RIGHT, false);
}

/* ---- parts ---- */

static int draw_spectrum(picture *p)
{
    const lac_panel *panel = &p->part[SPECTRUM];
    lac_mel_grid *grid = malloc(sizeof *grid);
    int status = grid ? lac_mel_grid_measure(grid, p->window->pcm, p->window->samples, p->window->rate)
                      : LAC_ERROR_MEMORY;

    if (!status) {
        lac_mel_grid_below(grid, lac_mel_grid_top(grid));
        for (int y = 0; y < panel->height; y++)
            for (int x = 0; x < COLUMNS; x++) {
                double height = (panel->height - y - 0.5) / panel->height;

                lac_canvas_pixel(panel->canvas, LEFT + x, panel->top + y,
                                 lac_panel_level_colour(lac_mel_grid_at(grid, (size_t)x, height)));
            }
    }
    free(grid);
    return status;
}

/* The value at the middle of each frame, 0 .. 1, joined with that of the frame before; nothing where negative. */
static void curve(const picture *p, enum part part, double (*value)(const picture *, const lac_factor_frame *),
                  double weight, lac_colour colour)
{
    const lac_panel *panel = &p->part[part];

    for (size_t t = p->first; t < p->end; t++) {
        double here = value(p, &p->set->frames[t]), last = t > p->first ? value(p, &p->set->frames[t - 1]) : -1;
        double x = frame_x(p, (double)t + 0.5), y = y_of(panel, here);

        if (here < 0)
            continue;
        if (last < 0)
            lac_canvas_line(panel->canvas, x, y, x, y, weight, colour);
        else
            lac_canvas_line(panel->canvas, frame_x(p, (double)t - 0.5), y_of(panel, last), x, y, weight, colour);
    }
}

static double pitch_value(const picture *p, const lac_factor_frame *f)
{
    (void)p;
    return f->f0_hz > 0 ? fmax(0, pitch_part((double)f->f0_hz)) : -1;
}

/* On the axis of the spectrogram. */
static double harmonic_value(const picture *p, const lac_factor_frame *f)
{
    return f->f0_hz > 0 ? lac_mel_from_hz((double)f->f0_hz) / lac_mel_from_hz(p->window->rate / 2.0) : -1;
}

static double voicing_value(const picture *p, const lac_factor_frame *f)
{
    (void)p;
    return fmax(0, (double)f->voicing);
}

static double energy_value(const picture *p, const lac_factor_frame *f)
{
    (void)p;
    return fmax(0, 1 - (double)f->energy_db / QUIETEST_DB);
}

static void draw_pitch(picture *p)
{
    static const int ticks[] = {50, 100, 200, 400};
    const lac_panel *panel = &p->part[PITCH];
    char words[16];

    for (size_t i = 0; i < sizeof ticks / sizeof *ticks; i++) {
        snprintf(words, sizeof words, "%d", ticks[i]);
        tick(panel, pitch_part(ticks[i]), words);
    }
    curve(p, PITCH, voicing_value, 1.2, voice);
    curve(p, PITCH, pitch_value, 2.6, pitch);
    lac_panel_name(panel, "pitch (Hz)");
    lac_canvas_text(panel->canvas, LEFT + COLUMNS + 22, panel->top + panel->height / 2.0, "voicing 0..1",
                    (lac_lettering){10.5, 1.3, {120, 138, 156}}, LAC_ANCHOR_MIDDLE, true);
}

static void draw_energy(picture *p)
{
    const lac_panel *panel = &p->part[ENERGY];
    char words[16];

    for (int db = 0; db > QUIETEST_DB; db -= 20) {
        snprintf(words, sizeof words, "%d", db);
        tick(panel, 1 - db / QUIETEST_DB, words);
    }
    curve(p, ENERGY, energy_value, 2, energy);
    lac_panel_name(panel, "energy (dB)");
}

/* Digits of a token as parts of red, green and blue, the fourth as lightness: tokens near each other look alike. */
static lac_colour token_colour(const lac_factor_info *about, uint32_t token)
{
    double part[4] = {0.5, 0.5, 0.5, 0.5};

    for (unsigned i = 0; i < 4 && i < about->content_dimensions; i++) {
        unsigned levels = about->content_levels[i];

        part[i] = levels > 1 ? (double)(token % levels) / (levels - 1) : 0.5;
        token /= levels ? levels : 1;
    }
    double light = 0.7 + 0.3 * part[3];
    return (lac_colour){(uint8_t)lrint(light * (40 + 215 * part[0])), (uint8_t)lrint(light * (40 + 215 * part[1])),
                        (uint8_t)lrint(light * (40 + 215 * part[2]))};
}

static void draw_content(picture *p)
{
    const lac_panel *panel = &p->part[CONTENT];
    uint32_t stride = p->set->model.content_stride;

    for (uint64_t i = p->first / stride; i * stride < p->end; i++) {
        int from = (int)lrint(frame_x(p, (double)(i * stride))),
            to = (int)lrint(frame_x(p, (double)((i + 1) * stride)));

        lac_canvas_box(panel->canvas, from, panel->top, to - from, panel->height,
                       token_colour(&p->set->model, lac_factor_set_token(p->set, i)->content));
    }
    lac_canvas_text(panel->canvas, LEFT - 8, panel->top + 22, "content", lac_panel_label, LAC_ANCHOR_RIGHT, false);
}

/* Names that would run into the one before are lowered a little, then left out. */
static void draw_phones(picture *p)
{
    const lac_panel *panel = &p->part[PHONES];
    uint32_t stride = p->set->model.content_stride;
    double free_from[2] = {LEFT, LEFT};
    char words[16];

    for (uint64_t i = (p->first + stride - 1) / stride; i * stride < p->end; i++) {
        double x = frame_x(p, (double)(i * stride));

        if (!lac_factor_set_begins(p->set, i))
            continue;
        lac_plot_ascii(p->set->phones[lac_factor_set_token(p->set, i)->phone], words, sizeof words);
        int row = free_from[0] <= x ? 0 : free_from[1] <= x ? 1 : -1;
        lac_canvas_box(panel->canvas, (int)lrint(x), panel->top, 1, 4, lac_panel_edge);
        if (row < 0)
            continue;
        lac_canvas_text(panel->canvas, x, panel->top + 15 + 15 * row, words, lac_panel_label, LAC_ANCHOR_LEFT,
                        false);
        free_from[row] = x + lac_text_width(words, lac_panel_label) + 3;
    }
    lac_canvas_text(panel->canvas, LEFT - 8, panel->top + 22, "phones", lac_panel_label, LAC_ANCHOR_RIGHT, false);
}

/* ---- */

static int open_picture(picture *p)
{
    int height = TOP + BOTTOM, top = TOP;

    for (int i = 0; i < PARTS; i++)
        height += heights[i] + (i > 0 ? GAP : 0);
    int status = lac_canvas_open(&p->canvas, LEFT + COLUMNS + RIGHT, height, white);
    for (int i = 0; i < PARTS; i++) {
        p->part[i] = (lac_panel){&p->canvas, LEFT, top, COLUMNS, heights[i]};
        top += heights[i] + GAP;
    }
    return status;
}

static void choose_frames(picture *p)
{
    double first = floor(p->window->start_s * LAC_FACTOR_RATE + 1e-6);
    double end = ceil((p->window->start_s + p->window->seconds) * LAC_FACTOR_RATE - 1e-6);

    p->first = first < (double)p->set->count ? (size_t)first : p->set->count;
    p->end = end < (double)p->set->count ? (size_t)end : p->set->count;
}

int lac_plot_file(const lac_factor_set *set, const lac_plot_window *window, const char *title, uint8_t **png,
                  size_t *size)
{
    picture p = {.set = set, .window = window};
    int status = open_picture(&p);

    if (!status) {
        choose_frames(&p);
        status = draw_spectrum(&p);
    }
    if (!status) {
        curve(&p, SPECTRUM, harmonic_value, 1.6, overlay);
        draw_pitch(&p);
        draw_energy(&p);
        draw_content(&p);
        draw_phones(&p);
        lac_panel_frequency_axis(&p.part[SPECTRUM], window->rate / 2.0);
        lac_panel_title(&p.part[SPECTRUM], title);
        for (int i = 0; i < PARTS; i++) {
            lac_panel_frame(&p.part[i]);
            if (i == PHONES)
                lac_panel_time_axis(&p.part[i], window->start_s, window->seconds, true);
        }
        status = lac_canvas_png(&p.canvas, png, size);
    }
    lac_canvas_close(&p.canvas);
    return status;
}
