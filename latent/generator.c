#include <math.h>

#include "flow.h"
#include "fmath.h"
#include "gaussian.h"
#include "lac/status.h"
#include "latenttap.h"

#define MAX_BLOCK_FRAMES 256
#define MAX_THREADS 256
#define MAX_LATENT 4095
#define MOST 1e6f /* of a vector's element */

struct lac_generator {
    lac_workspace memory;
    const lac_factor_model *model;
    lac_generator_settings settings;
    lac_flow flow;
    size_t early; /* rows to come that are of no frame */
    bool begun, flushed;
};

void lac_generator_default_settings(lac_generator_settings *settings)
{
    *settings = (lac_generator_settings){.block_frames = 64, .threads = 1, .noise = 0.3f};
}

static int lay_out(void *object, lac_workspace *w)
{
    lac_generator *g = object;
    lac_flow_init(&g->flow, w, g->model, g->settings.block_frames, g->settings.threads);
    return LAC_OK;
}

static bool settings_valid(const lac_generator_settings *s)
{
    return s->block_frames >= 1 && s->block_frames <= MAX_BLOCK_FRAMES && s->threads >= 1 &&
           s->threads <= MAX_THREADS && s->noise >= 0 && s->noise <= 2;
}

int lac_generator_open(lac_generator **generator, const lac_factor_model *model,
                       const lac_generator_settings *settings)
{
    lac_generator draft = {.model = model};
    void *opened;
    if (!generator || !model)
        return LAC_ERROR_ARGUMENT;
    lac_generator_default_settings(&draft.settings);
    if (settings)
        draft.settings = *settings;
    if (!settings_valid(&draft.settings))
        return LAC_ERROR_ARGUMENT;
    draft.early = model->arch.generator_ahead;
    draft.flow.noise = draft.settings.noise;
    draft.flow.key = lac_gaussian_key(draft.settings.seed);
    int status = lac_object_open(&opened, &draft, sizeof draft, lay_out);
    if (status)
        return status;
    *generator = opened;
    return lac_generator_set(*generator, &(lac_factors){0});
}

void lac_generator_close(lac_generator **generator)
{
    if (!generator)
        return;
    lac_object_close(*generator);
    *generator = NULL;
}

size_t lac_generator_bytes(const lac_generator *generator)
{
    return lac_object_bytes(generator);
}

void lac_generator_set_tap(lac_generator *generator, const lac_tap *tap)
{
    generator->flow.tap = *tap;
}

void lac_generator_reset(lac_generator *g)
{
    lac_flow_reset(&g->flow);
    g->early = g->model->arch.generator_ahead;
    g->begun = g->flushed = false;
}

static bool bounded(const float *x, size_t n, float most)
{
    for (size_t i = 0; i < n; i++)
        if (!(x[i] >= -most && x[i] <= most))
            return false;
    return true;
}

int lac_generator_set(lac_generator *generator, const lac_factors *factors)
{
    if (!generator || !factors || !bounded(factors->speaker, LAC_SPEAKER_SIZE, MOST) ||
        !bounded(factors->environment, LAC_ENVIRONMENT_SIZE, MOST) ||
        !bounded(factors->channel, LAC_CHANNEL_SIZE, MOST))
        return LAC_ERROR_ARGUMENT;
    lac_float_mode mode = lac_float_enter();
    lac_flow_set(&generator->flow, factors);
    lac_float_leave(mode);
    return LAC_OK;
}

int lac_generator_set_seed(lac_generator *generator, uint64_t seed)
{
    if (!generator)
        return LAC_ERROR_ARGUMENT;
    if (generator->begun || generator->flushed)
        return LAC_ERROR_STATE;
    generator->settings.seed = seed;
    generator->flow.key = lac_gaussian_key(seed);
    return LAC_OK;
}

/* A row to fixed point: the nearest, halves away from zero. */
static void to_fixed(const float *z, size_t n, int16_t *out)
{
    for (size_t i = 0; i < n; i++) {
        float v = lac_bounded(z[i] * LAC_FACTOR_LATENT_ONE, MAX_LATENT);
        out[i] = (int16_t)(v < 0 ? v - 0.5f : v + 0.5f);
    }
}

/* At most a block; frames NULL are behind the last one. -> rows of latents. */
static size_t run(lac_generator *g, const lac_factor_frame *frames, size_t count, int16_t *latents)
{
    size_t d = g->model->arch.latent, early = g->early < count ? g->early : count;
    lac_flow_run(&g->flow, frames, count);
    g->early -= early;
    to_fixed(g->flow.latents + early * d, (count - early) * d, latents);
    return count - early;
}

static size_t run_all(lac_generator *g, const lac_factor_frame *frames, size_t count, int16_t *latents)
{
    size_t rows = 0, block = g->settings.block_frames, d = g->model->arch.latent;
    lac_float_mode mode = lac_float_enter();
    for (size_t done = 0, n; done < count; done += n) {
        n = count - done < block ? count - done : block;
        rows += run(g, frames ? frames + done : NULL, n, latents ? latents + rows * d : NULL);
    }
    lac_float_leave(mode);
    return rows;
}

static bool frames_valid(const lac_generator *g, const lac_factor_frame *frames, size_t count)
{
    for (size_t t = 0; t < count; t++)
        if (frames[t].content >= g->model->info.content_tokens || !isfinite(frames[t].f0_hz) ||
            !isfinite(frames[t].energy_db))
            return false;
    return true;
}

int lac_generator_write(lac_generator *g, const lac_factor_frame *frames, size_t count, int16_t *latents,
                        size_t capacity, size_t *rows)
{
    if (!g || !rows || (count > 0 && !frames) || (capacity > 0 && !latents) || !frames_valid(g, frames, count))
        return LAC_ERROR_ARGUMENT;
    if (g->flushed)
        return LAC_ERROR_STATE;
    if (capacity < count - (g->early < count ? g->early : count))
        return LAC_ERROR_SPACE;
    *rows = run_all(g, frames, count, latents);
    g->begun |= count > 0;
    return LAC_OK;
}

int lac_generator_flush(lac_generator *g, int16_t *latents, size_t capacity, size_t *rows)
{
    if (!g || !rows || (capacity > 0 && !latents))
        return LAC_ERROR_ARGUMENT;
    if (g->flushed)
        return LAC_ERROR_STATE;
    size_t ahead = g->begun ? g->model->arch.generator_ahead : 0;
    if (capacity < ahead - (g->early < ahead ? g->early : ahead))
        return LAC_ERROR_SPACE;
    *rows = run_all(g, NULL, ahead, latents);
    g->flushed = true;
    return LAC_OK;
}
