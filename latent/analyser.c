#include <string.h>

#include "content.h"
#include "fmath.h"
#include "lac/status.h"
#include "latenttap.h"
#include "prosody.h"
#include "stylestats.h"
#include "surroundings.h"
#include "voice.h"

#define MAX_BLOCK_FRAMES 256
#define MAX_THREADS 256
#define HALF_SURE 0.5f    /* seconds of voice that make a confidence of one half */
#define FULL_AGREEMENT 0.5f /* of stretches, from which on it costs no confidence */

struct lac_analyser {
    lac_workspace memory;
    const lac_factor_model *model;
    lac_analyser_settings settings;
    lac_tap tap;
    lac_layer_work work;
    lac_history latents;   /* that the first layers' windows reach back to */
    float *rows;           /* [block_frames][D] */
    lac_content content;
    lac_voice voice;
    lac_surroundings surroundings;
    lac_prosody prosody;
    lac_style_stats *stats;
    lac_factor_frame *pending; /* frames from `given` on, as far as networks have got with them */
    uint64_t written, given;
    uint64_t rows_run;     /* those behind the last that was written included */
    bool flushed;
};

void lac_analyser_default_settings(lac_analyser_settings *settings)
{
    *settings = (lac_analyser_settings){.block_frames = 64, .threads = 1};
}

static int lay_out(void *object, lac_workspace *w)
{
    lac_analyser *a = object;
    const lac_factor_model *m = a->model;
    size_t block = a->settings.block_frames;
    lac_layer_needs needs = {0};
    lac_content_needs(&needs, m, block);
    lac_voice_needs(&needs, m, block);
    lac_surroundings_needs(&needs, m, block);
    lac_prosody_needs(&needs, m, block);
    lac_layer_work_init(&a->work, w, &needs, &m->kernels, a->settings.threads);
    lac_history_init(&a->latents, w, 1, m->arch.latent, LAC_TRUNK_TAPS - 1);
    a->rows = lac_workspace_take(w, block * m->arch.latent, sizeof(float));
    lac_content_init(&a->content, w, m, block);
    lac_voice_init(&a->voice, w, m, block);
    lac_surroundings_init(&a->surroundings, w, m, block);
    lac_prosody_init(&a->prosody, w, m, block);
    a->stats = lac_workspace_take(w, 1, sizeof *a->stats);
    a->pending = lac_workspace_take(w, block + m->info.delay_frames + m->arch.content_stride, sizeof *a->pending);
    return LAC_OK;
}

int lac_analyser_open(lac_analyser **analyser, const lac_factor_model *model, const lac_analyser_settings *settings)
{
    lac_analyser draft = {.model = model};
    void *opened;
    if (!analyser || !model)
        return LAC_ERROR_ARGUMENT;
    lac_analyser_default_settings(&draft.settings);
    if (settings)
        draft.settings = *settings;
    const lac_analyser_settings *s = &draft.settings;
    if (s->block_frames < 1 || s->block_frames > MAX_BLOCK_FRAMES || s->threads < 1 || s->threads > MAX_THREADS)
        return LAC_ERROR_ARGUMENT;
    int status = lac_object_open(&opened, &draft, sizeof draft, lay_out);
    if (!status)
        *analyser = opened;
    return status;
}

void lac_analyser_close(lac_analyser **analyser)
{
    if (!analyser)
        return;
    lac_object_close(*analyser);
    *analyser = NULL;
}

size_t lac_analyser_bytes(const lac_analyser *analyser)
{
    return lac_object_bytes(analyser);
}

void lac_analyser_set_tap(lac_analyser *analyser, const lac_tap *tap)
{
    analyser->tap = *tap;
}

void lac_analyser_reset(lac_analyser *a)
{
    lac_history_reset(&a->latents);
    lac_content_reset(&a->content);
    lac_voice_reset(&a->voice);
    lac_surroundings_reset(&a->surroundings);
    lac_prosody_reset(&a->prosody);
    memset(a->stats, 0, sizeof *a->stats);
    a->written = a->given = a->rows_run = 0;
    a->flushed = false;
}

/* Frames that networks are done with after `rows` rows, if there are so many. */
static uint64_t frames_after(const lac_analyser *a, uint64_t rows)
{
    const lac_factor_arch *arch = &a->model->arch;
    uint64_t stride = arch->content_stride;
    uint64_t content = rows > arch->content_ahead ? (rows - arch->content_ahead) / stride * stride : 0;
    uint64_t style = rows > arch->style_ahead ? rows - arch->style_ahead : 0;
    return content < style ? content : style;
}

/* Every network's first layer reads the same windows. latents NULL are zeros behind the last frame: of these only
 * networks with a look-ahead see something. */
static void take_rows(lac_analyser *a, const int16_t *latents, size_t rows)
{
    size_t count = rows * a->model->arch.latent;
    lac_history *past = &a->latents;
    for (size_t i = 0; i < count; i++)
        a->rows[i] = latents ? (float)latents[i] * (1.0f / LAC_FACTOR_LATENT_ONE) : 0;
    lac_layer_quantise_windows(&a->work, &past, 1, a->rows, rows, 1);
    lac_trunk_take(&a->content.trunk, &a->work, rows);
    lac_trunk_take(&a->prosody.trunk, &a->work, rows);
    if (latents) {
        lac_trunk_take(&a->voice.trunk, &a->work, rows);
        lac_trunk_take(&a->surroundings.trunk, &a->work, rows);
    }
}

static void run_content(lac_analyser *a, size_t rows)
{
    size_t stride = a->model->arch.content_stride;
    uint64_t first = a->content.tokens;
    size_t tokens = lac_content_run(&a->content, rows, &a->work, &a->tap);
    for (size_t i = 0; i < tokens * stride; i++) {
        lac_factor_frame *f = a->pending + (first * stride + i - a->given);
        f->content = a->content.token[i / stride];
        f->phone = a->content.phone[i / stride];
    }
}

static void run_prosody(lac_analyser *a, size_t rows)
{
    uint64_t ahead = a->model->arch.style_ahead;
    lac_prosody_run(&a->prosody, rows, &a->work, &a->tap);
    for (size_t i = 0; i < rows; i++)
        if (a->rows_run + i >= ahead)
            lac_prosody_read(a->prosody.outputs + i * a->prosody.weights->output.out,
                             a->pending + (a->rows_run + i - ahead - a->given));
}

/* Frames that are complete to out, which may be NULL -> their number. */
static size_t give_frames(lac_analyser *a, lac_factor_frame *out)
{
    uint64_t ready = frames_after(a, a->rows_run);
    size_t reached = (size_t)(a->rows_run - a->given);
    size_t n = (size_t)((ready < a->written ? ready : a->written) - a->given);
    for (size_t i = 0; i < n; i++)
        lac_style_stats_add(a->stats, a->pending + i);
    if (out)
        memcpy(out, a->pending, n * sizeof *out);
    memmove(a->pending, a->pending + n, (reached - n) * sizeof *a->pending);
    a->given += n;
    return n;
}

/* At most a block. */
static size_t run(lac_analyser *a, const int16_t *latents, size_t rows, lac_factor_frame *out)
{
    take_rows(a, latents, rows);
    if (latents) {
        lac_voice_run(&a->voice, rows, &a->work, &a->tap);
        lac_surroundings_run(&a->surroundings, rows, &a->work, &a->tap);
        a->written += rows;
    }
    run_content(a, rows);
    run_prosody(a, rows);
    a->rows_run += rows;
    return give_frames(a, out);
}

/* latents NULL are zeros behind the last frame. */
static size_t run_all(lac_analyser *a, const int16_t *latents, size_t count, lac_factor_frame *out)
{
    size_t frames = 0, block = a->settings.block_frames, d = a->model->arch.latent;
    lac_float_mode mode = lac_float_enter();
    for (size_t done = 0, n; done < count; done += n) {
        n = count - done < block ? count - done : block;
        frames += run(a, latents ? latents + done * d : NULL, n, out ? out + frames : NULL);
    }
    lac_float_leave(mode);
    return frames;
}

int lac_analyser_write(lac_analyser *a, const int16_t *latents, size_t count, lac_factor_frame *out,
                       size_t capacity, size_t *frames)
{
    if (!a || !frames || (count > 0 && !latents) || (capacity > 0 && !out))
        return LAC_ERROR_ARGUMENT;
    if (a->flushed)
        return LAC_ERROR_STATE;
    if (out && capacity < frames_after(a, a->written + count) - a->given)
        return LAC_ERROR_SPACE;
    *frames = run_all(a, latents, count, out);
    return LAC_OK;
}

int lac_analyser_flush(lac_analyser *a, lac_factor_frame *out, size_t capacity, size_t *frames)
{
    if (!a || !frames || (capacity > 0 && !out))
        return LAC_ERROR_ARGUMENT;
    if (a->flushed)
        return LAC_ERROR_STATE;
    if (out && capacity < a->written - a->given)
        return LAC_ERROR_SPACE;
    *frames = run_all(a, NULL, a->written > 0 ? a->model->info.delay_frames : 0, out);
    a->flushed = true;
    return LAC_OK;
}

/* Of voice and agreement. */
static float confidence_of(const lac_analyser *a, const lac_factors *f)
{
    float voice = f->style[LAC_STYLE_VOICED] * f->speech_s;
    float agreement = lac_voice_agreement(&a->voice) * (1 / FULL_AGREEMENT);
    if (!(agreement > 0))
        return 0;
    return voice / (voice + HALF_SURE) * (agreement < 1 ? agreement : 1);
}

void lac_analyser_get(const lac_analyser *a, lac_factors *factors)
{
    lac_layer_work work = a->work;
    lac_float_mode mode = lac_float_enter();
    memset(factors, 0, sizeof *factors);
    lac_style_stats_get(a->stats, factors);
    lac_surroundings_get(&a->surroundings, &work, factors);
    if (factors->speech_s > 0) {
        lac_voice_get(&a->voice, &work, factors->speaker);
        factors->confidence = confidence_of(a, factors);
    }
    lac_float_leave(mode);
}
