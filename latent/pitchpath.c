#include "pitchpath.h"

#include <string.h>

#include "fmath.h"

#define FRAMES (LAC_PATH_AHEAD + 1)
#define BEGIN 0.06f   /* probability that a voice begins in a frame */
#define END 0.06f     /* that it ends */
#define SPREAD 12.0f  /* 1 / octaves: how fast a change of pitch grows unlikely */
#define LEVEL 32.0f   /* weight of an unchanged pitch over one that begins */
#define LEAP 0.05f    /* the same of a change of any size */
#define DOUBT 0.02f   /* least probability of no pitch in what a frame's sound says */

static float pass(const lac_path_frame *from, size_t j, const lac_path_frame *to, size_t k)
{
    if (k == 0)
        return j == 0 ? 1 - BEGIN : END;
    if (j == 0)
        return BEGIN;
    float change = from->octave[j] - to->octave[k];
    change = change < 0 ? -change : change;
    return (1 - END) * (LEVEL * lac_expf(-SPREAD * change) + LEAP);
}

static void scale_to_one(float *x, size_t n)
{
    float sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += x[i];
    for (size_t i = 0; i < n; i++)
        x[i] /= sum;
}

void lac_path_push(lac_path *path, const lac_period *periods, size_t count)
{
    static const lac_path_frame start = {.states = 1, .forward = {1}};
    const lac_path_frame *before = path->count ? &path->frames[(path->count - 1) % FRAMES] : &start;
    lac_path_frame *now = &path->frames[path->count++ % FRAMES];
    float says[LAC_PATH_STATES] = {1};
    now->states = count + 1;
    for (size_t i = 0; i < count; i++) {
        now->hz[i + 1] = periods[i].hz;
        now->octave[i + 1] = periods[i].octave;
        says[i + 1] = periods[i].weight;
        says[0] -= periods[i].weight;
    }
    says[0] = says[0] > DOUBT ? says[0] : DOUBT;
    for (size_t k = 0; k < now->states; k++) {
        now->forward[k] = 0;
        for (size_t j = 0; j < before->states; j++) {
            now->step[j][k] = pass(before, j, now, k) * says[k];
            now->forward[k] += before->forward[j] * now->step[j][k];
        }
    }
    scale_to_one(now->forward, now->states);
}

float lac_path_tell(const lac_path *path, float *hz)
{
    float after[LAC_PATH_STATES], sum[LAC_PATH_STATES];
    const lac_path_frame *told = &path->frames[path->count % FRAMES];
    for (size_t i = 0; i < LAC_PATH_STATES; i++)
        after[i] = 1;
    for (uint64_t back = 1; back <= LAC_PATH_AHEAD; back++) {
        const lac_path_frame *to = &path->frames[(path->count - back) % FRAMES];
        const lac_path_frame *from = &path->frames[(path->count - back - 1) % FRAMES];
        for (size_t j = 0; j < from->states; j++) {
            sum[j] = 0;
            for (size_t k = 0; k < to->states; k++)
                sum[j] += to->step[j][k] * after[k];
        }
        scale_to_one(sum, from->states);
        memcpy(after, sum, sizeof after);
    }
    for (size_t i = 0; i < told->states; i++)
        after[i] *= told->forward[i];
    scale_to_one(after, told->states);
    size_t best = 1;
    for (size_t i = 2; i < told->states; i++)
        best = after[i] > after[best] ? i : best;
    *hz = told->states > 1 ? told->hz[best] : 0;
    return told->states > 1 ? 1 - after[0] : 0;
}
