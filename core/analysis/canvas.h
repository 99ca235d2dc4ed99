/* An RGB picture: rectangles, antialiased lines and text, written as PNG. */
#ifndef LAC_ANALYSIS_CANVAS_H
#define LAC_ANALYSIS_CANVAS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct lac_colour {
    uint8_t r, g, b;
} lac_colour;

typedef struct lac_canvas {
    int width, height; /* pixels */
    lac_colour *pixel; /* [height][width] */
} lac_canvas;

/* A picture of one colour: 0, LAC_ERROR_ARGUMENT (a side below 1 or above 16384) or LAC_ERROR_MEMORY. Free with
 * lac_canvas_close, which allows a zeroed canvas. */
int lac_canvas_open(lac_canvas *c, int width, int height, lac_colour fill);
void lac_canvas_close(lac_canvas *c);

/* Parts outside the picture are left out, here and below. */
void lac_canvas_pixel(lac_canvas *c, int x, int y, lac_colour colour);
void lac_canvas_box(lac_canvas *c, int x, int y, int width, int height, lac_colour colour);

/* The outline, one pixel wide, just outside the box. */
void lac_canvas_frame(lac_canvas *c, int x, int y, int width, int height, lac_colour colour);

/* A line with round ends, antialiased, `weight` pixels wide; a disc where both ends are the same. */
void lac_canvas_line(lac_canvas *c, double x0, double y0, double x1, double y1, double weight, lac_colour colour);

typedef enum lac_anchor { LAC_ANCHOR_LEFT, LAC_ANCHOR_MIDDLE, LAC_ANCHOR_RIGHT } lac_anchor;

typedef struct lac_lettering {
    double height; /* pixels, of a capital */
    double weight; /* pixels, of a stroke */
    lac_colour colour;
} lac_lettering;

/* One line of ASCII text; other characters show as '?'. x, y is the left end, middle or right end of its base line;
 * with `upwards` the text runs from bottom to top. */
void lac_canvas_text(lac_canvas *c, double x, double y, const char *text, lac_lettering style, lac_anchor anchor,
                     bool upwards);

/* Pixels from the start of the text to its end. */
double lac_text_width(const char *text, lac_lettering style);

/* The picture as a PNG file of *size bytes, freed with free: 0 or LAC_ERROR_MEMORY. */
int lac_canvas_png(const lac_canvas *c, uint8_t **bytes, size_t *size);

#endif
