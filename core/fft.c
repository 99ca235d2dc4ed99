#include "fft.h"

#include <stdint.h>

#include "fft_plan.h"
#include "fmath.h"
#include "lac/status.h"

#define MAX_SIZE 4096

/* Radices in the order of the passes, or 0 if n has another factor. */
static size_t factor(size_t n, size_t radices[LAC_FFT_MAX_STAGES])
{
    static const size_t candidates[] = {4, 2, 3, 5};
    size_t count = 0;
    for (size_t i = 0; i < 4; i++)
        for (; n % candidates[i] == 0; n /= candidates[i])
            radices[count++] = candidates[i];
    return n == 1 ? count : SIZE_MAX;
}

/* [2][count]: exp(-2 pi i p step / n), p = 0 .. count - 1 */
static void fill_turns(float *out, size_t count, size_t step, size_t n)
{
    for (size_t p = 0; p < count; p++) {
        double s, c;
        lac_sincos_table((uint32_t)(p * step), (uint32_t)n, &s, &c);
        out[p] = (float)c;
        out[count + p] = (float)-s;
    }
}

static const float *take_twiddles(lac_workspace *w, const lac_fft_stage *g)
{
    float *t = lac_workspace_take(w, g->span * (g->radix - 1) * 2, sizeof(float));
    if (t)
        for (size_t k = 1; k < g->radix; k++)
            fill_turns(t + 2 * (k - 1) * g->span, g->span, k, g->span * g->radix);
    return t;
}

static const float *take_turns(lac_workspace *w, size_t half)
{
    float *t = lac_workspace_take(w, (half / 2 + 1) * 2, sizeof(float));
    if (t)
        fill_turns(t, half / 2 + 1, 1, 2 * half);
    return t;
}

int lac_fft_init(const lac_fft **plan, lac_workspace *w, size_t n)
{
    size_t radices[LAC_FFT_MAX_STAGES];
    if (n < 2 || n > MAX_SIZE || n % 2 != 0)
        return LAC_ERROR_ARGUMENT;
    size_t half = n / 2, count = factor(half, radices);
    if (count == SIZE_MAX)
        return LAC_ERROR_ARGUMENT;
    lac_fft local = {.half = half, .stage_count = count, .scale = 1.0f / (float)n};
    lac_fft *f = lac_workspace_take(w, 1, sizeof(*f));
    size_t stride = 1;
    for (size_t i = 0; i < count; i++) {
        lac_fft_stage *g = &local.stages[i];
        *g = (lac_fft_stage){radices[i], stride, half / stride / radices[i], NULL};
        g->twiddles = take_twiddles(w, g);
        stride *= radices[i];
    }
    local.turns = take_turns(w, half);
    if (w->failed)
        return LAC_ERROR_MEMORY;
    if (f)
        *f = local;
    *plan = f;
    return LAC_OK;
}

size_t lac_fft_scratch(size_t n)
{
    return 2 * n;
}
