#include "flow.h"

#include <string.h>

#include "content.h"
#include "fmath.h"
#include "gaussian.h"

#define PITCH_MIDDLE 150.0f  /* Hz: 0 of the pitch that the network is given */
#define OCTAVE 1.44269504f   /* of a natural logarithm */

static void init_step(lac_flow_step *s, lac_workspace *w, const lac_factor_model *m)
{
    const lac_factor_arch *a = &m->arch;
    size_t blocks = a->generator.blocks, width = a->generator.width;
    s->modulation = lac_workspace_take(w, blocks * 2 * width, sizeof(float));
    s->modulations = lac_workspace_take(w, blocks, sizeof *s->modulations);
    for (size_t i = 0; s->modulations && i < blocks; i++)
        s->modulations[i] = (lac_modulation){s->modulation + 2 * i * width, s->modulation + (2 * i + 1) * width};
    lac_history_init(&s->inputs, w, 1, lac_generator_inputs(a), LAC_TRUNK_TAPS - 1);
    lac_stack_history(&s->blocks, w, m->generator.trunk.blocks, blocks);
}

void lac_flow_init(lac_flow *f, lac_workspace *w, const lac_factor_model *m, size_t rows, unsigned threads)
{
    const lac_generator_weights *net = &m->generator;
    lac_layer_needs needs = {0};
    lac_trunk_needs(&needs, &net->trunk, &m->arch.generator, rows);
    lac_layer_needs_linear(&needs, &net->output, rows);
    lac_layer_needs_linear(&needs, &net->about, 1);
    lac_layer_needs_linear(&needs, &net->modulate[0], 1);
    lac_layer_work_init(&f->work, w, &needs, &m->kernels, threads);
    lac_stack_init(&f->stack, w, net->trunk.blocks, m->arch.generator.blocks, rows);
    f->model = m;
    f->count = m->arch.generator_steps > 0 ? m->arch.generator_steps : 1;
    f->steps = lac_workspace_take(w, f->count, sizeof *f->steps);
    for (size_t i = 0; i < f->count; i++)
        init_step(f->steps ? &f->steps[i] : &(lac_flow_step){0}, w, m);
    f->inputs = lac_workspace_take(w, rows * lac_generator_inputs(&m->arch), sizeof(float));
    f->latents = lac_workspace_take(w, rows * m->arch.latent, sizeof(float));
    f->velocity = lac_workspace_take(w, rows * m->arch.latent, sizeof(float));
    f->condition = lac_workspace_take(w, m->arch.generator_condition, sizeof(float));
}

void lac_flow_reset(lac_flow *f)
{
    for (size_t i = 0; i < f->count; i++) {
        lac_history_reset(&f->steps[i].inputs);
        lac_history_reset(&f->steps[i].blocks);
    }
    f->row = 0;
}

void lac_flow_set(lac_flow *f, const lac_factors *factors)
{
    const lac_generator_weights *net = &f->model->generator;
    size_t blocks = f->model->arch.generator.blocks, width = f->model->arch.generator.width;
    float about[LAC_GENERATOR_ABOUT], *to = about;
    memcpy(to, factors->speaker, sizeof factors->speaker);
    memcpy(to += LAC_SPEAKER_SIZE, factors->environment, sizeof factors->environment);
    memcpy(to += LAC_ENVIRONMENT_SIZE, factors->channel, sizeof factors->channel);
    for (size_t i = 0; i < f->count; i++) {
        about[LAC_GENERATOR_ABOUT - 1] = (float)i / (float)f->count;
        lac_layer_apply(&f->work, &net->about, about, 1, f->condition);
        f->work.kernels->gelu(f->condition, net->about.out);
        for (size_t j = 0; j < blocks; j++)
            lac_layer_apply(&f->work, &net->modulate[j], f->condition, 1, f->steps[i].modulation + 2 * j * width);
    }
}

/* What the network is given of a frame, before latents. */
static void load_frame(const lac_factor_arch *a, const lac_factor_frame *frame, float *x)
{
    float *extras = x + a->dimensions, hz = frame->f0_hz;
    lac_content_codes(a, frame->content, x);
    hz = hz > LAC_PITCH_MIN ? hz < LAC_PITCH_MAX ? hz : LAC_PITCH_MAX : LAC_PITCH_MIN;
    float energy = frame->energy_db > -100 ? frame->energy_db < 0 ? frame->energy_db : 0 : -100;
    extras[0] = frame->f0_hz > 0 ? lac_logf(hz * (1 / PITCH_MIDDLE)) * OCTAVE : 0;
    extras[1] = frame->f0_hz > 0 ? 1 : 0;
    extras[2] = (energy + 60) * (1 / 20.0f);
}

static void load_frames(lac_flow *f, const lac_factor_frame *frames, size_t rows)
{
    const lac_factor_arch *a = &f->model->arch;
    size_t width = lac_generator_inputs(a);
    for (size_t t = 0; t < rows; t++)
        if (frames)
            load_frame(a, frames + t, f->inputs + t * width);
        else
            memset(f->inputs + t * width, 0, (a->dimensions + LAC_GENERATOR_EXTRAS) * sizeof(float));
}

/* Where the flow begins. */
static void load_noise(lac_flow *f, size_t rows)
{
    size_t d = f->model->arch.latent;
    bool flows = f->model->arch.generator_steps > 0;
    for (size_t i = 0; i < rows * d; i++)
        f->latents[i] = flows ? f->noise * lac_gaussian(f->key, f->row * d + i) : 0;
}

static void load_latents(lac_flow *f, size_t rows)
{
    size_t d = f->model->arch.latent, width = lac_generator_inputs(&f->model->arch);
    for (size_t t = 0; t < rows; t++)
        memcpy(f->inputs + (t + 1) * width - d, f->latents + t * d, d * sizeof(float));
}

static void run_step(lac_flow *f, lac_flow_step *s, size_t rows)
{
    const lac_generator_weights *net = &f->model->generator;
    lac_history *inputs = &s->inputs, *blocks = &s->blocks;
    float size = 1 / (float)f->count;
    if (f->model->arch.generator_steps > 0)
        load_latents(f, rows);
    lac_layer_quantise_windows(&f->work, &inputs, 1, f->inputs, rows, 1);
    lac_layer_product(&f->work, &net->trunk.input, 0, rows, f->stack.x, f->stack.width);
    f->stack.modulations = s->modulations;
    lac_stack_run(&f->stack, &blocks, 1, rows, &f->work, &f->tap, "generator.blocks");
    lac_layer_norm(&f->work, f->stack.x, rows, f->stack.width);
    lac_layer_apply(&f->work, &net->output, f->stack.x, rows, f->velocity);
    for (size_t i = 0; i < rows * f->model->arch.latent; i++)
        f->latents[i] += f->velocity[i] * size;
}

void lac_flow_run(lac_flow *f, const lac_factor_frame *frames, size_t rows)
{
    load_frames(f, frames, rows);
    load_noise(f, rows);
    for (size_t i = 0; i < f->count; i++)
        run_step(f, &f->steps[i], rows);
    lac_layer_norm(&f->work, f->latents, rows, f->model->arch.latent);
    f->row += rows;
}
