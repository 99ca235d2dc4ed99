#include "network.h"

#include <string.h>

#include "parallel.h"

void lac_tap_layer(const lac_tap *tap, const char *name, int index, const float *x, size_t rows, size_t width,
                   size_t stride)
{
    if (tap->layer)
        tap->layer(tap->user, name, index, x, rows, width, stride);
}

void lac_history_init(lac_history *h, lac_workspace *w, size_t layers, size_t width, size_t past)
{
    *h = (lac_history){.layers = layers, .width = width, .past = past};
    h->rows = lac_workspace_take(w, layers * past * width, sizeof(float));
}

void lac_history_reset(lac_history *h)
{
    memset(h->rows, 0, h->layers * h->past * h->width * sizeof(float));
    h->oldest = 0;
}

static float *history_row(const lac_history *h, size_t layer, size_t row)
{
    return h->rows + (layer * h->past + row) * h->width;
}

/* Rows of a call whose windows reach into the past: the first ones. */
static size_t head_rows(const lac_history *h, size_t rows)
{
    return rows < h->past ? rows : h->past;
}

/* out = the past in order, then the head of x [rows][width], the layer's input. */
static void join_head(const lac_history *h, size_t layer, const float *x, size_t rows, float *out)
{
    size_t late = h->past - h->oldest, row = h->width * sizeof(float);
    memcpy(out, history_row(h, layer, h->oldest), late * row);
    memcpy(out + late * h->width, history_row(h, layer, 0), h->oldest * row);
    memcpy(out + h->past * h->width, x, head_rows(h, rows) * row);
}

/* Once no window needs what was: the last rows take the places of the oldest. */
static void keep_tail(const lac_history *h, size_t layer, const float *x, size_t rows)
{
    for (size_t t = rows - head_rows(h, rows); t < rows; t++)
        memcpy(history_row(h, layer, (h->oldest + t) % h->past), x + t * h->width, h->width * sizeof(float));
}

/* The input from `past` rows before row t of x on: in the joined head up to its end if t < past, else to x's. */
static const float *window_at(const lac_history *h, const float *joined, const float *x, size_t t)
{
    return t < h->past ? joined + t * h->width : x + (t - h->past) * h->width;
}

/* After all layers of a call. */
static void advance(lac_history *h, size_t rows)
{
    if (h->past > 0)
        h->oldest = (h->oldest + rows) % h->past;
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

void lac_layer_needs_windows(lac_layer_needs *needs, size_t past, size_t width)
{
    at_least(&needs->window, 2 * past * width);
}

void lac_layer_needs_blocks(lac_layer_needs *needs, const lac_block *blocks, size_t count, size_t rows)
{
    for (size_t i = 0; i < count; i++) {
        lac_layer_needs_windows(needs, blocks[i].kernel - 1, blocks[i].width);
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
    work->window = (needs->window + 15) & ~(size_t)15;
    work->windows = lac_workspace_take(w, threads * work->window, sizeof(float));
}

void lac_layer_quantise(lac_layer_work *work, size_t first, const float *x, size_t rows, size_t n)
{
    for (size_t i = 0; i < rows; i++)
        work->kernels->quantize_row(work->quantised + (first + i) * n, work->scale + first + i, x + i * n, n);
}

void lac_layer_quantise_norm(lac_layer_work *work, const float *x, size_t rows, size_t n)
{
    for (size_t i = 0; i < rows; i++) {
        work->kernels->norm_row(work->mixed, x + i * n, n);
        work->kernels->quantize_row(work->quantised + i * n, work->scale + i, work->mixed, n);
    }
}

void lac_layer_quantise_windows(lac_layer_work *work, lac_history *const *lanes, size_t count, const float *x,
                                size_t rows, size_t hop)
{
    size_t row = 0;
    for (size_t i = 0; i < count; i++) {
        lac_history *h = lanes[i];
        size_t n = (h->past + hop) * h->width;
        join_head(h, 0, x, rows, work->windows);
        for (size_t t = 0; t < rows; t += hop, row++)
            work->kernels->quantize_row(work->quantised + row * n, work->scale + row,
                                        window_at(h, work->windows, x, t), n);
        keep_tail(h, 0, x, rows);
        advance(h, rows);
        x += rows * h->width;
    }
}

void lac_layer_product(const lac_layer_work *work, const lac_linear *l, size_t first, size_t rows, float *out,
                       size_t ldo)
{
    lac_gemm(work->kernels, out, ldo, work->quantised + first * l->in, work->scale + first, l, rows, work->threads);
}

void lac_stack_init(lac_stack *s, lac_workspace *w, const lac_block *blocks, size_t count, size_t rows)
{
    *s = (lac_stack){.blocks = blocks, .count = count, .width = blocks[0].width};
    s->x = lac_workspace_take(w, rows * s->width, sizeof(float));
}

void lac_stack_history(lac_history *h, lac_workspace *w, const lac_block *blocks, size_t count)
{
    lac_history_init(h, w, count, blocks[0].width, blocks[0].kernel - 1);
}

typedef struct block_job {
    const lac_block *b;
    const lac_modulation *modulation; /* or NULL */
    size_t layer;
    lac_history *const *lanes;
    size_t rows;    /* of a lane */
    const float *x; /* [lanes][rows][width] */
    lac_layer_work *work;
} block_job;

static void modulate(float *x, const lac_modulation *m, size_t n)
{
    for (size_t i = 0; i < n; i++)
        x[i] = x[i] * m->gain[i] + m->shift[i];
}

/* Up to the quantised input of the first product. */
static void mix_block_rows(void *user, size_t part, size_t first, size_t end)
{
    const block_job *j = user;
    const lac_block *b = j->b;
    lac_layer_work *work = j->work;
    const lac_kernels *k = work->kernels;
    float *joined = work->windows + part * work->window;
    size_t c = b->width;
    for (size_t i = first, n; i < end; i += n) {
        const lac_history *h = j->lanes[i / j->rows];
        size_t t = i % j->rows, head = head_rows(h, j->rows), stop = t < head ? head : j->rows;
        const float *x = j->x + (i - t) * c;
        n = stop - t < end - i ? stop - t : end - i;
        if (t < head)
            join_head(h, j->layer, x, j->rows, joined);
        k->depthwise(work->mixed + i * c, window_at(h, joined, x, t), b->depthwise, b->depthwise_bias, n, c,
                     b->kernel);
    }
    for (size_t i = first; i < end; i++) {
        k->norm_row(work->mixed + i * c, work->mixed + i * c, c);
        if (j->modulation)
            modulate(work->mixed + i * c, j->modulation, c);
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

/* From there on. */
static void run_products(block_job *job, float *x, size_t rows)
{
    const lac_block *b = job->b;
    lac_layer_work *work = job->work;
    lac_layer_product(work, &b->up, 0, rows, work->hidden, b->hidden);
    lac_parallel(rows, work->threads, activate_rows, job);
    lac_layer_product(work, &b->down, 0, rows, work->mixed, b->width);
    for (size_t i = 0; i < rows * b->width; i++)
        x[i] += work->mixed[i];
}

void lac_stack_run(lac_stack *s, lac_history *const *lanes, size_t count, size_t rows, lac_layer_work *work,
                   const lac_tap *tap, const char *name)
{
    size_t lane = rows * s->width;
    for (size_t l = 0; l < s->count; l++) {
        block_job job = {&s->blocks[l], s->modulations ? &s->modulations[l] : NULL, l, lanes, rows, s->x, work};
        lac_parallel(count * rows, work->threads, mix_block_rows, &job);
        for (size_t i = 0; i < count; i++)
            keep_tail(lanes[i], l, s->x + i * lane, rows);
        run_products(&job, s->x, count * rows);
        lac_tap_layer(tap, name, (int)l, s->x, count * rows, s->width, s->width);
    }
    for (size_t i = 0; i < count; i++)
        advance(lanes[i], rows);
}
