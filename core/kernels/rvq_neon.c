#include <arm_neon.h>

#define LAC_KERNEL(op) lac_##op##_neon
#define LANES 4
#define ROWS 2

typedef int32x4_t sums;
typedef int16x4x2_t weights;

#define weights_load(p) vld2_s16((const int16_t *)(const void *)(p))

static inline int32x4_t sums_dot(int32x4_t s, int16x4x2_t w, int32_t a)
{
    int16x4_t pair = vreinterpret_s16_s32(vdup_n_s32(a));
    return vmlal_lane_s16(vmlal_lane_s16(s, w.val[0], pair, 0), w.val[1], pair, 1);
}

#include "rvq_body.h"
