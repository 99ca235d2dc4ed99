/* What a transform's kernels read of its plan. */
#ifndef LAC_CORE_FFT_PLAN_H
#define LAC_CORE_FFT_PLAN_H

#include <stddef.h>

#define LAC_FFT_MAX_STAGES 12

typedef struct lac_fft_stage {
    size_t radix, stride, span; /* stride = product of earlier radices; radix * stride * span = half */
    const float *twiddles;      /* [radix - 1][2][span]: exp(-2 pi i p k / (radix * span)), k = 1 .. radix - 1 */
} lac_fft_stage;

struct lac_fft {
    size_t half; /* of the real samples: the size of the complex transform */
    size_t stage_count;
    lac_fft_stage stages[LAC_FFT_MAX_STAGES];
    const float *turns; /* [2][half / 2 + 1]: exp(-2 pi i k / n) */
    float scale;        /* 1 / n */
};

#endif
