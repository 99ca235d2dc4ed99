#include <arm_neon.h>

#include "kernels.h"

#define LAC_KERNEL(op) lac_##op##_neonsha2

typedef uint32x4_t words;

typedef struct state {
    uint32x4_t abcd, efgh;
} state;

#define constants_load(p) vld1q_u32(p)
#define words_add(a, b) vaddq_u32(a, b)
#define words_load(p) vreinterpretq_u32_u8(vrev32q_u8(vld1q_u8(p)))
#define words_next(a, b, c, d) vsha256su1q_u32(vsha256su0q_u32(a, b), c, d)

static inline state state_load(const uint32_t *h)
{
    return (state){vld1q_u32(h), vld1q_u32(h + 4)};
}

static inline void state_store(uint32_t *h, state s)
{
    vst1q_u32(h, s.abcd);
    vst1q_u32(h + 4, s.efgh);
}

static inline state state_add(state s, state t)
{
    return (state){vaddq_u32(s.abcd, t.abcd), vaddq_u32(s.efgh, t.efgh)};
}

static inline state rounds(state s, words w)
{
    return (state){vsha256hq_u32(s.abcd, s.efgh, w), vsha256h2q_u32(s.efgh, s.abcd, w)};
}

#include "sha256_body.h"
