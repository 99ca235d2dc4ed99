#include "network.h"

#include <string.h>

#include "parallel.h"

void lac_tap_layer(const lac_tap *tap, const char *name, int index, const float *x, size_t rows, size_t width,
                   size_t stride)
{
    if (tap->layer)
        tap->layer(tap->user, name, index, x, rows, width, stride);
}

static void at_least(size_t *size, size_t need)
{
    if (*size < need)
        *size = need;
}

void lac_layer_needs_linear(lac_layer_needs *needs, const lac_linear *l, size_t rows)
{
    at_least(&needs->rows, rows);
    at_least(&needs->quantised, rows * l->in);
}

void lac_layer_needs_blocks(lac_layer_needs *needs, const lac_block *blocks, size_t count, size_t rows)
{
    for (size_t i = 0; i < count; i++) {
        lac_layer_needs_linear(needs, &blocks[i].up, rows);
        lac_layer_needs_linear(needs, &blocks[i].down, rows);
        at_least(&needs->mixed, rows * blocks[i].width);
        at_least(&needs->hidden, rows * blocks[i].hidden);
    }
}

void lac_layer_work_init(lac_layer_work *work, lac_workspace *w, const lac_layer_needs *needs,
                         const lac_kernels *kernels, unsigned threads)
{
    work->kernels = kernels;
    work->threads = threads;
    work->quantised = lac_workspace_take(w, needs->quantised, sizeof(int16_t));
    work->scale = lac_workspace_take(w, needs->rows, sizeof(float));
    work->mixed = lac_workspace_take(w, needs->mixed, sizeof(float));
    work->hidden = lac_workspace_take(w, needs->hidden, sizeof(float));
}

void lac_layer_quantise(lac_layer_work *work, const float *x, size_t stride, size_t rows, size_t n)
{
    for (size_t i = 0; i < rows; i++)
        work->kernels->quantize_row(work->quantised + i * n, work->scale + i, x + i * stride, n);
}

void lac_layer_quantise_norm(lac_layer_work *work, const float *x, size_t rows, size_t n)
{
    for (size_t i = 0; i < rows; i++) {
        work->kernels->norm_row(work->mixed, x + i * n, n);
        work->kernels->quantize_row(work->quantised + i * n, work->scale + i, work->mixed, n);
    }
}

void lac_layer_product(const lac_layer_work *work, const lac_linear *l, size_t first, size_t rows, float *out,
                       size_t ldo)
{
    lac_gemm(work->kernels, out, ldo, work->quantised + first * l->in, work->scale + first, l, rows, work->threads);
}

void lac_stack_init(lac_stack *s, lac_workspace *w, const lac_block *blocks, size_t count, size_t rows)
{
    s->blocks = blocks;
    s->count = count;
    s->width = blocks[0].width;
    s->past = (blocks[0].kernel - 1) * s->width;
    size_t lead = s->past > 2 * s->width ? s->past : 2 * s->width;
    s->x = lac_workspace_take(w, lead + rows * s->width, sizeof(float));
    if (s->x)
        s->x += lead;
    s->history = lac_workspace_take(w, count * s->past, sizeof(float));
}

void lac_stack_reset(lac_stack *s)
{
    memset(s->history, 0, s->count * s->past * sizeof(float));
}

typedef struct block_job {
    const lac_block *b;
    const float *x; /* row 0 */
    lac_layer_work *work;
} block_job;

/* Up to the quantised input of the first product. */
static void mix_rows(void *user, size_t part, size_t first, size_t end)
{
    const lac_block *b = ((block_job *)user)->b;
    const float *x = ((block_job *)user)->x;
    lac_layer_work *work = ((block_job *)user)->work;
    const lac_kernels *k = work->kernels;
    size_t c = b->width;
    (void)part;
    k->depthwise(work->mixed + first * c, x + first * c - (b->kernel - 1) * c, b->depthwise, b->depthwise_bias,
                 end - first, c, b->kernel);
    for (size_t i = first; i < end; i++) {
        k->norm_row(work->mixed + i * c, work->mixed + i * c, c);
        k->quantize_row(work->quantised + i * c, work->scale + i, work->mixed + i * c, c);
    }
}

static void activate_rows(void *user, size_t part, size_t first, size_t end)
{
    lac_layer_work *work = ((block_job *)user)->work;
    size_t h = ((block_job *)user)->b->hidden;
    (void)part;
    for (size_t i = first; i < end; i++) {
        work->kernels->gelu(work->hidden + i * h, h);
        work->kernels->quantize_row(work->quantised + i * h, work->scale + i, work->hidden + i * h, h);
    }
}

static void run_block(const lac_block *b, float *x, size_t rows, lac_layer_work *work)
{
    block_job job = {b, x, work};
    lac_parallel(rows, work->threads, mix_rows, &job);
    lac_layer_product(work, &b->up, 0, rows, work->hidden, b->hidden);
    lac_parallel(rows, work->threads, activate_rows, &job);
    lac_layer_product(work, &b->down, 0, rows, work->mixed, b->width);
    for (size_t i = 0; i < rows * b->width; i++)
        x[i] += work->mixed[i];
}

void lac_stack_run(lac_stack *s, size_t rows, lac_layer_work *work, const lac_tap *tap, const char *name)
{
    for (size_t i = 0; i < s->count; i++) {
        float *history = s->history + i * s->past;
        memcpy(s->x - s->past, history, s->past * sizeof(float));
        memcpy(history, s->x - s->past + rows * s->width, s->past * sizeof(float));
        run_block(&s->blocks[i], s->x, rows, work);
        lac_tap_layer(tap, name, (int)i, s->x, rows, s->width, s->width);
    }
}
