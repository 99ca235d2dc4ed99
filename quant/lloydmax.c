/* Scalar quantisers: S. P. Lloyd, "Least squares quantization in PCM", 1957 (1982); J. Max, "Quantizing for minimum
 * distortion", 1960. */
#include <stdbool.h>

#include "fmath.h"
#include "lac/fit.h"
#include "workspace.h"

#define MAX_LEVELS 65536
#define MAX_PASSES 20000

/* Sums of the weights, and of the weighted points and their squares, before each point [count + 1]; points are
 * taken from the first on, so that far from zero nothing cancels. */
typedef struct moments {
    size_t count;
    const float *points;
    double *weight, *first, *second;
} moments;

static double weight_of(const float *weights, size_t i)
{
    return weights ? (double)weights[i] : 1;
}

static bool is_valid(const float *points, const float *weights, size_t count)
{
    double total = 0;
    for (size_t i = 0; i < count; i++) {
        double w = weight_of(weights, i);
        if (!(points[i] - points[i] == 0) || (i > 0 && points[i] < points[i - 1]) || !(w >= 0) || !(w - w == 0))
            return false;
        total += w;
    }
    return total > 0;
}

static void add_up(moments *m, const float *weights)
{
    for (size_t i = 0; i < m->count; i++) {
        double w = weight_of(weights, i), x = (double)m->points[i] - (double)m->points[0];
        m->weight[i + 1] = m->weight[i] + w;
        m->first[i + 1] = m->first[i] + w * x;
        m->second[i + 1] = m->second[i] + w * x * x;
    }
}

/* Points below x. */
static size_t below(const moments *m, double x)
{
    size_t low = 0, high = m->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if ((double)m->points[middle] - (double)m->points[0] < x)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Levels in the middle of equal shares of the weight. */
static void begin(const moments *m, double *levels, size_t count)
{
    size_t i = 0;
    for (size_t l = 0; l < count; l++) {
        double share = m->weight[m->count] * ((double)l + 0.5) / (double)count;
        while (i + 1 < m->count && m->weight[i + 1] < share)
            i++;
        levels[l] = (double)m->points[i] - (double)m->points[0];
    }
}

/* Each level to the mean of what is nearest to it; one that has nothing stays. Returns whether any moved. */
static bool pass(const moments *m, double *levels, size_t count, double *error)
{
    bool moved = false;
    size_t from = 0;
    *error = 0;
    for (size_t l = 0; l < count; l++) {
        size_t to = l + 1 < count ? below(m, 0.5 * (levels[l] + levels[l + 1])) : m->count;
        to = to < from ? from : to;
        double w = m->weight[to] - m->weight[from], first = m->first[to] - m->first[from];
        if (w > 0) {
            double mean = first / w;
            moved |= mean != levels[l];
            *error += m->second[to] - m->second[from] - first * mean;
            levels[l] = mean;
        }
        from = to;
    }
    *error = *error > 0 ? *error / m->weight[m->count] : 0;
    return moved;
}

static void iterate(const moments *m, double *levels, size_t count, double *error)
{
    begin(m, levels, count);
    for (int i = 0; i < MAX_PASSES && pass(m, levels, count, error); i++)
        continue;
}

int lac_fit_lloyd_max(const float *points, const float *weights, size_t count, uint32_t levels, float *to,
                      double *error)
{
    if (!points || !to || count < 1 || count > SIZE_MAX / 64 || levels < 1 || levels > MAX_LEVELS)
        return LAC_ERROR_ARGUMENT;
    lac_float_mode mode = lac_float_enter();
    double *memory = NULL, left;
    int status = is_valid(points, weights, count) ? LAC_OK : LAC_ERROR_ARGUMENT;
    if (!status && !(memory = lac_alloc((3 * (count + 1) + levels) * sizeof *memory)))
        status = LAC_ERROR_MEMORY;
    if (!status) {
        moments m = {count, points, memory, memory + count + 1, memory + 2 * (count + 1)};
        double *found = memory + 3 * (count + 1);
        add_up(&m, weights);
        iterate(&m, found, levels, &left);
        for (uint32_t l = 0; l < levels; l++)
            to[l] = (float)(found[l] + (double)points[0]);
        if (error)
            *error = left;
    }
    lac_free(memory);
    lac_float_leave(mode);
    return status;
}
