#include "trunk.h"

void lac_trunk_needs(lac_layer_needs *needs, const lac_trunk *trunk, const lac_trunk_shape *shape, size_t rows)
{
    lac_layer_needs_linear(needs, &trunk->input, rows);
    lac_layer_needs_windows(needs, LAC_TRUNK_TAPS - 1, trunk->input.in / LAC_TRUNK_TAPS);
    lac_layer_needs_blocks(needs, trunk->blocks, shape->blocks, rows);
}

void lac_trunk_init(lac_trunk_stream *s, lac_workspace *w, const lac_trunk *trunk, const lac_trunk_shape *shape,
                    size_t rows)
{
    s->trunk = trunk;
    lac_stack_init(&s->stack, w, trunk->blocks, shape->blocks, rows);
    lac_stack_history(&s->blocks, w, trunk->blocks, shape->blocks);
}

void lac_trunk_reset(lac_trunk_stream *s)
{
    lac_history_reset(&s->blocks);
}

void lac_trunk_take(lac_trunk_stream *s, const lac_layer_work *work, size_t rows)
{
    lac_layer_product(work, &s->trunk->input, 0, rows, s->stack.x, s->stack.width);
}

void lac_trunk_run(lac_trunk_stream *s, size_t rows, lac_layer_work *work, const lac_tap *tap, const char *name)
{
    lac_history *blocks = &s->blocks;
    lac_stack_run(&s->stack, &blocks, 1, rows, work, tap, name);
    lac_layer_norm(work, s->stack.x, rows, s->stack.width);
}

void lac_layer_apply(lac_layer_work *work, const lac_linear *l, const float *x, size_t rows, float *out)
{
    lac_layer_quantise(work, 0, x, rows, l->in);
    lac_layer_product(work, l, 0, rows, out, l->out);
}

void lac_layer_norm(const lac_layer_work *work, float *x, size_t rows, size_t n)
{
    for (size_t i = 0; i < rows; i++)
        work->kernels->norm_row(x + i * n, x + i * n, n);
}
