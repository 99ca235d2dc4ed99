/* Matrix products apart from their kernels: packed weights, threads. */
#include <string.h>

#include "kernels.h"
#include "parallel.h"

#define PANEL LAC_GEMM_PANEL
#define GROUP LAC_GEMM_GROUP

size_t lac_linear_panel_bytes(size_t in)
{
    return 2 * PANEL * sizeof(float) + (in + LAC_GEMM_PAD - 1) / LAC_GEMM_PAD * LAC_GEMM_PAD * PANEL;
}

static size_t panels(const lac_linear *l)
{
    return ((size_t)l->out + PANEL - 1) / PANEL;
}

size_t lac_linear_packed_bytes(const lac_linear *l)
{
    return panels(l) * lac_linear_panel_bytes(l->in);
}

void lac_linear_pack(lac_linear *l, uint8_t *to)
{
    size_t panel_bytes = lac_linear_panel_bytes(l->in), K = l->in;
    memset(to, 0, lac_linear_packed_bytes(l));
    for (size_t n = 0; n < l->out; n++) {
        uint8_t *panel = to + n / PANEL * panel_bytes;
        size_t i = n % PANEL;
        if (l->scale != NULL) {
            memcpy(panel + i * sizeof(float), &l->scale[n], sizeof(float));
            memcpy(panel + (PANEL + i) * sizeof(float), &l->bias[n], sizeof(float));
        }
        int8_t *weights = (int8_t *)panel + 2 * PANEL * sizeof(float) + GROUP * i;
        for (size_t k = 0; k < K; k++)
            weights[k / GROUP * GROUP * PANEL + k % GROUP] = l->weight[n * K + k];
    }
    l->packed = to;
}

lac_linear lac_linear_part(const lac_linear *l, uint32_t first, uint32_t count)
{
    return (lac_linear){
        .in = l->in,
        .out = count,
        .weight = l->weight + (size_t)first * l->in,
        .scale = l->scale + first,
        .bias = l->bias + first,
        .packed = l->packed == NULL ? NULL : l->packed + first / PANEL * lac_linear_panel_bytes(l->in),
    };
}

typedef struct gemm_job {
    lac_gemm_s16s8_fn *gemm;
    float *out;
    size_t ldo;
    const int16_t *a;
    const float *a_scale;
    const lac_linear *w;
    size_t M;
} gemm_job;

static void run_panels(void *user, size_t part, size_t first, size_t end)
{
    const gemm_job *j = user;
    size_t n = end * PANEL < j->w->out ? end * PANEL : j->w->out;
    (void)part;
    j->gemm(j->out, j->ldo, j->a, j->a_scale, j->w, first * PANEL, n, j->M);
}

void lac_gemm(const lac_kernels *kernels, float *out, size_t ldo, const int16_t *a, const float *a_scale,
              const lac_linear *w, size_t M, unsigned threads)
{
    gemm_job job = {kernels->gemm_s16s8, out, ldo, a, a_scale, w, M};
    lac_parallel(panels(w), threads, run_panels, &job);
}
