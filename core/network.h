/* The network's layers on rows of activations, with the history that makes them streams.
 *
 * A row is one frame. A lane is one stream's part in a call: the same number of rows each, lane after lane. Layers are
 * causal: before a stream's first row every layer's input counts as zero. Results depend neither on how rows are split
 * over calls and lanes nor on the number of threads. */
#ifndef LAC_CORE_NETWORK_H
#define LAC_CORE_NETWORK_H

#include <stddef.h>
#include <stdint.h>

#include "kernels.h"
#include "workspace.h"

#define LAC_MAX_BLOCKS 12 /* of each kind */

/* x + down(gelu(up(norm(depthwise(x))))); the block's residual scale is folded into down at export. */
typedef struct lac_block {
    uint32_t width, hidden, kernel;
    const float *depthwise;      /* [kernel][width] */
    const float *depthwise_bias; /* [width] */
    lac_linear up, down;
} lac_block;

/* What a block's norm is turned into: norm * gain + shift. */
typedef struct lac_modulation {
    const float *gain, *shift; /* [width] */
} lac_modulation;

/* Multiply-accumulates a row. */
static inline uint64_t lac_linear_macs(const lac_linear *l)
{
    return (uint64_t)l->in * l->out;
}

static inline uint64_t lac_blocks_macs(const lac_block *blocks, size_t count)
{
    uint64_t macs = 0;
    for (const lac_block *b = blocks; b < blocks + count; b++)
        macs += (uint64_t)b->kernel * b->width + lac_linear_macs(&b->up) + lac_linear_macs(&b->down);
    return macs;
}

/* For tests: is given each layer's output x [rows][width], rows `stride` floats apart. Names as in train/model.py,
 * index -1 where a layer has none. */
typedef struct lac_tap {
    void (*layer)(void *user, const char *name, int index, const float *x, size_t rows, size_t width, size_t stride);
    void *user;
} lac_tap;

void lac_tap_layer(const lac_tap *tap, const char *name, int index, const float *x, size_t rows, size_t width,
                   size_t stride);

/* Of each of `layers` layers of one stream the last `past` rows of input, in a ring. */
typedef struct lac_history {
    float *rows; /* [layers][past][width] */
    size_t layers, width, past;
    size_t oldest; /* row of each ring */
} lac_history;

void lac_history_init(lac_history *h, lac_workspace *w, size_t layers, size_t width, size_t past);
void lac_history_reset(lac_history *h);

/* Scratch that all layers share. Collect the needs of each layer, then take it. */
typedef struct lac_layer_needs {
    size_t rows, quantised, mixed, hidden, window;
} lac_layer_needs;

typedef struct lac_layer_work {
    const lac_kernels *kernels;
    unsigned threads;
    int16_t *quantised; /* [rows][in] of the product to come */
    float *scale;       /* [rows] */
    float *mixed;       /* [rows][width] */
    float *hidden;      /* [rows][hidden] */
    float *windows;     /* [threads][window]: a lane's past and the rows behind it */
    size_t window;
} lac_layer_work;

void lac_layer_needs_linear(lac_layer_needs *needs, const lac_linear *l, size_t rows);
void lac_layer_needs_windows(lac_layer_needs *needs, size_t past, size_t width);
void lac_layer_needs_blocks(lac_layer_needs *needs, const lac_block *blocks, size_t count, size_t rows);
void lac_layer_work_init(lac_layer_work *work, lac_workspace *w, const lac_layer_needs *needs,
                         const lac_kernels *kernels, unsigned threads);

/* work->quantised from row `first` on = x [rows][n]. */
void lac_layer_quantise(lac_layer_work *work, size_t first, const float *x, size_t rows, size_t n);

/* The same of each row's norm, from row 0 on. */
void lac_layer_quantise_norm(lac_layer_work *work, const float *x, size_t rows, size_t n);

/* work->quantised = of each lane's x [rows][width] one window for every `hop` rows: those and the `past` before them.
 * lanes [count] are of one layer. */
void lac_layer_quantise_windows(lac_layer_work *work, lac_history *const *lanes, size_t count, const float *x,
                                size_t rows, size_t hop);

/* out [rows][l->out], ldo floats apart = the layer on the quantised rows from `first` on. */
void lac_layer_product(const lac_layer_work *work, const lac_linear *l, size_t first, size_t rows, float *out,
                       size_t ldo);

/* Blocks of one width in a row. */
typedef struct lac_stack {
    const lac_block *blocks;
    size_t count, width;
    float *x; /* [rows][width] */
    const lac_modulation *modulations; /* [count], to be set before a run, or NULL: the norms as they are */
} lac_stack;

void lac_stack_init(lac_stack *s, lac_workspace *w, const lac_block *blocks, size_t count, size_t rows);

/* What one stream remembers of a stack's blocks. */
void lac_stack_history(lac_history *h, lac_workspace *w, const lac_block *blocks, size_t count);

/* s->x [count][rows][width] through all blocks, in place. */
void lac_stack_run(lac_stack *s, lac_history *const *lanes, size_t count, size_t rows, lac_layer_work *work,
                   const lac_tap *tap, const char *name);

#endif
