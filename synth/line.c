#include "line.h"

#include <math.h>
#include <stdlib.h>

#include "convert.h"
#include "convolve.h"
#include "filters.h"
#include "lac/status.h"
#include "level.h"

#define MULAW_RATE    8000
#define MULAW_BIAS    33
#define MULAW_LARGEST 8191 /* with its bias */

uint8_t lac_mulaw_code(float x)
{
    double size = fmin(fabs((double)x) * 8192 + MULAW_BIAS, MULAW_LARGEST);
    int steps = (int)size, segment = 0;
    while (steps >> (segment + 6) != 0)
        segment++;
    int code = segment << 4 | (steps >> (segment + 1) & 15);
    return (uint8_t)(~code & (x < 0 ? 0x7f : 0xff));
}

float lac_mulaw_value(uint8_t code)
{
    int segment = ~code >> 4 & 7, step = ~code & 15;
    int size = ((2 * step + 33) << segment) - MULAW_BIAS;
    return (float)(code & 0x80 ? size : -size) / 8192;
}

int lac_line_mulaw(float *pcm, size_t count, uint32_t rate)
{
    size_t n = lac_convert_count(count, rate, MULAW_RATE);
    float *line = malloc((n + 1) * sizeof *line);
    int status = line ? lac_convert(pcm, count, rate, line, n, MULAW_RATE) : LAC_ERROR_MEMORY;
    for (size_t i = 0; i < n && status == LAC_OK; i++)
        line[i] = lac_mulaw_value(lac_mulaw_code(line[i]));
    if (status == LAC_OK)
        status = lac_convert(line, n, MULAW_RATE, pcm, count, rate);
    free(line);
    return status;
}

/* Fourth order, of Butterworth's. */
static void cut_low(float *pcm, size_t count, uint32_t rate, double hz)
{
    lac_biquad first = lac_biquad_high_pass(hz, rate, 0.54119610014619698);
    lac_biquad second = lac_biquad_high_pass(hz, rate, 1.3065629648763766);
    lac_biquad_run(&first, pcm, count);
    lac_biquad_run(&second, pcm, count);
}

static int cut_high(float *pcm, size_t count, uint32_t rate, double hz)
{
    size_t side = 127 * (size_t)rate / 24000;
    float *h = malloc((2 * side + 1) * sizeof *h);
    if (h == NULL)
        return LAC_ERROR_MEMORY;
    lac_fir_low_pass(h, side, hz, rate);
    int status = lac_convolve(pcm, count, h, 2 * side + 1, side);
    free(h);
    return status;
}

int lac_line_band(float *pcm, size_t count, uint32_t rate, double low_hz, double high_hz)
{
    if (low_hz > 0)
        cut_low(pcm, count, rate, low_hz);
    return high_hz > 0 && 2 * high_hz < rate ? cut_high(pcm, count, rate, high_hz) : LAC_OK;
}

static double energy(const float *pcm, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += (double)pcm[i] * (double)pcm[i];
    return sum;
}

void lac_line_clip(float *pcm, size_t count, double db)
{
    double before = energy(pcm, count);
    float top = (float)((double)lac_level_peak(pcm, count) * pow(10, -db / 20));
    if (!(top > 0))
        return; /* silence, or so faint that the limit is no number above 0 */
    for (size_t i = 0; i < count; i++)
        pcm[i] = fmaxf(-top, fminf(top, pcm[i]));
    lac_level_scale(pcm, count, sqrt(before / energy(pcm, count)));
}
