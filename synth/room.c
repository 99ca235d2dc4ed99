#include "room.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "chance.h"
#include "convolve.h"
#include "filters.h"
#include "lac/status.h"
#include "roomdecay.h"

#define PI           3.14159265358979323846
#define IMAGES       12000 /* one by one, about */
#define REFLECTIONS  128   /* more than the images' */
#define MOVED_M      0.05
#define MARGIN_M     0.4 /* between a wall and mouth or microphone */
#define NEAREST_M    0.5
#define FARTHEST_M   3.0
#define CROSSOVER_HZ 1500
#define LOWEST_HZ    60

enum { LOW, HIGH, BANDS };

typedef struct box {
    double size[3], source[3], microphone[3], distance; /* metres */
    double rate;
    double reflection[BANDS];
    lac_decay decay;
} box;

/* Images of one axis: distance along it, reflections. */
typedef struct axis {
    double *distance;
    int *reflections;
    size_t count;
} axis;

static void draw_box(box *b, lac_chance *c)
{
    static const double smallest[3] = {3, 2.5, 2.3}, largest[3] = {9, 7, 3.6};
    for (int i = 0; i < 3; i++)
        b->size[i] = lac_chance_real(c, smallest[i], largest[i]);
    do {
        double sum = 0;
        for (int i = 0; i < 3; i++) {
            b->source[i] = lac_chance_real(c, MARGIN_M, b->size[i] - MARGIN_M);
            b->microphone[i] = lac_chance_real(c, MARGIN_M, b->size[i] - MARGIN_M);
            sum += pow(b->source[i] - b->microphone[i], 2);
        }
        b->distance = sqrt(sum);
    } while (b->distance < NEAREST_M || b->distance > FARTHEST_M);
}

/* Those within `reach` metres. */
static int open_axis(axis *a, double length, double source, double microphone, double reach)
{
    int last = (int)ceil(reach / (2 * length));
    a->distance = malloc((size_t)(4 * last + 2) * sizeof *a->distance);
    a->reflections = malloc((size_t)(4 * last + 2) * sizeof *a->reflections);
    a->count = 0;
    if (a->distance == NULL || a->reflections == NULL)
        return LAC_ERROR_MEMORY;
    for (int n = -last; n <= last; n++)
        for (int mirrored = 0; mirrored < 2; mirrored++) {
            double d = (mirrored ? -source : source) + 2 * n * length - microphone;
            if (fabs(d) >= reach)
                continue;
            a->distance[a->count] = d;
            a->reflections[a->count++] = abs(2 * n - mirrored);
        }
    return LAC_OK;
}

static void close_axis(axis *a)
{
    free(a->distance);
    free(a->reflections);
}

static void fill_powers(double power[BANDS][REFLECTIONS], const double reflection[BANDS])
{
    for (int band = 0; band < BANDS; band++)
        for (int n = 0; n < REFLECTIONS; n++)
            power[band][n] = n == 0 ? 1 : power[band][n - 1] * reflection[band];
}

/* An image at `d` metres, moved; the direct sound stays where it is and nothing comes before it. */
static void add_image(const box *b, float *band[BANDS], size_t taps, double power[BANDS][REFLECTIONS], double d,
                      int reflections, lac_chance *c)
{
    if (reflections > 0)
        d = fmax(d + lac_chance_real(c, -MOVED_M, MOVED_M), b->distance);
    size_t at = (size_t)((d - b->distance) / LAC_SOUND_SPEED * b->rate + 0.5);
    if (at >= taps || reflections >= REFLECTIONS)
        return;
    for (int i = 0; i < BANDS; i++)
        band[i][at] += (float)(power[i][reflections] / d);
}

static void add_images(const box *b, float *band[BANDS], size_t taps, const axis a[3], double reach, lac_chance *c)
{
    double power[BANDS][REFLECTIONS];
    fill_powers(power, b->reflection);
    for (size_t i = 0; i < a[0].count; i++)
        for (size_t j = 0; j < a[1].count; j++) {
            double plane = a[0].distance[i] * a[0].distance[i] + a[1].distance[j] * a[1].distance[j];
            int met = a[0].reflections[i] + a[1].reflections[j];
            if (plane >= reach * reach)
                continue;
            for (size_t k = 0; k < a[2].count; k++) {
                double d2 = plane + a[2].distance[k] * a[2].distance[k];
                if (d2 < reach * reach)
                    add_image(b, band, taps, power, sqrt(d2), met + a[2].reflections[k], c);
            }
        }
}

/* What lies beyond `reach` metres: the same noise in both bands, each at its own level. */
static void add_tail(const box *b, float *band[BANDS], size_t taps, double reach, lac_chance *c)
{
    size_t first = (size_t)((reach - b->distance) / LAC_SOUND_SPEED * b->rate + 0.5),
           step = (size_t)(b->rate / 200);
    double level[BANDS] = {0};
    for (size_t at = first; at < taps; at++) {
        if ((at - first) % step == 0) {
            double t = b->decay.start + (double)(at + step / 2) / b->rate;
            for (int i = 0; i < BANDS; i++)
                level[i] = sqrt(lac_decay_power(&b->decay, b->reflection[i], t) / b->rate);
        }
        double noise = lac_chance_normal(c);
        for (int i = 0; i < BANDS; i++)
            band[i][at] += (float)(level[i] * noise);
    }
}

static int fill_bands(const box *b, float *band[BANDS], size_t taps, lac_chance *c)
{
    double volume = b->size[0] * b->size[1] * b->size[2];
    double farthest = b->distance + (double)taps / b->rate * LAC_SOUND_SPEED;
    double reach = fmin(cbrt(IMAGES * volume * 3 / (4 * PI)), farthest);
    axis a[3] = {{0}};
    int status = LAC_OK;
    for (int i = 0; i < 3 && status == LAC_OK; i++)
        status = open_axis(&a[i], b->size[i], b->source[i], b->microphone[i], reach);
    if (status == LAC_OK) {
        add_images(b, band, taps, a, reach, c);
        add_tail(b, band, taps, reach, c);
    }
    for (int i = 0; i < 3; i++)
        close_axis(&a[i]);
    return status;
}

/* response = what is low of one band and high of the other. */
static int join_bands(float *response, float *band[BANDS], size_t taps, double rate)
{
    size_t side = (size_t)(64 * rate / 24000);
    float *h = malloc((2 * side + 1) * sizeof *h);
    if (h == NULL)
        return LAC_ERROR_MEMORY;
    lac_fir_low_pass(h, side, CROSSOVER_HZ, rate);
    for (size_t i = 0; i < taps; i++)
        band[LOW][i] -= band[HIGH][i];
    int status = lac_convolve(band[LOW], taps, h, 2 * side + 1, side);
    free(h);
    if (status != LAC_OK)
        return status;
    lac_biquad f = lac_biquad_high_pass(LOWEST_HZ, rate, LAC_BUTTERWORTH_Q);
    double energy = 0;
    for (size_t i = 0; i < taps; i++)
        response[i] = band[HIGH][i] + band[LOW][i];
    lac_biquad_run(&f, response, taps);
    for (size_t i = 0; i < taps; i++)
        energy += (double)response[i] * (double)response[i];
    for (size_t i = 0; i < taps; i++)
        response[i] = (float)((double)response[i] / sqrt(energy));
    return LAC_OK;
}

int lac_room_open(lac_room *room, double t60_s, double rate, uint64_t seed)
{
    lac_chance c = lac_chance_open(seed, LAC_CHANCE_ROOM);
    box b = {.rate = rate};
    draw_box(&b, &c);
    lac_decay_init(&b.decay, b.size, b.distance);
    b.reflection[LOW] = lac_decay_reflection(&b.decay, t60_s);
    b.reflection[HIGH] = lac_decay_reflection(&b.decay, t60_s * lac_chance_real(&c, 0.5, 1));
    size_t taps = (size_t)(1.1 * t60_s * rate);
    float *band[BANDS] = {calloc(taps, sizeof(float)), calloc(taps, sizeof(float))};
    *room = (lac_room){.response = malloc(taps * sizeof(float)), .taps = taps, .distance_m = b.distance};
    int status = band[LOW] && band[HIGH] && room->response ? LAC_OK : LAC_ERROR_MEMORY;
    if (status == LAC_OK)
        status = fill_bands(&b, band, taps, &c);
    if (status == LAC_OK)
        status = join_bands(room->response, band, taps, rate);
    free(band[LOW]);
    free(band[HIGH]);
    if (status == LAC_OK)
        status = lac_room_t60(room->response, taps, rate, &room->t60_s);
    if (status != LAC_OK)
        lac_room_close(room);
    return status;
}

void lac_room_close(lac_room *room)
{
    free(room->response);
    *room = (lac_room){0};
}
