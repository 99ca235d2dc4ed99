/* sdot multiplies int8 alone, but 16 at a time where smlal takes 4 int16. An activation is two int8, 256 * high + low,
 * so there are two sums: twice what smlal does. The codebook search, 13 bits on both sides, would gain nothing. */
#include <arm_neon.h>

#include "kernels.h"

#define LAC_KERNEL(op) lac_##op##_neondot
#define LANES 8
#define TILE_ROWS 2
#define TILE_PANELS 1
#define DEPTH 2
#define INPUTS 8

typedef struct acts {
    int8x8_t high, low;
} acts;

/* Of outputs 0 .. 3 and 4 .. 7. */
typedef struct sums {
    int32x4_t high0, high4, low0, low4;
} sums;

/* Of outputs 0 .. 3 and 4 .. 7, each inputs 0 .. 3 and 4 .. 7. */
typedef struct weights {
    int8x16_t out0_in0, out4_in0, out0_in4, out4_in4;
} weights;

/* The low byte is signed, so the high one is rounded. */
static inline acts acts_load(const int16_t *a)
{
    int16x8_t x = vld1q_s16(a);
    return (acts){vrshrn_n_s16(x, 8), vmovn_s16(x)};
}

static inline sums sums_zero(void)
{
    int32x4_t zero = vdupq_n_s32(0);
    return (sums){zero, zero, zero, zero};
}

static inline sums sums_add(sums a, sums b)
{
    return (sums){vaddq_s32(a.high0, b.high0), vaddq_s32(a.high4, b.high4), vaddq_s32(a.low0, b.low0),
                  vaddq_s32(a.low4, b.low4)};
}

static inline weights weights_load(const uint8_t *p)
{
    const int8_t *w = (const int8_t *)p, *next = w + LAC_GEMM_GROUP * LAC_GEMM_PANEL;
    return (weights){vld1q_s8(w), vld1q_s8(w + 16), vld1q_s8(next), vld1q_s8(next + 16)};
}

static inline sums sums_dot(sums s, weights w, acts a)
{
    s.high0 = vdotq_lane_s32(vdotq_lane_s32(s.high0, w.out0_in0, a.high, 0), w.out0_in4, a.high, 1);
    s.high4 = vdotq_lane_s32(vdotq_lane_s32(s.high4, w.out4_in0, a.high, 0), w.out4_in4, a.high, 1);
    s.low0 = vdotq_lane_s32(vdotq_lane_s32(s.low0, w.out0_in0, a.low, 0), w.out0_in4, a.low, 1);
    s.low4 = vdotq_lane_s32(vdotq_lane_s32(s.low4, w.out4_in0, a.low, 0), w.out4_in4, a.low, 1);
    return s;
}

/* 256 * high alone may not fit int32, but the sum does: unsigned, it wraps to the right one. */
static inline int32x4_t whole(int32x4_t high, int32x4_t low)
{
    return vreinterpretq_s32_u32(vaddq_u32(vshlq_n_u32(vreinterpretq_u32_s32(high), 8), vreinterpretq_u32_s32(low)));
}

static inline void sums_put(int32_t *out, sums s)
{
    vst1q_s32(out, whole(s.high0, s.low0));
    vst1q_s32(out + 4, whole(s.high4, s.low4));
}

static inline float32x4_t result(int32x4_t high, int32x4_t low, float a_scale, const float *scales)
{
    float32x4_t x = vmulq_n_f32(vcvtq_f32_s32(whole(high, low)), a_scale);
    return vaddq_f32(vmulq_f32(x, vld1q_f32(scales)), vld1q_f32(scales + LAC_GEMM_PANEL));
}

static inline void sums_store(float *out, sums s, float a_scale, const float *scales)
{
    vst1q_f32(out, result(s.high0, s.low0, a_scale, scales));
    vst1q_f32(out + 4, result(s.high4, s.low4, a_scale, scales + 4));
}

#include "gemm_body.h"
