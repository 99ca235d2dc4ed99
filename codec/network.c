#include "network.h"

#include <string.h>

#include "parallel.h"

#define ROOM 3 /* rows behind the past of a short call's layer: more are moved less often and take more memory */

void lac_tap_layer(const lac_tap *tap, const char *name, int index, const float *x, size_t rows, size_t width,
                   size_t stride)
{
    if (tap->layer)
        tap->layer(tap->user, name, index, x, rows, width, stride);
}

/* Layers begin at different places, so that they don't all make room in the same call. */
static void restart(lac_history *h)
{
    for (size_t l = 0; l < h->layers; l++)
        h->next[l] = (uint32_t)(h->past + l % (h->span - h->past + 1));
}

void lac_history_init(lac_history *h, lac_workspace *w, size_t layers, size_t width, size_t past, size_t rows)
{
    size_t room = rows > ROOM ? rows : ROOM;
    *h = (lac_history){.layers = layers, .width = width, .past = past, .span = past + (room < past ? room : past)};
    h->rows = lac_workspace_take(w, layers * h->span * width, sizeof(float));
    h->next = lac_workspace_take(w, layers, sizeof *h->next);
    if (h->next)
        restart(h);
}

void lac_history_reset(lac_history *h)
{
    memset(h->rows, 0, h->layers * h->span * h->width * sizeof(float));
    restart(h);
}

/* Rows of a call that its windows see together with the past: the first ones. */
static size_t head_rows(const lac_history *h, size_t rows)
{
    return rows < h->past ? rows : h->past;
}

static float *history_row(const lac_history *h, size_t layer, size_t row)
{
    return h->rows + (layer * h->span + row) * h->width;
}

/* The head of x [rows][width], the layer's input, behind its past. */
static void append_head(lac_history *h, size_t layer, const float *x, size_t rows)
{
    size_t head = head_rows(h, rows), row = h->width * sizeof(float);
    if (h->next[layer] + head > h->span) {
        memmove(history_row(h, layer, 0), history_row(h, layer, h->next[layer] - h->past), h->past * row);
        h->next[layer] = (uint32_t)h->past;
    }
    memcpy(history_row(h, layer, h->next[layer]), x, head * row);
}

/* The input from `past` rows before row t on: after append_head up to the head's end if t < past, else to x's. */
static const float *window_at(const lac_history *h, size_t layer, const float *x, size_t t)
{
    return t < h->past ? history_row(h, layer, h->next[layer] + t - h->past) : x + (t - h->past) * h->width;
}

/* The last rows become the past, once no window needs what was. */
static void keep_tail(lac_history *h, size_t layer, const float *x, size_t rows)
{
    if (rows <= h->past) {
        h->next[layer] += (uint32_t)rows;
    } else {
        memcpy(history_row(h, layer, 0), x + (rows - h->past) * h->width, h->past * h->width * sizeof(float));
        h->next[layer] = (uint32_t)h->past;
    }
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
        append_head(h, 0, x, rows);
        for (size_t t = 0; t < rows; t += hop, row++)
            work->kernels->quantize_row(work->quantised + row * n, work->scale + row, window_at(h, 0, x, t), n);
        keep_tail(h, 0, x, rows);
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
    *s = (lac_stack){blocks, count, blocks[0].width, NULL};
    s->x = lac_workspace_take(w, rows * s->width, sizeof(float));
}

void lac_stack_history(lac_history *h, lac_workspace *w, const lac_block *blocks, size_t count, size_t rows)
{
    lac_history_init(h, w, count, blocks[0].width, blocks[0].kernel - 1, rows);
}

typedef struct block_job {
    const lac_block *b;
    size_t layer;
    lac_history *const *lanes;
    size_t rows;    /* of a lane */
    const float *x; /* [lanes][rows][width] */
    lac_layer_work *work;
} block_job;

/* Up to the quantised input of the first product. */
static void mix_block_rows(void *user, size_t part, size_t first, size_t end)
{
    const block_job *j = user;
    const lac_block *b = j->b;
    lac_layer_work *work = j->work;
    const lac_kernels *k = work->kernels;
    size_t c = b->width;
    (void)part;
    for (size_t i = first, n; i < end; i += n) {
        const lac_history *h = j->lanes[i / j->rows];
        size_t t = i % j->rows, head = head_rows(h, j->rows), stop = t < head ? head : j->rows;
        n = stop - t < end - i ? stop - t : end - i;
        k->depthwise(work->mixed + i * c, window_at(h, j->layer, j->x + (i - t) * c, t), b->depthwise,
                     b->depthwise_bias, n, c, b->kernel);
    }
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
        for (size_t i = 0; i < count; i++)
            append_head(lanes[i], l, s->x + i * lane, rows);
        block_job job = {&s->blocks[l], l, lanes, rows, s->x, work};
        lac_parallel(count * rows, work->threads, mix_block_rows, &job);
        for (size_t i = 0; i < count; i++)
            keep_tail(lanes[i], l, s->x + i * lane, rows);
        run_products(&job, s->x, count * rows);
        lac_tap_layer(tap, name, (int)l, s->x, count * rows, s->width, s->width);
    }
}
