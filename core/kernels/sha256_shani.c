#include <immintrin.h>

#include "kernels.h"

#define LAC_KERNEL(op) lac_##op##_shani

typedef __m128i words;

/* As sha256rnds2 has them: a, b, e, f and c, d, g, h, the first in the highest lane. */
typedef struct state {
    __m128i abef, cdgh;
} state;

#define constants_load(p) _mm_loadu_si128((const __m128i *)(const void *)(p))
#define words_add(a, b) _mm_add_epi32(a, b)

static inline words words_load(const uint8_t *p)
{
    const __m128i big = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
    return _mm_shuffle_epi8(constants_load(p), big);
}

static inline words words_next(words a, words b, words c, words d)
{
    return _mm_sha256msg2_epu32(_mm_add_epi32(_mm_sha256msg1_epu32(a, b), _mm_alignr_epi8(d, c, 4)), d);
}

static inline state state_load(const uint32_t *h)
{
    __m128i badc = _mm_shuffle_epi32(constants_load(h), 0xb1), hgfe = _mm_shuffle_epi32(constants_load(h + 4), 0x1b);
    return (state){_mm_alignr_epi8(badc, hgfe, 8), _mm_blend_epi16(hgfe, badc, 0xf0)};
}

static inline void state_store(uint32_t *h, state s)
{
    __m128i abef = _mm_shuffle_epi32(s.abef, 0x1b), ghcd = _mm_shuffle_epi32(s.cdgh, 0xb1);
    _mm_storeu_si128((__m128i *)(void *)h, _mm_blend_epi16(abef, ghcd, 0xf0));
    _mm_storeu_si128((__m128i *)(void *)(h + 4), _mm_alignr_epi8(ghcd, abef, 8));
}

static inline state state_add(state s, state t)
{
    return (state){_mm_add_epi32(s.abef, t.abef), _mm_add_epi32(s.cdgh, t.cdgh)};
}

static inline state rounds(state s, words w)
{
    s.cdgh = _mm_sha256rnds2_epu32(s.cdgh, s.abef, w);
    s.abef = _mm_sha256rnds2_epu32(s.abef, s.cdgh, _mm_shuffle_epi32(w, 0x0e));
    return s;
}

#include "sha256_body.h"
