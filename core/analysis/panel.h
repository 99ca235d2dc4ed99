/* What pictures of sound are made of: mel spectrograms, their colours, axes. */
#ifndef LAC_ANALYSIS_PANEL_H
#define LAC_ANALYSIS_PANEL_H

#include <stdbool.h>
#include <stddef.h>

#include "canvas.h"

#define LAC_PANEL_BANDS 128
#define LAC_PANEL_COLUMNS 1280
#define LAC_PANEL_RANGE_DB 80.0

/* A part of a picture, in pixels: its inside. */
typedef struct lac_panel {
    lac_canvas *canvas;
    int left, top, width, height;
} lac_panel;

/* dB of one signal, band b of column c at [b * LAC_PANEL_COLUMNS + c]. */
typedef struct lac_mel_grid {
    double db[LAC_PANEL_BANDS * LAC_PANEL_COLUMNS];
} lac_mel_grid;

extern const lac_colour lac_panel_edge;
extern const lac_lettering lac_panel_label, lac_panel_heading;

/* Levels of x [samples], finite, at `rate` Hz: 128 Slaney bands to half the rate, 40 ms window; columns average all
 * frames they cover. 0, LAC_ERROR_ARGUMENT or LAC_ERROR_MEMORY. */
int lac_mel_grid_measure(lac_mel_grid *g, const double *x, size_t samples, unsigned rate);

/* The highest level there is, -120 or more. */
double lac_mel_grid_top(const lac_mel_grid *g);

/* Everything relative to `top` dB, -LAC_PANEL_RANGE_DB or more. */
void lac_mel_grid_below(lac_mel_grid *g, double top);

/* Level at a height of 0 (lowest band) to 1 (highest), linear between the middles of the bands. */
double lac_mel_grid_at(const lac_mel_grid *g, size_t column, double height);

/* A colour of a map of `points` colours, at a position of 0 .. 1. */
lac_colour lac_panel_mapped(const lac_colour *map, size_t points, double position);

/* The colour of a level of -LAC_PANEL_RANGE_DB .. 0 dB. */
lac_colour lac_panel_level_colour(double db);

/* 1, 2 or 5 times a power of ten, with at most `most` steps in `range`, which is above 0. */
double lac_panel_step(double range, int most);

void lac_panel_frame(const lac_panel *p);

/* Ticks in Hz on the left of a mel spectrogram to `nyquist` Hz. */
void lac_panel_frequency_axis(const lac_panel *p, double nyquist);

/* Ticks below, of a panel that shows `seconds` from `start` on; with `labelled` numbers too. */
void lac_panel_time_axis(const lac_panel *p, double start, double seconds, bool labelled);

/* A heading above, cut to the panel's width. */
void lac_panel_title(const lac_panel *p, const char *words);

/* A name on the far left, upwards. */
void lac_panel_name(const lac_panel *p, const char *words);

#endif
