/* The tiny models' layers against PyTorch's: vectors/tiny_reference.bin and tiny_fsq_reference.bin, written by
 * train/reference.py. */
#include <criterion/criterion.h>

#include "referencefile.h"
#include "sourcefilter.h"
#include "streams.h"

TestSuite(reference, .timeout = 60);

typedef struct reference {
    lac_model *model;
    array_file file;
} reference;

static reference open_reference(void)
{
    reference r = {.model = open_tiny()};
    bool fsq = r.model->quantiser.kind == LAC_QUANTISER_RFSQ;
    r.file = open_arrays(fsq ? "tiny_fsq_reference.bin" : "tiny_reference.bin");
    return r;
}

static void close_reference(reference *r)
{
    close_arrays(&r->file);
    lac_model_close(&r->model);
}

typedef struct comparison {
    const reference *reference;
    const char *side;
    size_t layers;
    double limit;
} comparison;

static void compare_layer(void *user, const char *name, int index, const float *x, size_t rows, size_t width,
                          size_t stride)
{
    comparison *c = user;
    char full[64];
    if (index < 0)
        snprintf(full, sizeof full, "%s.%s", c->side, name);
    else
        snprintf(full, sizeof full, "%s.%s.%d", c->side, name, index);
    const array *want = find(&c->reference->file, full);
    cr_assert_eq(stride, width);
    cr_assert_eq(rows * width, want->count, "%s", full);
    assert_close(full, x, want->values, want->count, c->limit);
    c->layers++;
}

Test(reference, encoder_layers_match)
{
    reference r = open_reference();
    const array *pcm = find(&r.file, "pcm.in"), *grid = find(&r.file, "encoder.latent.grid");
    const array *tokens = find(&r.file, "tokens");
    size_t frames = pcm->count / LAC_FRAME, got, d = r.model->arch.latent, wrong = 0;
    cr_assert(frames <= 256 && frames * d == grid->count);
    uint16_t *t = test_alloc(tokens->count, sizeof *t);
    int16_t *z = test_alloc(grid->count, sizeof *z);
    lac_encoder *e = NULL;
    cr_assert_eq(lac_encoder_open(&e, r.model, &(lac_encoder_settings){.block_frames = 256, .threads = 1}), 0);
    comparison c = {&r, "encoder", 0, 1e-3};
    lac_encoder_set_tap(e, &(lac_tap){compare_layer, &c});
    cr_assert_eq(lac_encoder_write_latents(e, pcm->values, frames * LAC_FRAME, t, z, frames, &got), 0);
    cr_assert_eq(c.layers, 4 + r.model->arch.encoder_fine_count + r.model->arch.encoder_coarse_count);
    for (size_t i = 0; i < grid->count; i++)
        cr_expect_leq(abs(z[i] - (int)grid->values[i]), 1, "latent %zu", i);
    for (size_t i = 0; i < tokens->count; i++)
        wrong += t[i] != (uint16_t)tokens->values[i];
    cr_expect_leq(wrong * 50, tokens->count, "%zu tokens differ", wrong);
    lac_encoder_close(&e);
    free(t);
    free(z);
    close_reference(&r);
}

Test(reference, tokens_of_a_latent_match)
{
    reference r = open_reference();
    const lac_arch *a = &r.model->arch;
    const array *grid = find(&r.file, "encoder.latent.grid"), *tokens = find(&r.file, "tokens");
    const array *sums = find(&r.file, "decoder.latent.grid");
    const lac_quantiser *q = &r.model->quantiser;
    for (size_t t = 0; t < grid->rows; t++) {
        int16_t z[LAC_RVQ_MAX_D], rest[LAC_RVQ_MAX_D];
        uint16_t row[LAC_MAX_CODEBOOKS];
        for (size_t i = 0; i < a->latent; i++)
            z[i] = (int16_t)grid->values[t * a->latent + i];
        lac_quantiser_encode(q, 1, z, &a->codebooks, 1, row, rest);
        for (size_t i = 0; i < a->codebooks; i++)
            cr_assert_eq(row[i], (uint16_t)tokens->values[t * a->codebooks + i], "frame %zu stage %zu", t, i);
        lac_quantiser_decode(q, row, a->codebooks, z);
        for (size_t i = 0; i < a->latent; i++)
            cr_assert_eq(z[i], (int16_t)sums->values[t * a->latent + i], "frame %zu", t);
    }
    close_reference(&r);
}

/* PCM of the reference begins where the decoder's first lag ends. */
static void compare_pcm(const reference *r, const float *pcm, size_t samples, double limit)
{
    const array *want = find(&r->file, "pcm.out");
    assert_close("pcm.out", pcm + LAC_HOP, want->values, samples - LAC_HOP, limit);
}

Test(reference, decoder_layers_match)
{
    reference r = open_reference();
    const array *grid = find(&r.file, "decoder.latent.grid");
    size_t frames = grid->rows;
    int16_t *z = test_alloc(grid->count, sizeof *z);
    float *pcm = test_alloc(frames * LAC_FRAME, sizeof *pcm);
    for (size_t i = 0; i < grid->count; i++)
        z[i] = (int16_t)grid->values[i];
    lac_decoder *d = NULL;
    cr_assert_eq(lac_decoder_open(&d, r.model, &(lac_decoder_settings){.block_frames = 256, .threads = 1}), 0);
    comparison c = {&r, "decoder", 0, 1e-4};
    lac_decoder_set_tap(d, &(lac_tap){compare_layer, &c});
    cr_assert_eq(lac_decoder_read_latents(d, z, frames, pcm), 0);
    cr_assert_eq(c.layers, 3 + r.model->arch.decoder_fine_count + r.model->arch.decoder_coarse_count);
    compare_pcm(&r, pcm, frames * LAC_FRAME, 3e-3);
    lac_decoder_close(&d);
    free(z);
    free(pcm);
    close_reference(&r);
}

Test(reference, synthesis_of_given_spectra_matches)
{
    reference r = open_reference();
    const array *rows = find(&r.file, "decoder.output"), *f0 = find(&r.file, "decoder.pitch");
    const array *pulses = find(&r.file, "decoder.excitation");
    lac_sourcefilter s = {0};
    lac_workspace w = lac_workspace_measure();
    lac_sourcefilter_init(&s, &w, r.model, rows->rows, 1);
    lac_workspace memory;
    cr_assert_eq(lac_workspace_open(&memory, w.used), 0);
    lac_sourcefilter_init(&s, &memory, r.model, rows->rows, 1);

    size_t voiced = 0;
    for (size_t j = 0; j < rows->rows; j++) {
        float hz = lac_pitch_hz(rows->values + j * rows->width + LAC_SPECTRA, r.model->arch.bands);
        cr_expect_float_eq(hz, f0->values[j], 1e-4 * f0->values[j], "row %zu: %g Hz, %g Hz", j, (double)hz,
                           (double)f0->values[j]);
        voiced += hz > 0;
    }
    cr_assert(voiced > rows->rows / 10 && voiced < rows->rows, "the reference must have both kinds of hops: %zu",
              voiced);
    float *pcm = test_alloc(rows->rows * LAC_HOP, sizeof *pcm);
    lac_sourcefilter_run(&s, &(lac_sourcefilter_state){0}, rows->values, rows->width, rows->rows, pcm);
    assert_close("decoder.excitation", s.pulses + LAC_HOP, pulses->values, pulses->count, 1e-3);
    compare_pcm(&r, pcm, rows->rows * LAC_HOP, 1e-3);
    free(pcm);
    lac_workspace_close(&memory);
    close_reference(&r);
}
