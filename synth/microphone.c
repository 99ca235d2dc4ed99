#include "microphone.h"

#include <math.h>
#include <stdlib.h>

#include "chance.h"
#include "convolve.h"
#include "filters.h"
#include "lac/status.h"

#define PI         3.14159265358979323846
#define KNOTS      10 /* from LOWEST_HZ to HIGHEST_HZ, at equal ratios */
#define LOWEST_HZ  100.0
#define HIGHEST_HZ 10000.0
#define STEPS      16 /* between knots, for the deviation */

/* dB at a position 0 .. KNOTS - 1: from knot to knot along half a cosine. */
static double between(const double *knots, double position)
{
    size_t i = (size_t)position;
    double part = (1 - cos(PI * (position - (double)i))) / 2;
    return i + 1 < KNOTS ? knots[i] * (1 - part) + knots[i + 1] * part : knots[KNOTS - 1];
}

static void draw_curve(double *knots, double db, uint64_t seed)
{
    lac_chance c = lac_chance_open(seed, LAC_CHANCE_MICROPHONE);
    double sum = 0, squares = 0, count = (KNOTS - 1) * STEPS + 1;
    for (int i = 0; i < KNOTS; i++)
        knots[i] = lac_chance_normal(&c);
    for (int i = 0; i <= (KNOTS - 1) * STEPS; i++) {
        double level = between(knots, (double)i / STEPS);
        sum += level;
        squares += level * level;
    }
    double mean = sum / count, deviation = sqrt(squares / count - mean * mean);
    for (int i = 0; i < KNOTS; i++)
        knots[i] = (knots[i] - mean) * db / deviation;
}

/* Below the lowest knot as one pole falls, above the highest level. */
static double gain_at(const double *knots, double hz)
{
    if (hz <= LOWEST_HZ)
        return pow(10, knots[0] / 20) * hz / LOWEST_HZ;
    double position = log(hz / LOWEST_HZ) / log(HIGHEST_HZ / LOWEST_HZ) * (KNOTS - 1);
    return pow(10, between(knots, fmin(position, KNOTS - 1)) / 20);
}

int lac_microphone_open(lac_microphone *m, double db, double rate, uint64_t seed)
{
    double knots[KNOTS];
    size_t points = (size_t)(512 * rate / 24000);
    m->side = points / 2;
    m->response = malloc((2 * m->side + 1) * sizeof *m->response);
    double *gains = malloc((points + 1) * sizeof *gains);
    int status = m->response && gains ? LAC_OK : LAC_ERROR_MEMORY;
    draw_curve(knots, db, seed);
    for (size_t k = 0; k <= points && status == LAC_OK; k++)
        gains[k] = gain_at(knots, (double)k * rate / 2 / (double)points);
    if (status == LAC_OK)
        status = lac_fir_curve(m->response, m->side, gains, points);
    free(gains);
    if (status != LAC_OK)
        lac_microphone_close(m);
    return status;
}

void lac_microphone_close(lac_microphone *m)
{
    free(m->response);
    *m = (lac_microphone){0};
}

int lac_microphone_run(const lac_microphone *m, float *pcm, size_t count)
{
    return lac_convolve(pcm, count, m->response, 2 * m->side + 1, m->side);
}
