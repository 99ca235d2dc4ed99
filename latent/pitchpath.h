/* Which of each frame's periods is the pitch, if any: probabilities given the frames before and some after. */
#ifndef LAC_LATENT_PITCHPATH_H
#define LAC_LATENT_PITCHPATH_H

#include <stdint.h>

#include "periods.h"

#define LAC_PATH_AHEAD 4 /* frames after the one that is told */
#define LAC_PATH_STATES (LAC_PERIODS_MAX + 1) /* 0 is no pitch, i the period i - 1 */

typedef struct lac_path_frame {
    size_t states;
    float hz[LAC_PATH_STATES], octave[LAC_PATH_STATES];
    float forward[LAC_PATH_STATES];               /* probability given the frames up to this one */
    float step[LAC_PATH_STATES][LAC_PATH_STATES]; /* [from][to]: of coming here from the frame before, times what this
                                                     frame's sound says for it */
} lac_path_frame;

/* Zeroed, it is at its start. */
typedef struct lac_path {
    uint64_t count;
    lac_path_frame frames[LAC_PATH_AHEAD + 1]; /* frame t at t modulo their number */
} lac_path;

/* The next frame's periods [count]. */
void lac_path_push(lac_path *path, const lac_period *periods, size_t count);

/* Of the frame LAC_PATH_AHEAD before the last: the probability of a pitch, and the likeliest one. */
float lac_path_tell(const lac_path *path, float *hz);

#endif
