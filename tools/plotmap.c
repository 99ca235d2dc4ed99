/* Speakers' vectors on a plane. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lac/status.h"
#include "panel.h"
#include "pca.h"
#include "plots.h"

#define SIDE 900
#define LEFT 60
#define TOP 44
#define BOTTOM 50
#define RIGHT 160    /* room for names of points on the right */
#define MOST_NAMES 60

static const lac_colour white = {255, 255, 255};

typedef struct map {
    lac_canvas canvas;
    lac_panel panel;
    const lac_plot_point *points;
    size_t count;
    double *at;                 /* [count][2] */
    double shares[2];
    double middle[2], scale;    /* pixels a unit, the same both ways */
} map;

/* Hues a golden section apart; two lightnesses in turn. */
static lac_colour group_colour(size_t group)
{
    double hue = fmod(0.58 + 0.61803398875 * (double)group, 1) * 6, value = group % 2 ? 0.62 : 0.82;
    double rgb[3];

    for (int i = 0; i < 3; i++) {
        double k = fmod(hue + (i == 0 ? 5 : i == 1 ? 3 : 1), 6);
        rgb[i] = value * (1 - 0.8 * fmax(0, fmin(fmin(k, 4 - k), 1)));
    }
    return (lac_colour){(uint8_t)lrint(255 * rgb[0]), (uint8_t)lrint(255 * rgb[1]), (uint8_t)lrint(255 * rgb[2])};
}

static int place(map *m)
{
    float *x = malloc(m->count * LAC_SPEAKER_SIZE * sizeof *x);
    int status = x ? 0 : LAC_ERROR_MEMORY;

    m->at = calloc(m->count, 2 * sizeof *m->at);
    for (size_t i = 0; i < m->count && !status; i++)
        memcpy(x + i * LAC_SPEAKER_SIZE, m->points[i].vector, LAC_SPEAKER_SIZE * sizeof *x);
    if (!status)
        status = m->at ? lac_pca(x, m->count, LAC_SPEAKER_SIZE, 2, m->at, m->shares) : LAC_ERROR_MEMORY;
    free(x);
    return status;
}

/* The middle of what there is in the middle of the picture, with a margin. */
static void fit(map *m)
{
    double widest = 1e-6;

    for (int d = 0; d < 2; d++) {
        double low = m->at[d], high = m->at[d];

        for (size_t i = 0; i < m->count; i++) {
            low = fmin(low, m->at[2 * i + (size_t)d]);
            high = fmax(high, m->at[2 * i + (size_t)d]);
        }
        m->middle[d] = (low + high) / 2;
        widest = fmax(widest, high - low);
    }
    m->scale = 0.92 * SIDE / widest;
}

static double x_of(const map *m, double x)
{
    return LEFT + SIDE / 2.0 + (x - m->middle[0]) * m->scale;
}

static double y_of(const map *m, double y)
{
    return TOP + SIDE / 2.0 - (y - m->middle[1]) * m->scale;
}

/* Points i .. the end of their label. */
static size_t group_end(const map *m, size_t i)
{
    size_t end = i + 1;

    while (end < m->count && strcmp(m->points[end].label, m->points[i].label) == 0)
        end++;
    return end;
}

static size_t groups_of(const map *m)
{
    size_t groups = 0;

    for (size_t i = 0; i < m->count; i = group_end(m, i))
        groups++;
    return groups;
}

static void draw_points(map *m)
{
    size_t group = 0;

    for (size_t i = 0, end; i < m->count; i = end, group++) {
        end = group_end(m, i);
        for (size_t k = i; k < end; k++) {
            double x = x_of(m, m->at[2 * k]), y = y_of(m, m->at[2 * k + 1]);

            lac_canvas_line(&m->canvas, x, y, x, y, 11, white);
            lac_canvas_line(&m->canvas, x, y, x, y, 9, group_colour(group));
        }
    }
}

/* A label's name beside the middle of its points. */
static void draw_names(map *m)
{
    size_t group = 0;

    for (size_t i = 0, end; i < m->count; i = end, group++) {
        double x = 0, y = 0;
        char words[48];
        lac_lettering style = lac_panel_label;

        end = group_end(m, i);
        for (size_t k = i; k < end; k++) {
            x += m->at[2 * k] / (double)(end - i);
            y += m->at[2 * k + 1] / (double)(end - i);
        }
        style.colour = group_colour(group);
        snprintf(words, sizeof words, "%s", m->points[i].label);
        lac_canvas_text(&m->canvas, x_of(m, x) + 8, y_of(m, y) + 5, words, style, LAC_ANCHOR_LEFT, false);
    }
}

static void draw_axes(map *m, const char *title)
{
    char words[64];

    lac_panel_frame(&m->panel);
    lac_panel_title(&m->panel, title);
    snprintf(words, sizeof words, "%.0f %% of the variance", 100 * m->shares[0]);
    lac_canvas_text(&m->canvas, LEFT + SIDE / 2.0, TOP + SIDE + 28, words, lac_panel_label, LAC_ANCHOR_MIDDLE,
                    false);
    snprintf(words, sizeof words, "%.0f %% of the variance", 100 * m->shares[1]);
    lac_panel_name(&m->panel, words);
}

int lac_plot_map(const lac_plot_point *points, size_t count, const char *title, uint8_t **png, size_t *size)
{
    map m = {.points = points, .count = count};
    int status = lac_canvas_open(&m.canvas, LEFT + SIDE + RIGHT, TOP + SIDE + BOTTOM, white);

    m.panel = (lac_panel){&m.canvas, LEFT, TOP, SIDE, SIDE};
    if (!status)
        status = place(&m);
    if (!status) {
        fit(&m);
        draw_axes(&m, title);
        draw_points(&m);
        if (groups_of(&m) <= MOST_NAMES)
            draw_names(&m);
        status = lac_canvas_png(&m.canvas, png, size);
    }
    free(m.at);
    lac_canvas_close(&m.canvas);
    return status;
}
