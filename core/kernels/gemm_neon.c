#include <arm_neon.h>

#include "kernels.h"

#define LAC_KERNEL(op) lac_##op##_neon
#define LANES 8
#define TILE_ROWS 4
#define TILE_PANELS 1
#define DEPTH 2
#define INPUTS 4

typedef int16x4_t acts;

typedef struct sums {
    int32x4_t low, high;
} sums;

/* Of each input. */
typedef struct weights {
    int16x8_t of[INPUTS];
} weights;

#define acts_load(a) vld1_s16(a)

static inline sums sums_zero(void)
{
    return (sums){vdupq_n_s32(0), vdupq_n_s32(0)};
}

static inline sums sums_add(sums a, sums b)
{
    return (sums){vaddq_s32(a.low, b.low), vaddq_s32(a.high, b.high)};
}

static inline weights weights_load(const uint8_t *p)
{
    int8x8x4_t w = vld4_s8((const int8_t *)p);
    return (weights){{vmovl_s8(w.val[0]), vmovl_s8(w.val[1]), vmovl_s8(w.val[2]), vmovl_s8(w.val[3])}};
}

static inline sums sums_dot(sums s, weights w, acts a)
{
#define DOT_INPUT(k)                                            \
    s.low = vmlal_lane_s16(s.low, vget_low_s16(w.of[k]), a, k); \
    s.high = vmlal_lane_s16(s.high, vget_high_s16(w.of[k]), a, k);
    DOT_INPUT(0)
    DOT_INPUT(1)
    DOT_INPUT(2)
    DOT_INPUT(3)
#undef DOT_INPUT
    return s;
}

static inline void sums_put(int32_t *out, sums s)
{
    vst1q_s32(out, s.low);
    vst1q_s32(out + 4, s.high);
}

static inline float32x4_t result(int32x4_t s, float a_scale, const float *scales)
{
    float32x4_t x = vmulq_f32(vmulq_n_f32(vcvtq_f32_s32(s), a_scale), vld1q_f32(scales));
    return vaddq_f32(x, vld1q_f32(scales + LAC_GEMM_PANEL));
}

static inline void sums_store(float *out, sums s, float a_scale, const float *scales)
{
    vst1q_f32(out, result(s.low, a_scale, scales));
    vst1q_f32(out + 4, result(s.high, a_scale, scales + 4));
}

#include "gemm_body.h"
