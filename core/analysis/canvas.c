#include "canvas.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <png.h>

#include "lac/status.h"
#include "lettering.h"

#define SIDE_MAX 16384
#define CAPITAL 12.0 /* units of the lettering's grid */

int lac_canvas_open(lac_canvas *c, int width, int height, lac_colour fill)
{
    if (width < 1 || height < 1 || width > SIDE_MAX || height > SIDE_MAX)
        return LAC_ERROR_ARGUMENT;
    *c = (lac_canvas){width, height, malloc((size_t)width * (size_t)height * sizeof *c->pixel)};
    if (c->pixel == NULL)
        return LAC_ERROR_MEMORY;
    lac_canvas_box(c, 0, 0, width, height, fill);
    return LAC_OK;
}

void lac_canvas_close(lac_canvas *c)
{
    free(c->pixel);
    c->pixel = NULL;
}

static lac_colour *pixel_at(lac_canvas *c, int x, int y)
{
    bool inside = x >= 0 && y >= 0 && x < c->width && y < c->height;
    return inside ? &c->pixel[(size_t)y * (size_t)c->width + (size_t)x] : NULL;
}

void lac_canvas_pixel(lac_canvas *c, int x, int y, lac_colour colour)
{
    lac_colour *p = pixel_at(c, x, y);
    if (p != NULL)
        *p = colour;
}

void lac_canvas_box(lac_canvas *c, int x, int y, int width, int height, lac_colour colour)
{
    for (int row = y; row < y + height; row++)
        for (int column = x; column < x + width; column++)
            lac_canvas_pixel(c, column, row, colour);
}

void lac_canvas_frame(lac_canvas *c, int x, int y, int width, int height, lac_colour colour)
{
    lac_canvas_box(c, x - 1, y - 1, width + 2, 1, colour);
    lac_canvas_box(c, x - 1, y + height, width + 2, 1, colour);
    lac_canvas_box(c, x - 1, y, 1, height, colour);
    lac_canvas_box(c, x + width, y, 1, height, colour);
}

static uint8_t blended(uint8_t under, uint8_t over, double part)
{
    return (uint8_t)lrint(under + part * ((double)over - under));
}

static void blend(lac_canvas *c, int x, int y, lac_colour colour, double part)
{
    lac_colour *p = pixel_at(c, x, y);
    if (p == NULL || part <= 0)
        return;
    *p = (lac_colour){blended(p->r, colour.r, part), blended(p->g, colour.g, part), blended(p->b, colour.b, part)};
}

typedef struct point {
    double x, y;
} point;

static double distance(point p, point a, point b)
{
    double dx = b.x - a.x, dy = b.y - a.y, length = dx * dx + dy * dy;
    double t = length > 0 ? ((p.x - a.x) * dx + (p.y - a.y) * dy) / length : 0;
    t = fmin(1, fmax(0, t));
    return hypot(p.x - a.x - t * dx, p.y - a.y - t * dy);
}

void lac_canvas_line(lac_canvas *c, double x0, double y0, double x1, double y1, double weight, lac_colour colour)
{
    double reach = weight / 2 + 1;
    double left = fmax(fmin(x0, x1) - reach, 0), right = fmin(fmax(x0, x1) + reach, c->width - 1);
    double top = fmax(fmin(y0, y1) - reach, 0), bottom = fmin(fmax(y0, y1) + reach, c->height - 1);
    for (int y = (int)top; y <= bottom; y++)
        for (int x = (int)left; x <= right; x++) {
            double gap = distance((point){x + 0.5, y + 0.5}, (point){x0, y0}, (point){x1, y1}) - weight / 2;
            blend(c, x, y, colour, fmin(1, 0.5 - gap));
        }
}

static int digit(char c)
{
    return c < 'a' ? c - '0' : c - 'a' + 10;
}

/* Distance of a point of the grid from the nearest stroke, in grid units. */
static double glyph_distance(const char *strokes, point p)
{
    double nearest = HUGE_VAL;
    point last = {0, 0};
    for (bool fresh = true; *strokes != '\0';) {
        if (*strokes == ' ') {
            fresh = true;
            strokes++;
            continue;
        }
        point next = {digit(strokes[0]), digit(strokes[1])};
        nearest = fmin(nearest, distance(p, fresh ? next : last, next));
        last = next;
        fresh = false;
        strokes += 2;
    }
    return nearest;
}

/* One character, by the distance of each pixel's middle from its strokes. origin: where the grid's base line starts. */
static void glyph(lac_canvas *c, point origin, char character, lac_lettering style, bool upwards)
{
    const char *strokes = lac_lettering_strokes(character);
    double unit = style.height / CAPITAL;
    int reach = (int)ceil(style.height * 1.6);
    if (*strokes == '\0')
        return;
    for (int dy = -reach; dy <= reach; dy++)
        for (int dx = -reach; dx <= reach; dx++) {
            int x = (int)floor(origin.x) + dx, y = (int)floor(origin.y) + dy;
            double rx = x + 0.5 - origin.x, ry = y + 0.5 - origin.y;
            point p = upwards ? (point){-ry / unit, CAPITAL + rx / unit} : (point){rx / unit, CAPITAL + ry / unit};
            double gap = glyph_distance(strokes, p) * unit - style.weight / 2;
            blend(c, x, y, style.colour, fmin(1, 0.5 - gap));
        }
}

double lac_text_width(const char *text, lac_lettering style)
{
    int units = 0;
    for (; *text != '\0'; text++)
        units += lac_lettering_advance(*text);
    return units * style.height / CAPITAL;
}

void lac_canvas_text(lac_canvas *c, double x, double y, const char *text, lac_lettering style, lac_anchor anchor,
                     bool upwards)
{
    double part = anchor == LAC_ANCHOR_LEFT ? 0 : anchor == LAC_ANCHOR_MIDDLE ? 0.5 : 1;
    double back = part * lac_text_width(text, style);
    point at = upwards ? (point){x, y + back} : (point){x - back, y};
    for (; *text != '\0'; text++) {
        double step = lac_lettering_advance(*text) * style.height / CAPITAL;
        glyph(c, at, *text, style, upwards);
        at = upwards ? (point){at.x, at.y - step} : (point){at.x + step, at.y};
    }
}

int lac_canvas_png(const lac_canvas *c, uint8_t **bytes, size_t *size)
{
    png_image image;
    memset(&image, 0, sizeof image);
    image.version = PNG_IMAGE_VERSION;
    image.width = (png_uint_32)c->width;
    image.height = (png_uint_32)c->height;
    image.format = PNG_FORMAT_RGB;
    png_alloc_size_t room = PNG_IMAGE_PNG_SIZE_MAX(image);
    uint8_t *png = malloc(room);
    if (png == NULL || !png_image_write_to_memory(&image, png, &room, 0, c->pixel, 0, NULL)) {
        free(png);
        return LAC_ERROR_MEMORY;
    }
    *bytes = png;
    *size = room;
    return LAC_OK;
}
