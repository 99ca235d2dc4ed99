/* The tiny models' layers against PyTorch's: vectors/tiny_reference.bin and tiny_fsq_reference.bin, written by
 * train/reference.py. */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "bytes.h"
#include "fixture.h"
#include "sourcefilter.h"
#include "streams.h"

TestSuite(reference, .timeout = 60);

#define MAX_ARRAYS 64
#define NAME_SIZE 40

typedef struct array {
    char name[NAME_SIZE + 1];
    size_t rows, width, count;
    float *values;
} array;

typedef struct reference {
    lac_model *model;
    array arrays[MAX_ARRAYS];
    size_t count;
} reference;

static uint8_t *read_whole(const char *path, size_t *size)
{
    FILE *f = fopen(path, "rb");
    cr_assert_not_null(f, "%s", path);
    uint8_t *data = test_alloc(1 << 24, 1);
    *size = fread(data, 1, 1 << 24, f);
    fclose(f);
    return data;
}

static const uint8_t *read_array(array *a, const uint8_t *p, const uint8_t *end)
{
    cr_assert_geq(end - p, NAME_SIZE + 24);
    memcpy(a->name, p, NAME_SIZE);
    uint32_t type = lac_load32(p + NAME_SIZE), rank = lac_load32(p + NAME_SIZE + 4);
    cr_assert((type == 2 || type == 3) && (rank == 1 || rank == 2));
    size_t item = type == 2 ? 2 : 4;
    a->rows = lac_load32(p + NAME_SIZE + 8);
    a->width = rank == 2 ? lac_load32(p + NAME_SIZE + 12) : 1;
    a->count = a->rows * a->width;
    p += NAME_SIZE + 24;
    cr_assert_leq(a->count * item, (size_t)(end - p));
    a->values = test_alloc(a->count, sizeof(float));
    for (size_t i = 0; i < a->count; i++) {
        uint32_t bits = type == 3 ? lac_load32(p + 4 * i) : 0;
        if (type == 3)
            memcpy(a->values + i, &bits, sizeof bits);
        else
            a->values[i] = (float)(int16_t)lac_load16(p + 2 * i);
    }
    return p + (a->count * item + 3) / 4 * 4;
}

static reference open_reference(void)
{
    reference r = {.model = open_tiny()};
    char path[1024];
    size_t size;
    bool fsq = r.model->quantiser.kind == LAC_QUANTISER_RFSQ;
    const char *name = fsq ? "tiny_fsq_reference.bin" : "tiny_reference.bin";
    uint8_t *data = read_whole(vector_path(path, sizeof path, name), &size);
    cr_assert(size > 16 && memcmp(data, "LACREF1", 8) == 0);
    r.count = lac_load32(data + 8);
    cr_assert_leq(r.count, MAX_ARRAYS);
    const uint8_t *p = data + 16;
    for (size_t i = 0; i < r.count; i++)
        p = read_array(&r.arrays[i], p, data + size);
    free(data);
    return r;
}

static void close_reference(reference *r)
{
    for (size_t i = 0; i < r->count; i++)
        free(r->arrays[i].values);
    lac_model_close(&r->model);
}

static const array *find(const reference *r, const char *name)
{
    for (size_t i = 0; i < r->count; i++)
        if (strcmp(r->arrays[i].name, name) == 0)
            return &r->arrays[i];
    cr_assert_fail("no array %s", name);
    return NULL;
}

/* Root mean square of the difference against that of `want`, both over `count` values. */
static double relative_error(const float *got, const float *want, size_t count)
{
    double error = 0, power = 0;
    for (size_t i = 0; i < count; i++) {
        double e = (double)got[i] - (double)want[i];
        error += e * e;
        power += (double)want[i] * (double)want[i];
    }
    return sqrt(error / (power + 1e-30));
}

static void assert_close(const char *name, const float *got, const float *want, size_t count, double limit)
{
    double error = relative_error(got, want, count);
    fprintf(stderr, "# %-22s %.1e\n", name, error);
    cr_expect_lt(error, limit, "%s: relative error %g", name, error);
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
    const array *want = find(c->reference, full);
    cr_assert_eq(stride, width);
    cr_assert_eq(rows * width, want->count, "%s", full);
    assert_close(full, x, want->values, want->count, c->limit);
    c->layers++;
}

Test(reference, encoder_layers_match)
{
    reference r = open_reference();
    const array *pcm = find(&r, "pcm.in"), *grid = find(&r, "encoder.latent.grid"), *tokens = find(&r, "tokens");
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
    const array *grid = find(&r, "encoder.latent.grid"), *tokens = find(&r, "tokens");
    const array *sums = find(&r, "decoder.latent.grid");
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
    const array *want = find(r, "pcm.out");
    assert_close("pcm.out", pcm + LAC_HOP, want->values, samples - LAC_HOP, limit);
}

Test(reference, decoder_layers_match)
{
    reference r = open_reference();
    const array *grid = find(&r, "decoder.latent.grid");
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
    const array *rows = find(&r, "decoder.output"), *f0 = find(&r, "decoder.pitch");
    const array *pulses = find(&r, "decoder.excitation");
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
