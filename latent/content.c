#include "content.h"

#include <string.h>

void lac_content_needs(lac_layer_needs *needs, const lac_factor_model *m, size_t rows)
{
    lac_trunk_needs(needs, &m->content.trunk, &m->arch.content, rows);
    lac_layer_needs_linear(needs, &m->content.join, rows);
    lac_layer_needs_blocks(needs, m->content.late, m->arch.content_late, rows);
    lac_layer_needs_linear(needs, &m->content.output, rows);
    lac_trunk_needs(needs, &m->phones.trunk, &m->arch.phones, rows);
    lac_layer_needs_linear(needs, &m->phones.output, rows);
}

void lac_content_init(lac_content *c, lac_workspace *w, const lac_factor_model *m, size_t rows)
{
    const lac_factor_arch *a = &m->arch;
    c->model = m;
    c->early = a->content_ahead / a->content_stride;
    lac_trunk_init(&c->trunk, w, &m->content.trunk, &a->content, rows);
    lac_stack_init(&c->late, w, m->content.late, a->content_late, rows);
    lac_stack_history(&c->late_blocks, w, m->content.late, a->content_late);
    lac_trunk_init(&c->phones, w, &m->phones.trunk, &a->phones, rows);
    lac_history_init(&c->codes_past, w, 1, a->dimensions, LAC_TRUNK_TAPS - 1);
    c->rows = lac_workspace_take(w, (a->content_stride + rows) * a->content.width, sizeof(float));
    c->outputs = lac_workspace_take(w, rows * a->dimensions, sizeof(float));
    c->odds = lac_workspace_take(w, rows * a->phone_classes, sizeof(float));
    c->token = lac_workspace_take(w, rows, sizeof *c->token);
    c->phone = lac_workspace_take(w, rows, sizeof *c->phone);
}

void lac_content_reset(lac_content *c)
{
    lac_trunk_reset(&c->trunk);
    lac_trunk_reset(&c->phones);
    lac_history_reset(&c->late_blocks);
    lac_history_reset(&c->codes_past);
    c->held = 0;
    c->tokens = 0;
    c->early = c->model->arch.content_ahead / c->model->arch.content_stride;
}

/* The trunk's rows, `stride` by `stride`, to the late blocks -> their number; what is over is held. */
static size_t join_rows(lac_content *c, size_t rows, lac_layer_work *work)
{
    size_t width = c->trunk.stack.width, stride = c->model->arch.content_stride;
    memcpy(c->rows + c->held * width, c->trunk.stack.x, rows * width * sizeof(float));
    size_t all = c->held + rows, joined = all / stride;
    if (joined > 0)
        lac_layer_apply(work, &c->model->content.join, c->rows, joined, c->late.x);
    c->held = all - joined * stride;
    memmove(c->rows, c->rows + joined * stride * width, c->held * width * sizeof(float));
    return joined;
}

static uint16_t token_of(const lac_factor_model *m, const float *output)
{
    const lac_factor_arch *a = &m->arch;
    const float *thresholds = m->content.thresholds;
    uint32_t token = 0, place = 1;
    for (size_t i = 0; i < a->dimensions; i++, thresholds += a->slots) {
        uint32_t digit = 0;
        for (size_t j = 0; j + 1 < a->levels[i]; j++)
            digit += thresholds[j] <= output[i];
        token += digit * place;
        place *= a->levels[i];
    }
    return (uint16_t)token;
}

void lac_content_codes(const lac_factor_arch *a, uint16_t token, float *codes)
{
    uint32_t rest = token;
    for (size_t i = 0; i < a->dimensions; i++) {
        int32_t half = (int32_t)(a->levels[i] / 2), digit = (int32_t)(rest % a->levels[i]);
        rest /= a->levels[i];
        codes[i] = (float)(digit - half) / (float)half;
    }
}

static void run_phones(lac_content *c, size_t tokens, lac_layer_work *work, const lac_tap *tap)
{
    const lac_linear *output = &c->model->phones.output;
    size_t d = c->model->arch.dimensions;
    lac_history *past = &c->codes_past;
    for (size_t i = 0; i < tokens; i++)
        lac_content_codes(&c->model->arch, c->token[i], c->outputs + i * d);
    lac_layer_quantise_windows(work, &past, 1, c->outputs, tokens, 1);
    lac_trunk_take(&c->phones, work, tokens);
    lac_trunk_run(&c->phones, tokens, work, tap, "phones.blocks");
    lac_layer_apply(work, output, c->phones.stack.x, tokens, c->odds);
    for (size_t i = 0; i < tokens; i++) {
        const float *odds = c->odds + i * output->out;
        size_t best = 0;
        for (size_t j = 1; j < output->out; j++)
            best = odds[j] > odds[best] ? j : best;
        c->phone[i] = (uint16_t)best;
    }
}

/* Tokens of the rows joined -> how many of them are of frames. */
static size_t read_tokens(lac_content *c, size_t joined, lac_layer_work *work)
{
    const lac_linear *output = &c->model->content.output;
    lac_layer_norm(work, c->late.x, joined, c->late.width);
    lac_layer_apply(work, output, c->late.x, joined, c->outputs);
    size_t early = c->early < joined ? c->early : joined;
    c->early -= early;
    for (size_t i = early; i < joined; i++)
        c->token[i - early] = token_of(c->model, c->outputs + i * output->out);
    return joined - early;
}

size_t lac_content_run(lac_content *c, size_t rows, lac_layer_work *work, const lac_tap *tap)
{
    lac_history *late = &c->late_blocks;
    lac_trunk_run(&c->trunk, rows, work, tap, "content.blocks");
    size_t joined = join_rows(c, rows, work), tokens;
    if (joined == 0)
        return 0;
    lac_stack_run(&c->late, &late, 1, joined, work, tap, "content.late");
    tokens = read_tokens(c, joined, work);
    if (tokens > 0)
        run_phones(c, tokens, work, tap);
    c->tokens += tokens;
    return tokens;
}
