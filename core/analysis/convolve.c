#include "convolve.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lac/status.h"
#include "planner.h"

#define TAPS_LIMIT ((size_t)1 << 26)
#define SHORTEST   1024

typedef struct convolver {
    size_t size, taps;
    double *time, *rest; /* [size]; [taps - 1] what earlier blocks add to the next one */
    fftw_complex *spectrum, *response;
    fftw_plan forward, inverse;
} convolver;

/* Four times the response costs least a sample; what holds all of a short sound is enough. */
static size_t transform_size(size_t count, size_t taps)
{
    size_t size = SHORTEST;
    while (size < 2 * taps)
        size *= 2;
    while (size < 4 * taps && size - taps + 1 < count)
        size *= 2;
    return size - taps + 1 < count ? size : lac_plan_size(count + taps);
}

static void close_convolver(convolver *c)
{
    lac_plan_free(c->forward);
    lac_plan_free(c->inverse);
    fftw_free(c->time);
    fftw_free(c->spectrum);
    fftw_free(c->response);
    free(c->rest);
}

static int open_convolver(convolver *c, size_t count, const float *h, size_t taps)
{
    size_t size = transform_size(count, taps), bins = size / 2 + 1;
    *c = (convolver){.size = size, .taps = taps};
    c->time = fftw_malloc(size * sizeof *c->time);
    c->rest = calloc(taps, sizeof *c->rest);
    c->spectrum = fftw_malloc(bins * sizeof *c->spectrum);
    c->response = fftw_malloc(bins * sizeof *c->response);
    if (c->time != NULL && c->spectrum != NULL && c->response != NULL && c->rest != NULL) {
        c->forward = lac_plan_forward(size, c->time, c->spectrum);
        c->inverse = lac_plan_inverse(size, c->spectrum, c->time);
    }
    if (c->forward == NULL || c->inverse == NULL) {
        close_convolver(c);
        return LAC_ERROR_MEMORY;
    }
    memset(c->time, 0, size * sizeof *c->time);
    for (size_t i = 0; i < taps; i++)
        c->time[i] = (double)h[i];
    fftw_execute(c->forward);
    for (size_t k = 0; k < bins; k++) {
        c->response[k][0] = c->spectrum[k][0] / (double)size;
        c->response[k][1] = c->spectrum[k][1] / (double)size;
    }
    return LAC_OK;
}

/* c->time [n + taps - 1] = x [n] convolved, and what earlier blocks left added; the rest is what this one leaves.
 */
static void run_block(convolver *c, const float *x, size_t n)
{
    size_t tail = c->taps - 1;
    for (size_t i = 0; i < n; i++)
        c->time[i] = (double)x[i];
    memset(c->time + n, 0, (c->size - n) * sizeof *c->time);
    fftw_execute(c->forward);
    for (size_t k = 0; k <= c->size / 2; k++) {
        double re = c->spectrum[k][0], im = c->spectrum[k][1];
        const double *r = c->response[k];
        c->spectrum[k][0] = re * r[0] - im * r[1];
        c->spectrum[k][1] = re * r[1] + im * r[0];
    }
    fftw_execute(c->inverse);
    for (size_t i = 0; i < tail; i++)
        c->time[i] += c->rest[i];
    memcpy(c->rest, c->time + n, tail * sizeof *c->rest);
}

int lac_convolve(float *x, size_t count, const float *h, size_t taps, size_t delay)
{
    convolver c;
    if (taps >= TAPS_LIMIT)
        return LAC_ERROR_LIMIT;
    int status = open_convolver(&c, count, h, taps);
    if (status != LAC_OK)
        return status;
    size_t block = c.size - taps + 1, end = 0;
    for (size_t at = 0; at < count; at = end) {
        end = count - at < block ? count : at + block;
        run_block(&c, x + at, end - at);
        for (size_t i = at; i < end; i++)
            if (i >= delay)
                x[i - delay] = (float)c.time[i - at];
    }
    for (size_t i = count; i < count + delay; i++)
        if (i >= delay)
            x[i - delay] = (float)c.rest[i - count];
    close_convolver(&c);
    return LAC_OK;
}
