/* The tiny factor model against PyTorch: vectors/tiny_factors_reference.bin, written by train/factors/make_tiny.py. */
#include "factorfixture.h"
#include "latenttap.h"
#include "prosody.h"
#include "referencefile.h"

TestSuite(factorreference, .timeout = 60);

#define LIMIT 1e-4
#define LAYER_NAME 64

typedef struct comparison {
    const array_file *file;
    size_t layers;
    char seen[MAX_ARRAYS][LAYER_NAME];
} comparison;

/* The first time that a layer runs. */
static void compare_layer(void *user, const char *name, int index, const float *x, size_t rows, size_t width,
                          size_t stride)
{
    comparison *c = user;
    char full[LAYER_NAME];
    snprintf(full, sizeof full, "%s.%d", name, index);
    for (size_t i = 0; i < c->layers; i++)
        if (strcmp(c->seen[i], full) == 0)
            return;
    const array *want = find(c->file, full);
    cr_assert(stride == width && width == want->width && rows <= want->rows && rows + 6 > want->rows, "%s", full);
    assert_close(full, x, want->values, rows * width, LIMIT);
    memcpy(c->seen[c->layers++], full, sizeof full);
}

static uint16_t token_of(const lac_factor_arch *a, const float *digits)
{
    uint32_t token = 0, place = 1;
    for (size_t i = 0; i < a->dimensions; i++) {
        token += (uint32_t)digits[i] * place;
        place *= a->levels[i];
    }
    return (uint16_t)token;
}

static uint16_t phone_of(const float *odds, size_t n)
{
    size_t best = 0;
    for (size_t i = 1; i < n; i++)
        best = odds[i] > odds[best] ? i : best;
    return (uint16_t)best;
}

static void compare_frames(const lac_factor_model *m, const array_file *file, const lac_factor_frame *frames,
                           size_t count)
{
    const array *digits = find(file, "content.digits"), *odds = find(file, "phones.output");
    const array *style = find(file, "style.output");
    size_t ahead = m->arch.style_ahead;
    cr_assert_eq(digits->rows * m->arch.content_stride, count);
    for (size_t t = 0; t < count; t++) {
        size_t s = t / m->arch.content_stride;
        cr_expect_eq(frames[t].content, token_of(&m->arch, digits->values + s * digits->width), "frame %zu", t);
        cr_expect_eq(frames[t].phone, phone_of(odds->values + s * odds->width, odds->width), "frame %zu", t);
    }
    for (size_t t = 0; t + ahead < style->rows; t++) {
        lac_factor_frame want;
        lac_prosody_read(style->values + (t + ahead) * style->width, &want);
        cr_expect_float_eq(frames[t].f0_hz, want.f0_hz, 0.5, "frame %zu: %g, %g", t, frames[t].f0_hz, want.f0_hz);
        cr_expect_float_eq(frames[t].voicing, want.voicing, 1e-3);
        cr_expect_float_eq(frames[t].energy_db, want.energy_db, 0.05);
    }
}

static void compare_factors(const array_file *file, const lac_factors *f)
{
    const array *room = find(file, "surroundings.environment_output");
    const array *line = find(file, "surroundings.channel_output");
    double sum = 0;
    assert_close("speaker", f->speaker, find(file, "speaker")->values, LAC_SPEAKER_SIZE, LIMIT);
    assert_close("environment", f->environment, find(file, "surroundings.environment")->values, LAC_ENVIRONMENT_SIZE,
                 LIMIT);
    assert_close("channel", f->channel, find(file, "surroundings.channel")->values, LAC_CHANNEL_SIZE, LIMIT);
    cr_expect_float_eq(f->snr_db, fmin(fmax(20 * room->values[0], -10), 60), 0.02);
    cr_expect_float_eq(f->t60_s, fmin(fmax(0.4 * exp2(room->values[1]), 0.05), 3), 0.002);
    cr_expect_float_eq(f->bandwidth_hz, fmin(fmax(6000 * line->values[0], 500), 12000), 2);
    for (size_t i = 0; i < LAC_CODEC_CLASSES; i++)
        sum += exp(line->values[1 + i]);
    for (size_t i = 0; i < LAC_CODEC_CLASSES; i++)
        cr_expect_float_eq(f->codec[i], exp(line->values[1 + i]) / sum, 1e-3);
}

Test(factorreference, analyser_matches)
{
    lac_factor_model *m = open_tiny_factors();
    array_file file = open_arrays("tiny_factors_reference.bin");
    const array *latents = find(&file, "latents");
    int16_t *z = test_alloc(latents->count, sizeof *z);
    for (size_t i = 0; i < latents->count; i++)
        z[i] = (int16_t)latents->values[i];
    lac_factor_frame *frames = test_alloc(latents->rows, sizeof *frames);
    lac_analyser *a = open_analyser(m, 256, 1);
    comparison c = {.file = &file};
    lac_analyser_set_tap(a, &(lac_tap){compare_layer, &c});
    size_t n, rest;
    cr_assert_eq(lac_analyser_write(a, z, latents->rows, frames, latents->rows, &n), 0);
    const lac_factor_arch *h = &m->arch;
    cr_assert_eq(c.layers, h->content.blocks + h->content_late + h->phones.blocks + h->speaker.blocks +
                               h->surroundings.blocks + h->style.blocks);
    lac_analyser_set_tap(a, &(lac_tap){0});
    cr_assert_eq(lac_analyser_flush(a, frames + n, latents->rows - n, &rest), 0);
    cr_assert_eq(n + rest, latents->rows);
    compare_frames(m, &file, frames, latents->rows);
    lac_factors factors;
    lac_analyser_get(a, &factors);
    compare_factors(&file, &factors);
    lac_analyser_close(&a);
    close_arrays(&file);
    free(z);
    free(frames);
    lac_factor_model_close(&m);
}

/* Rows of what PyTorch's generator was given, as frames. */
static lac_factor_frame *frames_of(const lac_factor_model *m, const array *rows, size_t count)
{
    const lac_factor_arch *a = &m->arch;
    lac_factor_frame *frames = test_alloc(count, sizeof *frames);
    for (size_t t = 0; t < count; t++) {
        const float *x = rows->values + t * rows->width, *extras = x + a->dimensions;
        float digits[LAC_CONTENT_MAX_LEVELS];
        for (size_t i = 0; i < a->dimensions; i++)
            digits[i] = roundf(x[i] * (float)(a->levels[i] / 2)) + (float)(a->levels[i] / 2);
        frames[t].content = token_of(a, digits);
        frames[t].f0_hz = extras[1] > 0 ? 150 * exp2f(extras[0]) : 0;
        frames[t].energy_db = 20 * extras[2] - 60;
    }
    return frames;
}

Test(factorreference, generator_matches)
{
    lac_factor_model *m = open_tiny_factors();
    array_file file = open_arrays("tiny_factors_reference.bin");
    const array *want = find(&file, "generator.latents"), *vectors = find(&file, "generator.vectors");
    size_t d = m->arch.latent, ahead = m->arch.generator_ahead, count = want->rows - ahead, n, rest;
    lac_factor_frame *frames = frames_of(m, find(&file, "generator.frames"), count);
    int16_t *z = test_alloc(count * d, sizeof *z);
    lac_factors factors;
    memcpy(factors.speaker, vectors->values, sizeof factors.speaker);
    memcpy(factors.environment, vectors->values + LAC_SPEAKER_SIZE, sizeof factors.environment);
    memcpy(factors.channel, vectors->values + LAC_SPEAKER_SIZE + LAC_ENVIRONMENT_SIZE, sizeof factors.channel);
    lac_generator *g = NULL;
    cr_assert_eq(lac_generator_open(&g, m, &(lac_generator_settings){256, 1, 0, 1}), 0);
    cr_assert_eq(lac_generator_set(g, &factors), 0);
    comparison c = {.file = &file};
    lac_generator_set_tap(g, &(lac_tap){compare_layer, &c});
    cr_assert_eq(lac_generator_write(g, frames, count, z, count, &n), 0);
    cr_assert_eq(c.layers, m->arch.generator.blocks);
    cr_assert_eq(lac_generator_flush(g, z + n * d, count - n, &rest), 0);
    cr_assert_eq(n + rest, count);
    for (size_t i = 0; i < count * d; i++)
        cr_expect_float_eq((float)z[i], 512 * want->values[ahead * d + i], 1, "row %zu", i / d);
    lac_generator_close(&g);
    close_arrays(&file);
    free(frames);
    free(z);
    lac_factor_model_close(&m);
}
